"""What happens to the engines' results: the best are improved, those that improve most go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from nnlogic.core import bits
from nnlogic.logic.cone import Cone
from nnlogic.logic.resub.improve import improve
from nnlogic.tables.ir import Function
from nnlogic.tools.budget import budget

ROUNDS = {
    "fast": ((1, 3_000),),
    "normal": ((2, 10_000), (1, 20_000)),
    "high": ((16, 20_000), (5, 60_000), (2, 200_000), (1, 400_000)),
}
"""Per effort: how many networks are improved in each round, and by how many moves."""
SLACK = {"area": 2, "balanced": 1, "adp": 0, "depth": 0}
"""Levels a network may gain while it is improved, per objective."""
REFERENCE_WORDS = 64
"""Simulation words for which ROUNDS hold; larger functions get fewer moves, smaller ones more
networks in the first round, up to this factor:"""
WIDER = 4
HOPELESS = (2.0, 1.2)
"""Networks larger than the smallest by this factor are left out: first round, later rounds."""


@dataclass(frozen=True)
class Candidate:
    """A correct network and the engine it comes from."""

    engine: str
    cone: Cone
    limit: int


def polished(
    candidates: Sequence[tuple[str, Cone]],
    function: Function,
    *,
    k: int,
    effort: str,
    objective: str,
    cost: Callable[[Cone], tuple[int, ...]],
    patience: int | None = None,
    kept: Collection[str] = (),
) -> list[tuple[str, Cone]]:
    """Improve the most promising networks in rounds, fewer in each (successive halving).

    Parameters
    ----------
    candidates : sequence of (engine, Cone)
        Correct networks for `function`.
    cost : callable
        What to minimize.
    patience : int, optional
        Moves that free nothing, after which a network is left as it is.
    kept : collection of str
        Engines whose networks are improved in the first round, whatever they cost by then: they
        know a structure that others do not, and are rarely asked.

    Returns
    -------
    list of (engine, Cone)
        The networks of the last round that began within the budget, their engines' names extended
        by ``+resub``;
        none where no round began.
    """
    words = bits.words_for(1 << function.n_inputs)
    chosen = [Candidate(engine, cone, cone.depth + SLACK[objective]) for engine, cone in candidates]
    for number, (width, moves) in enumerate(ROUNDS[effort]):
        if budget().spent:
            if number == 0:
                return []
            break
        most = HOPELESS[min(number, 1)] * min(c.cone.luts for c in chosen) + 1
        if number == 0:
            width *= min(WIDER, max(1, REFERENCE_WORDS // words))
        # Of equal networks the first stays, and ties go to the engine asked first.
        distinct: dict[Cone, Candidate] = {}
        for c in chosen:
            distinct.setdefault(c.cone, c)
        ranked = sorted(distinct.values(), key=lambda c: cost(c.cone))
        chosen = ranked[:width]
        if number == 0:
            chosen += [c for c in ranked[width:] if c.engine in kept]
        chosen = [c for c in chosen if c.cone.luts <= most] or chosen[:1]
        moves = moves * REFERENCE_WORDS // max(REFERENCE_WORDS, words)
        chosen = [
            Candidate(
                c.engine,
                improve(
                    c.cone,
                    function,
                    k=k,
                    depth=c.limit,
                    moves=moves,
                    patience=patience,
                    seed=number + 1,
                ),
                c.limit,
            )
            for c in chosen
        ]
    return [(f"{c.engine.removesuffix('+resub')}+resub", c.cone) for c in chosen]
