"""Train the tables of a sums network again at fixed bits, which the penalty shrank too much.

    python -m benchmarks.zoo.refine NAME SWEEP.npz ... --data DIR --teachers DIR --out FILE.npz
        [--place 0] [--steps 6000]

Every table keeps its step and stays within the range its bits hold, constant tables stay constant,
so that the count of table bits does not change. The result joins sweeps (`benchmarks.zoo.export`).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo.export import networks
from benchmarks.zoo.sweep import Pools, compact, golden_outputs
from nnlogic.nn.lut import LutNetwork, SumPopulation
from nnlogic.train.lut_job import Job, member_accuracies
from nnlogic.train.lut_recipe import parse_lut_recipe

CHECK_EVERY = 200


def windows(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log2 of the step, lowest and highest value; tables (groups, entries, outputs)."""
    steps = np.gcd.reduce(tables, axis=1)
    span = np.ptp(tables, axis=1)
    power = np.where(steps > 0, steps & -steps, 1)
    room = (1 << np.ceil(np.log2(span // power + 1)).astype(np.int64)) - 1
    extra = (room - span // power) // 2 * power
    low = tables.min(1) - np.where(span > 0, extra, 0)
    high = np.where(span > 0, low + room * power, low)
    return np.log2(power).astype(np.int64), low, high


def restore(job: Job, network: LutNetwork) -> list[tuple[torch.nn.Parameter, Tensor, Tensor]]:
    """Put a trained network into the job's only member; return parameters with their bounds."""
    model = job.model
    if not isinstance(model, SumPopulation):
        raise TypeError("only sums networks are refined")
    parts = [p for p in network.parts if p.name.startswith("edges")]
    bounds = []
    cut = next(s for s in network.sums if s is not None and s[3])
    for part, tables, steps in zip(
        parts,
        (model.first, model.second),
        (model.first_step, model.second_step),
        strict=True,
    ):
        groups, outputs = tables.shape[1], tables.shape[3]
        values = part.tables.reshape(groups, -1, tables.shape[2]).transpose(0, 2, 1)
        values = values[:, :, :outputs]
        power, low, high = windows(values)
        with torch.no_grad():
            tables.copy_(torch.from_numpy(values)[None])
            steps.copy_(torch.from_numpy(power)[None, :, None])
        slack = 0.45 * (1 << power) * (low < high)
        bounds.append(
            (
                tables,
                torch.from_numpy(low - slack)[None, :, None].float(),
                torch.from_numpy(high + slack)[None, :, None].float(),
            )
        )
    half = (model.levels // 2) << model.shift
    with torch.no_grad():
        model.offset.copy_(torch.from_numpy(cut[1] - half)[None, None])
    return bounds


def main() -> None:
    """Refine one network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("sweeps", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--place", type=int, default=0)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    found = [item for item in networks(args.sweeps) if item[0]["recipe"]["name"] == args.name]
    fact, network, _ = found[args.place]
    trained = parse_lut_recipe(fact["recipe"], args.name)
    recipe = replace(
        trained,
        name=f"{trained.name}_refined",
        members=1,
        steps=args.steps,
        batch=args.batch,
        rate_tables=args.rate,
        rate_steps=0.0,
        bit_cost=0.0,
        copies=0,
    )
    pool = Pools(args.data, args.teachers, args.device).get(recipe)
    job = Job(recipe, pool)
    bounds = restore(job, network)

    def accuracy() -> float:
        return float(member_accuracies(job.model, pool.codes_val, pool.y_val)[0])

    with torch.no_grad():
        scale = fit_scale(job)
        job.model.log_scale.fill_(scale)
    print(
        f"{recipe.name}: validation {fact['validation']:.5f}, restored {accuracy():.5f}", flush=True
    )
    job.capture()
    if job.cuda:
        restore(job, network)
    best, state = accuracy(), job.model.state_dict()
    state = {k: v.detach().clone() for k, v in state.items()}
    while not job.finished:
        job.run(1)
        with torch.no_grad():
            for tables, low, high in bounds:
                tables.clamp_(low.to(tables.device), high.to(tables.device))
        if job.done % CHECK_EVERY == 0:
            now = accuracy()
            print(f"step {job.done}: loss {float(job.loss):.4f} {now:.5f}", flush=True)
            if now > best:
                best = now
                state = {k: v.detach().clone() for k, v in job.model.state_dict().items()}
    job.model.load_state_dict(state)
    refined = job.model.network(0)
    facts = [
        {
            "recipe": recipe.to_meta(),
            "member": 0,
            "steps": job.done,
            "validation": accuracy(),
            "labels": refined.labels(),
            "from": {"recipe": fact["recipe"], "member": fact["member"], "steps": fact["steps"]},
        }
    ]
    arrays = {f"0.{k}": v for k, v in compact(refined.to_arrays()).items()}
    arrays["0.golden"] = golden_outputs(job)[0]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, facts=np.array(json.dumps(facts)), **arrays)


def fit_scale(job: Job) -> float:
    """Return the logit scale with the least loss on some training rows."""
    rows = slice(0, 20_000)
    scores = job.model.hard_scores(job.pool.codes[rows])[0]
    y = job.pool.y[rows]
    grid = torch.linspace(-6, 1, 71)
    losses = [float(torch.nn.functional.cross_entropy(scores * float(s.exp()), y)) for s in grid]
    return float(grid[int(np.argmin(losses))])


if __name__ == "__main__":
    main()
