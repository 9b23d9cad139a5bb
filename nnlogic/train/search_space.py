"""What a search may change in a recipe: depth, and bits, fan-in and width of every layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.model.layer import LayerSpec
from nnlogic.predict.cost import CostModel
from nnlogic.train.recipe import Recipe

KNOBS = ("bits", "fan_in", "width")
INPUT_BITS = "input.bits"
DEPTH = "depth"
MOST_BITS = 8
MOST_DEPTH = 8


@dataclass(frozen=True)
class SearchSpace:
    """Choices by name, ``fc1.bits``, ``fc1.fan_in``, ``fc1.width``, ``input.bits``, ``depth``.

    Depth counts the layers before the last, encoders left out. Fewer: the first ones are kept.
    More: the last one of them again, with the same bits, fan-in and width.

    Attributes
    ----------
    base : Recipe
        What is not searched stays as it is here.
    choices : mapping of str to tuple of int
        Increasing; at least two each.
    """

    base: Recipe
    choices: Mapping[str, tuple[int, ...]]

    def recipe(self, params: Mapping[str, int], name: str = "") -> Recipe:
        """Return the recipe of one point.

        Parameters
        ----------
        params : mapping of str to int
            A value for each choice; one that is missing stays as in the base.
        name : str
            Of the recipe; the base's when empty.
        """
        layers: list[Any] = []
        for spec in self.base.layers:
            own: dict[str, Any] = {
                k: params[f"{spec.name}.{k}"] for k in KNOBS if f"{spec.name}.{k}" in params
            }
            layers.append(dataclasses.replace(spec, **own))
        if DEPTH in params:
            layers = _of_depth(layers, params[DEPTH])
        bits = params.get(INPUT_BITS, self.base.input_bits)
        return dataclasses.replace(
            self.base, name=name or self.base.name, layers=tuple(layers), input_bits=bits
        )

    def base_params(self) -> dict[str, int]:
        """Return the base recipe as a point; its values belong to the choices."""
        known = {INPUT_BITS: self.base.input_bits, DEPTH: _depth(self.base.layers)}
        for spec in self.base.layers:
            known.update({f"{spec.name}.{k}": getattr(spec, k) for k in KNOBS})
        return {name: known[name] for name in self.choices}

    def canonical(self, params: Mapping[str, int]) -> dict[str, int]:
        """Return a point with the base's values for layers that it has not."""
        there = {spec.name for spec in self.recipe(params).layers}
        gone = {s.name for s in self.base.layers} - there
        own = self.base_params()
        return {
            name: own[name] if name in own and name.partition(".")[0] in gone else value
            for name, value in params.items()
        }

    def fits(self, params: Mapping[str, int]) -> bool:
        """Whether every neuron of a point is narrow enough to enumerate."""
        recipe = self.recipe(params)
        bits = recipe.input_bits
        for spec in recipe.layers:
            if spec.fan_in * bits > recipe.fan_in_limit:
                return False
            bits = spec.bits
        return True

    def luts(self, params: Mapping[str, int], model: CostModel) -> float:
        """Return the LUT6 a point is predicted to need, by its shape."""
        recipe = self.recipe(params)
        bits, total = recipe.input_bits, 0.0
        for spec in recipe.layers:
            total += spec.width * float(model.neuron(spec.fan_in * bits, spec.bits))
            bits = spec.bits
        return total + model.choice(recipe.layers[-1].width, bits)


def search_space(
    recipe: Recipe,
    *,
    input_bits: Sequence[int] = (),
    bits: Sequence[int] = (),
    fan_in: Sequence[int] = (),
    width: Sequence[float] = (0.5, 0.75, 1.0, 1.5),
    depth: Sequence[int] = (),
) -> SearchSpace:
    """Return the space around a recipe.

    Parameters
    ----------
    recipe : Recipe
        Its layers keep their family and order.
    input_bits : sequence of int
        Bits of the input codes; default: the recipe's.
    bits : sequence of int
        Bits of every layer's codes; default: the recipe's, one less and one more.
    fan_in : sequence of int
        Of every layer; default: the recipe's, one less and one more.
    width : sequence of float
        Factors on every width but the last layer's, which is the number of classes.
    depth : sequence of int
        Layers before the last, encoders left out; default: the recipe's.

    Raises
    ------
    UsageError
        Values that make no sense, a layer that reads everything, or nothing to search.
    """
    problems = [
        Problem(what, f"{b}, allowed 1 to {MOST_BITS}")
        for what, values in (("bits", bits), ("input_bits", input_bits))
        for b in values
        if not 1 <= b <= MOST_BITS
    ]
    problems += [Problem("fan_in", f"{f}, at least 1") for f in fan_in if f < 1]
    problems += [Problem("width", f"{w}, need a factor above 0") for w in width if w <= 0]
    problems += [
        Problem("depth", f"{d}, allowed 1 to {MOST_DEPTH}")
        for d in depth
        if not 1 <= d <= MOST_DEPTH
    ]
    if depth and not _depth(recipe.layers):
        problems.append(Problem("depth", "the recipe has no layer before the last to repeat"))
    problems += [
        Problem(spec.name, "fan_in 0 reads everything", "give the layer a fan_in to start from")
        for spec in recipe.layers
        if not spec.fan_in
    ]
    if problems:
        raise UsageError("cannot search around the recipe", where=recipe.name, problems=problems)
    found: dict[str, set[int]] = {INPUT_BITS: {recipe.input_bits, *input_bits}}
    found[DEPTH] = {_depth(recipe.layers), *depth}
    for i, spec in enumerate(recipe.layers):
        if spec.activation != "sign":
            found[f"{spec.name}.bits"] = _around(spec.bits, bits) & set(range(1, MOST_BITS + 1))
        found[f"{spec.name}.fan_in"] = {f for f in _around(spec.fan_in, fan_in) if f > 0}
        if i + 1 < len(recipe.layers):
            scaled = {max(1, round(spec.width * factor)) for factor in width}
            found[f"{spec.name}.width"] = {spec.width, *scaled}
    choices = {name: tuple(sorted(v)) for name, v in found.items() if len(v) > 1}
    space = SearchSpace(recipe, choices)
    if not choices or not space.fits({}):
        raise UsageError(
            "cannot search around the recipe",
            where=recipe.name,
            why="nothing varies" if not choices else "its own neurons are too wide to enumerate",
            fix="offer more bits, fan-ins or widths, or raise fan_in_limit",
        )
    return space


def _around(value: int, offered: Sequence[int]) -> set[int]:
    return {value, *(offered or (value - 1, value + 1))}


def _depth(layers: Sequence[LayerSpec]) -> int:
    return sum(spec.role != "encoder" for spec in layers[:-1])


def _of_depth(layers: list[LayerSpec], depth: int) -> list[LayerSpec]:
    first = len(layers) - 1 - _depth(layers)
    hidden = layers[first : min(first + depth, len(layers) - 1)]
    taken = {spec.name for spec in layers}
    numbers = (n for n in count(2) if f"{hidden[-1].name}_{n}" not in taken)
    more = [
        dataclasses.replace(hidden[-1], name=f"{hidden[-1].name}_{next(numbers)}")
        for _ in range(depth - len(hidden))
    ]
    return [*layers[:first], *hidden, *more, layers[-1]]
