"""What holds for every program, whoever runs it: seconds, output, worker processes too."""

from __future__ import annotations

import os
import sys
import time

import pytest

from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.flows import synth
from nnlogic.flows.targets import Target
from nnlogic.tools import abc
from nnlogic.tools.find import Tool
from nnlogic.tools.limits import MEGABYTES, SECONDS, Limits, limited, limits
from nnlogic.tools.parallel import in_processes
from nnlogic.tools.run import run_tool

FLOOD = "import sys\nwhile True: sys.stdout.write('all work and no play\\n' * 1000)"


@pytest.mark.parametrize("own", [None, 300])
def test_the_users_limit_holds_over_that_of_the_caller(fake_tool, tmp_path, own):
    tool = fake_tool("import time; time.sleep(300)")
    with limited(Limits(0.5)), pytest.raises(ToolTimeout, match=r"fake did not finish in 0\.5 s"):
        run_tool(tool, [], cwd=tmp_path, timeout=own)


def test_a_caller_may_ask_for_less_and_the_default_is_stated():
    assert Limits(30).within(2) == 2
    assert Limits(3000).within(None) == 3000
    assert Limits().within(None) == SECONDS == 600
    assert Limits().within(1800) == 1800
    assert limits() == Limits(None, MEGABYTES)


def test_a_program_that_floods_its_output_is_stopped(fake_tool, tmp_path):
    log = tmp_path / "log"
    with limited(Limits(60, 2)), pytest.raises(ToolFailed, match="fake printed more") as error:
        run_tool(fake_tool(FLOOD), [], cwd=tmp_path, log_file=log)
    assert "more than 2 MB and was stopped" in error.value.text()
    assert "--tool-output" in error.value.fix
    assert 1e6 < log.stat().st_size <= 2e6
    quiet = fake_tool("print('x' * 1_900_000)")
    with limited(Limits(60, 2)):
        assert run_tool(quiet, [], cwd=tmp_path).output


def bounds_there(number: int) -> tuple[int, int, float | None, float]:
    return number, os.getpid(), limits().seconds, limits().megabytes


def test_worker_processes_keep_to_the_limits():
    with limited(Limits(7, 3)):
        found = list(in_processes(bounds_there, [(i,) for i in range(4)], 2))
    assert [f[0] for f in found] == [0, 1, 2, 3]
    assert {f[2:] for f in found} == {(7, 3)}
    assert os.getpid() not in {f[1] for f in found}
    assert bounds_there(0)[2:] == (None, MEGABYTES)
    # One job, or one call, needs no other process.
    assert {f[1] for f in in_processes(bounds_there, [(0,), (1,)], 1)} == {os.getpid()}
    assert {f[1] for f in in_processes(bounds_there, [(0,)], 2)} == {os.getpid()}


@pytest.mark.parametrize("tool", ["abc", "yosys"])
def test_a_real_tool_that_hangs_is_stopped(tmp_path, monkeypatch, tool):
    """The compiler's own callers, with a program in the tool's place that never ends."""
    hang = Tool(tool, (sys.executable, "-c", "import time; time.sleep(300)"), (9,), "a test")
    begun = time.monotonic()
    with limited(Limits(0.5)):
        if tool == "abc":
            monkeypatch.setattr(abc, "find", lambda name: hang)
            with pytest.raises(ToolTimeout, match="abc did not finish"):
                abc.prove_equal("", "", timeout=600)
        else:
            monkeypatch.setattr(synth, "find", lambda name: hang)
            (tmp_path / "top.v").write_text("module top(output y); assign y = 0; endmodule")
            with pytest.raises(ToolTimeout, match="yosys did not finish"):
                synth.synthesize([tmp_path / "top.v"], "top", Target.default(), tmp_path / "out")
    assert time.monotonic() - begun < 30
