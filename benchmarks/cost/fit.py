"""Fit the cost model to collected neurons, and measure its error on networks held out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares

from benchmarks.cost.collect import CLASSES, FEATURES, random_recipe
from nnlogic.core.formats import IntFormat, Port
from nnlogic.nn.gates import influences, noticed
from nnlogic.predict.cost import (
    LUT_INPUTS,
    MEASURES,
    CostModel,
    diagram_width,
    formula,
    neuron_codes,
)
from nnlogic.quant.ir import INPUT, Argmax, Layer, Linear, QuantNet

HELD_OUT = 4
"""Every fourth network takes no part in the fit."""
START = (-1.0, 0.8, -0.5)
Floats = NDArray[np.float64]


def read(path: Path, effort: str) -> list[dict[str, Any]]:
    """Return the networks collected with an effort."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [net for net in lines if net["effort"] == effort]


def codes_of(neuron: dict[str, Any]) -> NDArray[np.int64]:
    """Return the table of a collected neuron."""
    count = len(neuron["weights"])
    layer = Linear(
        "neuron",
        ("input",),
        np.array([neuron["weights"]], np.int64).reshape(1, count),
        np.zeros(1, np.int64),
        np.array([neuron["thresholds"]], np.int64),
        (IntFormat(neuron["out_bits"]),),
    )
    return neuron_codes(layer, 0, tuple(IntFormat(b) for b in neuron["bits"]))


def weights_width(neuron: dict[str, Any]) -> float:
    """Return the width of a linear neuron as `LutCost` measures it."""
    pairs = list(zip(neuron["weights"], neuron["bits"], strict=True))
    steps = [abs(w) * 2.0**b for w, bits in pairs for b in range(bits)]
    spread = float(np.sqrt(np.square(steps).sum()) / 2) or 1.0
    mean = sum(w * ((1 << bits) - 1) for w, bits in pairs) / 2
    bounds = (np.array(neuron["thresholds"]) - 0.5 - mean) / spread
    contributions = torch.tensor([steps], dtype=torch.float64)
    seen = influences(contributions, torch.from_numpy(bounds)[None])
    return float(noticed(seen).sum()) - LUT_INPUTS


def measure(nets: list[dict[str, Any]]) -> dict[str, Floats]:
    """Return all neurons of some networks as columns, with the three measures of width."""
    rows = []
    for net in nets:
        for layer in net["layers"]:
            for neuron in layer["neurons"]:
                width, support = diagram_width(codes_of(neuron))
                shape = sum(neuron["bits"]) - LUT_INPUTS
                size = neuron["out_bits"], neuron["luts"]
                rows.append((*size, support, shape, weights_width(neuron), width))
    names = ("out_bits", "luts", "support", "shape", "weights", "tables")
    return dict(zip(names, np.array(rows, np.float64).T, strict=True))


def fit(columns: dict[str, Floats], measure: str) -> tuple[float, float, float]:
    """Return the parameters for one measure of width; errors count relatively, outliers less."""
    used = (columns["luts"] > 0) & ((columns["support"] > LUT_INPUTS) | (measure == "weights"))
    x, m, luts = (columns[name][used] for name in (measure, "out_bits", "luts"))

    def residual(p: Floats) -> Floats:
        return np.log(formula(x, m, (p[0], p[1], p[2])) / luts)

    a, b, c = least_squares(residual, START, loss="soft_l1", f_scale=0.2).x
    return round(float(a), 4), round(float(b), 4), round(float(c), 4)


def quantiles(errors: Floats) -> dict[str, float]:
    """Return median and 90th percentile of relative errors, and their number."""
    return {
        "median": round(float(np.median(errors)), 3),
        "p90": round(float(np.quantile(errors, 0.9)), 3),
        "count": len(errors),
    }


def neuron_errors(model: CostModel, columns: dict[str, Floats], measure: str) -> Floats:
    """Return relative errors on neurons of more than six inputs that matter."""
    used = columns["support"] > LUT_INPUTS
    x, m, luts = (columns[name][used] for name in (measure, "out_bits", "luts"))
    return np.abs(formula(x, m, getattr(model, measure)) / luts - 1)


