"""The checkpoints and recipes of the zoo: what they say of themselves is so."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnlogic
from nnlogic.frontend.native import read_golden
from nnlogic.quant.wire import fixed_point_of
from nnlogic.train import load_recipe

ZOO = Path(__file__).parent.parent / "zoo"
NAMES = [f"{data}_{size}" for data in ("jets", "mnist", "nid") for size in "sml"]
NAMES += [f"jets_wire_{size}" for size in ("xxs", "xs", "s", "m", "l", "xl")]
NAMES += ["nid_refined_s", "nid_refined_m"]
NAMES += [f"mnist_descent_{size}" for size in "sml"]
NAMES += [f"mnist_stream_{size}" for size in ("xs", "s", "m350", "m", "l")]


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint_gives_what_torch_gave(name):
    net = nnlogic.load(ZOO / f"{name}.safetensors")
    rows, outputs = read_golden(ZOO / f"{name}.safetensors")
    assert len(rows) >= 100
    assert (net.evaluate(net.encode(rows)) == outputs).all()
    assert net.info["accuracy"]["table"] > 0.69
    recipe = load_recipe(ZOO / "recipes" / f"{name}.toml")
    assert recipe.name == name
    assert recipe.dataset == net.info["dataset"]["name"]


@pytest.mark.parametrize("name", ["jets_hyper", "jets_pca", "jets_formats"])
def test_systems_are_what_their_recipes_gave(name):
    path = ZOO / "systems" / f"{name}.safetensors"
    net = nnlogic.load(path)
    rows, outputs = read_golden(path)
    assert len(rows) == 100
    assert (net.evaluate(net.encode(rows)) == outputs).all()
    assert net.info["accuracy"]["table"] > 0.63
    recipe = load_recipe(name)
    assert net.info["training"]["recipe"]["layers"] == recipe.to_meta()["layers"]


@pytest.mark.parametrize("name", [name for name in NAMES if "wire" in name])
def test_inputs_from_the_wire_cost_no_logic(name):
    net = nnlogic.load(ZOO / f"{name}.safetensors")
    numbers = [
        fixed_point_of(t, port.format.bits)
        for t, port in zip(net.quantizer.thresholds, net.inputs, strict=True)
    ]
    assert None not in numbers
    assert max(number.bits for number in numbers) <= 7
