"""Random stacks of neuron families, as JSON data, and the network each is exported as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import nnlogic
from nnlogic.core.errors import TooWide, UnsupportedModel, UsageError
from nnlogic.nn import LayerSpec, Stack, save_checkpoint
from nnlogic.nn.families import families as all_families

from . import plain
from .backends import equal_rows
from .reference import Net
from .walk import Finding, Refused, during

Draw = Callable[[st.SearchStrategy], Any]
ENCODERS = ("thermometer", "functions", "truncate")
ONE_BIT = ("hamming", "luts", "votes")
COUNTS = ("hamming", "votes")
"""Families without tables or activations."""
SUMS = ("linear", "projection")
"""Families that read one-bit wires only."""
PLAIN = ("additive", "kan")
"""Families whose last layer may give plain sums."""
OPTIONS: dict[str, dict[str, tuple]] = {
    "poly": {"degree": (1, 2, 3)},
    "subnet": {"hidden": (1, 4), "depth": (2, 3), "skip": (0, 2)},
    "additive": {"parts": (1, 2, 3), "part_bits": (1, 3), "degree": (1, 2)},
    "kan": {"knots": (2, 8), "part_bits": (2, 6)},
    "tree": {"branches": ([2], [2, 2], [3]), "node": ("subnet", "poly")},
    "linear": {
        "weight_bits": (2, 4, 8),
        "weights": ("", "posit(4,1)", "minifloat(2,1)", "shift(3)", "ternary()"),
    },
    "projection": {"method": ("pca", "random"), "weights": ("", "shift(3)", "binary()")},
    "ensemble": {"members": (1, 2, 3)},
}
FORMATS = {"posit(3,1)": 3, "ternary()": 2}
ACTIVATIONS = (
    "signed_uniform", "pact", "qfx", "rebnet", "codebook", "sign", *FORMATS, "learned_bits",
)  # fmt: skip
WINDOW = "window"
KERNELS = st.sampled_from(("poly", "subnet", "linear"))
ROWS = 96


@st.composite
def stacks(draw: Draw, families: tuple[str, ...] = tuple(sorted(all_families()))) -> Net:
    """Draw a stack in which some families stand; not every one fits together."""
    bits = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    classes = draw(st.integers(1, 3))
    chosen = draw(st.lists(st.sampled_from(families), min_size=1, max_size=3))
    # One encoder comes first, and what reads bits needs a layer that gives them.
    heads = [family for family in chosen if family in ENCODERS][:1]
    rest = sorted((f for f in chosen if f not in ENCODERS), key=lambda f: f in ONE_BIT)
    chosen = heads + (rest or ["poly"])
    if chosen[0] in ONE_BIT:
        bits = [1] * (classes * draw(st.integers(1, 3)))
    if heads:
        bits = [max(2, b) for b in bits]
    places = 0
    if WINDOW in chosen:
        # Maps come first, and all their positions have the same codes.
        chosen = [f for f in chosen if f == WINDOW] + [f for f in rest if f != WINDOW]
        bits, heads = [bits[0]] * len(bits), []
        places = len(bits)
    specs: list[Net] = []
    for i, family in enumerate(chosen):
        last = i == len(chosen) - 1
        to_bits = not last and chosen[i + 1] in ONE_BIT
        width = classes if last else classes * draw(st.integers(1, 2 if i == 0 and heads else 3))
        specs.append(_spec(draw, f"l{i}", family, width, last=last, to_bits=to_bits))
        if family == "truncate":
            specs[-1]["width"] = len(bits)
        if family == WINDOW:
            # The last one reads the whole map: what comes out are the classes.
            size = places if last else draw(st.integers(1, places))
            specs[-1]["options"] |= {"frame": [1, places], "size": [1, size]}
            places -= size - 1
    return {
        "input_bits": bits,
        "classes": classes,
        "layers": specs,
        "seed": draw(st.integers(0, 2**16)),
        "spread": draw(st.sampled_from((0.0, 0.3, 1.0, 1.0, 30.0))),
        "zeros": draw(st.sampled_from((0.0, 0.0, 0.3, 1.0))),
    }


def _spec(draw: Draw, name: str, family: str, width: int, *, last: bool, to_bits: bool) -> Net:
    options = {
        key: draw(st.sampled_from(values)) for key, values in OPTIONS.get(family, {}).items()
    }
    if family in ENCODERS:
        one = family != "truncate" or to_bits
        return {"name": name, "width": width, "family": family, "bits": 1 if one else 2}
    activations = ACTIVATIONS[:-1] if last or family in (*SUMS, "ensemble") else ACTIVATIONS
    activation = draw(st.sampled_from(("none",) if family in COUNTS else activations))
    if to_bits and family != "ensemble":
        activation = "sign"
    if last and family in PLAIN and draw(st.booleans()):
        activation = "none"
    bits = 1 if activation == "sign" or to_bits else draw(st.integers(1, 3))
    bits = FORMATS.get(activation, bits)
    out = {
        "name": name,
        "width": width,
        "family": family,
        "fan_in": draw(st.integers(1, 4)),
        "activation": activation,
        "bits": bits,
        "batch_norm": draw(st.booleans()),
        "connect": draw(st.sampled_from(("random", "periodic", "learned"))),
        "options": options,
    }
    if family in SUMS:
        even = activation in ("signed_uniform", "pact", "sign", "qfx") and family == "linear"
        out["connect"] = draw(st.sampled_from(("random", "pruned" if even else "periodic")))
    if family in COUNTS:
        out |= {"activation": "signed_uniform", "connect": "random", "fan_in": 0}
    if family == "luts" and draw(st.booleans()):
        out |= {"fan_in": 2, "options": {"gates": True}}
    if family == WINDOW:
        inner = _spec(draw, "k", draw(KERNELS), width, last=True, to_bits=to_bits)
        plain_keys = ("name", "width", "family")
        out = {key: out[key] for key in plain_keys} | {"options": {"layers": [inner]}}
    if family == "ensemble":
        parts = st.sampled_from(("poly", "subnet", "linear"))
        inner = _spec(draw, "p", draw(parts), width, last=True, to_bits=to_bits)
        out["options"]["layers"] = [inner]
    return out


def spec_of(data: Net) -> LayerSpec:
    """Return the layer that data describe."""
    options = dict(data.get("options", {}))
    if "layers" in options:
        options["layers"] = tuple(spec_of(part) for part in options["layers"])
    for key in ("branches", "frame", "size"):
        if key in options:
            options[key] = tuple(options[key])
    return LayerSpec(**{**data, "options": options})


def model(stack: Net) -> Stack:
    """Return the torch model, its parameters set at random.

    Raises
    ------
    Refused
        Its layers do not fit together.
    """
    names = tuple(f"x{i}" for i in range(len(stack["input_bits"])))
    classes = tuple(f"c{i}" for i in range(stack["classes"]))
    bits = tuple(stack["input_bits"])
    specs = tuple(spec_of(data) for data in stack["layers"])
    try:
        net = Stack("fuzz", names, classes, bits, specs, seed=stack["seed"])
    except (UsageError, UnsupportedModel, TooWide) as error:
        raise Refused(error.text()) from error
    net.quantizer.set_thresholds(tuple(np.arange(1, 1 << b, dtype=np.float32) - 0.5 for b in bits))
    generator = torch.Generator().manual_seed(stack["seed"])
    with torch.no_grad():
        for parameter in net.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            keep = torch.rand(parameter.shape, generator=generator) >= stack["zeros"]
            parameter.copy_(keep * (parameter + stack["spread"] * drawn * (parameter.dim() > 0)))
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm1d) and module.running_var is not None:
                shape = module.running_var.shape
                module.running_var.copy_(torch.rand(shape, generator=generator) + 0.01)
                module.running_mean.copy_(torch.randn(shape, generator=generator))
    net.anneal(1.0)
    net.prune(1.0)
    return net.eval()


def exported(stack: Net, folder: Path) -> Net:
    """Return the network a stack is, as loaded from its checkpoint, equal to the torch model."""
    with during("building a stack"):
        net = model(stack)
        quant = net.quantnet()
    rng = np.random.default_rng(stack["seed"])
    sizes = np.array([1 << b for b in stack["input_bits"]])
    rows = rng.integers(0, sizes, (ROWS, len(sizes)))
    rows[0], rows[1] = 0, sizes - 1
    with during("evaluating a stack"):
        want = net.evaluate(rows)
    path = folder / "stack.safetensors"
    with during("saving and loading a stack"):
        save_checkpoint(net, path, golden_rows=rows.astype(np.float32))
        loaded = nnlogic.load(path)
    if plain.describe(loaded) != plain.describe(quant):
        raise Finding("a stack loads as another network")
    detail = equal_rows(loaded.evaluate(loaded.encode(rows)), want)
    if detail:
        raise Finding("torch model differs from its QuantNet", detail)
    return plain.describe(loaded)
