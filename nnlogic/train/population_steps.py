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
from torch.nn import functional

from nnlogic.nn.population import LutPopulation, SumPopulation
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows

WARM_UP_STEPS = 200
BURST = 100
CHUNK = 16384


def class_weights(y: Tensor, classes: int, balance: float) -> Tensor | None:
    """Return the weight of each class, float32; None where all rows count alike."""
    if not balance:
        return None
    counts = torch.bincount(y, minlength=classes).clamp(min=1)
    return (len(y) / (classes * counts)).float() ** balance


def make_population(
    recipe: PopulationRecipe, rows: PopulationRows
) -> LutPopulation | SumPopulation:
    """Return the population a recipe asks for, untrained, on the CPU."""
    features = rows.x.shape[1]
    if recipe.shape == "sums":
        return SumPopulation(
            recipe.members,
            features,
            rows.input_bits,
            rows.classes,
            hidden=recipe.hidden,
            hidden_bits=recipe.hidden_bits,
            shift=recipe.shift,
            recode=rows.recode(recipe.code_bits) if recipe.code_bits else None,
            code_bits=recipe.code_bits,
            group=recipe.group,
            hidden_group=recipe.hidden_group,
            spread=recipe.spread,
            seed=recipe.seed,
        )
    return LutPopulation(
        recipe.members,
        features,
        rows.input_bits,
        rows.classes,
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
        self.weights = class_weights(self.rows.y, self.rows.classes, recipe.balance)
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
        recipe, rows = self.recipe, self.rows
        logits = self.model(rows.x[picked].to(torch.int32))
        members = len(logits)
        y = rows.y[picked].repeat(members)
        loss = functional.cross_entropy(logits.flatten(0, 1), y, self.weights) * members
        if rows.teacher is not None and recipe.distill > 0:
            t = recipe.temperature
            target = torch.softmax(rows.teacher[picked].float() / t, 1)
            mine = functional.log_softmax(logits / t, 2)
            pull = -(target * mine).sum(2).mean() * members * t
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
    def accuracies(self) -> np.ndarray:
        """Return the validation accuracy of every member's hard network."""
        self.wait()
        return member_accuracies(self.model, self.rows.x_val, self.rows.y_val)

    @torch.no_grad()
    def ranking(self) -> np.ndarray:
        """Return what members are chosen by: their accuracy on the rows for ranking."""
        self.wait()
        return member_accuracies(self.model, self.rows.x_rank, self.rows.y_rank, self.weights)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done >= self.recipe.steps


@torch.no_grad()
def member_accuracies(
    model: LutPopulation | SumPopulation, codes: Tensor, y: Tensor, weights: Tensor | None = None
) -> np.ndarray:
    """Return the accuracy of every member's hard network, the lowest class winning ties.

    With `weights`, shape (classes,), a row counts as much as the weight of its class.
    """
    right = torch.zeros(model.members, device=codes.device)
    worth = torch.ones(len(y), device=codes.device) if weights is None else weights[y]
    for at in range(0, len(codes), CHUNK):
        scores = model.hard_scores(codes[at : at + CHUNK])
        classes = scores.shape[2]
        order = torch.arange(classes, 0, -1, device=codes.device)
        winner = (scores.double() * classes * 2 + order).argmax(2)
        right += ((winner == y[at : at + CHUNK]) * worth[at : at + CHUNK]).sum(1)
    return (right / worth.sum()).cpu().numpy()
