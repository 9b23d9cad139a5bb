"""Each way an external program can fail, played by a fake one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.tools import run
from nnlogic.tools.find import Tool
from nnlogic.tools.run import run_tool


def test_good_run_returns_its_output(fake_tool, tmp_path):
    tool = fake_tool(
        "import sys; print('hello', sys.argv[1]); print('warn', file=sys.stderr);"
        "open('out.txt', 'w').write('x')"
    )
    done = run_tool(tool, ["you"], cwd=tmp_path, timeout=20, outputs=[tmp_path / "out.txt"])
    assert sorted(done.output.split("\n")) == ["", "hello you", "warn"]
    assert done.seconds > 0


def test_exit_status_shows_the_programs_own_words(fake_tool, tmp_path):
    tool = fake_tool("import sys; print('no such cell: FOO'); sys.exit(3)")
    with pytest.raises(ToolFailed) as error:
        run_tool(tool, ["--flag"], cwd=tmp_path, timeout=20)
    text = error.value.text()
    assert "exit status 3" in text
    assert "no such cell: FOO" in text
    assert "--flag" in text
    assert str(tmp_path) in text
    assert error.value.exit_code == 5


def test_exit_status_zero_after_an_error_is_a_failure(fake_tool, tmp_path):
    tool = fake_tool("print('fine'); print('** cmd error: aborting')")
    with pytest.raises(ToolFailed, match="cmd error"):
        run_tool(tool, [], cwd=tmp_path, timeout=20, failure_phrases=("** cmd error",))
    assert run_tool(tool, [], cwd=tmp_path, timeout=20).output.startswith("fine")


@pytest.mark.parametrize("body", ["pass", "open('out.txt', 'w').close()"])
def test_missing_or_empty_output_is_a_failure(fake_tool, tmp_path, body):
    with pytest.raises(ToolFailed, match=r"did not write out\.txt"):
        run_tool(fake_tool(body), [], cwd=tmp_path, timeout=20, outputs=[tmp_path / "out.txt"])


def test_output_of_an_earlier_run_does_not_count(fake_tool, tmp_path):
    stale = tmp_path / "out.txt"
    stale.write_text("old")
    with pytest.raises(ToolFailed, match="did not write"):
        run_tool(fake_tool("pass"), [], cwd=tmp_path, timeout=20, outputs=[stale])
    assert not stale.exists()


def test_hang_is_killed_with_its_children(fake_tool, tmp_path):
    tool = fake_tool(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid)); print('started', flush=True); time.sleep(600)"
    )
    with pytest.raises(ToolTimeout, match="did not finish in 2 s") as error:
        run_tool(tool, [], cwd=tmp_path, timeout=2)
    assert "started" in error.value.text()
    assert "--tool-timeout" in error.value.fix
    assert _dies(int((tmp_path / "pid").read_text()))


def test_child_that_outlives_the_program_does_not_block(fake_tool, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.3)
    tool = fake_tool(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid)); print('done')"
    )
    assert run_tool(tool, [], cwd=tmp_path, timeout=100).output == "done\n"
    assert _dies(int((tmp_path / "pid").read_text()))


def test_killed_program_names_the_signal(fake_tool, tmp_path):
    tool = fake_tool("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ToolFailed, match=r"killed by SIGKILL.*memory"):
        run_tool(tool, [], cwd=tmp_path, timeout=20)
    tool = fake_tool("import os; os.abort()")
    with pytest.raises(ToolFailed, match="killed by SIGABRT"):
        run_tool(tool, [], cwd=tmp_path, timeout=20)


def test_huge_output_is_bounded_in_memory_and_whole_in_the_log(fake_tool, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "KEPT_CHARS", 20_000)
    tool = fake_tool("for i in range(20000): print('line', i)")
    log = tmp_path / "log"
    done = run_tool(tool, [], cwd=tmp_path, timeout=60, log_file=log)
    assert len(done.output) < 21_000
    assert done.output.startswith("line 0\n")
    assert done.output.endswith("line 19999\n")
    assert "characters left out" in done.output
    assert log.read_text() == "".join(f"line {i}\n" for i in range(20000))


def test_failure_phrase_is_found_in_what_was_left_out(fake_tool, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "KEPT_CHARS", 2_000)
    tool = fake_tool("for i in range(9000): print('Error: x' if i == 4000 else 'line')")
    with pytest.raises(ToolFailed, match="Error:"):
        run_tool(tool, [], cwd=tmp_path, timeout=60, failure_phrases=("Error:",))


def test_line_without_end_is_bounded(fake_tool, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "KEPT_CHARS", 300_000)
    tool = fake_tool("print('x' * 2_000_000)")
    assert len(run_tool(tool, [], cwd=tmp_path, timeout=60).output) < 500_000


def test_bytes_that_are_no_text_are_shown(fake_tool, tmp_path):
    tool = fake_tool("import sys; sys.stdout.buffer.write(b'a\\xff\\n')")
    assert run_tool(tool, [], cwd=tmp_path, timeout=20).output == "a\ufffd\n"


def test_lines_arrive_one_by_one(fake_tool, tmp_path):
    seen: list[str] = []
    run_tool(fake_tool("print('a'); print('b')"), [], cwd=tmp_path, timeout=20, on_line=seen.append)
    assert seen == ["a", "b"]


def test_log_is_kept_when_the_program_fails_or_hangs(fake_tool, tmp_path):
    log = tmp_path / "log"
    tool = fake_tool("import sys; print('reason'); sys.exit(1)")
    with pytest.raises(ToolFailed):
        run_tool(tool, [], cwd=tmp_path, timeout=20, log_file=log)
    assert log.read_text() == "reason\n"
    tool = fake_tool("import time; print('half', flush=True); time.sleep(60)")
    with pytest.raises(ToolTimeout):
        run_tool(tool, [], cwd=tmp_path, timeout=2, log_file=log)
    assert log.read_text() == "half\n"


def test_program_that_cannot_start(tmp_path):
    tool = Tool("ghost", (str(tmp_path / "ghost"),), (1,), "nowhere")
    with pytest.raises(ToolFailed, match="could not be started"):
        run_tool(tool, [], cwd=tmp_path, timeout=5)


def test_environment_and_standard_input(fake_tool, tmp_path):
    tool = fake_tool("import os, sys; print(os.environ['A'], os.environ['B'], sys.stdin.read())")
    tool = Tool(tool.name, tool.command, tool.version, tool.source, {"A": "tool", "B": "tool"})
    done = run_tool(tool, [], cwd=tmp_path, timeout=20, env={"B": "call"})
    assert done.output == "tool call \n"


def _dies(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
