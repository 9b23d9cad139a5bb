"""Training a population: one step as a CUDA graph, several populations in turn on one device."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nnlogic.nn.lut.network import LutPopulation, Phase
from nnlogic.nn.lut.sums import SumPopulation
from nnlogic.train.population_recipe import PopulationRecipe

WARM_UP_STEPS = 200
BURST = 100
CHUNK = 16384


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows on the training device.

    Attributes
    ----------
    codes : uint8 tensor, shape (rows, features)
        Training codes, perturbed copies included.
    y : int64 tensor, shape (rows,)
    teacher : float16 tensor, shape (rows, classes), or None
        Log-probabilities of the teacher.
    codes_val, y_val : tensors
    codes_rank, y_rank : tensors
        Rows members are ranked on; never test rows.
    centres : callable
        Number of functions per feature to their first thresholds, (features, functions).
    input_bits, classes : int
    plain_rows : int
        How many rows, the first, are not perturbed.
    """

    codes: Tensor
    y: Tensor
    teacher: Tensor | None
    codes_val: Tensor
    y_val: Tensor
    codes_rank: Tensor
    y_rank: Tensor
    input_bits: int
    classes: int
    plain_rows: int

    def centres(self, count: int) -> Tensor:
        """Return code quantiles of every feature, (features, count)."""
        ordered = self.codes[:: max(1, len(self.codes) // 100_000)].sort(0).values
        at = [(k + 0.5) / max(count, 1) * (len(ordered) - 1) for k in range(count)]
        return ordered[torch.tensor(at).long().to(ordered.device)].t().float().cpu()

    def recode(self, bits: int) -> Tensor:
        """Return codes of fewer bits by quantiles, int64, (features, 2**input_bits)."""
        codes = self.codes[:: max(1, len(self.codes) // 100_000)].long().cpu()
        size = 1 << self.input_bits
        out = torch.zeros((codes.shape[1], size), dtype=torch.int64)
        for i in range(codes.shape[1]):
            count = torch.bincount(codes[:, i], minlength=size).double()
            middle = (count.cumsum(0) - count / 2) / count.sum()
            out[i] = (middle * (1 << bits)).long().clamp(max=(1 << bits) - 1)
        return out


def make_population(recipe: PopulationRecipe, pool: Pool) -> LutPopulation | SumPopulation:
    """Return the population a recipe asks for, untrained, on the CPU."""
    features = pool.codes.shape[1]
    if recipe.shape == "sums":
        return SumPopulation(
            recipe.members,
            features,
            pool.input_bits,
            pool.classes,
            hidden=recipe.hidden,
            hidden_bits=recipe.hidden_bits,
            shift=recipe.shift,
            recode=pool.recode(recipe.code_bits) if recipe.code_bits else None,
            code_bits=recipe.code_bits,
            group=recipe.group,
            hidden_group=recipe.hidden_group,
            spread=recipe.spread,
            seed=recipe.seed,
        )
    return LutPopulation(
        recipe.members,
        features,
        pool.input_bits,
        pool.classes,
        widths=recipe.widths,
        functions=recipe.functions,
        votes=recipe.votes,
        share=recipe.share,
        centres=pool.centres(recipe.functions) if recipe.functions else None,
        seed=recipe.seed,
    )


@dataclass(eq=False)
class Job:
    """One population with its optimizer.

    On a GPU the step is captured once per phase and replayed: small networks are bound by
    launches, not by arithmetic. Parameters in `bounds`, with their lowest and highest values, are
    held within them; they are set before `capture`.
    """

    recipe: PopulationRecipe
    pool: Pool
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        recipe, device = self.recipe, self.pool.codes.device
        self.cuda = device.type == "cuda"
        self.dtype = torch.bfloat16 if self.cuda else torch.float32
        torch.manual_seed(recipe.seed)
        self.model = make_population(recipe, self.pool).to(device)
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
        self.loss = torch.zeros((), device=device)
        self.soft_steps = int(recipe.soft * recipe.steps) if recipe.shape == "luts" else 0
        self.bounds: list[tuple[Tensor, Tensor, Tensor]] = []
        self.graphs: dict[bool, torch.cuda.CUDAGraph] = {}
        self.stream = torch.cuda.Stream(device) if self.cuda else None

    def _step(self, hard: bool) -> None:
        recipe = self.recipe
        self.step_number += 1
        part = self.step_number / recipe.steps
        rate = 0.5 * (1 + torch.cos(math.pi * part.clamp(max=1)))
        rate = rate * (self.step_number / WARM_UP_STEPS).clamp(max=1) + 1e-4
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            if self.cuda:
                group["lr"].copy_(rate * peak)
            else:
                group["lr"] = float(rate) * peak
        soft = (self.step_number / max(self.soft_steps, 1)).clamp(max=1)
        phase = Phase(
            hard,
            torch.exp(soft * math.log(recipe.sharpness)),
            recipe.smooth,
            recipe.spread_gradient,
        )
        rows = self._draw(part)
        codes = self.pool.codes[rows].to(torch.int32)
        dtype = self.dtype if hard else torch.float32
        logits = self.model(codes, phase, dtype)
        loss = self._loss(logits, rows, part)
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            for tables, low, high in self.bounds:
                tables.clamp_(low, high)
        self.loss.mul_(0.99).add_(loss.detach() / len(logits), alpha=0.01)

    def _draw(self, part: Tensor) -> Tensor:
        size, device = (self.recipe.batch,), self.pool.codes.device
        rows = torch.randint(len(self.pool.codes), size, device=device)
        if not self.recipe.plain:
            return rows
        plain = torch.randint(self.pool.plain_rows, size, device=device)
        return torch.where(torch.rand(size, device=device) < self.recipe.plain * part, plain, rows)

    def _loss(self, logits: Tensor, rows: Tensor, part: Tensor) -> Tensor:
        recipe = self.recipe
        members = len(logits)
        y = self.pool.y[rows].repeat(members)
        loss = functional.cross_entropy(logits.flatten(0, 1), y) * members
        teacher = self.pool.teacher
        if teacher is not None and recipe.distill > 0:
            t = recipe.temperature
            target = torch.softmax(teacher[rows].float() / t, 1)
            mine = functional.log_softmax(logits / t, 2)
            pull = -(target * mine).sum(2).mean() * members * t
            loss = (1 - recipe.distill) * loss + recipe.distill * pull
        penalty = self.model.penalty()
        if penalty is not None and recipe.bit_cost:
            loss = loss + recipe.bit_cost * (2 * part).clamp(max=1) * penalty.sum()
        return loss

    def capture(self) -> None:
        """Record the step; on a CPU there is nothing to record. Training stands where it stood."""
        if not self.cuda or self.stream is None:
            return
        before = self.state()
        for hard in [False, True] if self.soft_steps else [True]:
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
            hard = self.done >= self.soft_steps
            if self.cuda:
                with torch.cuda.stream(self.stream):
                    self.graphs[hard].replay()
            else:
                self._step(hard)
            self.done += 1

    def wait(self) -> None:
        """Wait for all that is queued: steps, and what was asked of the device beside them."""
        if self.cuda:
            torch.cuda.synchronize(self.pool.codes.device)

    def state(self) -> dict[str, Any]:
        """Return all that a later `load_state` needs, copied; tensors and plain values only."""
        self.wait()
        device = self.pool.codes.device
        random = torch.cuda.get_rng_state(device) if self.cuda else torch.get_rng_state()
        return copy.deepcopy(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict()["state"],
                "step_number": self.step_number,
                "loss": self.loss,
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
        self.loss.copy_(state["loss"])
        self.done = state["done"]
        random = state["random"].cpu()
        if self.cuda:
            torch.cuda.set_rng_state(random, self.pool.codes.device)
        else:
            torch.set_rng_state(random)

    @torch.no_grad()
    def accuracies(self) -> np.ndarray:
        """Return the validation accuracy of every member's hard network."""
        self.wait()
        return member_accuracies(self.model, self.pool.codes_val, self.pool.y_val)

    @torch.no_grad()
    def ranking(self) -> np.ndarray:
        """Return what members are chosen by: their accuracy on the rows for ranking."""
        self.wait()
        return member_accuracies(self.model, self.pool.codes_rank, self.pool.y_rank)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done >= self.recipe.steps


@torch.no_grad()
def member_accuracies(model: LutPopulation | SumPopulation, codes: Tensor, y: Tensor) -> np.ndarray:
    """Return the accuracy of every member's hard network, the lowest class winning ties."""
    right = torch.zeros(model.members, device=codes.device)
    for at in range(0, len(codes), CHUNK):
        scores = model.hard_scores(codes[at : at + CHUNK])
        classes = scores.shape[2]
        order = torch.arange(classes, 0, -1, device=codes.device)
        winner = (scores.double() * classes * 2 + order).argmax(2)
        right += (winner == y[at : at + CHUNK]).sum(1)
    return (right / len(codes)).cpu().numpy()


def run_jobs(
    jobs: Iterable[Callable[[], Job]],
    *,
    at_once: int = 6,
    until: float = math.inf,
    report: Callable[[Job], None],
) -> Iterator[Job]:
    """Train populations in turn, several at once on streams of their own.

    Parameters
    ----------
    jobs : iterable of callables
        Each makes one job when its turn comes.
    at_once : int
    until : float
        `time.monotonic()` at which to stop; unfinished jobs are yielded as they are.
    report : callable
        Called with each job every few thousand steps.

    Yields
    ------
    Job
        Finished, or stopped by `until`.
    """
    waiting, live = iter(jobs), list[Job]()
    while time.monotonic() < until:
        while len(live) < at_once:
            make = next(waiting, None)
            if make is None:
                break
            job = make()
            job.capture()
            job.began = time.monotonic()
            live.append(job)
        if not live:
            return
        # One step of each in turn keeps all streams filled.
        for _ in range(BURST):
            for job in live:
                job.run(1)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        for job in list(live):
            if job.done % 4000 < BURST:
                report(job)
            if job.finished:
                live.remove(job)
                job.graphs = {}
                yield job
    yield from live
