"""Situations of a user that once went wrong: folders, ways to start, texts of a file."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from nnlogic.cli.main import main
from nnlogic.frontend.native.checkpoint import write_native
from nnlogic.job.directory import open_run
from nnlogic.model.architecture import Architecture
from nnlogic.model.assemble import expected_arrays
from nnlogic.model.layer import plain_layer

ESCAPE = "\x1b[31mred\x07\x9b2J"
QUICK = ("--effort", "fast", "--jobs", "1")


@pytest.fixture
def said(capfd):
    """Run a command line: exit code, and all that reached the terminal."""

    def call(*args):
        code = main([str(a) for a in args])
        return code, "".join(capfd.readouterr())

    yield call
    logging.getLogger("nnlogic").handlers.clear()


@pytest.mark.parametrize("name", ["run (a) 1"])
def test_a_run_folder_with_a_space_and_parentheses(make_net, tmp_path, monkeypatch, said, name):
    monkeypatch.chdir(tmp_path)
    make_net(4, widths=(3, 2), features=3).save(tmp_path / "toy.safetensors")
    assert said("compile", "toy.safetensors", "-o", name, *QUICK)[0] == 0
    assert said("verify", name)[0] == 0
    assert open_run(tmp_path / name).status == "verified"


def test_the_package_is_run_as_the_command_is(tmp_path, capfd):
    env = {**os.environ, "COLUMNS": "80"}
    for args in (["--version"], ["compile", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "nnlogic", *args], capture_output=True, text=True, env=env,
            cwd=tmp_path, timeout=120,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert main(args) == 0
        assert done.stdout.split() == capfd.readouterr().out.split()
    done = subprocess.run([sys.executable, "-m", "nnlogic", "inspect", "none"],
                          capture_output=True, text=True, cwd=tmp_path, timeout=120)  # fmt: skip
    assert done.returncode == 3
    assert "no such file" in done.stderr


def test_escape_bytes_of_a_checkpoint_reach_neither_terminal_nor_files(tmp_path, said):
    arch = Architecture(
        ESCAPE,
        (f"a{ESCAPE}", f"b{ESCAPE}"),
        (1, 1),
        (f"x{ESCAPE}", f"y{ESCAPE}"),
        (plain_layer("fc", 2, 2, "pact", 1, 4, batch_norm=False),),
    )
    rng = np.random.default_rng(0)
    arrays = {n: rng.normal(size=s).astype(np.float32) for n, s in expected_arrays(arch).items()}
    arrays = {n: np.sort(np.abs(a) + 0.1) if n.startswith("input.") or n.endswith(".scale") else a
              for n, a in arrays.items()}  # fmt: skip
    info = {"dataset": {"name": ESCAPE, "test_rows": 1}, "encoder": ESCAPE, ESCAPE: [ESCAPE]}
    file = tmp_path / "net.safetensors"
    write_native(file, arch, arrays, info=info)
    code, shown = said("inspect", file)
    assert code == 0
    assert "red" in shown, "the text is encoded, not lost"
    run = tmp_path / "run"
    for args in (("compile", file, "-o", run, "-v", *QUICK), ("inspect", run), ("report", run)):
        code, more = said(*args)
        assert code == 0
        shown += more
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
    written = [path for path in run.rglob("*") if path.is_file()]
    assert len(written) > 10
    for path in written:
        if path.suffix not in (".safetensors", ".npz"):
            assert not {0x1B, 0x07} & set(path.read_bytes()), path.name
            assert "\x9b" not in path.read_bytes().decode("utf-8", "replace"), path.name
