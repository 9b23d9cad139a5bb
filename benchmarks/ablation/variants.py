"""The networks compared: one small shape on the jets, changed one ingredient at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.train import PopulationRecipe, Recipe
from nnlogic.train.recipe_file import load_layered_recipe

EPOCHS, EPOCH_ROWS, BATCH, RATE = 6, 32768, 512, 0.015
LUT_COST = 3e-4
FAMILIES = ("linear", "poly", "subnet", "additive", "kan", "tree", "luts", "ensemble")
BUDGET, TRIALS = 150.0, 6


@dataclass(frozen=True)
class Variant:
    """A row of the page.

    Attributes
    ----------
    section, name : str
    recipe : Recipe or PopulationRecipe
    sampler : str
        Of a search around the recipe; empty for training it as it is.
    """

    section: str
    name: str
    recipe: Recipe | PopulationRecipe
    sampler: str = ""


def poly(connect: str = "random", activation: str = "signed_uniform", bits: int = 2) -> Recipe:
    """Return the small shape: learned encoder, 40 polynomial neurons of 4 wires, 5 scores."""
    return _recipe(
        LayerSpec("enc", 48, "linear", 1, "pact", 2, role="encoder"),
        LayerSpec("fc1", 40, "poly", 4, activation, bits, connect=connect),
        LayerSpec("score", 5, "poly", 4, bits=4, connect=connect),
    )


def linear(connect: str) -> Recipe:
    """Return the same shape of linear sums."""
    return _recipe(
        LayerSpec("enc", 48, "linear", 1, "pact", 2, role="encoder"),
        LayerSpec("fc1", 40, "linear", 4, bits=2, connect=connect),
        LayerSpec("score", 5, "linear", 4, bits=4, connect=connect),
    )


def _recipe(*layers: LayerSpec, **more: Any) -> Recipe:
    return Recipe(
        "small", "jets", layers, input_bits=6, prune_from=0.0, prune_to=0.5,
        float_epochs=0, epochs=EPOCHS, epoch_rows=EPOCH_ROWS, batch=BATCH, learning_rate=RATE,
        **more,
    )  # fmt: skip


def sums(bit_cost: float, refine_steps: int) -> PopulationRecipe:
    """Return a small network of sums of tables."""
    return PopulationRecipe(
        "sums", "jets", shape="sums", hidden=3, hidden_bits=5, members=1, steps=1000, batch=512,
        copies=0, distill=0.0, rate_tables=0.1, bit_cost=bit_cost, refine_steps=refine_steps,
    )  # fmt: skip


def variants(seed: int) -> Iterator[Variant]:
    """Yield all rows for one seed."""
    for name in ("random", "learned"):
        yield _with(seed, "connectivity", f"poly, {name}", poly(name))
    for name in ("random", "pruned"):
        yield _with(seed, "connectivity", f"linear, {name}", linear(name))
    for weight in (0.0, LUT_COST):
        recipe = replace(poly("learned"), lut_cost=weight)
        yield _with(seed, "cost term", f"lut_cost {weight:g}", recipe)
    learned = replace(poly("learned", "learned_bits", 3), lut_cost=LUT_COST)
    for name, recipe in (
        ("2 bits", poly("learned")),
        ("3 bits", poly("learned", bits=3)),
        (f"1 to 3 bits per neuron, learned, lut_cost {LUT_COST:g}", learned),
    ):
        yield _with(seed, "mixed precision", name, recipe)
    for cost, steps in ((0.0, 0), (1e-3, 0), (1e-3, 1000)):
        name = f"bit_cost {cost:g}" + (f", {steps} steps of refinement" if steps else "")
        yield _with(seed, "table bits of sums", name, sums(cost, steps))
    for share in (0.0, 0.8):
        recipe = replace(poly("learned"), distill=share, float_epochs=int(share > 0))
        yield _with(seed, "distillation", f"share {share}", recipe)
    layers = (
        plain_layer("fc1", 24, 3, "pact", 2, 6),
        plain_layer("fc2", 14, 4, "pact", 2, 6),
        plain_layer("score", 5, 5, "signed_uniform", 4, 6),
    )
    plain = Recipe(
        "base", "jets", layers, input_bits=3, epochs=2, epoch_rows=EPOCH_ROWS, batch=BATCH,
        float_epochs=0, learning_rate=0.02, prune_from=0.0, prune_to=0.5,
    )  # fmt: skip
    yield _with(seed, "search", "the recipe itself", plain)
    for sampler in ("random", "cluster"):
        name = f"{sampler}, {TRIALS} trials, best within {BUDGET:g} LUT6"
        yield replace(_with(seed, "search", name, plain), sampler=sampler)
    for name in FAMILIES:
        recipe = replace(
            load_layered_recipe(f"jets_{name}"),
            epochs=EPOCHS,
            epoch_rows=EPOCH_ROWS,
            batch=BATCH,
            distill=0.0,
            float_epochs=0,
        )
        yield _with(seed, "family", name, recipe)


def _with(seed: int, section: str, name: str, recipe: Recipe | PopulationRecipe) -> Variant:
    return Variant(section, name, replace(recipe, seed=seed))
