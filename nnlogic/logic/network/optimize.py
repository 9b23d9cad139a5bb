"""Optimization of a K-LUT network of any size."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.ir import MAX_K
from nnlogic.logic.network.blocks import blocks_of, joined
from nnlogic.logic.network.scripts import MERGE, SCRIPTS, restructured
from nnlogic.logic.network.sweeps import polish
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.network.wide import from_covers
from nnlogic.logic.portfolio import OBJECTIVES
from nnlogic.tools.budget import budget
from nnlogic.tools.parallel import in_processes

BLOCK = 600
SMALL = 400  # nodes; smaller blocks get more steps, up to
SMALL_FACTOR = 8
TINY = 2  # nodes for each further round of steps: few nodes are soon through
WIDE_SUPPORT = 17
SCRIPT_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How much work an effort level stands for.

    Attributes
    ----------
    factor_moves : int
        Moves per wide output, see `nnlogic.logic.network.factor`.
    passes : int
        How often all blocks are optimized; block borders move in between.
    starts : int
        ABC scripts tried on each block in a pass; small blocks get more.
    windows : float
        Windows per node and pass.
    moves : int
        Resubstitution moves per window.
    leaves : int
        Largest window.
    """

    factor_moves: int
    passes: int
    starts: int
    windows: float
    moves: int
    leaves: int


PLANS = {
    "fast": Plan(100, 1, 1, 0.1, 500, 10),
    "normal": Plan(300, 2, 3, 0.4, 2000, 13),
    "high": Plan(3000, 4, 6, 1.0, 1500, 14),
}


