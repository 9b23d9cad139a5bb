"""A terminated command takes the tools it runs with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

PROGRAM = """
import sys, types, click
from pathlib import Path
from nnlogic.tools.find import Tool
from nnlogic.tools.run import run_tool

@click.command("doctor")
@click.pass_obj
def command(session):
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    tool = Tool("sleeper", (sys.executable, "-c", code), (1,), "test")
    run_tool(tool, [sys.argv[1] + ".tmp"], cwd=Path("."), timeout=60)

sys.modules["nnlogic.cli.verbs.doctor"] = types.SimpleNamespace(command=command)
from nnlogic.cli.main import main
sys.exit(main(["doctor"]))
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_sigterm_stops_the_tool_and_exits_with_130(tmp_path):
    note = tmp_path / "pid"
    written = tmp_path / "pid.tmp"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(note)], stderr=subprocess.PIPE, text=True
    )
    assert wait_for(lambda: written.exists() and written.read_text())
    tool = int(written.read_text())
    assert alive(tool)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted." in said
    assert wait_for(lambda: not alive(tool))
