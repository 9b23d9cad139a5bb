"""One recipe with its connections found in several ways; the tables of docs/guide/sparsity.md.

Usage: python -m benchmarks.connectivity RECIPE -o DIR [--layers A,B] [--seeds N] KIND ...

A kind is what a recipe says (random, periodic, learned, pruned, support, 2:8), "own" for what the
recipe itself says, or "full" for all wires. Every other kind gets the fan-in of the recipe's own.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.stack import Stack
from nnlogic.run.trained import compiled_luts
from nnlogic.train import Recipe, load_recipe, train

OWN, FULL, LEARNED = "own", "full", "learned"


def with_kind(recipe: Recipe, kind: str, layers: set[str], fan_in: dict[str, int]) -> Recipe:
    """Return the recipe with other connections in some of its layers, kernels included."""

    def changed(spec: LayerSpec, place: str) -> LayerSpec:
        inner = spec.options.get("layers")
        if inner:
            parts = tuple(changed(part, f"{spec.name}_{part.name}") for part in inner)
            return replace(spec, options={**spec.options, "layers": parts})
        if kind == OWN or (layers and place not in layers):
            return spec
        if kind == FULL:
            # Too wide to enumerate: sums of integer weights, as adders.
            return replace(spec, family="linear", connect="random", fan_in=0, options={})
        if kind == LEARNED and spec.family == "linear":
            # Linear neurons prune in place of learning wires; these are the same function of them.
            spec = replace(spec, family="poly", options={"degree": 1})
        return replace(spec, connect=kind, fan_in=fan_in[place])

    return replace(recipe, layers=tuple(changed(spec, spec.name) for spec in recipe.layers))


def fan_ins(recipe: Recipe, data: str | None) -> dict[str, int]:
    """Return how many wires a neuron of each layer reads, kernels included."""
    from nnlogic.data import load

    features = load(recipe.dataset, data_dir=data).feature_names
    bits = (recipe.input_bits,) * len(features)
    classes = tuple(f"c{i}" for i in range(recipe.layers[-1].width))
    stack = Stack("n", features, classes, bits, recipe.layers, fan_in_limit=recipe.fan_in_limit)

    def found() -> Iterator[tuple[str, int]]:
        for module in stack.modules():
            spec = getattr(module, "spec", None)
            inner = getattr(module, "linear", module)
            if isinstance(spec, LayerSpec) and isinstance(getattr(inner, "fan_in", None), int):
                yield spec.name, inner.fan_in

    return dict(found())


def main() -> None:
    """Print a row per kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("kinds", nargs="+")
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--layers", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    recipe = load_recipe(given.recipe)
    layers = {name for name in given.layers.split(",") if name}
    fan_in = fan_ins(recipe, given.data)
    print("| connect | test % | LUT6 |\n|---|---|---|", flush=True)
    for kind in given.kinds:
        changed = with_kind(recipe, kind, layers, fan_in)
        right, luts = [], []
        for seed in range(given.seeds):
            folder = given.out / f"{kind.replace(':', 'of')}-{seed}"
            done = train(changed, out=folder, data_dir=given.data, seed=seed)
            right.append(100 * done.accuracy["table"])
            luts.append(compiled_luts(done.checkpoint, jobs=given.jobs)["total"])
        spread = statistics.stdev(right) if given.seeds > 1 else 0.0
        row = f"{statistics.mean(right):.1f} +- {spread:.1f} | {statistics.mean(luts):,.0f}"
        print(f"| `{kind}` | {row} |", flush=True)


if __name__ == "__main__":
    main()