def optimize(
    cone: Cone,
    *,
    k: int = 6,
    objective: str = "balanced",
    effort: str = "normal",
    jobs: int | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Cone:
    """Return a network of the same function that costs no more.

    Work grows with the number of nodes: large networks are cut into blocks, and only outputs
    with short covers are looked at as a whole.

    Parameters
    ----------
    cone : Cone
        LUTs may have up to 16 inputs.
    k : int
        Inputs of a LUT of the result, 2 to 6.
    objective, effort, jobs
        See `nnlogic.logic.build.minimize`.
    seed : int
        Start of all random choices; the result does not depend on `jobs`.
    progress : Progress

    Returns
    -------
    Cone
        Same inputs and outputs. Every step is exact: windows are compared on all their inputs,
        ABC's results proved by SAT, covers multiplied out. Callers prove the whole again.

    Raises
    ------
    UsageError
        An option out of range.
    """
    _check(k, objective, effort, jobs)
    plan, cost = PLANS[effort], OBJECTIVES[objective]
    processes = jobs or os.cpu_count() or 1
    cone = _fitting(tidied(cone), k)
    best = cone
    with budget().searching():
        for candidate in _wide(cone, k, plan, seed, processes, progress):
            best = min(best, candidate, key=cost)
    task = BlockTask(k, objective, plan)
    for number in range(plan.passes):
        if budget().spent:
            break
        new = _all_blocks(best, task, number, seed, processes, progress)
        improved = cost(new) < cost(best)
        best = min(new, best, key=cost)
        if not improved and number:
            break
    return best


def _check(k: int, objective: str, effort: str, jobs: int | None) -> None:
    if not 2 <= k <= MAX_K:
        raise UsageError("LUT size out of range", why=f"k is {k}, allowed 2 to {MAX_K}")
    for name, value, allowed in (
        ("objective", objective, tuple(OBJECTIVES)),
        ("effort", effort, EFFORTS),
    ):
        if value not in allowed:
            raise UsageError(f"unknown {name}", why=f"{value!r}, choose from {', '.join(allowed)}")
    if jobs is not None and jobs < 1:
        raise UsageError("jobs must be positive", why=f"{jobs} processes")


def _fitting(cone: Cone, k: int) -> Cone:
    """Map a network with LUTs of more than `k` inputs; other networks stay as they are."""
    if cone.widest <= k:
        return cone
    from nnlogic.logic.abc_blif import read_blif, write_blif
    from nnlogic.tools.abc import transform_blif

    return tidied(read_blif(transform_blif(write_blif(cone), f"strash; dch; if -K {k} -a")))


def _wide(cone: Cone, k: int, plan: Plan, seed: int, jobs: int, progress: Progress) -> list[Cone]:
    """Networks in which outputs with many inputs were built from their covers."""
    wide = wide_outputs(cone)
    if not wide or budget().spent:
        return []
    made = from_covers(
        cone, wide, k=k, moves=plan.factor_moves, seed=seed, jobs=jobs, progress=progress
    )
    own = exclusive_luts(cone)
    good = {i: new for i, new in made.items() if new.luts < own[i]}
    builder = ConeBuilder(cone.n_inputs)
    rest = [i for i in range(len(cone.outputs)) if i not in good]
    outputs: dict[int, int] = {}
    old = Cone(cone.n_inputs, cone.fanins, cone.tables, tuple(cone.outputs[i] for i in rest))
    outputs.update(zip(rest, builder.add(old, range(cone.n_inputs)), strict=True))
    for i, new in good.items():
        outputs[i] = builder.add(new, range(cone.n_inputs))[0]
    return [tidied(builder.cone([outputs[i] for i in range(len(cone.outputs))]))] if good else []


def wide_outputs(cone: Cone) -> list[int]:
    """Positions of distinct outputs that depend on many inputs."""
    masks: list[int] = [1 << i for i in range(cone.n_inputs)]
    for fanin in cone.fanins:
        mask = 0
        for s in fanin:
            mask |= masks[s]
        masks.append(mask)
    first = {s: i for i, s in reversed(list(enumerate(cone.outputs)))}
    return sorted(i for s, i in first.items() if masks[s].bit_count() >= WIDE_SUPPORT)


def exclusive_luts(cone: Cone) -> list[int]:
    """LUTs that each output has for itself, by position."""
    readers = [0] * (cone.n_inputs + cone.n_nodes)
    for s in (*cone.outputs, *(s for fanin in cone.fanins for s in fanin)):
        readers[s] += 1
    out = []
    for output in cone.outputs:
        taken: dict[int, int] = {}
        luts, stack = 0, [output]
        while stack:
            at = stack.pop()
            taken[at] = taken.get(at, 0) + 1
            if at >= cone.n_inputs and taken[at] == readers[at]:
                luts += len(cone.fanins[at - cone.n_inputs]) > 1
                stack += cone.fanins[at - cone.n_inputs]
        out.append(luts)
    return out


@dataclass(frozen=True)
class BlockTask:
    """What is done to one block."""

    k: int
    objective: str
    plan: Plan

    def run(self, cone: Cone, seed: int) -> Cone:
        """Return a network that costs no more."""
        cost: Callable[[Cone], tuple[int, ...]] = OBJECTIVES[self.objective]
        rng = random.Random(seed)
        plan = self.plan
        factor = min(SMALL_FACTOR, SMALL // max(1, cone.n_nodes), -(-cone.n_nodes // TINY))
        steps = plan.starts * max(1, factor)
        scripts = [MERGE, *(rng.choice(SCRIPTS) for _ in range(steps))]
        current = best = cone
        tried: dict[tuple[Cone, str], Cone | None] = {}
        with budget().searching():
            current = best = self._polished(cone, plan.windows, rng)
            for script in scripts:
                if budget().spent:
                    break
                step = current, script
                if step not in tried:
                    tried[step] = restructured(current, script, self.k, SCRIPT_SECONDS)
                new = tried[step]
                if new is None or 10 * new.luts > 11 * best.luts:
                    continue
                new = self._polished(new, plan.windows, rng)
                # A walk that may go up a little: ABC's scripts always give the same from the best.
                if 50 * new.luts <= 51 * best.luts:
                    current = new
                best = min(best, new, key=cost)
        return best

    def _polished(self, cone: Cone, windows: float, rng: random.Random) -> Cone:
        return polish(
            cone,
            k=self.k,
            objective=self.objective,
            leaves=self.plan.leaves,
            nodes=200,
            moves=self.plan.moves,
            windows=int(windows * cone.n_nodes) + min(8, cone.n_nodes),
            seed=rng.randrange(1 << 30),
        )


def _all_blocks(
    cone: Cone, task: BlockTask, number: int, seed: int, jobs: int, progress: Progress
) -> Cone:
    blocks = blocks_of(cone, BLOCK, (number % 2) * BLOCK // 2)
    calls = [(block.cone(cone), seed + 1000 * number + i) for i, block in enumerate(blocks)]
    parts: list[Cone] = []
    name = f"optimize network, pass {number + 1}"
    with progress.step(name, len(blocks)) as step, budget().searching():
        for part in in_processes(task.run, calls, jobs):
            parts.append(part)
            step.advance(note=f"{part.luts} LUTs")
    parts += [block.cone(cone) for block in blocks[len(parts) :]]
    return tidied(joined(cone, blocks, parts))
