"""The checkpoints and recipes of the zoo: what they say of themselves is so."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnlogic
from nnlogic.frontend.native import read_golden
from nnlogic.train import load_recipe

ZOO = Path(__file__).parent.parent / "zoo"
NAMES = [f"{data}_{size}" for data in ("jets", "mnist", "nid") for size in "sml"]
NAMES += ["mnist_stream_s", "mnist_stream_m"]


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint_gives_what_torch_gave(name):
    net = nnlogic.load(ZOO / f"{name}.safetensors")
    rows, outputs = read_golden(ZOO / f"{name}.safetensors")
    assert len(rows) >= 100
    assert (net.evaluate(net.encode(rows)) == outputs).all()
    assert net.info["accuracy"]["table"] > 0.7
    recipe = load_recipe(ZOO / "recipes" / f"{name}.toml")
    assert recipe.name == name
    assert recipe.dataset == net.info["dataset"]["name"]
