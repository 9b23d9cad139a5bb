"""Networks of a sweep: list them, or write one as a checkpoint.

    python -m benchmarks.zoo.export SWEEP.npz ... --data DIR                   # list
    python -m benchmarks.zoo.export SWEEP.npz ... --data DIR --take NAME --out FILE.safetensors
        [--place 0] [--teachers DIR]

`--place` counts the networks of that name, the best ranked first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnlogic import data
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend.native import write_quantized
from nnlogic.nn.population import LutNetwork
from nnlogic.quant.ir import QuantNet
from nnlogic.train.population import network_of, with_offset
from nnlogic.train.population_rows import make_thresholds
from nnlogic.train.recipe_file import parse_recipe
from nnlogic.train.tasks import Classification, task_of
from nnlogic.train.teacher import KEPT_FLOAT_IS, load_teacher

WIDE, FEW_ROWS = 100, 300
"""Networks of many inputs carry fewer golden rows, to keep checkpoints small."""


def networks(paths: list[Path]) -> Iterator[tuple[dict[str, Any], LutNetwork, np.ndarray]]:
    """Yield facts, network and golden outputs of everything in sweep files."""
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            for i, fact in enumerate(json.loads(str(file["facts"]))):
                head = f"{i}."
                arrays = {k.removeprefix(head): file[k] for k in file if k.startswith(head)}
                golden = arrays.pop("golden", np.zeros((0, 1), np.int64))
                yield fact, LutNetwork.from_arrays(arrays, fact["labels"], {}), golden


def rank(fact: Mapping[str, Any]) -> float:
    """Return what a network was chosen by, of older sweeps its validation accuracy."""
    return float(fact.get("ranking", fact["validation"]))


def rebuild(
    fact: Mapping[str, Any], network: LutNetwork, rows: data.Dataset, name: str = ""
) -> QuantNet:
    """Return the QuantNet of a network of a sweep."""
    recipe = parse_recipe(fact["recipe"], "sweep")
    if name:
        recipe = dataclasses.replace(recipe, name=name)
    task = task_of(recipe, rows, *recipe.levels(len(rows.outputs)))
    return network_of(network, recipe, rows, make_thresholds(rows, recipe), task)


def write(
    fact: Mapping[str, Any],
    net: QuantNet,
    rows: data.Dataset,
    golden: np.ndarray,
    path: Path,
    float_accuracy: float | None,
) -> None:
    """Write a checkpoint, after comparing with what the trained model itself gave.

    Raises
    ------
    CheckpointError
        The rebuilt network gives other outputs on the recorded validation rows.
    """
    golden = golden[: len(golden) if len(net.inputs) < WIDE else FEW_ROWS]
    x = rows.x_val[: len(golden)]
    expected = with_offset(golden[:, :-1].astype(np.int64), net, x)
    wrong = int((net.evaluate(net.encode(x)) != expected).any(1).sum())
    if wrong:
        raise CheckpointError("the network is not the trained one", why=f"{wrong} rows differ")
    test = float(np.mean(net.evaluate(net.encode(rows.x_test))[:, -1] == rows.y_test))
    accuracy = {"validation": fact["validation"], "table": test, "quantized": test}
    if float_accuracy is not None:
        accuracy["float"] = float_accuracy
    training = {key: fact[key] for key in ("recipe", "member", "steps", "from") if key in fact}
    info = {
        **net.info,
        "dataset": {
            "name": rows.name,
            "digest": rows.digest,
            "provenance": rows.provenance,
            "test_rows": len(rows.y_test),
        },
        "accuracy": accuracy,
        "family": "sums of tables" if fact["recipe"]["shape"] == "sums" else "LUT-native",
        "float_is": KEPT_FLOAT_IS,
        "training": training,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_quantized(path, dataclasses.replace(net, info=info), golden=(x, expected))


@torch.no_grad()
def teacher_accuracy(folder: Path | None, rows: data.Dataset) -> float | None:
    """Return the test accuracy of the teacher a sweep left in `folder`."""
    if folder is None:
        return None
    task = Classification(len(rows.class_names))
    teacher = load_teacher(folder / f"teacher_{rows.name}.pt", rows, task, "cpu")
    parts = torch.from_numpy(rows.x_test).split(5000)
    guess = torch.cat([teacher(part).argmax(1) for part in parts]).numpy()
    return float(np.mean(guess == rows.y_test))


def main() -> None:
    """List or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweeps", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--take")
    parser.add_argument("--place", type=int, default=0)
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = sorted(networks(args.sweeps), key=lambda item: -rank(item[0]))
    if args.take is None:
        for fact, _, _ in found:
            recipe = fact["recipe"]
            print(
                f"{rank(fact):.5f} {fact['validation']:.5f} {recipe['dataset']:6s} {recipe['name']}"
            )
        return
    fact, network, golden = [f for f in found if f[0]["recipe"]["name"] == args.take][args.place]
    rows = data.load(fact["recipe"]["dataset"], args.data)
    net = rebuild(fact, network, rows, args.out.stem)
    write(fact, net, rows, golden, args.out, teacher_accuracy(args.teachers, rows))
    print(f"{args.out}: {args.take}, validation {fact['validation']:.4f}")


if __name__ == "__main__":
    main()
