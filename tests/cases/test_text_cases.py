"""Files of logic and Verilog from the log of cases, as a user meets them."""

import json
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnlogic.cli.main import main

FILES = Path(__file__).parent / "files"
NETWORKS = ("table_unique_case", "table_conditional", "verilog_bom", "narrow_neurons_top")


@pytest.fixture
def nnlogic(capsys):
    """Run a command line: exit code, and what it printed."""

    def call(*args):
        code = main([str(a) for a in args])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    yield call
    logging.getLogger("nnlogic").handlers.clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for file in FILES.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_compiles_and_its_import_is_proved(nnlogic, folder, name):
    got = nnlogic("compile", f"{name}.v", "-o", "run", "--effort", "fast")
    assert got.code == 0, got.err
    report = json.loads((folder / "run" / "report.json").read_text())
    first = next(row for row in report["ladder"] if row["number"] == 1)
    assert (first["verdict"], first["how"]) == ("pass", "proved")


@pytest.mark.parametrize("name", ["pla_wrapped.pla", "blif_exdc.blif"])
def test_a_file_of_logic_is_minimized_and_checked(nnlogic, folder, name):
    got = nnlogic("minimize", name, "-o", "x.blif", "--effort", "fast", "--jobs", 1)
    assert got.code == 0, got.err
    assert f"{name} = network (exhaustive)" in got.out
    if name == "blif_exdc.blif":
        assert "don't-cares" in got.out
        assert "1 output on 10 of 16 input combinations" in got.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.pla", ".i 1000000000000\n.o 1\n", "1,000,000,000,000 inputs, limit 131,072"),
        ("x.aig", "aig 1000000000000 1000000000000 0 1 0\n0\n", "1,000,000,000,000 inputs, limit"),
        ("x.blif", ".model m\n.gate inv A=a O=y\n.end\n", ".gate: only .names nodes"),
        ("x.pla", ".i 2\n.o 1\n.phase 0\n11 1\n", ".phase (outputs in inverted phase)"),
    ],
)
def test_absurd_or_foreign_content_is_refused(nnlogic, folder, name, content, said):
    (folder / name).write_text(content)
    got = nnlogic("minimize", name, "-o", "out.v")
    assert (got.code, got.out) == (3, "")
    assert name in got.err
    assert said in got.err
