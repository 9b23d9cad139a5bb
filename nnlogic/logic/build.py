"""TableNet to LogicNet: minimize every distinct function, then assemble and clean up."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.passes import PassRecord, run_passes
from nnlogic.core.places import cache_folder
from nnlogic.core.progress import SILENT, Progress
from nnlogic.core.stages import refused
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.ir import MAX_K, LogicNet
from nnlogic.logic.passes.absorb_inverters import absorb_inverters
from nnlogic.logic.passes.merge_equal import merge_equal
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.portfolio import OBJECTIVES, Attempt, Solution, SolveOptions
from nnlogic.logic.resub.improve import load_kernels
from nnlogic.logic.rewrite import GONE, rewritten, with_cone
from nnlogic.logic.unit import Unit, units_of
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import TableNet
from nnlogic.tools.find import find
from nnlogic.tools.parallel import in_processes

log = logging.getLogger("nnlogic.logic")

PASSES = (
    ("propagate constants", partial(rewritten, rewrite=propagate_constants)),
    ("absorb inverters", partial(rewritten, rewrite=absorb_inverters)),
    ("merge equal nodes", partial(rewritten, rewrite=merge_equal)),
)
PROBE_ROWS = 1024
MAX_ROUNDS = 8


@dataclass(frozen=True)
class FunctionRecord:
    """How one distinct function or arithmetic block was minimized.

    Attributes
    ----------
    index : int
        In order of first use.
    label : str
        ``function <i>`` of the TableNet, or the origin of the first arithmetic block.
    instances : int
        Blocks that share it.
    engine : str
        The engine that won; ``direct`` where one LUT per output is enough.
    luts, depth : int
        Of one instance, before anything is shared between instances.
    seconds : float
        Spent when the result was found, also when it now comes from the cache.
    cached : bool
    attempts : tuple of Attempt
        Every engine tried, with its result or its error.
    """

    index: int
    label: str
    instances: int
    engine: str
    luts: int
    depth: int
    seconds: float
    cached: bool
    attempts: tuple[Attempt, ...]


def minimize(
    tables: TableNet | QuantNet,
    *,
    k: int = 6,
    effort: str = "normal",
    objective: str = "balanced",
    jobs: int | None = None,
    cache_dir: Path | str | Literal[False] | None = None,
    timeout: float = 60.0,
    budget: float | None = None,
    progress: Progress = SILENT,
) -> LogicNet:
    """Return a minimized K-LUT network equal to `tables`; see `minimize_with_records`.

    A QuantNet is tabulated first, with the defaults of `nnlogic.tabulate`.

    Raises
    ------
    UsageError
        Neither tables nor a QuantNet, or an option out of range.
    """
    if isinstance(tables, QuantNet):
        tables = tabulate(tables)
    if not isinstance(tables, TableNet):
        raise refused("nnlogic.minimize", tables, TableNet.kind)
    net, _ = minimize_with_records(
        tables,
        k=k,
        effort=effort,
        objective=objective,
        jobs=jobs,
        cache_dir=cache_dir,
        timeout=timeout,
        budget=budget,
        progress=progress,
    )
    return net


def minimize_with_records(
    tables: TableNet,
    *,
    k: int = 6,
    effort: str = "normal",
    objective: str = "balanced",
    jobs: int | None = None,
    cache_dir: Path | str | Literal[False] | None = None,
    timeout: float = 60.0,
    budget: float | None = None,
    progress: Progress = SILENT,
) -> tuple[LogicNet, tuple[FunctionRecord, ...]]:
    """Minimize every distinct function and arithmetic block, then assemble the network.

    The result does not depend on `jobs`. What is solved is kept at once, so that an interrupted
    call goes on where it stopped. Inside `nnlogic.tools.cluster.on_cluster` the functions go to a
    Dask cluster.

    Parameters
    ----------
    tables : TableNet
    k : int
        Inputs of a LUT, 2 to 6.
    effort : str
        ``"fast"``, ``"normal"`` or ``"high"``.
    objective : str
        ``"balanced"`` (LUTs, a level counting as one percent of them), ``"area"`` (LUTs, then
        depth), ``"depth"``, or ``"adp"`` (LUTs times depth).
    jobs : int, optional
        Processes; all cores when None.
    cache_dir : path, None or False
        Where results are kept; None is the user's cache directory, False keeps nothing.
    timeout : float
        Seconds for one engine on one function.
    budget : float, optional
        Seconds for one function, after which the best network so far is taken; results then
        depend on the machine.
    progress : Progress

    Returns
    -------
    LogicNet, tuple of FunctionRecord

    Raises
    ------
    UsageError
        An option out of range.
    ToolNotFound
        ABC is not installed.
    """
    options = _options(k, effort, objective, timeout, budget)
    if jobs is not None and jobs < 1:
        raise UsageError("jobs must be positive", why=f"{jobs} processes")
    tables.verify()
    units, uses = units_of(tables)
    if units:
        find("abc")
        with progress.step("load kernels"):
            load_kernels()
    cache = ResultCache(_directory(cache_dir))
    with progress.step("minimize functions", len(units)) as step:
        solutions = []
        for solution in _solve_all(units, options, jobs, cache):
            solutions.append(solution)
            step.advance(note=solution.engine)
    net = assemble(tables, [s.cone for s in solutions], uses, k)
    net, _ = clean(net)
    return net, tuple(
        FunctionRecord(
            i,
            unit.label,
            unit.uses,
            s.engine,
            s.cone.luts,
            s.cone.depth,
            s.seconds,
            s.cached,
            s.attempts,
        )
        for i, (unit, s) in enumerate(zip(units, solutions, strict=True))
    )


def _options(
    k: int, effort: str, objective: str, timeout: float, budget: float | None
) -> SolveOptions:
    if not 2 <= k <= MAX_K:
        raise UsageError("LUT size out of range", why=f"k is {k}, allowed 2 to {MAX_K}")
    if effort not in EFFORTS:
        raise UsageError("unknown effort", why=f"{effort!r}, choose from {', '.join(EFFORTS)}")
    if objective not in OBJECTIVES:
        raise UsageError(
            "unknown objective", why=f"{objective!r}, choose from {', '.join(OBJECTIVES)}"
        )
    if timeout <= 0:
        raise UsageError("timeout must be positive", why=f"{timeout} s")
    if budget is not None and budget <= 0:
        raise UsageError("budget must be positive", why=f"{budget} s")
    return SolveOptions(k, effort, objective, timeout, budget)


def _directory(cache_dir: Path | str | Literal[False] | None) -> Path | None:
    if cache_dir is False:
        return None
    return cache_folder() if cache_dir is None else Path(cache_dir)


def _solve_all(
    units: Sequence[Unit], options: SolveOptions, jobs: int | None, cache: ResultCache
) -> Iterator[Solution]:
    """Yield one solution per unit, in order, from the cache or from worker processes."""
    read = ((i, cache.read(unit, options)) for i, unit in enumerate(units))
    known = {i: found for i, found in read if found is not None}
    waiting = [p for i, p in enumerate(units) if i not in known]
    calls = [(unit, options) for unit in waiting]
    fresh = in_processes(Unit.solve, calls, jobs or os.cpu_count() or 1)
    for i, unit in enumerate(units):
        if i in known:
            yield known[i]
            continue
        solution = next(fresh)
        for attempt in solution.attempts:
            if attempt.error:
                log.info("%s, %s: %s", unit.label, attempt.engine, attempt.error)
        cache.write(unit.key(options), solution)
        yield solution


def assemble(
    tables: TableNet,
    cones: Sequence[Cone],
    uses: Sequence[tuple[int, tuple[int, ...]]],
    k: int,
) -> LogicNet:
    """Put the cones of all blocks together, without any sharing between them.

    Parameters
    ----------
    tables : TableNet
    cones : sequence of Cone
        Solution of each unit.
    uses : sequence of (unit, input signals)
        One per block of `tables`.
    """
    n_in = tables.n_inputs
    signals = list(range(n_in))
    fanins: list[tuple[int, ...]] = []
    node_tables: list[int] = []
    origins: list[str] = []
    layers: list[int] = []
    for block, (unit, inputs) in zip(tables.blocks, uses, strict=True):
        cone = cones[unit]
        local = [signals[s] for s in inputs]
        names = {s: f"{block.origin}/bit{b}" for b, s in reversed(list(enumerate(cone.outputs)))}
        for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
            local.append(n_in + len(fanins))
            fanins.append(tuple(local[s] for s in fanin))
            node_tables.append(table)
            origins.append(names.get(cone.n_inputs + i, block.origin))
            layers.append(block.layer)
        signals += [local[s] for s in cone.outputs]
    outputs = tuple(signals[s] for s in tables.output_signals)
    done = remove_dead(Cone(n_in, tuple(fanins), tuple(node_tables), outputs))
    empty = LogicNet(
        tables.name,
        k,
        tables.inputs,
        tables.outputs,
        frozen(np.zeros((0, k)), np.int32),
        frozen([], np.uint64),
        (),
        (),
        frozen([], np.int32),
        tables.layers,
        frozen([], np.int32),
    )
    return with_cone(
        empty,
        done.cone,
        [origins[i] for i in done.sources],
        [layers[i] for i in done.sources],
        [GONE if s == GONE else done.signals[s] for s in signals],
    )


def clean(net: LogicNet) -> tuple[LogicNet, tuple[PassRecord, ...]]:
    """Run the clean-up passes until nothing changes."""
    net.verify()
    probe = bits.random_codes(net.inputs, bits.sample_count(len(net.inputs), PROBE_ROWS))
    records: list[PassRecord] = []
    for _ in range(MAX_ROUNDS):
        net, done = run_passes(net, PASSES, probe=probe)
        records += done
        if not any(record.changed for record in done):
            break
    return net, tuple(records)
