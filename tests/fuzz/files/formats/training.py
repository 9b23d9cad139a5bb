"""Recipes, and local copies of data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..commands import Command, command, train_without_epochs
from ..format import Format, Maker
from ..kit import NPZ, TOML, beside, files, made
from ..values import DEEP, HUGE
from .rows import ABSURD_NPZ

RECIPES = Path(__file__).parents[4] / "nnlogic/train/recipes"
DATA = "jets16.npz"
TRAIN = "-o out --data data --effort none"


def make(folder: Path) -> None:
    """Write a small local copy of the data set that the recipes name."""
    rng = np.random.default_rng(0)
    sets = {f"X_{part}": rng.normal(size=(40, 16)).astype(np.float32) for part in ("train", "test")}
    sets |= {f"y_{part}": rng.integers(0, 5, 40) for part in ("train", "test")}
    names = {"feature_names": [f"f{i}" for i in range(16)], "class_names": list("gqtwz")}
    np.savez(folder / DATA, **sets, **names)


def _recipe(key: str, text: str) -> bytes:
    lines = [
        line
        for line in (RECIPES / "jets_small.toml").read_text().splitlines()
        if not line.startswith(key)
    ]
    return "\n".join([f"{key} = {text}", *lines]).encode()


LAYER = '[[layers]]\nname = "l{}"\nwidth = 5\nfan_in = 3\nactivation = "pact"\nbits = 2\n'
ABSURD: tuple[Maker, ...] = (
    lambda _: _recipe("seed", "[" * DEEP + "]" * DEEP),
    lambda _: _recipe("seed", "{a=" * 3000 + "1" + "}" * 3000),
    lambda _: _recipe("a" + ".a" * 5000, "1"),
    lambda _: (
        _recipe("seed", "0").decode() + "".join(LAYER.format(i) for i in range(3000))
    ).encode(),
    lambda _: _recipe("seed", "1" * 5000),
    lambda _: _recipe("input_bits", str(HUGE)),
    lambda _: _recipe("seed", "0").replace(b"width = 30", b"width = %d" % HUGE),
    lambda _: _recipe("seed", "0").replace(b"width = 30", b"width = 10000000"),
    lambda _: _recipe("seed", "-1"),
)
RIGHT = files(*(RECIPES / f"jets_{name}.toml" for name in ("small", "tree", "luts", "additive")))


def _trained(name: str, *codes: int) -> tuple[Command, ...]:
    return (command(f"train {name} {TRAIN}", *codes, main=train_without_epochs),)


FORMATS = (
    Format(
        "recipe", "f.toml", RIGHT, _trained("f.toml", 2), TOML, ABSURD, beside(DATA, "data"), make
    ),
    Format(
        "dataset", f"data/{DATA}", made(DATA), _trained("jets_small", 2), NPZ, ABSURD_NPZ,
        beside(DATA, "data"), make,
    ),
)  # fmt: skip
