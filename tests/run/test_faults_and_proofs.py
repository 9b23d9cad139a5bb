"""Statements, faults and exports of a run, as a user asks for them."""

import csv
import json

import pytest

from nnlogic.cli.main import main
from nnlogic.run import compile as compile_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from tests.conftest import random_quant_net

    folder = tmp_path_factory.mktemp("whole")
    random_quant_net(5, features=4).save(folder / "toy.safetensors")
    compile_run(folder / "toy.safetensors", folder / "run", stop_after="logic", jobs=1)
    return folder / "run"


def asked(capsys, *args):
    code = main([str(a) for a in args])
    return code, capsys.readouterr().out


def test_statements(run, capsys, tmp_path):
    code, out = asked(capsys, "prove", run, "robust radius=0 rows=5", "same " + str(run))
    assert code == 0
    assert "holds for 5 of 5 (100.0 %) (exhaustive)" in out
    assert out.count("holds") == 2
    code, out = asked(capsys, "prove", run, "robust radius=3 rows=5", "-o", tmp_path / "x.csv")
    assert code == 1
    assert "refuted" in out
    lines = list(csv.reader((tmp_path / "x.csv").read_text().splitlines()))
    assert lines[0] == ["statement", "claim", "f0", "f1", "f2", "f3"]
    assert len(lines) > 1
    code, out = asked(capsys, "prove", run, "robust radius=0 rows=5", "--json")
    assert json.loads(out)[0]["counts"] == {"holds": 5}
    assert asked(capsys, "prove", run, "always c1")[0] == 2


def test_faults(run, capsys, tmp_path):
    code, out = asked(capsys, "faults", run, "--multiple", 2, "--trials", 5, "--triplicate", 4)
    assert code == 0
    assert "exhaustive" in out
    assert "sampled n=5" in out
    assert "in triplicate" in out
    code, out = asked(capsys, "faults", run, "--json", "-o", tmp_path / "f.csv")
    data = json.loads(out)
    assert code == 0
    lines = list(csv.DictReader((tmp_path / "f.csv").read_text().splitlines()))
    assert len(lines) == sum(kind["faults"] for kind in data["kinds"].values())
    assert data["injections"] == len(lines) * data["samples"]


def test_exports(run, capsys, tmp_path):
    for name in ("toy.h", "toy.blif", "toy.bristol"):
        code, out = asked(capsys, "export", run, "-o", tmp_path / name)
        assert code == 0
        assert "checked" in out
        assert (tmp_path / name).stat().st_size
    assert asked(capsys, "export", run, "-o", tmp_path / "toy.h")[0] == 2
    assert asked(capsys, "export", run, "-o", tmp_path / "toy.h", "--force")[0] == 0
    assert asked(capsys, "export", run, "-o", tmp_path / "toy.xyz")[0] == 2
    code, out = asked(capsys, "export", run, "-o", tmp_path / "new.aag", "--json")
    assert json.loads(out)["checks"][0]["how"] == "exhaustive"


def test_a_run_that_was_changed_is_not_asked(run, capsys, tmp_path):
    import shutil

    changed = tmp_path / "changed"
    shutil.copytree(run, changed)
    logic = changed / "ir" / "logic.safetensors"
    data = bytearray(logic.read_bytes())
    data[-1] ^= 1
    logic.write_bytes(bytes(data))
    for verb in (["faults"], ["prove", "same " + str(run)], ["export", "-o", tmp_path / "a.h"]):
        assert asked(capsys, verb[0], changed, *verb[1:])[0] in (1, 3)
    assert not (tmp_path / "a.h").exists()
