"""Planted faults are caught, and a check that misses one is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_nets import map_by_hand

from nnlogic.checks import faults
from nnlogic.checks.faults import flip_logic_bit, flip_table_bit, invert_gate, planted_faults
from nnlogic.checks.inputs.native import check_golden
from nnlogic.checks.raw_rows import compare_on_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import CheckpointError, IRError
from nnlogic.design.build import build
from nnlogic.hw.lut.verilog import write_verilog


@pytest.fixture(scope="module")
def codes(quant):
    return bits.random_codes(quant.inputs, 200, seed=3)


@pytest.fixture(scope="module")
def emitted(tables, tmp_path_factory):
    design = build(map_by_hand(tables), stream=False)
    return design, write_verilog(design, tmp_path_factory.mktemp("rtl"))


@pytest.mark.parametrize("seed", range(5))
def test_faults_are_single_bits_that_show(tables, logic, codes, seed):
    bad, where = flip_table_bit(tables, codes, seed)
    bad.verify()
    assert (bad.evaluate(codes) != tables.evaluate(codes)).any()
    changed = bad.functions[-1].bits ^ tables.functions[bad_function(tables, bad)].bits
    assert sum(int(w).bit_count() for w in changed.ravel()) == 1
    assert where.startswith(("fc1/neuron", "fc2/neuron"))
    bad, _ = flip_logic_bit(logic, codes, seed)
    assert sum(int(w).bit_count() for w in bad.tables ^ logic.tables) == 1
    assert (bad.evaluate(codes) != logic.evaluate(codes)).any()


def bad_function(tables, bad):
    at = next(i for i, b in enumerate(bad.blocks) if b != tables.blocks[i])
    return tables.blocks[at].function


def test_all_checks_catch_their_fault(tables, emitted, codes, tmp_path):
    design, files = emitted
    found = dict(planted_faults(tables, design, files, tmp_path, codes=codes, simulate=False))
    assert list(found) == ["fault in a table", "fault in the logic", "fault in the Verilog, proof"]
    for verdict in found.values():
        assert verdict.equal
        assert verdict.detail.startswith("caught: ")
        assert verdict.where


def test_a_blind_check_is_reported(tables, emitted, codes, tmp_path, monkeypatch):
    design, files = emitted
    blind = Verdict("a", "b", True, "proved")
    monkeypatch.setattr(faults, "check", lambda *a, **k: blind)
    monkeypatch.setattr(faults, "prove_verilog", lambda *a, **k: blind)
    for _, verdict in planted_faults(tables, design, files, tmp_path, codes=codes, simulate=False):
        assert not verdict.equal
        assert "NOT caught" in verdict.detail


def test_inverted_gate_changes_one_assignment(emitted, codes, tmp_path):
    design, files = emitted
    wrong, where = invert_gate(design, files, tmp_path / "new", codes)
    old, new = ("".join(f.read_text() for f in group).split(";") for group in (files, wrong))
    assert [f.name for f in wrong] == [f.name for f in files]
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
    assert where.endswith("inverted")


def test_no_fault_shows_on_a_constant_network(tables, logic, codes):
    flat = replace(
        tables,
        functions=tuple(replace(f, bits=np.zeros_like(f.bits)) for f in tables.functions),
        output_signals=(0,) * len(tables.output_signals),
    )
    with pytest.raises(IRError, match="no fault could be planted"):
        flip_table_bit(flat, codes)


def test_recorded_outputs(quant):
    rows = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 1, 1]])
    good = quant.evaluate(rows)
    verdict = compare_on_rows(quant, rows, good, "model")
    assert (verdict.equal, verdict.how) == (True, "sampled n=3")
    bad = good.copy()
    bad[1, 2] ^= 1
    verdict = compare_on_rows(quant, rows, bad, "model")
    assert not verdict.equal
    assert verdict.where == "row 1, output score_2"
    assert "1 of 3 rows" in verdict.detail
    assert not compare_on_rows(quant, rows, good[:2], "model").equal


def test_golden_file_is_read(quant, tmp_path, monkeypatch):
    from nnlogic.frontend.native import checkpoint as native

    with pytest.raises(CheckpointError):
        check_golden(quant, tmp_path / "missing")
    rows = np.array([[0, 1, 2, 3]])
    monkeypatch.setattr(native, "read_golden", lambda path: (rows, quant.evaluate(rows)))
    assert check_golden(quant, tmp_path).left == "torch model (recorded)"
    wrong = check_golden(quant, tmp_path, model=lambda x: quant.evaluate(rows) + 1)
    assert not wrong.equal
    assert wrong.left == "torch model"
    monkeypatch.setattr(native, "read_golden", lambda path: None)
    with pytest.raises(CheckpointError, match="no recorded outputs"):
        check_golden(quant, tmp_path)


def test_verdict_text():
    assert Verdict("A", "B", True, "proved", "9 cones").text() == "A = B (proved): 9 cones"
    assert "A differs from B" in Verdict("A", "B", False, "proved", where="y").text()
