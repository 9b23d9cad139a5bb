from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nnlogic.core.errors import UsageError
from nnlogic.flows.targets import Target
from nnlogic.flows.vivado import (
    STREAM_CONSTRAINTS,
    STREAM_SCRIPT,
    timing_xdc,
    vivado_tcl,
    write_vivado,
)
from nnlogic.job.options import Options

GOLDEN = Path(__file__).parent / "data" / "vivado.tcl"


def unbalanced(tcl: str) -> str:
    """Return the first bracket, brace or quote that has no partner, or nothing."""
    stack: list[str] = []
    chars = iter(tcl)
    for c in chars:
        inside = stack[-1] if stack else ""
        if c == "\\":
            next(chars, "")
        elif inside == "{":
            if c == "{":
                stack.append(c)
            elif c == "}":
                stack.pop()
        elif (inside, c) in {("[", "]"), ('"', '"')}:
            stack.pop()
        elif c in '{["':
            stack.append(c)
        elif c in "}]" and inside != '"':
            return c
    return stack[-1] if stack else ""


def test_script_is_the_golden_text():
    script = vivado_tcl(["../rtl/jets.v"], "jets", "xcvu9p-flgb2104-2-i")
    assert script == GOLDEN.read_text()


@pytest.mark.parametrize("source", ["a.v", "a b.v", "a{.v", "a]$x.v", 'say "hi".v', "b\\c}.v"])
def test_script_is_well_formed_whatever_the_file_names(source):
    assert unbalanced(vivado_tcl([source, "z.v"], "t", "p")) == ""


@pytest.mark.parametrize("broken", ["{", "]", 'puts "a', "puts [a {b]"])
def test_the_check_itself_finds_faults(broken):
    assert unbalanced(broken)


def test_the_stream_has_files_of_its_own(tmp_path):
    names = (STREAM_SCRIPT, STREAM_CONSTRAINTS)
    part = replace(Target.named("ecp5"), part="xck26-sfvc784-2LV-c")
    script, xdc = write_vivado([tmp_path / "t.v"], "t", part, tmp_path, 125.0, "aclk", names)
    assert (script.name, xdc.name) == names
    text = script.read_text()
    assert "-part {xck26-sfvc784-2LV-c} -mode $context" in text
    assert f"[file join $here {STREAM_CONSTRAINTS}]" in text
    assert f"-source {STREAM_SCRIPT} " in text
    assert "-period 8.000 [get_ports aclk]" in xdc.read_text()


@pytest.mark.parametrize("part", ["xc7a35tcpg236-1", "xck26-sfvc784-2LV-c"])
def test_parts_are_free_text_of_letters_digits_and_dashes(part):
    assert Options(part=part).part == part


@pytest.mark.parametrize("part", ["", "xc7", "-xc7a35t", "xc7a35t;exit", "xc7 a35t", "xc7[exec]"])
def test_other_texts_are_no_parts(part):
    with pytest.raises(UsageError, match="--part"):
        Options(part=part)


def test_constraints_give_the_period_in_nanoseconds():
    assert "-period 2.500 [get_ports clk]" in timing_xdc(400)
    assert "-period 3.003 " in timing_xdc(333)


def test_files_are_named_relative_to_the_script(tmp_path):
    rtl = tmp_path / "run" / "rtl" / "t.v"
    target = Target.named("xcup")
    script, xdc = write_vivado([rtl], "t", target, tmp_path / "run" / "flows", 250.0)
    assert "[file join $here {../rtl/t.v}]" in script.read_text()
    assert str(tmp_path) not in script.read_text()
    assert "xcvu9p-flgb2104-2-i" in script.read_text()
    assert "-period 4.000" in xdc.read_text()


def test_goal_of_the_target_is_used_without_a_clock(tmp_path):
    target = Target.named("xc7")
    _, xdc = write_vivado([tmp_path / "t.v"], "t", target, tmp_path)
    assert xdc.read_text() == timing_xdc(target.clock_mhz)


def test_other_vendors_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no Vivado script for ecp5"):
        write_vivado([tmp_path / "t.v"], "t", Target.named("ecp5"), tmp_path / "new")
    assert not (tmp_path / "new").exists()
