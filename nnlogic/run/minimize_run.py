"""Minimize files of logic: read, minimize, check, write, and check what was written."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnlogic.checks.specification import check_file, check_reading, check_result
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import Bools
from nnlogic.core.errors import Different, FormatError, Problem, ToolFailed, UsageError
from nnlogic.core.places import cache_folder
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone
from nnlogic.logic.dual import shared_cells
from nnlogic.logic.formats import (
    READERS,
    WRITERS,
    Relaxed,
    Specification,
    encode,
    parse,
    plain,
    read_patterns,
)
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.specified import minimize_specification, with_care
from nnlogic.logic.specified.care import demanded
from nnlogic.logic.specified.tabular import Found
from nnlogic.tools.budget import Budget, spending
from nnlogic.tools.budget import budget as budget_now
from nnlogic.tools.cluster import on_cluster
from nnlogic.tools.limits import MEGABYTES, Limits, limited
from nnlogic.tools.parallel import in_processes

log = logging.getLogger("nnlogic.run")


@dataclass(frozen=True)
class Minimized:
    """One file that was minimized and written.

    Attributes
    ----------
    source, out : Path
    inputs, outputs : int
    luts, depth : int
        Of the network; an AIGER file holds its function, not its LUTs.
    seconds : float
        For everything, checks included.
    engine : str
        What found the network.
    cached : bool
        Whether a part comes from the cache of results, which `seconds` then does not show.
    checks : tuple of Verdict
        Against the input, then the written file; first how the input was read, for networks.
    care : int or None
        Approximate mode: input combinations that counted.
    rows : int or None
        Approximate mode: observed rows.
    agreement : float or None
        Approximate mode: percentage of the observed rows, rare ones included, on which every
        output has the value the input file demands.
    ended : str
        What ended the search before it was through, ``"budget"`` or ``"interrupt"``; the network
        is the best so far then, checked like any other.
    cells : int
        LUT cells with two outputs that hold the network: two LUTs of five shared inputs in one.
    """

    source: Path
    out: Path
    inputs: int
    outputs: int
    luts: int
    depth: int
    seconds: float
    engine: str
    cached: bool
    checks: tuple[Verdict, ...]
    care: int | None = None
    rows: int | None = None
    agreement: float | None = None
    ended: str = ""
    cells: int = 0

    @property
    def how(self) -> str:
        """How the result is known to be right: ``"proved"`` or ``"exhaustive"``."""
        return "proved" if any(v.how == "proved" for v in self.checks) else "exhaustive"


@dataclass(frozen=True)
class _Job:
    source: Path
    out: Path
    spec: Specification
    data: bytes
    care: Bools | None
    rarity: int
    options: SolveOptions
    cache: Path | None
    seconds: float


def minimize_files(
    sources: Sequence[Path],
    out: Path,
    *,
    k: int = 6,
    objective: str = "balanced",
    effort: str = "normal",
    budget: float | None = None,
    jobs: int | None = None,
    care: Path | None = None,
    rarity: int = 1,
    kind: str = "blif",
    force: bool = False,
    cache_dir: Path | None = None,
    tool_timeout: float | None = None,
    tool_output: float | None = None,
    dask: str | None = None,
    progress: Progress = SILENT,
) -> tuple[Minimized, ...]:
    """Minimize ``.truth``, ``.pla``, ``.blif``, ``.aag`` and ``.aig`` files.

    Every result is checked before it is written, and so is the content of its file, as ABC or
    yosys reads it. Files appear whole or not at all.

    Parameters
    ----------
    sources : sequence of Path
    out : Path
        With one of the suffixes ``.blif .v .aag .aig`` the file to write, for one source;
        otherwise a directory, made when it does not exist.
    k : int
        Inputs of a LUT, 2 to 6.
    objective : str
        ``"area"``, ``"balanced"``, ``"depth"`` or ``"adp"``.
    effort : str
        ``"fast"``, ``"normal"`` or ``"high"``.
    budget : float, optional
        Seconds of search for one file, after which the best so far is taken; results then depend
        on the machine. Checks come on top. An interrupt has the same effect if there is one file.
    jobs : int, optional
        Processes; all cores when None. Results do not depend on it.
    care : Path, optional
        Observed input rows: approximate mode, in which nothing else matters.
    rarity : int
        How often an input must have been seen to matter.
    kind : str
        Suffix of the files in a directory, without the dot.
    force : bool
        Replace existing files.
    cache_dir : Path, optional
        Where solved functions are kept; the user's cache directory when None.
    tool_timeout, tool_output : float, optional
        Most seconds of an external program, and most megabytes that it prints.
    dask : str, optional
        Scheduler of a Dask cluster that works in the place of processes here.
    progress : Progress

    Returns
    -------
    tuple of Minimized
        In the order of `sources`.

    Raises
    ------
    UsageError, FormatError
        All files are read before the work starts; every problem is listed.
    Different
        A check failed; the file was not written.
    ToolNotFound, ToolFailed
        ABC or yosys is missing or failed.
    """
    if rarity != 1 and care is None:
        raise UsageError("--rarity needs --care", why="it counts how often rows were observed")
    targets = _targets(sources, out, kind, force)
    options = SolveOptions(k, effort, objective)
    seconds = math.inf if budget is None else budget
    cache = cache_folder() if cache_dir is None else cache_dir
    specs = _read_all(sources)
    work = []
    for source, target, (spec, data) in zip(sources, targets, specs, strict=True):
        rows = None if care is None else _patterns(care, spec.inputs)
        work.append(_Job(source, target, spec, data, rows, rarity, options, cache, seconds))
    jobs = jobs or os.cpu_count() or 1
    bounds = Limits(tool_timeout, tool_output or MEGABYTES)
    if len(work) == 1:
        with limited(bounds), on_cluster(dask):
            return (_minimize(work[0], jobs, progress, keeps=True),)
    done = []
    step_of = progress.step("minimize files", len(work))
    with limited(bounds), on_cluster(dask), step_of as step:
        for result in in_processes(_minimize, [(job, 1, SILENT) for job in work], jobs):
            done.append(result)
            step.advance(note=f"{result.source.name}: {result.luts}")
    return tuple(done)


def _minimize(job: _Job, jobs: int, progress: Progress, keeps: bool = False) -> Minimized:
    start = time.monotonic()
    spec = job.spec if job.care is None else with_care(job.spec, job.care, job.rarity)
    with spending(Budget(job.seconds, keeps=keeps)) as spent:
        found = _found(job, spec, jobs, progress)
    ended = "interrupt" if spent.interrupted else "budget" if spent.spent else ""
    with progress.step("check the network") as step:
        verdict = replace(check_result(spec, found.cone), left=job.source.name)
        checks = [*_reading(job), _passed(verdict, job.source)]
        step.advance(note=checks[-1].how)
    suffix = job.out.suffix
    data = encode(suffix, job.spec.name, spec.inputs, spec.outputs, found.cone)
    with progress.step(f"check the content of {job.out.name}") as step:
        checks.append(_passed(check_file(data, suffix, spec, found.cone), job.out))
        step.advance(note=checks[-1].how)
    job.out.parent.mkdir(exist_ok=True)
    write_bytes(job.out, data)
    if job.out.read_bytes() != data:
        raise Different("the file on disk is not what was written", where=str(job.out))
    result = Minimized(
        job.source,
        job.out,
        len(spec.inputs),
        len(spec.outputs),
        found.cone.luts,
        found.cone.depth,
        time.monotonic() - start,
        found.engine,
        found.cached,
        tuple(checks),
        ended=ended,
        cells=found.cone.luts - len(shared_cells(found.cone)),
    )
    return result if job.care is None else _with_agreement(result, job, job.care, found.cone)


def _found(job: _Job, spec: Specification, jobs: int, progress: Progress) -> Found:
    cache = ResultCache(job.cache)
    found = minimize_specification(spec, job.options, jobs=jobs, cache=cache, progress=progress)
    if job.care is None or not isinstance(job.spec.content, Cone | Relaxed) or budget_now().spent:
        return found
    exact = minimize_specification(job.spec, job.options, jobs=jobs, cache=cache, progress=progress)
    return min(found, exact, key=lambda f: f.cost(job.options.objective))


def _with_agreement(result: Minimized, job: _Job, rows: Bools, cone: Cone) -> Minimized:
    seen, counts = np.unique(rows, axis=0, return_counts=True)
    on, off = demanded(job.spec, seen)
    got = cone.evaluate(seen.T)
    right = ~((on & ~got) | (off & got)).any(axis=0)
    agreement = 100.0 * float(counts[right].sum()) / len(rows)
    care = int((counts >= job.rarity).sum())
    return replace(result, care=care, rows=len(rows), agreement=agreement)


def _passed(verdict: Verdict, where: Path) -> Verdict:
    if not verdict.equal:
        raise Different("a check failed, nothing was written", where=str(where), why=verdict.text())
    return verdict


def _reading(job: _Job) -> list[Verdict]:
    """Compare with how ABC or yosys reads the input, for networks; some files they refuse."""
    suffix = job.source.suffix
    if not isinstance(job.spec.content, Cone | Relaxed) or suffix not in WRITERS:
        return []
    try:
        return [_passed(check_reading(plain(job.data, suffix), suffix, job.spec), job.source)]
    except ToolFailed as error:
        log.info("%s is read by nnlogic alone: %s", job.source, error.why)
        return []


def _targets(sources: Sequence[Path], out: Path, kind: str, force: bool) -> list[Path]:
    """Return where each file goes, or raise with everything that is in the way."""
    problems = []
    known = ", ".join(READERS)
    for source in sources:
        if source.suffix not in READERS:
            why = f"{source.suffix or 'no suffix'}, nnlogic reads {known}"
            problems.append(Problem(str(source), why))
        elif not source.is_file():
            why = "a directory" if source.is_dir() else "no such file"
            problems.append(Problem(str(source), why))
    if out.suffix in WRITERS and not out.is_dir():
        targets = [out] * len(sources)
        if len(sources) > 1:
            problems.append(Problem(str(out), "one file for several inputs", "name a directory"))
        elif not out.parent.is_dir():
            problems.append(Problem(str(out.parent), "no such directory"))
    elif out.suffix and not out.exists() and len(sources) == 1:
        why = f"{out.suffix} is not written, choose from {', '.join(WRITERS)}"
        problems.append(Problem(str(out), why, "or name a directory without a suffix"))
        targets = []
    else:
        targets = [out / f"{source.stem}.{kind}" for source in sources]
        if out.is_file():
            problems.append(Problem(str(out), "a file, not a directory"))
        elif not out.absolute().parent.is_dir():
            problems.append(Problem(str(out.parent), "no such directory"))
        for target in sorted({t for t in targets if targets.count(t) > 1}):
            problems.append(Problem(str(target), "several inputs would be written to it"))
    for source, target in zip(sources, targets, strict=False):
        if target.exists() and source.exists() and target.samefile(source):
            problems.append(Problem(str(target), "would replace its own input"))
        elif target.exists() and not force:
            problems.append(Problem(str(target), "exists", "--force replaces it"))
    if problems:
        raise UsageError("nothing was minimized", problems=problems)
    return targets


def _read_all(sources: Sequence[Path]) -> list[tuple[Specification, bytes]]:
    specs, problems = [], []
    for source in sources:
        data = source.read_bytes()
        try:
            specs.append((parse(data, str(source), source.suffix), data))
        except FormatError as error:
            if len(sources) == 1:
                raise
            problems += [Problem(f"{source}, {p.where}", p.why, p.fix) for p in error.problems]
    if problems:
        raise FormatError("cannot read the files", problems=problems)
    return specs


def _patterns(path: Path, inputs: Sequence[str]) -> Bools:
    if not path.is_file():
        raise UsageError("no such file", where=str(path), why="--care needs a file of rows")
    return read_patterns(path, inputs)
