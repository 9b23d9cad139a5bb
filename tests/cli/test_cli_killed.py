"""A command that is killed outright takes its tools and workers with it, whatever they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MARK = "NNLOGIC_KILL_TEST"
SECONDS = 10.0

# In the place of a program: prints that it runs, and never ends; nor does the child that it has.
HANG = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(os.path.join(os.environ["NNLOGIC_KILL_NOTES"], str(os.getpid())), "w") as note:
    note.write(str(child.pid))
time.sleep(600)
"""
# Imported by Python at its start. In processes whose command line holds a word, programs hang:
# those that `NNLOGIC_KILL_HUNG` names, or the process itself.
CUSTOMIZE = f"""
import os, sys
word, _, names = os.environ.get("NNLOGIC_KILL_HUNG", "").partition(":")
here = word in " ".join(sys.orig_argv)
if word and here and not names:
    exec({HANG!r})
elif here and names:
    from nnlogic.tools import find
    real = find.look
    def look(program):
        if find.name_of(program) in names.split(","):
            command = (sys.executable, "-S", "-c", {HANG!r})
            return find.Tool(find.name_of(program), command, (9, 0), "a test"), ""
        return real(program)
    find.look = look
"""


def marked(mark: str) -> set[int]:
    """All processes that come from the command, however they were started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                found |= {int(folder.name)} if state != "Z" else set()
        except OSError:
            continue
    return found


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


@pytest.fixture
def killed(tmp_path):
    """Start a command, kill it when `ready` programs hang, and say what is then still alive."""

    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CUSTOMIZE)

    def run(hung, words, ready):
        notes = tmp_path / "notes"
        notes.mkdir()
        mark = f"{os.getpid()}-{hung}"
        process = subprocess.Popen(
            [sys.executable, "-m", "nnlogic", *map(str, words)],
            env={
                **os.environ,
                MARK: mark,
                "PYTHONPATH": str(tmp_path / "site"),
                "NNLOGIC_KILL_HUNG": hung,
                "NNLOGIC_KILL_NOTES": str(notes),
            },
            stdout=subprocess.DEVNULL,
            stderr=(said := (tmp_path / "said").open("w")),
            cwd=tmp_path,
        )
        said.close()
        try:
            hangs = wait_for(lambda: sum(bool(n.read_text()) for n in notes.iterdir()) >= ready, 60)
            assert hangs, (tmp_path / "said").read_text()
            before = marked(mark)
            # The command, the programs and the child of each; workers and a guardian come on top.
            assert len(before) > 1 + 2 * ready
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        wait_for(lambda: not marked(mark), SECONDS)
        left = marked(mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left

    return run


@pytest.fixture
def checkpoint(tmp_path, make_net, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "toy.safetensors"
    make_net(4, widths=(6, 4), features=6, fan_in=4).save(path)
    return path


def test_a_compilation_that_is_killed_leaves_nothing_running(killed, checkpoint, tmp_path):
    words = ["compile", checkpoint, "-o", tmp_path / "run", "--jobs", "2"]
    # Both worker processes run a program that hangs.
    assert killed("loky:abc", words, 2) == set()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("hung", ["nnlogic verify:verilator", "cocotb_job:"])
def test_a_verification_that_is_killed_leaves_nothing_running(killed, checkpoint, tmp_path, hung):
    import nnlogic
    from nnlogic.run import open_run

    run = nnlogic.compile(checkpoint, tmp_path / "run", effort="fast", jobs=1)
    assert killed(hung, ["verify", run.path, "--simulator", "icarus"], 1) == set()
    assert open_run(run.path).status == "running"
