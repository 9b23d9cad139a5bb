"""A section that a backend adds to a report: data for programs, and what the views show of it.

The report knows no backend. Whoever writes a section puts into words, cells and points what is to
be read; the views lay these out and escape them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, TypeVar

from nnlogic.core.errors import CheckpointError
from nnlogic.report.codec import from_json
from nnlogic.report.words import NOT_RUN

T = TypeVar("T")
MEASURED = "measured_"
"""Beginning of the keys of `Section.data` whose values a tool measured."""


FILES = "files"
"""Key of `Section.data` with the SHA-256 of each file of the run that the section speaks of, where
it does so for good: with another file in its place the section is withdrawn."""


@dataclass(frozen=True)
class Fact:
    """A labelled text; `measured` if a synthesis or place-and-route tool found it."""

    label: str
    text: str
    measured: bool = False


@dataclass(frozen=True)
class TableBlock:
    """A table.

    Attributes
    ----------
    title : str
        Heading; may be empty.
    columns : tuple of str
        Titles; one that starts with ``>`` is a right-aligned column of numbers. At least one
        does not.
    rows : tuple of tuple of str
        A cell for each column.
    caption : str
        What the columns mean.
    measured : bool
        Whether a synthesis or place-and-route tool found what the rows say.

    Raises
    ------
    ValueError
        A row has more or fewer cells than there are columns, or no column is of text.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    measured: bool = False

    def __post_init__(self) -> None:
        if all(title.startswith(">") for title in self.columns):
            raise ValueError(f"table {self.title!r} has no column of text")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r} has {len(self.columns)} columns, "
                    f"its row {number} has {len(row)} cells"
                )


@dataclass(frozen=True)
class PercentBars:
    """A bar for each value, from 0 to 100; `title` says of what.

    Raises
    ------
    ValueError
        A value is not from 0 to 100.
    """

    title: str
    values: tuple[float, ...]
    measured: bool = False
    kind: Literal["percent bars"] = "percent bars"

    def __post_init__(self) -> None:
        wrong = [value for value in self.values if not 0 <= value <= 100]
        if wrong:
            raise ValueError(f"plot {self.title!r} has the value {wrong[0]}, not from 0 to 100")


@dataclass(frozen=True)
class ScatterPoint:
    """A point.

    Attributes
    ----------
    x, y : float
        More than 0, finite.
    label : str
        What the point is, with its numbers.
    mark : str
        Printed beside the point; may be empty.
    filled : bool
    ring : str
        Why there is a ring around it; empty where there is none.
    """

    x: float
    y: float
    label: str
    mark: str = ""
    filled: bool = False
    ring: str = ""


@dataclass(frozen=True)
class Scatter:
    """Points over two logarithmic axes; `x` and `y` are the titles of the axes.

    Raises
    ------
    ValueError
        A coordinate is not finite or not more than 0.
    """

    title: str
    x: str
    y: str
    points: tuple[ScatterPoint, ...]
    measured: bool = False
    kind: Literal["scatter"] = "scatter"

    def __post_init__(self) -> None:
        for point in self.points:
            if not (0 < point.x < inf and 0 < point.y < inf):
                raise ValueError(
                    f"plot {self.title!r} has a point at {point.x}, {point.y}, "
                    "which logarithmic axes do not show"
                )


Plot = PercentBars | Scatter


@dataclass(frozen=True)
class Section:
    """What a backend has to say.

    Attributes
    ----------
    name : str
        Key of the section, one of a kind in a report.
    title : str
        Heading.
    data : dict
        JSON values for programs; a key that starts with ``measured_`` holds what a synthesis or
        place-and-route tool found.
    facts : tuple of Fact
    tables : tuple of TableBlock
    plots : tuple of PercentBars or Scatter
        Shown by the HTML view only.
    """

    name: str
    title: str
    data: dict[str, Any]
    facts: tuple[Fact, ...] = ()
    tables: tuple[TableBlock, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def shown(self) -> tuple[Fact, ...]:
        """The facts; of a section that has nothing to show, the plain values of its data."""
        if self.facts or self.tables or self.plots:
            return self.facts
        return tuple(
            Fact(
                key.replace("_", " "),
                NOT_RUN if value is None else str(value),
                key.startswith(MEASURED),
            )
            for key, value in self.data.items()
            if not isinstance(value, list | dict)
        )

    def read(self, cls: type[T]) -> T:
        """Return the data as the dataclass it was made of.

        Raises
        ------
        CheckpointError
            Names the field that is missing, unknown or of a wrong type.
        """
        try:
            return from_json(cls, self.data)
        except ValueError as error:
            where = f"section {self.name}"
            raise CheckpointError("cannot read the report", where=where, why=str(error)) from error

    def without_measured(self) -> Section:
        """Return the section as it is before any tool has measured anything."""
        return replace(
            self,
            data={k: None if k.startswith(MEASURED) else v for k, v in self.data.items()},
            facts=tuple(replace(f, text=NOT_RUN) if f.measured else f for f in self.facts),
            tables=tuple(replace(t, rows=()) if t.measured else t for t in self.tables),
            plots=tuple(p for p in self.plots if not p.measured),
        )
