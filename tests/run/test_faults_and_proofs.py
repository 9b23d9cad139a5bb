"""Statements, faults and exports of a run, as a user asks for them."""

import csv
import itertools
import json
import shutil

import numpy as np
import pytest

from nnlogic.cli.main import main
from nnlogic.design.ir import HardwareDesign
from nnlogic.job.directory import read_report
from nnlogic.quant.ir import QuantNet
from nnlogic.run import compile as compile_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from tests.conftest import random_quant_net

    folder = tmp_path_factory.mktemp("whole")
    random_quant_net(5, features=4).save(folder / "toy.safetensors")
    compile_run(folder / "toy.safetensors", folder / "run", stop_after="design", jobs=1)
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


def test_certified_shares_are_kept_for_the_report(run, capsys, tmp_path):
    kept = tmp_path / "kept"
    shutil.copytree(run, kept)
    net = QuantNet.load(kept / "ir" / "quant.safetensors")
    rows = np.random.default_rng(1).uniform(-2, 2, (12, 4))
    chosen = net.evaluate(net.encode(rows))[:, net.class_output]
    labels = np.where(np.arange(12) % 3 == 0, (chosen + 1) % 3, chosen)
    table = tmp_path / "rows.csv"
    lines = [
        ",".join([*(f"{v:.17g}" for v in r), str(y)]) for r, y in zip(rows, labels, strict=True)
    ]
    table.write_text("\n".join(["f0,f1,f2,f3,y", *lines]))
    given = ("--rows", table, "--label", "y", "--keep")
    assert asked(capsys, "prove", kept, "robust radius=1", *given)[0] in (0, 1)
    code, out = asked(capsys, "prove", kept, "robust hamming=0", "same " + str(run), *given)
    assert code == 0
    assert "right and certified: 8 (66.7 %)" in out
    found = {s["statement"]: s for s in _kept(kept, capsys)}
    assert found["robust hamming=0"]["holds"] == 12
    assert found["robust hamming=0"]["right"] == found["robust hamming=0"]["right_and_holds"] == 8
    assert found["same " + str(run)]["rows"] is None
    box = found["robust radius=1"]
    everything = np.array(list(itertools.product(range(4), repeat=4)))
    answers = net.evaluate(everything)[:, net.class_output]
    near = [np.abs(everything - c).max(1) <= 1 for c in net.encode(rows)]
    certified = np.array([(answers[n] == c).all() for n, c in zip(near, chosen, strict=True)])
    assert box["holds"] == certified.sum()
    assert box["right_and_holds"] == (certified & (labels == chosen)).sum()
    assert 0 < box["holds"] < 12
    # A statement asked again replaces what was found, and status and seal stay as they were.
    asked(capsys, "prove", kept, "robust hamming=0 rows=3", "robust radius=1", *given)
    assert len(_kept(kept, capsys)) == 4
    report = read_report(kept)
    assert report.status == read_report(run).status
    assert not report.warnings
    shown = asked(capsys, "report", kept)[1]
    assert "Properties" in shown
    assert "robust hamming=0" in shown
    # Planted: other logic, whatever its checks say, has no certificates.
    rows_of = kept / "sim" / "rows.npz"
    rows_of.write_bytes(rows_of.read_bytes() + b" ")
    changed = read_report(kept)
    assert changed.section("properties") is None
    assert any("withdrawn: Properties" in w for w in changed.warnings)


def _kept(run, capsys):
    data = json.loads(asked(capsys, "report", run, "--json")[1])
    (section,) = [s for s in data["sections"] if s["name"] == "properties"]
    return section["data"]["statements"]


def test_faults(run, capsys, tmp_path):
    more = ("--multiple", 2, "--trials", 5, "--triplicate", 4, "--parity")
    code, out = asked(capsys, "faults", run, *more)
    assert code == 0
    assert "parity of" in out
    assert "exhaustive" in out
    assert "sampled n=5" in out
    assert "in triplicate" in out
    code, out = asked(capsys, "faults", run, "--parity", "--json", "-o", tmp_path / "f.csv")
    data = json.loads(out)
    assert code == 0
    design = HardwareDesign.load(run / "ir" / "design.safetensors")
    assert sum(data["parity"]["ranks"]) == design.registers
    assert 0 < data["parity"]["seen_percent"] <= 100
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
    changed = tmp_path / "changed"
    shutil.copytree(run, changed)
    logic = changed / "ir" / "logic.safetensors"
    data = bytearray(logic.read_bytes())
    data[-1] ^= 1
    logic.write_bytes(bytes(data))
    for verb in (["faults"], ["prove", "same " + str(run)], ["export", "-o", tmp_path / "a.h"]):
        assert asked(capsys, verb[0], changed, *verb[1:])[0] in (1, 3)
    assert not (tmp_path / "a.h").exists()
