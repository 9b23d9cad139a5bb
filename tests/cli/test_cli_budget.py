"""A search that is ended, by its budget or its user, gives the best so far, checked."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading

import pytest

from nnlogic.checks.specification import check_result
from nnlogic.logic.abc_blif import read_blif
from nnlogic.logic.formats import parse


def heeds_interrupts():
    """Undo what a shell does to programs in the background: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    rng = random.Random(3)
    cubes = ["".join(rng.choices("01-", (1, 1, 2), k=24)) for _ in range(50)]
    rows = [f"{cube} {''.join(rng.choices('01', (3, 1), k=5))}" for cube in cubes]
    (tmp_path / "wide.pla").write_text("\n".join([".i 24", ".o 5", ".type f", *rows, ".e", ""]))
    return tmp_path


def written_right(folder):
    spec = parse((folder / "wide.pla").read_bytes(), "wide.pla", ".pla")
    cone = read_blif((folder / "out.blif").read_text())
    return check_result(spec, cone).equal


def test_the_budget_binds(nnlogic, folder):
    got = nnlogic("minimize", "wide.pla", "-o", "out.blif", "--budget", 0.1, "--json", "--jobs", 1)
    assert got.code == 0, got.err
    [file] = json.loads(got.out)["files"]
    assert (file["ended"], file["how"]) == ("budget", "proved")
    assert "optimize network" not in got.err
    assert written_right(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_best_so_far(folder, number):
    command = [sys.executable, "-m", "nnlogic", "minimize", "wide.pla", "-o", "out.blif"]
    process = subprocess.Popen(
        [*command, "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_interrupts,
    )
    guard = threading.Timer(240, process.kill)
    guard.start()
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("optimize network"):
            process.send_signal(number)
            break
    out, rest = process.communicate(timeout=240)
    guard.cancel()
    assert process.returncode == 130, [*said, rest]
    assert "ended     by an interrupt: the best so far" in out
    assert written_right(folder)


def test_an_interrupt_before_anything_was_found_writes_nothing(folder):
    command = [sys.executable, "-m", "nnlogic", "minimize", "wide.pla", "-o", "out.blif"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=heeds_interrupts
    )
    assert process.stderr.readline().startswith("nnlogic: minimizing")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "Interrupted. Nothing was written." in said
    assert not (folder / "out.blif").exists()
