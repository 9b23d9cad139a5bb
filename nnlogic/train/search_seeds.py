"""Where a search starts, and what it leaves out: allocations by sensitivity at many budgets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from nnlogic.core.errors import UsageError
from nnlogic.data import Dataset
from nnlogic.nn.checkpoint import load_network
from nnlogic.predict.cost import CostModel
from nnlogic.train.bits_ilp import Allocation, LayerChoices, allocate, layer_choices
from nnlogic.train.search_space import KNOBS, SearchSpace
from nnlogic.train.sensitivity import sensitivities

ROWS = 2048
BUDGETS = 12
SEEDS = 6


@dataclasses.dataclass(frozen=True)
class Seeds:
    """What sensitivity says about a space.

    Attributes
    ----------
    space : SearchSpace
        Without the bits and fan-ins that no allocation uses.
    params : tuple of dict
        Points to try first, cheapest first.
    """

    space: SearchSpace
    params: tuple[dict[str, int], ...]


def sensitivity_seeds(
    space: SearchSpace,
    checkpoint: Path,
    dataset: Dataset,
    model: CostModel,
    *,
    method: str = "fisher",
    budget: float = 0.0,
    count: int = SEEDS,
) -> Seeds:
    """Allocate bits and fan-in at budgets from the cheapest to the dearest.

    Every layer keeps the bits and fan-ins that some allocation uses, and its own; the others are
    pruned from the space. Fan-ins above the base's are not measured and stay, widths too.

    Parameters
    ----------
    space : SearchSpace
        Around a recipe of plain linear layers.
    checkpoint : Path
        The base recipe, trained.
    dataset : Dataset
        Its validation rows are used.
    model : CostModel
    method : str
        See `nnlogic.train.sensitivity.sensitivities`.
    budget : float
        LUT6 of one more allocation, tried first; 0 for none.
    count : int
        Most allocations but that one.

    Raises
    ------
    UsageError
        The budget cannot be met.
    """
    network = load_network(checkpoint)
    with torch.no_grad():
        codes = network.quantizer(torch.from_numpy(dataset.x_val[:ROWS]))
    labels = torch.from_numpy(dataset.y_val[:ROWS])
    choices = []
    for spec, layer in zip(
        space.base.layers, sensitivities(network, codes, labels, method=method), strict=True
    ):
        bits = space.choices.get(f"{spec.name}.bits", (spec.bits,))
        offered = space.choices.get(f"{spec.name}.fan_in", (spec.fan_in,))
        choices.append(layer_choices(layer, bits, [f for f in offered if f <= spec.fan_in]))
    found = allocations(choices, space, model, budget, count)
    return Seeds(_pruned(space, found), tuple(_point(space, a) for a in found))


def allocations(
    choices: list[LayerChoices],
    space: SearchSpace,
    model: CostModel,
    budget: float,
    count: int = SEEDS,
) -> list[Allocation]:
    """Return distinct allocations: the one for `budget` first, then `count` along the sweep."""

    def best(luts: float) -> Allocation:
        return allocate(
            choices,
            budget=luts,
            input_bits=space.base.input_bits,
            model=model,
            fan_in_limit=space.base.fan_in_limit,
        )

    first = [best(budget)] if budget else []
    dearest = best(np.inf)
    sweep = [dearest]
    for luts in np.geomspace(dearest.luts, dearest.luts / 64, max(BUDGETS, 4 * count))[1:]:
        try:
            sweep.append(best(float(luts)))
        except UsageError:
            break
    distinct = {a.options: a for a in reversed(sweep)}
    kept = list(distinct.values())
    picks = sorted({round(i) for i in np.linspace(0, len(kept) - 1, count)})
    return [*first, *(kept[i] for i in picks)]


def _point(space: SearchSpace, allocation: Allocation) -> dict[str, int]:
    params = space.base_params()
    for spec, option in zip(space.base.layers, allocation.options, strict=True):
        for knob, value in (("bits", option.bits), ("fan_in", option.fan_in)):
            if f"{spec.name}.{knob}" in params:
                params[f"{spec.name}.{knob}"] = value
    return params


def _pruned(space: SearchSpace, found: list[Allocation]) -> SearchSpace:
    points = [*(_point(space, a) for a in found), space.base_params()]
    kept = {}
    for name, offered in space.choices.items():
        layer, _, knob = name.partition(".")
        spec = next((s for s in space.base.layers if s.name == layer), None)
        if spec is None or knob not in KNOBS[:2]:
            kept[name] = offered
            continue
        used = {point[name] for point in points}
        measured = max(offered) if knob == "bits" else spec.fan_in
        kept[name] = tuple(v for v in offered if v in used or v > measured)
    return dataclasses.replace(space, choices={n: v for n, v in kept.items() if len(v) > 1})
