"""The table, as Markdown, and the verdicts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.minimize.cases import Case
from benchmarks.minimize.parts import Score

NOT_RUN = "-"


@dataclass(frozen=True)
class Cell:
    """What one method reached on one row, for LUT6 and LUT4.

    Attributes
    ----------
    by_k : mapping from LUT size to scores of all parts
    note : str
        An error, or the agreement of approximate results with rows they did not see.
    """

    by_k: Mapping[int, Sequence[Score]]
    note: str = ""

    @property
    def luts(self) -> int | None:
        """LUT6 in all."""
        return sum(s.luts for s in self.by_k[6]) if self.by_k.get(6) else None

    @property
    def levels(self) -> float:
        """Mean levels of the parts, as LUT6."""
        return mean_levels(self.by_k[6])

    def text(self) -> str:
        """LUT6, LUT4, levels and seconds; ``-`` where there is none."""
        if not self.by_k:
            return self.note or NOT_RUN
        luts = " / ".join(self._count(k) for k in (6, 4))
        out = f"{luts}, {self._levels()}, {self._seconds()}"
        return f"{out}, {self.note}" if self.note else out

    def _count(self, k: int) -> str:
        scores = self.by_k.get(k)
        if not scores:
            return NOT_RUN
        muxes = sum(s.muxes for s in scores)
        luts = f"{sum(s.luts for s in scores):,}"
        return f"{luts} (+{muxes})" if muxes else luts

    def _levels(self) -> str:
        return " / ".join(
            levels_text(self.by_k[k]) if self.by_k.get(k) else NOT_RUN for k in (6, 4)
        )

    def _seconds(self) -> str:
        return (
            " / ".join(
                f"{sum(s.seconds for s in self.by_k[k]):.1f}" if self.by_k.get(k) else NOT_RUN
                for k in (6, 4)
            )
            + " s"
        )


def mean_levels(scores: Sequence[Score]) -> float:
    """Return the mean depth of the parts, as published for sets of neurons."""
    return sum(s.depth for s in scores) / len(scores)


def levels_text(scores: Sequence[Score]) -> str:
    """Return the depth of the deepest part, and the mean where there are several."""
    deepest = max(s.depth for s in scores)
    return f"{deepest} (mean {mean_levels(scores):.1f})" if len(scores) > 1 else f"{deepest}"


def verdict(case: Case, exact: Cell, reference: Cell) -> tuple[str, str]:
    """Return floor and aim of a row, each with whether the exact column reaches it."""
    goal = case.goal
    if goal is None:
        return "", ""
    texts = []
    for number, target in enumerate((goal.floor, goal.aim)):
        limit, levels = target, goal.levels[number] if goal.levels else None
        shown = f"{target:.2f} of `&ttopt`" if goal.relative else f"{target:,}"
        if goal.relative:
            limit = target * (reference.luts or 0)
            shown += f" = {limit:.0f}"
        if levels:
            shown += f", {levels} levels"
        if exact.luts is None:
            texts.append(shown)
            continue
        good = exact.luts <= limit and (levels is None or exact.levels <= levels)
        texts.append(f"{shown}: {'**pass**' if good else 'missed'}")
    return texts[0], texts[1]


def line(cells: Sequence[str]) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def header(methods: Sequence[str]) -> list[str]:
    """Return the first two lines of the table."""
    names = ["row", *methods, "published", "Vivado", "floor", "aim", "checked"]
    return [line(names), line(["---"] * len(names))]


def row(case: Case, cells: Sequence[Cell], reference: Cell) -> str:
    """Return a row; the first cell is the exact column of nnlogic."""
    if case.missing:
        return line([f"{case.title} (`{case.name}`)", f"not run: {case.missing}"])
    checked = sorted({s.checked for c in cells for scores in c.by_k.values() for s in scores})
    texts = [cell.text() for cell in cells]
    ends = [case.known, case.vivado, *verdict(case, cells[0], reference), ", ".join(checked)]
    return line([f"{case.title} (`{case.name}`)", *texts, *ends])
