"""From a specification to the best network found for it."""

from __future__ import annotations

from nnlogic.core.errors import IRError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import Relaxed, Specification
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.specified.network import solve_network
from nnlogic.logic.specified.sampled import expanded_network, small_support
from nnlogic.logic.specified.starts import cover_text, or_from_scripts
from nnlogic.logic.specified.tabular import Found, solve_table
from nnlogic.logic.support import Partial


def minimize_specification(
    spec: Specification,
    options: SolveOptions,
    *,
    jobs: int = 1,
    cache: ResultCache | None = None,
    progress: Progress = SILENT,
) -> Found:
    """Minimize what a file asks for.

    Parameters
    ----------
    spec : Specification
    options : SolveOptions
    jobs : int
        Processes; the result does not depend on it.
    cache : ResultCache, optional
        Where solved functions are kept.
    progress : Progress

    Returns
    -------
    Found
        Not checked yet as a whole: see `nnlogic.checks.specification`.

    Raises
    ------
    ToolNotFound, ToolFailed
        ABC is missing or failed.
    IRError
        A network breaks its rules: a bug.
    """
    cache = cache or ResultCache(None)
    content = spec.content
    if isinstance(content, Partial):
        with progress.step("minimize tables", 1) as step:
            found = solve_table(content, options, jobs, cache)
            step.advance(note=found.engine)
        with progress.step("simple scripts") as step:
            found = or_from_scripts(content, found, options)
            step.advance(note=found.engine)
    elif isinstance(content, Cone):
        found = solve_network(content, options, jobs, cache, progress)
    elif isinstance(content, Relaxed):
        found = solve_network(content.network, options, jobs, cache, progress, content.free)
    else:
        found = _solve_cover(content, options, jobs, cache, progress)
    problems = found.cone.problems(options.k)
    if problems:
        raise IRError("a minimized network breaks its rules", where=found.engine, why=problems[0])
    return found


def _solve_cover(
    cover: Cover, options: SolveOptions, jobs: int, cache: ResultCache, progress: Progress
) -> Found:
    if cover.rest_off:
        text = cover_text(cover, cover.on)
        network = cover.network(cover.on)
        return solve_network(network, options, jobs, cache, progress, cover=text)
    with progress.step("choose inputs"):
        part = small_support(cover)
    candidates = []
    if part is not None:
        with progress.step("minimize tables", 1) as step:
            small = solve_table(part, options, jobs, cache)
            step.advance(note=small.engine)
        builder = ConeBuilder(cover.n_inputs)
        cone = builder.cone(builder.add(small.cone, part.inputs))
        candidates.append(Found(cone, small.engine, small.cached))
        if options.effort == "fast":
            return candidates[0]
    with progress.step("expand cubes"):
        network = expanded_network(cover)
    whole = solve_network(network, options, jobs, cache, progress)
    candidates.append(Found(whole.cone, f"expand, {whole.engine}", whole.cached))
    return min(candidates, key=lambda found: found.cost(options.objective))
