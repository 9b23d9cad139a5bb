"""QuantNet against TableNet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_nets import make_quant
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks import check, compare
from nnlogic.checks.care_tables import TablesProof
from nnlogic.core import bits
from nnlogic.core.errors import InputError, ToolFailed, UsageError
from nnlogic.quant.ir import Linear
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import Function, Instance, Sum, Threshold


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_tabulated_networks_are_equal(seed):
    quant = make_quant(seed)
    for limit in (3, 14):
        verdict = check(quant, tabulate(quant, limit=limit, arith="auto"))
        assert verdict.equal
        assert verdict.how == "exhaustive"


def test_detail_counts_what_was_done(quant, tables):
    assert check(quant, tables).detail.startswith("8 neurons on ")
    assert check(tables, quant).left == "QuantNet"


def with_function(tables, at, change):
    """Return the net with a changed function for the block at a position."""
    block = tables.blocks[at]
    function = change(tables.functions[block.function])
    blocks = list(tables.blocks)
    blocks[at] = replace(block, function=len(tables.functions))
    return replace(tables, functions=(*tables.functions, function), blocks=tuple(blocks))


@pytest.mark.parametrize("at", range(8))
def test_every_flipped_bit_is_found_and_named(quant, tables, at):
    function = tables.functions[tables.blocks[at].function]
    for index in np.flatnonzero(function.care_bools()):
        flip = np.zeros_like(function.bits)
        flip[1, index // 64] = np.uint64(1) << np.uint64(index % 64)
        bad = with_function(tables, at, lambda f, flip=flip: replace(f, bits=f.bits ^ flip))
        verdict = check(quant, bad)
        assert not verdict.equal
        assert verdict.where == tables.blocks[at].origin
        assert "expected" in verdict.detail


def test_care_set_that_excludes_a_reachable_code_is_found(quant, tables):
    def narrow(f):
        care = bits.pack(np.arange(1 << f.n_inputs) != 0)
        return Function(f.n_inputs, f.bits & care, care, "exact SDC")

    verdict = check(quant, with_function(tables, 0, narrow))
    assert not verdict.equal
    assert "care set excludes" in verdict.detail


def test_wrong_wiring_is_found(quant, tables):
    block = tables.blocks[0]
    assert isinstance(block, Instance)
    swapped = replace(block, inputs=block.inputs[::-1])
    verdict = check(quant, replace(tables, blocks=(swapped, *tables.blocks[1:])))
    assert not verdict.equal
    assert verdict.where == "fc1/neuron0"
    outputs = tables.output_signals
    moved = replace(tables, output_signals=(*outputs[2:4], *outputs[:2], *outputs[4:]))
    assert check(quant, moved).where == "output bit 0"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Threshold, {"bias": 99}),
        (Threshold, {"thresholds": (0, 1)}),
        (Threshold, {"weights": (7, 7, 7)}),
        (Sum, {"bias": 99}),
        (Sum, {"weights": (1, 1, 1)}),
    ],
)
def test_wrong_arithmetic_is_found(quant, kind, change):
    layers = quant.layers
    if kind is Sum:
        fc2 = layers[1]
        plain = Linear("fc2", fc2.sources, fc2.weights, fc2.bias, None, fc2.formats)
        quant = replace(quant, layers=(layers[0], plain, layers[2]))
    tables = tabulate(quant, limit=3, arith="auto")
    at = next(i for i, b in enumerate(tables.blocks) if isinstance(b, kind))
    blocks = list(tables.blocks)
    blocks[at] = replace(blocks[at], **change)
    verdict = check(quant, replace(tables, blocks=tuple(blocks)))
    assert not verdict.equal
    assert verdict.where == tables.blocks[at].origin
    assert check(quant, tables).equal


def lost(tables):
    return replace(tables, blocks=tuple(replace(b, origin="lost") for b in tables.blocks))


def test_blocks_without_origin_are_compared_with_tables_enumerated_anew(quant, tables):
    verdict = check(quant, lost(tables), samples=100)
    assert verdict.equal
    assert verdict.how == "proved"
    assert "then whole network by SAT" in verdict.detail


def test_a_fault_in_blocks_without_origin_is_found(quant, tables):
    last = next(b for b in reversed(tables.blocks) if isinstance(b, Instance))
    function = tables.functions[last.function]
    rows = bits.random_codes(quant.inputs, 4096)
    right = quant.evaluate(rows)
    found = 0
    for entry in range(1 << function.n_inputs):
        flipped = function.bits.copy()
        flipped[0, entry // 64] ^= np.uint64(1 << entry % 64)
        functions = list(tables.functions)
        functions[last.function] = replace(function, bits=flipped)
        faulty = replace(lost(tables), functions=tuple(functions))
        same = (faulty.evaluate(rows) == right).all(axis=1)
        # All rows that would show the fault are kept from the check.
        verdict = check(quant, faulty, codes=rows[same])
        assert verdict.how == "proved"
        assert not verdict.equal or same.all()
        found += not verdict.equal
    assert found


def no_verdict(*_, **__):
    raise ToolFailed("abc came to no verdict")


def test_what_cannot_be_enumerated_is_sampled_and_said_so(quant, tables, monkeypatch):
    monkeypatch.setattr(compare, "prove_simplified", lambda *_, **__: TablesProof(gap="no pairs"))
    monkeypatch.setattr("nnlogic.checks.whole.prove_whole", no_verdict)
    verdict = check(quant, lost(tables), samples=100)
    assert verdict.equal
    assert verdict.how == "sampled n=100"
    assert "not exhaustive" in verdict.detail


def test_ports_must_match(quant):
    other = make_quant(features=5)
    verdict = check(quant, tabulate(other))
    assert not verdict.equal
    assert verdict.where == "input ports"


def test_bad_arguments_are_user_errors(quant, tables):
    with pytest.raises(UsageError):
        check(quant, "tables")
    with pytest.raises(InputError):
        check(quant, quant, codes=np.full((1, 4), 9))


def test_samples_name_row_output_and_first_neuron(quant):
    fc1 = quant.layers[0]
    bad = replace(quant, layers=(replace(fc1, bias=fc1.bias + 3), *quant.layers[1:]))
    verdict = check(quant, bad)
    assert not verdict.equal
    assert verdict.how == "sampled n=4096"
    assert "first at fc1/neuron" in verdict.where
