"""Outputs with wide support and short covers, built again from their covers."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.network.covers import Cover, Expansion
from nnlogic.logic.network.factor import build_tree, factored
from nnlogic.tools.parallel import in_processes

MAX_CUBES = 256
MAX_FAILURES = 8


def from_covers(
    cone: Cone,
    outputs: Sequence[int],
    *,
    k: int,
    moves: int,
    seed: int,
    jobs: int,
    progress: Progress = SILENT,
) -> dict[int, Cone]:
    """Build outputs from factored covers.

    Parameters
    ----------
    cone : Cone
    outputs : sequence of int
        Positions in ``cone.outputs``.
    k, moves, seed, jobs : int
        See `nnlogic.logic.network.factor.factored`; processes.

    Returns
    -------
    dict from position to Cone
        Single-output networks over the same inputs; outputs whose covers are too large are
        missing.
    """
    work = _covers(cone, outputs)
    n = cone.n_inputs
    calls = [(n, *found, k, moves, seed + i) for i, found in work]
    out = {}
    with progress.step("factor wide outputs", len(work)) as step:
        for (i, _), made in zip(work, in_processes(cover_cone, calls, jobs), strict=True):
            out[i] = made
            step.advance()
    return out


def _covers(cone: Cone, outputs: Sequence[int]) -> list[tuple[int, tuple[Cover, bool]]]:
    """Covers by output; gives up when one output after the other has none."""
    out = []
    failed = 0
    for i in outputs:
        found = Expansion(cone, MAX_CUBES).cover(cone.outputs[i])
        failed = 0 if found else failed + 1
        if found:
            out.append((i, found))
        if failed == MAX_FAILURES:
            break
    return out


def cover_cone(n: int, cover: Cover, complement: bool, k: int, moves: int, seed: int) -> Cone:
    """Build one output from a cover of it or of its complement."""
    builder = ConeBuilder(n)
    if not cover or not all(cover):
        signal = builder.constant(bool(cover) != complement)
    else:
        support = sorted({x >> 1 for cube in cover for x in cube})
        number = {s: i for i, s in enumerate(support)}
        local = tuple(frozenset(2 * number[x >> 1] + (x & 1) for x in c) for c in cover)
        inner = ConeBuilder(len(support))
        root = build_tree(factored(local, k, moves, seed), inner, k)
        (signal,) = builder.add(inner.cone([root]), support)
        if complement:
            signal = builder.lut([signal], 1)
    return builder.cone([signal])
