"""Outputs that stand for quantities: exact decoding, and statements that do not hold."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from nnlogic.core.errors import CheckpointError, IRError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import Enumerated, QuantNet
from nnlogic.quant.quantity import Quantity, error_figures, stated

BYTE = IntFormat(8)


def net(*quantities, fmt=BYTE):
    table = np.arange(256)[::-1].copy()
    layer = Enumerated("t", ("input",), ((0,),), (table,), (fmt,), (BYTE,))
    ports = (Port("x", BYTE),)
    out = QuantNet("n", ports, (layer,), ((Port("value_y", fmt), "t", 0),), info=stated(quantities))
    out.verify()
    return out


@pytest.mark.parametrize(
    "quantity", [Quantity("y", -3, 12), Quantity("y", 40, -7), Quantity("y", -300, 2**50)]
)
def test_decoding_rounds_nothing_and_survives_the_file(quantity, tmp_path):
    net(quantity).save(tmp_path / "n.safetensors")
    back = QuantNet.load(tmp_path / "n.safetensors")
    assert back.quantities == (quantity,)
    codes = back.evaluate(np.arange(256)[:, None])
    found = back.decode(codes)[:, 0]
    scale = Fraction(2) ** quantity.exponent
    assert [Fraction(v) for v in found] == [(int(c) + quantity.offset) * scale for c in codes[:, 0]]


def test_an_output_that_is_a_quantity_names_no_class():
    assert net().class_output == 0
    assert net(Quantity("y", 0, 0)).class_output is None
    assert net().decode(np.zeros((3, 1), np.int64)).shape == (3, 0)


@pytest.mark.parametrize(
    ("quantities", "why"),
    [
        ([Quantity("z", 0, 0)], "there is no output value_z"),
        ([Quantity("y", 0, 0)] * 2, "stated twice"),
        ([Quantity("y", 0, 2**53 - 100)], "exceeds the integers of float64"),
    ],
)
def test_quantities_that_the_outputs_do_not_have_are_refused(quantities, why):
    with pytest.raises(IRError, match=why):
        net(*quantities)


@pytest.mark.parametrize(
    "item",
    [
        {"name": "y", "exponent": 0},
        {"name": "y", "exponent": 0.5, "offset": 0},
        {"name": "y", "exponent": True, "offset": 0},
        {"name": 3, "exponent": 0, "offset": 0},
        {"name": "y", "exponent": 10**6, "offset": 0},
        {"name": "y", "exponent": 0, "offset": 1 << 60},
        {"name": "y", "exponent": 0, "offset": 0, "more": 1},
        "y",
    ],
)
def test_a_file_with_other_statements_is_refused(item, tmp_path):
    wrong = replace(net(Quantity("y", 0, 0)), info={"quantities": [item]})
    wrong.save(tmp_path / "n.safetensors")
    with pytest.raises(CheckpointError, match="quantities"):
        QuantNet.load(tmp_path / "n.safetensors")


def test_figures_of_errors():
    wanted = np.array([1.0, 2.0, 3.0, 4.0])
    found = error_figures(wanted + np.array([0, 1, -2, 0]), wanted)
    assert found["rmse"] == pytest.approx(np.sqrt(5 / 4))
    assert found["mae"] == pytest.approx(0.75)
    assert found["bias"] == pytest.approx(-0.25)
    assert found["p50"] == pytest.approx(0.5)
    assert found["p99"] <= 2
