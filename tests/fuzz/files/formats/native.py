"""Networks that training wrote, as float parameters and as integers."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import codecs
from ..format import Format, Maker
from ..kit import NET, SAFETENSORS, made, reading
from ..values import DEEP, HUGE


def checkpoint(path: Path) -> None:
    """Write a network of linear sums as its float parameters."""
    from nnlogic.frontend.native import load_native, write_native
    from nnlogic.model.architecture import Architecture
    from nnlogic.model.assemble import expected_arrays
    from nnlogic.model.layer import plain_layer

    layers = (
        plain_layer("enc", 4, 1, "pact", 2, role="encoder"),
        plain_layer("fc1", 4, 2, "signed_uniform", 2, batch_norm=False),
        plain_layer("out", 3, 2, "qfx", 3),
    )
    arch = Architecture("net", ("a", "b", "c"), (2, 3, 2), ("x", "y", "z"), layers)
    rng = np.random.default_rng(1)
    arrays = {}
    for name, shape in expected_arrays(arch).items():
        array = rng.normal(size=shape)
        if name.endswith((".scale", ".var")):
            array = np.abs(array) + 0.1
        arrays[name] = (np.sort(array) if name.startswith("input.") else array).astype(np.float32)
        if name.endswith(".weight"):
            for row in arrays[name]:
                row[2:] = 0
    info = {"dataset": {"name": "none", "digest": "0"}, "accuracy": {"test": 0.5}}
    write_native(path, arch, arrays, info=info)
    rows = rng.normal(size=(8, 3)).astype(np.float32)
    net = load_native(path)
    write_native(path, arch, arrays, info=info, golden=(rows, net.evaluate(net.encode(rows))))


def make(folder: Path) -> None:
    """Write the network as training does."""
    checkpoint(folder / "net.safetensors")


def _architecture(features: int = 3, classes: int = 3, layers: int = 3, **change: Any) -> bytes:
    tree = codecs.ARCHIVE.decode(_checkpoint())
    arch = tree["meta"]["nnlogic"]["meta"]["architecture"]
    arch["features"] = [f"f{i}" for i in range(features)]
    arch["input_bits"] = [2] * features
    arch["classes"] = [f"c{i}" for i in range(classes)]
    arch["layers"] = [{**arch["layers"][1], "name": f"l{i}"} for i in range(layers)]
    arch["layers"][0].update(change)
    return codecs.ARCHIVE.encode(tree)


@cache
def _checkpoint() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint(Path(folder) / "net")
        return (Path(folder) / "net").read_bytes()


ABSURD: tuple[Maker, ...] = (
    lambda _: _architecture(features=100_000),
    lambda _: _architecture(classes=100_000),
    lambda _: _architecture(layers=100_000),
    lambda _: _architecture(width=HUGE),
    lambda _: _architecture(width=100_000),
    lambda _: _architecture(fan_in=HUGE),
    lambda _: (200 << 20).to_bytes(8, "little") + b"{}",
    lambda _: (2**63).to_bytes(8, "little") + b"{}",
    lambda _: (2 * DEEP).to_bytes(8, "little") + b"[" * DEEP + b"]" * DEEP,
    lambda _: codecs.HEADER.encode(
        {"header": {"__metadata__": {"nnlogic": "[" * DEEP}}, "rest": b""}
    ),
    lambda _: codecs.HEADER.encode(
        {
            "header": {"x": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4 * HUGE]}},
            "rest": b"",
        }
    ),
)

FILE = "f.safetensors"
FORMATS = (
    Format(
        "checkpoint", FILE, made("net.safetensors"), reading(FILE, "", 1), SAFETENSORS, ABSURD,
        make=make,
    ),
    Format("quantnet", FILE, made(NET), reading(FILE, "", 1), SAFETENSORS),
)  # fmt: skip
