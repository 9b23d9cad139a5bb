"""Shapes of networks for a data set and a number of LUTs, to start a search from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.data import Dataset
from nnlogic.predict.cost import cost_model
from nnlogic.train.given_teacher import DISTILL
from nnlogic.train.population_recipe import PopulationRecipe

CODE_BITS = 6
"""Bits of the code of a feature: a function of one code is one LUT6."""
TABLE_LUTS = 4.0
"""LUT6 of a one-feature table with its share of the adder, early in training."""
VOTE_LUTS = 0.7
"""LUT6 to count one vote."""
BIT_COST, LEAST_COST, MOST_COST = 2e-3, 1e-4, 0.1
MANY_ROWS = 20_000
"""From here on training rows are not copied with noise."""
WIDE = 64
"""From so many features on, sums of tables of each are not tried."""


def first_shapes(
    data: Dataset,
    luts: int,
    *,
    method: str = "fixed",
    balance: float = 0.0,
    loss: str = "squared",
    quantile: float = 0.5,
    seed: int = 0,
) -> list[PopulationRecipe]:
    """Return recipes whose networks should take about `luts` LUT6.

    Sums of one-feature tables, the zoo's shape for tables of measurements, and LUT-native networks
    of one and two layers, its shape for bits.

    Parameters
    ----------
    data : Dataset
    luts : int
        Encoder, network and output logic together.
    method : str
        How features become codes, see `nnlogic.nn.fit_thresholds`.
    balance, loss, quantile, seed
        See `PopulationRecipe`.
    """
    features, outputs = data.x_train.shape[1], len(data.outputs)
    relative = not data.targets
    bits = code_bits(data)
    base = PopulationRecipe(
        data.name, data.name, input_bits=bits, input_method=method, members=2, batch=256,
        copies=4 if len(data.x_train) < MANY_ROWS else 0,
        distill=0.0 if data.taught is None else DISTILL, balance=balance,
        task="classification" if relative else "regression", loss=loss, quantile=quantile,
        seed=seed,
    )  # fmt: skip
    votes = votes_within(luts, outputs, relative)
    functions = 2 if bits > 1 else 0
    one = replace(base, widths=(outputs * votes,), functions=functions)
    few = max(1, votes // 2)
    first = max(outputs, round(luts - output_luts(outputs, few, relative) - outputs * few))
    out = [one, replace(one, widths=(first, outputs * few))]
    if features > WIDE:
        return out
    choice = cost_model().choice(outputs, 5) if relative else 0.0
    room = max(luts - choice, luts / 3)
    hidden = max(1, round(room / TABLE_LUTS / (features + outputs - relative)))
    sums = replace(
        base, shape="sums", hidden=hidden, hidden_bits=5, bit_cost=BIT_COST, rate_tables=0.1
    )
    less = replace(sums, hidden=max(1, hidden // 2), hidden_bits=6, bit_cost=BIT_COST / 3)
    if not relative:
        sums, less = replace(sums, output_bits=7), replace(less, output_bits=8)
    return [sums, less, *out]


def code_bits(data: Dataset) -> int:
    """Return the bits of the code of a feature: fewer than usual for small whole numbers."""
    x = data.x_train
    if x.min() < 0 or not np.array_equal(x, np.rint(x)):
        return CODE_BITS
    return max(1, min(CODE_BITS, int(x.max()).bit_length()))


def rescaled(recipe: PopulationRecipe, ratio: float, outputs: int) -> PopulationRecipe:
    """Return a recipe for about `ratio` times the LUTs of this one."""
    if recipe.shape == "luts":
        votes = max(1, int(recipe.widths[-1] // outputs * ratio))
        before = tuple(max(1, int(width * ratio)) for width in recipe.widths[:-1])
        windows = tuple(
            replace(w, widths=tuple(max(2, int(n * ratio)) for n in w.widths))
            for w in recipe.windows
        )
        return replace(recipe, widths=(*before, outputs * votes), windows=windows)
    hidden = max(1, round(recipe.hidden * ratio))
    if hidden != recipe.hidden:
        return replace(recipe, hidden=hidden)
    cost = float(np.clip(recipe.bit_cost / ratio**1.5, LEAST_COST, MOST_COST))
    return replace(recipe, bit_cost=cost)


def in_words(recipe: PopulationRecipe) -> str:
    """Return the shape of a recipe, in a few words."""
    if recipe.shape == "luts":
        kernels = "".join(
            f"{'+'.join(map(str, w.widths))} on {'x'.join(map(str, w.size))}, "
            for w in recipe.windows
        )
        return f"tables of 6 wires, {kernels}{' + '.join(map(str, recipe.widths))}"
    cost = f"bit cost {recipe.bit_cost:.2g}"
    return f"{recipe.hidden} sums of one-feature tables, {recipe.hidden_bits} bits, {cost}"


def votes_within(luts: int, outputs: int, relative: bool) -> int:
    """Return the most votes per output that one layer of tables can give."""
    votes = 1
    while outputs * (votes + 1) + output_luts(outputs, votes + 1, relative) <= luts:
        votes += 1
    return votes


def output_luts(outputs: int, votes: int, relative: bool) -> float:
    """Return about the LUT6 of counting the votes and finding the class with most."""
    counted = outputs * VOTE_LUTS * (votes if votes > 1 else 0)
    return counted + (cost_model().choice(outputs, votes.bit_length()) if relative else 0.0)
