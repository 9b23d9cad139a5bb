"""Training steps of a population, recorded as a CUDA graph."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnlogic.nn.population import LutPopulation, SumPopulation
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.tasks import Task

WARM_UP_STEPS = 200
BURST = 100
CHUNK = 16384
START_REACH = 8
"""Standard deviations of an untrained output in the range of the quantity."""


def make_population(
    recipe: PopulationRecipe, rows: PopulationRows
) -> LutPopulation | SumPopulation:
    """Return the population a recipe asks for, untrained, on the CPU."""
    features, task = rows.x.shape[1], rows.task
    if recipe.shape == "sums":
        return SumPopulation(
            recipe.members,
            features,
            rows.input_bits,
            task.outputs,
            hidden=recipe.hidden,
            hidden_bits=recipe.hidden_bits,
            shift=recipe.shift,
            frame=recipe.first_frame,
            window=recipe.windows[0].window if recipe.windows else None,
            recode=rows.recode(recipe.code_bits) if recipe.code_bits else None,
            code_bits=recipe.code_bits,
            group=recipe.group,
            hidden_group=recipe.hidden_group,
            spread=recipe.spread,
            relative=task.relative,
            reach=(1 << recipe.output_bits) / START_REACH,
            seed=recipe.seed,
        )
    return LutPopulation(
        recipe.members,
        features,
        rows.input_bits,
        task.outputs,
        widths=recipe.widths,
        functions=recipe.functions,
        votes=recipe.votes,
        share=recipe.share,
        centres=rows.centres(recipe.functions) if recipe.functions else None,
        soft_steps=int(recipe.soft * recipe.steps),
        sharpness=recipe.sharpness,
        smooth=recipe.smooth,
        spread_gradient=recipe.spread_gradient,
        frame=recipe.first_frame,
        windows=recipe.windows,
        relative=task.relative,
        seed=recipe.seed,
    )


@dataclass(eq=False)
class PopulationSteps:
    """One population with its optimizer.

    On a GPU the step is captured once per phase and replayed: small networks are bound by
    launches, not by arithmetic. Parameters in `bounds`, with their lowest and highest values, are
    held within them; they are set before `capture`.
    """

    recipe: PopulationRecipe
    rows: PopulationRows
    done: int = 0

    def __post_init__(self) -> None:
        recipe, device = self.recipe, self.rows.x.device
        self.device, self.cuda = device, device.type == "cuda"
        torch.manual_seed(recipe.seed)
        self.model = make_population(recipe, self.rows).to(device)
        rates = {
            "wires": recipe.rate_wires,
            "tables": recipe.rate_tables,
            "functions": recipe.rate_functions,
            "steps": recipe.rate_steps,
            "scale": recipe.rate_scale,
        }
        self.peaks = [rates[name] for name in self.model.groups()]
        # A captured optimizer reads its rate from memory.
        start = [torch.tensor(p, device=device) if self.cuda else p for p in self.peaks]
        self.optimizer = torch.optim.Adam(
            [
                {"params": group, "lr": rate}
                for group, rate in zip(self.model.groups().values(), start, strict=True)
            ],
            betas=(0.9, 0.99),
            capturable=self.cuda,
            fused=self.cuda,
        )
        self.step_number = torch.zeros((), device=device)
        self.loss_so_far = torch.zeros((), device=device)
        self.bounds: list[tuple[Tensor, Tensor, Tensor]] = []
        self.graphs: dict[bool, torch.cuda.CUDAGraph] = {}
        self.stream = torch.cuda.Stream(device) if self.cuda else None

    def _step(self, hard: bool) -> None:
        recipe = self.recipe
        self.step_number += 1
        part = self.step_number / recipe.steps
        rate = 0.5 * (1 + torch.cos(math.pi * part.clamp(max=1)))
        warm_up = min(WARM_UP_STEPS, max(1, recipe.steps // 10))
        rate = rate * (self.step_number / warm_up).clamp(max=1) + 1e-4
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            if self.cuda:
                group["lr"].copy_(rate * peak)
            else:
                group["lr"] = float(rate) * peak
        self.model.anneal(self.step_number, hard)
        loss = self.loss(self._draw(part))
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            for tables, low, high in self.bounds:
                tables.clamp_(low, high)
        self.loss_so_far.mul_(0.99).add_(loss.detach() / self.model.members, alpha=0.01)

    def _draw(self, part: Tensor) -> Tensor:
        size, device = (self.recipe.batch,), self.device
        picked = torch.randint(len(self.rows.x), size, device=device)
        if not self.recipe.plain:
            return picked
        plain = torch.randint(self.rows.plain_rows, size, device=device)
        return torch.where(
            torch.rand(size, device=device) < self.recipe.plain * part, plain, picked
        )

    def loss(self, picked: Tensor) -> Tensor:
        """Return the loss of training rows, given by their indices: of all members, added."""
        recipe, rows, task = self.recipe, self.rows, self.rows.task
        found = self.model(rows.x[picked].to(torch.int32))
        members = len(found)
        loss = task.loss(found, rows.y[picked]) * members
        if rows.teacher is not None and recipe.distill > 0:
            t = recipe.temperature
            pull = task.pull(found, rows.teacher[picked], t) * members * t
            loss = (1 - recipe.distill) * loss + recipe.distill * pull
        penalty = self.model.penalty()
        if penalty is not None and recipe.bit_cost:
            part = self.step_number / recipe.steps
            loss = loss + recipe.bit_cost * (2 * part).clamp(max=1) * penalty.sum()
        return loss

    def capture(self) -> None:
        """Record the step; on a CPU there is nothing to record. Training stands where it stood."""
        if not self.cuda or self.stream is None:
            return
        before = self.state()
        for hard in [False, True] if self.model.soft_steps else [True]:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                for _ in range(3):
                    self._step(hard)
            torch.cuda.current_stream().wait_stream(self.stream)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream):
                self._step(hard)
            self.graphs[hard] = graph
        self.load_state(before)
        torch.cuda.synchronize()

    def run(self, steps: int) -> None:
        """Take steps; on a GPU they are queued, not awaited."""
        for _ in range(min(steps, self.recipe.steps - self.done)):
            hard = self.done >= self.model.soft_steps
            if self.cuda:
                with torch.cuda.stream(self.stream):
                    self.graphs[hard].replay()
            else:
                self._step(hard)
            self.done += 1

    def wait(self) -> None:
        """Wait for all that is queued: steps, and what was asked of the device beside them."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def state(self) -> dict[str, Any]:
        """Return all that a later `load_state` needs, copied; tensors and plain values only."""
        self.wait()
        device = self.device
        random = torch.cuda.get_rng_state(device) if self.cuda else torch.get_rng_state()
        return copy.deepcopy(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict()["state"],
                "step_number": self.step_number,
                "loss": self.loss_so_far,
                "done": self.done,
                "random": random.cpu(),
            }
        )

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned. A recorded step stays valid: copies are in place."""
        self.model.load_state_dict(state["model"])
        saved = state["optimizer"]
        learned = [p for group in self.optimizer.param_groups for p in group["params"]]
        for number, parameter in enumerate(learned):
            own = self.optimizer.state[parameter]
            for name, value in saved.get(number, {}).items():
                own.setdefault(name, torch.zeros_like(value))
            for name, value in own.items():
                value.copy_(saved[number][name]) if number in saved else value.zero_()
        self.step_number.copy_(state["step_number"])
        self.loss_so_far.copy_(state["loss"])
        self.done = state["done"]
        random = state["random"].cpu()
        if self.cuda:
            torch.cuda.set_rng_state(random, self.device)
        else:
            torch.set_rng_state(random)

    @torch.no_grad()
    def merits(self) -> np.ndarray:
        """Return how good every member's hard network is on validation rows, all alike."""
        self.wait()
        return member_merits(self.model, self.rows.task, self.rows.x_val, self.rows.y_val)

    @torch.no_grad()
    def ranking(self) -> np.ndarray:
        """Return what members are chosen by: how good they are on the rows for ranking."""
        self.wait()
        rows = self.rows
        weights = rows.task.weights(rows.y_rank)
        return member_merits(self.model, rows.task, rows.x_rank, rows.y_rank, weights)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done >= self.recipe.steps


@torch.no_grad()
def member_merits(
    model: LutPopulation | SumPopulation,
    task: Task,
    codes: Tensor,
    y: Tensor,
    weights: Tensor | None = None,
) -> np.ndarray:
    """Return how good every member's hard network is, see `Task.merit`: the mean over rows.

    With `weights`, shape (rows,), a row counts so much.
    """
    total = torch.zeros(model.members, device=codes.device, dtype=torch.float64)
    worth = torch.ones(len(y), device=codes.device) if weights is None else weights
    for at in range(0, len(codes), CHUNK):
        found = model.hard_scores(codes[at : at + CHUNK])
        total += (task.merit(found, y[at : at + CHUNK]) * worth[at : at + CHUNK]).sum(1)
    return (total / worth.sum()).cpu().numpy()
