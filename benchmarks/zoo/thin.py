"""Take tables away from a trained LUT-native network, exact descent between.

    python -m benchmarks.zoo.thin SWEEP.npz --data DIR --teachers DIR --out DIR --take NAME
        [--place 0] [--luts 480,450] [--passes 2] [--sigmas 0] [--seconds 200] [--device cuda]

In turn the tables whose absence costs least loss for their LUTs become constants, and all others
get the best wires and bits there are (ADR 0032), on all training rows and their perturbed copies.
At each of the sizes, estimated, what ranks best after one of the passes is kept. ``DIR/NAME.npz``
is a sweep as `benchmarks.zoo.export` reads it. Test rows are not read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.zoo.export import networks, rank
from benchmarks.zoo.sweep import Pools, compact, golden_outputs
from nnlogic.nn.population import LutNetwork
from nnlogic.train.descend import Descent, write
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.recipe_file import parse_recipe

VOTE = 2.05
"""LUTs of a table that votes, the counting of its vote and its part of the argmax included."""
SHARE = 0.03
"""Of the LUTs, given up at once."""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--take", required=True)
    parser.add_argument("--place", type=int, default=0)
    parser.add_argument("--luts", default="")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--sigmas", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    until = time.monotonic() + args.seconds
    torch.set_float32_matmul_precision("high")
    found = [f for f in networks([args.sweep]) if f[0]["recipe"]["name"] == args.take]
    fact, network, _ = sorted(found, key=lambda f: -rank(f[0]))[args.place]
    recipe = dataclasses.replace(parse_recipe(fact["recipe"], args.take), members=1)
    job = PopulationSteps(recipe, Pools(args.data, args.teachers, args.device).get(recipe))
    job.done = fact["steps"]
    start(job, network)
    thinner = Thinner(job, Descent(job.model, 0, job.rows, recipe, args.sigmas), until)
    sizes = [float(size) for size in args.luts.split(",") if size]
    args.out.mkdir(parents=True, exist_ok=True)
    for size in [thinner.luts, *sizes]:
        while thinner.luts > size and time.monotonic() < until:
            thinner.less(size)
        if time.monotonic() < until:
            thinner.settle(args.passes)
            thinner.save(args.out / f"{args.take}.npz")


def start(job: PopulationSteps, network: LutNetwork) -> None:
    """Give the only member of a population the tables of a network."""
    parts = [part for part in network.parts if part.role == "network" and part.place is None]
    device = job.device
    tables = [(torch.from_numpy(p.pins), torch.from_numpy(p.tables)) for p in parts]
    write(job.model, 0, [(pins.to(device), bits.to(device)) for pins, bits in tables])


@dataclasses.dataclass(eq=False)
class Thinner:
    """A network that loses tables, and what was kept on the way."""

    job: PopulationSteps
    descent: Descent
    until: float
    facts: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    begun: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def prices(self) -> list[float]:
        """LUTs of a table of each layer, estimated."""
        return [1.0] * (len(self.descent.pins) - 1) + [VOTE]

    @property
    def luts(self) -> float:
        """LUTs of the network, estimated."""
        tables = zip(self.prices, self.descent.live(), strict=True)
        return sum(price * len(live) for price, live in tables)

    def less(self, size: float) -> None:
        """Give tables up, not much below `size`, and descend."""
        self.descent.give_up(self.prices, min(SHARE, (self.luts - size) / self.luts))
        self.descent.sweep()
        self.say("less")

    def say(self, note: str) -> tuple[float, float]:
        """Print where the network stands; return its place in the ranking, and validation."""
        write(self.job.model, 0, self.descent.tables())
        ranking, validation = float(self.job.ranking()[0]), float(self.job.merits()[0])
        loss = float(self.descent.losses(self.descent.scores).mean())
        print(
            f"[{time.monotonic() - self.begun:6.1f} s] {self.job.recipe.name} {note}: "
            f"{self.luts:.0f} LUTs, ranked {ranking:.5f}, validation {validation:.5f}, "
            f"loss {loss:.4f}",
            flush=True,
        )
        return ranking, validation

    def settle(self, passes: int) -> None:
        """Descend, and keep every pass that is better than those before it."""
        best = 0.0
        for number in range(passes + 1):
            ranking, validation = self.say(f"pass {number}")
            if ranking + validation > best:
                best = ranking + validation
                self.keep(ranking, validation)
            if number == passes or time.monotonic() > self.until:
                return
            self.descent.sweep()

    def keep(self, ranking: float, validation: float) -> None:
        """Keep the network as it is."""
        network, key = self.job.model.network(0), len(self.facts)
        self.arrays[f"{key}.golden"] = golden_outputs(self.job)[0]
        self.arrays.update({f"{key}.{k}": v for k, v in compact(network.to_arrays()).items()})
        self.facts.append(
            {
                "recipe": self.job.recipe.to_meta(),
                "member": 0,
                "steps": self.job.done,
                "validation": validation,
                "ranking": ranking,
                "luts": self.luts,
                "labels": network.labels(),
            }
        )

    def save(self, path: Path) -> None:
        """Write all that was kept."""
        np.savez_compressed(path, facts=np.array(json.dumps(self.facts)), **self.arrays)


if __name__ == "__main__":
    main()
