"""Train the tables of sums networks again at fixed bits.

The penalty on table bits also shrinks ranges further than it has to. Here every table keeps its
step and stays within the range its bits can hold, and a constant table stays constant, so that no
table gets more bits; the penalty is off. Each member keeps its best state on validation rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nnlogic.nn.population import SumPopulation
from nnlogic.train.population_steps import PopulationSteps

CHECK_EVERY = 200
RATE, BATCHES = 0.03, 2
"""Of the tables at its peak; and how many of the recipe's batches make one step."""
SLACK = 0.45
"""Steps beyond the outermost values: rounding brings them back."""


def refine(
    steps: PopulationSteps, advance: Callable[[int, str], None] = lambda count, note: None
) -> None:
    """Train all members of a trained sums population again, in place, as its recipe says.

    Parameters
    ----------
    steps : PopulationSteps
        Of a recipe with ``shape = "sums"``; does nothing where its `refine_steps` is 0.
    advance : callable
        Called with a number of steps done and a note.
    """
    if not steps.recipe.refine_steps or not isinstance(steps.model, SumPopulation):
        return
    recipe = replace(
        steps.recipe,
        steps=steps.recipe.refine_steps,
        batch=BATCHES * steps.recipe.batch,
        rate_tables=RATE,
        rate_steps=0.0,
        bit_cost=0.0,
    )
    plain = steps.rows.plain_rows
    teacher = steps.rows.teacher
    rows = replace(
        steps.rows,
        x=steps.rows.x[:plain],
        y=steps.rows.y[:plain],
        teacher=None if teacher is None else teacher[:plain],
    )
    again = PopulationSteps(recipe, rows)
    again.model.load_state_dict(steps.model.state_dict())
    if isinstance(again.model, SumPopulation):
        again.bounds = settle(again.model)
    again.capture()
    best, state = again.ranking(), _copy(again)
    while not again.finished:
        before = again.done
        again.run(CHECK_EVERY)
        now = again.ranking()
        _take(state, again, now > best)
        again.wait()
        best = np.maximum(best, now)
        advance(again.done - before, f"validation {steps.rows.task.in_words(best.max())}")
    steps.model.load_state_dict(state)


@torch.no_grad()
def settle(model: SumPopulation) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Round tables and steps to what is exported; return tables with their bounds, entry by entry.

    A table's range grows, on both sides alike, to all that the bits it is exported with can hold.
    Where these bits rest on differences that the step does not show (all values odd, say), and
    where the table is constant, it stays as it is.
    """
    bounds: list[tuple[Tensor, Tensor, Tensor]] = []
    for tables, steps in ((model.first, model.first_step), (model.second, model.second_step)):
        values = torch.round(model.whole(tables, steps))
        low, high = values.amin(2, keepdim=True), values.amax(2, keepdim=True)
        step = _gcd(values)
        step = (step & -step).clamp(min=1)
        free = _gcd(values - low) == step
        room = torch.exp2(torch.ceil(torch.log2((high - low) / step + 1))) - 1
        more = step * room - (high - low)
        below = torch.floor(more / step / 2) * step
        tables.copy_(values)
        steps.copy_(torch.log2(step))
        bottom = torch.where(free, low - below - SLACK * step, values)
        top = torch.where(free, high + more - below + SLACK * step, values)
        bounds.append((tables, bottom, top))
    return bounds


def _gcd(values: Tensor) -> Tensor:
    # Over the entries of each table; 0 where all are 0.
    whole = np.gcd.reduce(values.cpu().numpy().astype(np.int64), axis=2, keepdims=True)
    return torch.from_numpy(whole).to(values.device)


def _copy(steps: PopulationSteps) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in steps.model.state_dict().items()}


@torch.no_grad()
def _take(state: dict[str, Tensor], steps: PopulationSteps, better: np.ndarray) -> None:
    # Parameters have an axis of members in front; buffers are shared and do not change.
    chosen = torch.from_numpy(np.flatnonzero(better)).to(steps.device)
    for name, value in steps.model.named_parameters():
        state[name][chosen] = value.detach()[chosen]
