"""Train many LUT-native populations on one device and keep the best members of each.

    python -m benchmarks.zoo.sweep RECIPES.toml --data DIR --out DIR [--device cuda:0]
        [--part 0/4] [--minutes 8] [--fit] [--teachers DIR | --taught FILE.npz]

RECIPES.toml holds tables ``[[recipe]]``, keys as of `nnlogic.train.PopulationRecipe`. Members
are ranked on validation rows, images on perturbed copies of them; test rows are not read. With
``--fit`` all recipes get as many steps, in proportion to their own, as fill the minutes. The
result is one ``.npz`` that `benchmarks.zoo.export` turns into checkpoints.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from nnlogic import data
from nnlogic.train.descend import descend
from nnlogic.train.given_teacher import taught_by
from nnlogic.train.population_recipe import PopulationRecipe, check_fit
from nnlogic.train.population_rows import PopulationRows, make_rows
from nnlogic.train.population_steps import BURST, PopulationSteps
from nnlogic.train.recipe_file import parse_recipe
from nnlogic.train.refine import refine
from nnlogic.train.tasks import Classification, task_of
from nnlogic.train.teacher import load_teacher, make_teacher

GOLDEN_ROWS = 1000
PROBE, BUILD_SECONDS, SLACK = 30, 8.0, 0.92
"""Steps that are timed; seconds to make a population; part of the time left that is planned."""


def main() -> None:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--taught", type=Path, help="what benchmarks.zoo.teach wrote")
    parser.add_argument("--keep", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=6)
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    torch.set_float32_matmul_precision("high")
    if args.device.startswith("cuda"):
        torch.cuda.set_device(args.device)
    tables = tomllib.loads(args.recipes.read_text("utf-8"))["recipe"]
    mine, of = (int(v) for v in args.part.split("/"))
    recipes = [parse_recipe(t, f"recipe {i}") for i, t in enumerate(tables)][mine::of]
    device = "cuda" if args.device.startswith("cuda") else args.device
    pools = Pools(args.data, args.teachers, device, args.taught)
    begun = time.monotonic()

    def report(job: PopulationSteps, took: float) -> None:
        loss, best = float(job.loss_so_far), float(job.merits().max())
        print(
            f"[{time.monotonic() - begun:6.1f} s] {job.recipe.name:34s} step {job.done:6d} "
            f"loss {loss:.4f} best {best:.4f} {1e3 * took / max(job.done, 1):.2f} ms",
            flush=True,
        )

    if args.fit:
        recipes = fitted(recipes, pools, until)
    arrays, facts = {}, []
    makers = [lambda r=r: PopulationSteps(r, pools.get(r)) for r in recipes]
    for job in run_jobs(makers, at_once=args.at_once, until=until, report=report):
        refine(job)
        order = np.argsort(-job.ranking(), kind="stable")[: args.keep]
        descend(job, members=order.tolist())
        accuracy, ranking = job.merits(), job.ranking()
        print(
            f"[{time.monotonic() - begun:6.1f} s] {job.recipe.name:34s} done {job.done:6d} of "
            f"{job.recipe.steps}: ranked {ranking.astype(float).round(5).tolist()}, "
            f"validation {accuracy.astype(float).round(5).tolist()}",
            flush=True,
        )
        golden = golden_outputs(job)
        for member in order:
            network = job.model.network(int(member))
            key = len(facts)
            arrays[f"{key}.golden"] = golden[member]
            arrays.update({f"{key}.{k}": v for k, v in compact(network.to_arrays()).items()})
            facts.append(
                {
                    "recipe": job.recipe.to_meta(),
                    "member": int(member),
                    "steps": job.done,
                    "validation": float(accuracy[member]),
                    "ranking": float(ranking[member]),
                    "labels": network.labels(),
                }
            )
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"sweep_{mine}.npz"
    np.savez_compressed(path, facts=np.array(json.dumps(facts)), **arrays)
    print(f"{path.stat().st_size} bytes, {len(facts)} networks", flush=True)


def fitted(recipes: list[PopulationRecipe], pools: Pools, until: float) -> list[PopulationRecipe]:
    """Return recipes with steps scaled so that one after another they end by `until`."""
    seconds = []
    for recipe in recipes:
        job = PopulationSteps(recipe, pools.get(recipe))
        job.capture()
        each = []
        for place in (0, job.model.soft_steps):
            job.done = place
            job.run(PROBE)
            job.wait()
            begun = time.monotonic()
            job.run(PROBE)
            job.wait()
            each.append((time.monotonic() - begun) / PROBE)
        begun = time.monotonic()
        job.ranking()
        soft, hard = each
        took = recipe.soft * soft + (1 - recipe.soft) * hard
        seconds.append(took)
        print(
            f"{recipe.name:34s} {1e3 * soft:.2f} ms a soft step, {1e3 * hard:.2f} ms a hard one, "
            f"{recipe.members} members; ranking {time.monotonic() - begun:.1f} s",
            flush=True,
        )
        until -= time.monotonic() - begun + BUILD_SECONDS
        del job
    room = max(until - time.monotonic(), 0.0)
    whole = sum(r.steps * s for r, s in zip(recipes, seconds, strict=True))
    part = SLACK * room / whole
    return [dataclasses.replace(r, steps=max(1000, int(part * r.steps))) for r in recipes]


def run_jobs(
    jobs: Iterable[Callable[[], PopulationSteps]],
    *,
    at_once: int = 6,
    until: float = math.inf,
    report: Callable[[PopulationSteps, float], None],
) -> Iterator[PopulationSteps]:
    """Train populations in turn, several at once on streams of their own.

    Parameters
    ----------
    jobs : iterable of callables
        Each makes one job when its turn comes.
    at_once : int
    until : float
        `time.monotonic()` at which to stop; unfinished jobs are yielded as they are.
    report : callable
        Called with each job every few thousand steps, and the seconds it took so far.

    Yields
    ------
    PopulationSteps
        Finished, or stopped by `until`.
    """
    waiting, live, started = iter(jobs), list[PopulationSteps](), dict[int, float]()
    while time.monotonic() < until:
        while len(live) < at_once:
            make = next(waiting, None)
            if make is None:
                break
            job = make()
            job.capture()
            started[id(job)] = time.monotonic()
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
                report(job, time.monotonic() - started[id(job)])
            if job.finished:
                live.remove(job)
                job.graphs = {}
                yield job
    yield from live


@torch.no_grad()
def golden_outputs(job: PopulationSteps) -> np.ndarray:
    """Return scores and class of every member on the first validation rows, as torch has them."""
    scores = job.model.hard_scores(job.rows.x_val[:GOLDEN_ROWS]).round().cpu().numpy()
    winner = scores.argmax(2)[..., None]
    return np.concatenate([scores, winner], axis=2).astype(np.int32)


class Pools:
    """Teachers and rows, made when first asked for."""

    def __init__(
        self,
        folder: Path | None,
        teachers: Path | None,
        device: str,
        taught: Path | None = None,
    ) -> None:
        self.folder, self.teachers, self.device, self.taught = folder, teachers, device, taught
        self.data: dict[str, data.Dataset] = {}
        self.models: dict[str, torch.nn.Module] = {}
        self.pools: dict[tuple, PopulationRows] = {}

    def get(self, recipe: PopulationRecipe) -> PopulationRows:
        """Return the rows of a recipe."""
        name = recipe.dataset
        if name not in self.data:
            self.data[name] = data.load(name, self.folder)
            if self.taught is not None:
                with np.load(self.taught, allow_pickle=False) as file:
                    said = file["train"].astype(np.float64)
                self.data[name] = taught_by(self.data[name], said / said.sum(1, keepdims=True))
        rows = self.data[name]
        check_fit(recipe, len(rows.feature_names), len(rows.class_names))
        teach = recipe.distill > 0 and rows.taught is None
        if teach and name not in self.models:
            self.models[name] = self._teacher(name, rows)
        codes = (recipe.input_bits, recipe.input_method, recipe.copies, recipe.shake)
        key = (name, *codes, recipe.balance, teach)
        if key not in self.pools:
            teacher = self.models[name] if teach else None
            task = task_of(recipe, rows, *recipe.levels(len(rows.outputs)))
            self.pools[key], _ = make_rows(rows, recipe, task, teacher, self.device)
        return self.pools[key]

    def _teacher(self, name: str, rows: data.Dataset) -> torch.nn.Module:
        task = Classification(len(rows.class_names))
        path = None if self.teachers is None else self.teachers / f"teacher_{name}.pt"
        if path is not None and path.exists():
            return load_teacher(path, rows, task, self.device)
        begun = time.monotonic()
        teacher = make_teacher(rows, task, self.device)
        x = torch.from_numpy(rows.x_val).to(self.device)
        with torch.no_grad():
            guess = torch.cat([teacher(part).argmax(1) for part in x.split(20_000)]).cpu().numpy()
        print(
            f"teacher of {name}: validation {np.mean(guess == rows.y_val):.4f}, "
            f"{time.monotonic() - begun:.0f} s",
            flush=True,
        )
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(teacher.state_dict(), path)
        return teacher


def compact(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return integer arrays in the smallest type that holds them."""
    out = {}
    for name, array in arrays.items():
        fits = (t for t in (np.int8, np.int16, np.int32) if _fits(array, t))
        out[name] = array.astype(next(fits, np.int64))
    return out


def _fits(array: np.ndarray, kind: type) -> bool:
    info = np.iinfo(kind)
    return not array.size or (int(array.min()) >= info.min and int(array.max()) <= info.max)


if __name__ == "__main__":
    main()
