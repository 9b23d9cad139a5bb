"""Train networks of many shapes, compile them, and keep what every neuron cost."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import nnlogic
from nnlogic.core.formats import IntFormat, Port
from nnlogic.logic.build import minimize_with_records
from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet
from nnlogic.tables.ir import Instance
from nnlogic.train import Recipe, train

CLASSES = {"jets": 5, "digits": 10, "mnist": 10}
FEATURES = {"jets": 16, "digits": 64, "mnist": 784}


def random_recipe(number: int) -> Recipe:
    """Return the recipe of network `number`: one or two hidden layers of 4 to 12 input bits."""
    rng = np.random.default_rng((20, number))
    dataset = ("jets", "jets", "digits", "mnist")[number % 4]
    input_bits = 1 if dataset == "mnist" else int(rng.choice([1, 2, 3, 4]))
    layers, before = [], input_bits
    for i in range(int(rng.integers(1, 3))):
        bits = int(rng.choice([1, 2, 3]))
        layers.append(_layer(rng, f"fc{i + 1}", int(rng.choice([12, 20, 28])), before, bits))
        before = layers[-1].bits
    bits = int(rng.choice([2, 3, 4, 5]))
    layers.append(_layer(rng, "score", CLASSES[dataset], before, bits))
    return Recipe(
        name=f"net{number}",
        dataset=dataset,
        layers=tuple(layers),
        input_bits=input_bits,
        input_method="quantile" if dataset == "jets" else "uniform",
        epochs={"jets": 3, "digits": 30, "mnist": 2}[dataset],
        batch=64 if dataset == "digits" else 1024,
        float_epochs=0,
        learning_rate=0.02,
        prune_from=0.0,
        seed=number,
    )


def _layer(rng: np.random.Generator, name: str, width: int, before: int, bits: int) -> LayerSpec:
    fan_in = max(1, round(float(rng.uniform(4, 12)) / before))
    weight_bits = int(rng.choice([3, 4, 6, 8]))
    activation = "signed_uniform" if name == "score" else str(rng.choice(["pact", "sign"]))
    bits = 1 if activation == "sign" else bits
    return plain_layer(name, width, min(fan_in, 12 // before), activation, bits, weight_bits)


def networks(numbers: range, data_dir: Path) -> Iterator[QuantNet]:
    """Train and yield the networks of these numbers."""
    for number in numbers:
        recipe = random_recipe(number)
        with tempfile.TemporaryDirectory() as folder:
            result = train(recipe, out=folder, data_dir=data_dir)
            yield nnlogic.load(result.checkpoint)


def measure(net: QuantNet, effort: str) -> dict:
    """Compile a network and return what it and its neurons cost, as JSON data."""
    tables = nnlogic.tabulate(net)
    logic, records = minimize_with_records(tables, effort=effort, jobs=1)
    by_label = {r.label: r.luts for r in records}
    blocks = {b.origin: b for b in tables.blocks if isinstance(b, Instance)}
    layers = []
    for layer in net.layers:
        if not isinstance(layer, Linear):
            continue
        neurons = []
        thresholds = np.zeros((0, 0)) if layer.thresholds is None else layer.thresholds
        for i, fmt in enumerate(layer.formats):
            wires = list(layer.wires(i, net.x_formats(layer)))
            block = blocks[f"{layer.name}/neuron{i}"]
            neurons.append(
                {
                    "wires": wires,
                    "bits": [net.x_formats(layer)[w].bits for w in wires],
                    "weights": layer.weights[i, wires].tolist(),
                    "thresholds": thresholds[i].tolist(),
                    "out_bits": fmt.bits,
                    "luts": by_label[f"function {block.function}"],
                }
            )
        layers.append({"name": layer.name, "neurons": neurons})
    used = np.bincount(logic.node_layers, minlength=len(net.layers)).tolist()
    kinds = [isinstance(layer, Argmax) for layer in net.layers]
    return {
        "name": net.name,
        "dataset": net.info["dataset"]["name"],
        "effort": effort,
        "layers": layers,
        "layer_luts": used,
        "argmax_luts": sum(n for n, is_argmax in zip(used, kinds, strict=True) if is_argmax),
        "luts": logic.n_nodes,
    }


def collect(out: Path, numbers: range, efforts: tuple[str, ...], data_dir: Path) -> None:
    """Append one line of JSON per network and effort to `out`."""
    for net in networks(numbers, data_dir):
        for effort in efforts:
            found = measure(net, effort)
            with out.open("a") as file:
                file.write(json.dumps(found) + "\n")
            print(found["name"], effort, found["luts"], flush=True)


def argmax_luts(classes: int, bits: int, effort: str) -> int:
    """Return what an argmax over scores of `bits` bits compiles to."""
    chosen = IntFormat.holding(0, classes - 1)
    net = QuantNet(
        "argmax",
        tuple(Port(f"x{i}", IntFormat(bits)) for i in range(classes)),
        (Argmax("argmax", (INPUT,), (chosen,)),),
        ((Port("class", chosen), "argmax", 0),),
    )
    return nnlogic.minimize(nnlogic.tabulate(net), effort=effort, jobs=1).n_nodes
