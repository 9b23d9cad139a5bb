"""How much work the passes may do, counted in work, so that results do not depend on speed."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import UsageError


@dataclass(frozen=True)
class Effort:
    """Limits of the search for don't-cares.

    Attributes
    ----------
    combinations : int
        Largest enumeration for one table.
    work : int
        Table look-ups of all enumerations together.
    samples : int
        Random combinations simulated for a table too wide to enumerate.
    questions : int
        Input combinations given to SAT, of all tables together; smaller tables come first.
    conflicts : int
        Limit of each SAT query.
    entries : int
        Table entries in the cone of one table, where simple means do not decide: what is found
        there has to be proved again by SAT.
    proofs : int
        Such entries of all cones together.
    rounds : int
        Times everything is done again with what was found before.
    """

    combinations: int
    work: int
    samples: int
    questions: int
    conflicts: int
    entries: int
    proofs: int
    rounds: int

    @staticmethod
    def named(name: str) -> Effort:
        """Return the limits of an effort level; raises UsageError for an unknown name."""
        if name not in EFFORTS:
            raise UsageError("unknown effort", why=f"{name!r}, choose from {', '.join(EFFORTS)}")
        return EFFORTS[name]


EFFORTS = {
    "fast": Effort(1 << 18, 1 << 26, 1 << 15, 1 << 11, 100, 1 << 13, 1 << 15, 1),
    "normal": Effort(1 << 22, 1 << 28, 1 << 16, 1 << 13, 1000, 1 << 15, 1 << 16, 2),
    "high": Effort(1 << 25, 1 << 31, 1 << 18, 1 << 16, 10_000, 1 << 20, 1 << 26, 4),
}
