"""Take tables away from the dense layers of trained networks, with exact descent in between.

    python -m benchmarks.zoo.narrow SWEEP.npz ... --take NAME [--members 0 1] --data DIR --out DIR
        --widths 220,60 190,50 [--passes 2] [--last 6] [--copies 7] [--shake 0.5] [--minutes 8]
        [--propose ROWS] [--teachers DIR] [--device cuda:0]

The tables whose constant, or mean, costs the loss of training least go first. At every width the
pass best on perturbed validation rows is kept; test rows are not read. The result is one ``.npz``
as of `benchmarks.zoo.sweep`, for `benchmarks.zoo.export`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo.export import networks
from benchmarks.zoo.sweep import Pools, compact, golden_outputs
from nnlogic.nn.population import LutNetwork, LutPopulation
from nnlogic.nn.population.tables import Tables
from nnlogic.train import descend
from nnlogic.train.descend import CHUNK, Descent, looked_up, write
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.recipe_file import parse_recipe

STEP = 0.12
"""Part of a layer's tables taken away between two passes."""
Dense = list[tuple[Tensor, Tensor]]


class Narrowing(Descent):
    """A descent whose layers can get narrower."""

    def widths(self) -> list[int]:
        """Return how many tables each layer has."""
        return [len(pins) for pins in self.pins]

    @torch.no_grad()
    def take(self, layer: int, count: int) -> None:
        """Remove tables of a layer, those that matter least; of the last as many per output."""
        last = layer == len(self.pins) - 1
        worth = [self._worth(layer, t, last) for t in range(len(self.pins[layer]))]
        order = sorted(range(len(worth)), key=lambda t: worth[t][0])
        if last:
            each = len(worth) // self.outputs
            gone = {
                t for o in range(self.outputs)
                for t in [t for t in order if t // each == o][: count // self.outputs]
            }  # fmt: skip
            self.votes = self.votes[: each - count // self.outputs]
        else:
            gone = set(order[:count])
            self._detach(layer, {t: worth[t][1] for t in gone})
        stay = [t for t in range(len(worth)) if t not in gone]
        kept = torch.tensor(stay, device=self.values[0].device)
        self.pins[layer], self.bits[layer] = self.pins[layer][kept], self.bits[layer][kept]
        self.values[layer + 1] = self.values[layer + 1][kept]
        self._again(layer + 1)

    def _worth(self, layer: int, table: int, last: bool) -> tuple[float, int]:
        """Return the loss without a table, and the constant it is then."""
        if last:
            own = self.values[-1][table]
            scores, output = self.scores.clone(), table // len(self.votes)
            weight = self.votes[table % len(self.votes)]
            scores[output] += weight * (float(own.float().mean()) - own.float())
            return float(self.losses(scores).mean()), 0
        losses = [
            float(self.losses(self._scores_with(layer, table, torch.full_like(
                self.values[0][0], value))).mean())
            for value in (0, 1)
        ]  # fmt: skip
        return min(losses), int(losses[1] < losses[0])

    def _detach(self, layer: int, constants: dict[int, int]) -> None:
        """Let the next layer not read tables that go, and number those that stay anew."""
        pins, bits = self.pins[layer + 1], self.bits[layer + 1]
        rows = torch.arange(bits.shape[1], device=bits.device)
        for table, value in constants.items():
            for number, pin in (pins == table).nonzero().tolist():
                read = rows & ~(1 << pin) | value << pin
                bits[number] = bits[number][read]
        place = torch.zeros(len(self.pins[layer]), dtype=torch.int64, device=pins.device)
        stay = [t for t in range(len(place)) if t not in constants]
        place[torch.tensor(stay, device=pins.device)] = torch.arange(len(stay), device=pins.device)
        self.pins[layer + 1] = place[pins]

    def _again(self, layer: int) -> None:
        """Compute the layers from one on, and the scores, once more."""
        for at in range(layer, len(self.pins)):
            tables = zip(self.pins[at], self.bits[at], strict=True)
            self.values[at + 1] = torch.stack([looked_up(*t, self.values[at]) for t in tables])
        self.scores = scores_of(self.values[-1], self.outputs, self.votes)
        self._rescale()


def scores_of(values: Tensor, outputs: int, votes: Tensor) -> Tensor:
    """Return weighted votes (outputs, rows) of the last layer's values."""
    each = values.view(outputs, -1, values.shape[1])
    return torch.stack([(own.float() * votes[:, None]).sum(0) for own in each])


@torch.no_grad()
def rated(wires: Tensor, y: Tensor, dense: Dense, outputs: int, votes: Tensor) -> float:
    """Return the accuracy of dense layers on rows given by what they read."""
    good = 0
    for part, labels in zip(wires.split(CHUNK, 1), y.split(CHUNK), strict=True):
        here = part
        for pins, bits in dense:
            made = [looked_up(*table, here) for table in zip(pins, bits, strict=True)]
            here = torch.stack(made)
        good += int((scores_of(here, outputs, votes).argmax(0) == labels).sum())
    return good / len(y)


def job_of(
    recipe: PopulationRecipe, rows: PopulationRows, kernels: list[Tables] | LutNetwork, dense: Dense
) -> PopulationSteps:
    """Return a population of one member with these kernels on windows and these dense layers."""
    job = PopulationSteps(dataclasses.replace(recipe, members=1), rows)
    model = job.model
    assert isinstance(model, LutPopulation)
    own = [layer for kernel in model.maps for layer in kernel.kernel]  # type: ignore[union-attr]
    for number, layer in enumerate(own):
        if isinstance(kernels, LutNetwork):
            part = kernels.parts[number]
            pins, bits = torch.from_numpy(part.pins), torch.from_numpy(part.tables)
            layer.set_hard(0, pins.to(job.device), bits.to(job.device))
        else:
            layer.load_state_dict(kernels[number].state_dict())
    write(model, 0, dense)
    return job


def narrowed(
    job: PopulationSteps, stages: Sequence[tuple[int, ...]], args: argparse.Namespace, until: float
) -> Iterator[tuple[PopulationRecipe, Dense, float, float]]:
    """Yield recipe, dense layers, ranking and validation accuracy, best of each stage."""
    model, rows, recipe = job.model, job.rows, job.recipe
    assert isinstance(model, LutPopulation)
    descent = Narrowing(model, 0, rows, recipe)
    ranks = torch.cat([model.dense_wires(p, 0) for p in rows.x_rank.split(CHUNK)], 1)
    plain = torch.cat([model.dense_wires(p, 0) for p in rows.x_val.split(CHUNK)], 1)

    def ratings() -> tuple[float, float]:
        given = descent.tables(), descent.outputs, descent.votes
        return rated(ranks, rows.y_rank, *given), rated(plain, rows.y_val, *given)

    print(recipe.name, descent.widths(), "start", *ratings(), flush=True)
    for stage in stages:
        while any(a > b for a, b in zip(descent.widths(), stage, strict=True)):
            for layer, (now, then) in enumerate(zip(descent.widths(), stage, strict=True)):
                unit = descent.outputs if layer == len(stage) - 1 else 1
                most = max(unit, int(STEP * now) // unit * unit)
                if now > then:
                    descent.take(layer, min(most, now - then))
            descent.sweep()
        best: tuple[PopulationRecipe, Dense, float, float] | None = None
        passes = args.last if stage == stages[-1] else args.passes
        for _ in range(passes):
            changed = descent.sweep()
            rank, own = ratings()
            shape = dataclasses.replace(recipe, widths=tuple(descent.widths()), members=1)
            if best is None or rank > best[2]:
                best = shape, descent.tables(), rank, own
            loss = float(descent.losses(descent.scores).mean())
            print(f"[{time.monotonic() - args.begun:6.1f} s]", recipe.name, shape.widths,
                  changed, round(loss, 5), rank, own, flush=True)  # fmt: skip
            if time.monotonic() > until:
                break
        if best is not None:
            yield best
        if time.monotonic() > until:
            return


def main() -> None:
    """Narrow networks, write what came of them after every stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweeps", type=Path, nargs="+")
    parser.add_argument("--take", required=True)
    parser.add_argument("--members", type=int, nargs="*")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--widths", nargs="+", required=True)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--last", type=int, default=6)
    parser.add_argument("--copies", type=int, default=7)
    parser.add_argument("--shake", type=float, default=0.5)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--propose", type=int, default=1 << 20, help="rows that propose a wire")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.begun = time.monotonic()
    stages = [tuple(int(w) for w in text.split(",")) for text in args.widths]
    descend.PROPOSING["cuda"] = args.propose
    pools = Pools(args.data, args.teachers, args.device)
    taken = [item for item in networks(args.sweeps) if item[0]["recipe"]["name"] == args.take]
    if args.members:
        taken = [item for item in taken if item[0]["member"] in args.members]
    arrays: dict[str, Any] = {}
    facts: list[dict[str, Any]] = []
    args.out.mkdir(parents=True, exist_ok=True)
    for place, (fact, network, _) in enumerate(taken):
        share = (place + 1) / len(taken)
        until = args.begun + 60 * args.minutes * share
        recipe = parse_recipe(fact["recipe"], "sweep")
        recipe = dataclasses.replace(recipe, copies=args.copies, shake=args.shake)
        parts = network.parts[-len(recipe.widths) :]
        rows = pools.get(recipe)
        dense = [
            (torch.from_numpy(p.pins).to(rows.x.device),
             torch.from_numpy(p.tables).to(rows.x.device, torch.uint8))
            for p in parts
        ]  # fmt: skip
        job = job_of(recipe, rows, network, dense)
        kernels = [own for kernel in job.model.maps for own in kernel.kernel]  # type: ignore[union-attr]
        for shape, tables, rank, own in narrowed(job, stages, args, until):
            made = job_of(shape, rows, kernels, tables)
            found = made.model.network(0)
            key = len(facts)
            arrays[f"{key}.golden"] = golden_outputs(made)[0]
            arrays |= {f"{key}.{k}": v for k, v in compact(found.to_arrays()).items()}
            named = "_".join([shape.name, *map(str, shape.widths)])
            facts.append({
                "recipe": {**shape.to_meta(), "name": named},
                "member": fact["member"], "steps": fact["steps"], "validation": own,
                "ranking": rank, "labels": found.labels(), "from": args.take,
            })  # fmt: skip
            exact = float(made.ranking()[0])
            print(key, facts[-1]["recipe"]["name"], fact["member"], rank, exact, own, flush=True)
            np.savez_compressed(
                args.out / f"narrow_{args.take}.npz", facts=np.array(json.dumps(facts)), **arrays
            )


if __name__ == "__main__":
    main()