def fit_argmax(cost: Callable[[int, int], int]) -> tuple[float, float]:
    """Fit the cost of an argmax to a grid of classes and score bits."""
    grid = [(classes, bits) for classes in (2, 3, 5, 7, 10) for bits in (2, 3, 4, 5, 6)]
    luts = np.array([cost(*point) for point in grid], np.float64)
    terms = np.array([[(c - 1) * b, (c - 2) * b] for c, b in grid])
    # Between absolute errors, which large ones rule, and relative ones, which a LUT or two rule.
    weight = np.sqrt(luts)
    solved = np.linalg.lstsq(terms / weight[:, None], weight, rcond=None)[0]
    return round(float(solved[0]), 4), round(float(solved[1]), 4)


def rebuilt(net: dict[str, Any]) -> QuantNet:
    """Return a collected network, without its input quantizer."""
    first = net["layers"][0]["neurons"]
    bits = max((b for n in first for b in n["bits"]), default=1)
    count = 1 + max((w for n in first for w in n["wires"]), default=0)
    layers: list[Layer] = []
    source = INPUT
    for item in net["layers"]:
        neurons = item["neurons"]
        weights = np.zeros((len(neurons), count), np.int64)
        for row, neuron in zip(weights, neurons, strict=True):
            row[neuron["wires"]] = neuron["weights"]
        formats = tuple(IntFormat(n["out_bits"]) for n in neurons)
        bounds = np.array([n["thresholds"] for n in neurons], np.int64)
        zero = np.zeros(len(neurons), np.int64)
        layers.append(Linear(item["name"], (source,), weights, zero, bounds, formats))
        source, count = item["name"], len(neurons)
    chosen = IntFormat.holding(0, count - 1)
    layers.append(Argmax("argmax", (source,), (chosen,)))
    inputs = 1 + max((w for n in first for w in n["wires"]), default=0)
    return QuantNet(
        net["name"],
        tuple(Port(f"x{i}", IntFormat(bits)) for i in range(inputs)),
        tuple(layers),
        ((Port("class", chosen), "argmax", 0),),
    )


def network_errors(model: CostModel, nets: list[dict[str, Any]]) -> dict[str, Floats]:
    """Return relative errors on whole networks, by architecture and by tables."""
    by_shape, by_tables = [], []
    for net in nets:
        recipe = random_recipe(int(net["name"].removeprefix("net")))
        features = tuple(f"x{i}" for i in range(FEATURES[recipe.dataset]))
        classes = tuple(f"c{i}" for i in range(CLASSES[recipe.dataset]))
        shape = sum(model.architecture(recipe.architecture(features, classes)).values())
        by_shape.append(abs(shape / net["luts"] - 1))
        by_tables.append(abs(sum(model.network(rebuilt(net)).values()) / net["luts"] - 1))
    return {"shape": np.array(by_shape), "tables": np.array(by_tables)}


def calibrate(samples: Path, effort: str, argmax: Callable[[int, int], int]) -> dict[str, Any]:
    """Fit a model to three quarters of the networks and measure it on the others.

    Returns
    -------
    dict
        As `nnlogic.predict.cost.model_from_meta` takes it.
    """
    nets = read(samples, effort)
    fitted = [net for i, net in enumerate(nets) if i % HELD_OUT]
    kept = nets[::HELD_OUT]
    columns, held_out = measure(fitted), measure(kept)
    shape, weights, tables = (fit(columns, name) for name in MEASURES)
    model = CostModel(effort, shape, weights, tables, fit_argmax(argmax))
    facts = {
        "fitted_networks": len(fitted),
        "fitted_neurons": int((columns["support"] > LUT_INPUTS).sum()),
        "held_out_neuron_error": {
            name: quantiles(neuron_errors(model, held_out, name)) for name in MEASURES
        },
        "held_out_network_error": {
            name: quantiles(errors) for name, errors in network_errors(model, kept).items()
        },
    }
    parameters = {name: getattr(model, name) for name in (*MEASURES, "argmax")}
    return {**parameters, "facts": facts}
