"""The bridge to ABC, against a real ABC: it exits with 0 after most errors."""

from __future__ import annotations

import pytest

from nnlogic.core.errors import ToolFailed
from nnlogic.tools.abc import prove_equal, run_abc, transform_blif


def blif(body: str, inputs: str = "a b", outputs: str = "y") -> str:
    return f".model t\n.inputs {inputs}\n.outputs {outputs}\n{body}\n.end\n"


AND = blif(".names a b y\n11 1")
FAILURES = {
    "unknown command": (AND, "frobnicate", "unknown command"),
    "unknown option": (AND, "strash -Z", "unknown option"),
    "missing file": (AND, "read_blif absent.blif", "Cannot open"),
    "unwritable file": (AND, "write_blif absent/out.blif", "Cannot open"),
    "missing script": (AND, "source absent.abc", "Cannot open"),
    "wrong network type": (AND, "strash; mfs2", "Error:"),
    "option out of range": (AND, "strash; if -K 99", "Error:"),
    "empty network": (AND, "empty; strash", "Empty network"),
    "bad truth table": (AND, "read_truth abc; strash", "has failed"),
    "row of wrong width": (blif(".names a y\n11 1"), "strash", "has failed"),
    "signal driven twice": (blif(".names a y\n1 1\n.names b y\n1 1"), "strash", "has failed"),
    "combinational loop": (blif(".names a y y\n11 1"), "strash", "has failed"),
    "undriven signal": (blif(".names a c y\n11 1"), "strash", "Constant-0"),
    "undriven output": (blif(".names a b y\n11 1", outputs="y z"), "strash", "Constant-0"),
    "unknown subcircuit": (blif(".subckt foo x=a z=y"), "strash", "has failed"),
    "empty file": ("", "strash", "has failed"),
    "not BLIF": ("hello world\n", "strash", "killed by SIGABRT"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failure_is_noticed(case):
    text, script, words = FAILURES[case]
    with pytest.raises(ToolFailed) as error:
        transform_blif(text, script, timeout=60)
    assert words in error.value.why


@pytest.mark.parametrize(
    "script",
    [
        "strash; ifraig; dc2; if -K 6; mfs2 -e",
        "strash; dch; if -K 4; lutpack",
        "sweep; print_stats",
    ],
)
def test_good_scripts_pass_and_keep_the_function(script):
    source = blif(".names a b n\n01 1\n10 1\n.names n a y\n11 1")
    equal, _ = prove_equal(source, transform_blif(source, script))
    assert equal


def test_equal_inputs_are_matched_by_name():
    left = blif(".names a b y\n10 1")
    right = blif(".names b a y\n01 1", inputs="b a")
    assert prove_equal(left, right)[0] is True


def test_different_networks_are_told_apart():
    equal, detail = prove_equal(AND, blif(".names a b y\n11 1\n00 1"))
    assert equal is False
    assert "NOT EQUIVALENT" in detail


def test_no_verdict_is_an_error():
    with pytest.raises(ToolFailed):
        prove_equal(AND, blif(".names a b y\n11 1", inputs="a b c"))


def test_personal_start_up_file_is_not_read(tmp_path, monkeypatch):
    (tmp_path / ".abcrc").write_text("frobnicate\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "in.blif").write_text(AND)
    assert "i/o" in run_abc("read_blif in.blif; print_stats", cwd=folder).output
