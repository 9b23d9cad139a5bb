"""Boards as data: which resources of a board's platform serve the shell of `nnlogic.hw.board`."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from nnlogic.core.errors import Problem, ToolNotFound, UsageError
from nnlogic.core.limits import parse_toml
from nnlogic.flows.target_table import Text, read_table
from nnlogic.flows.targets import Target

PACKAGED = Path(__file__).with_name("boards.toml")
EXTRA = "pip install 'nnlogic[board]'"
Place = Annotated[str, r"[a-z]\w*\.[\w.]+:[A-Za-z_]\w*"]
"""A class: its module, a colon, its name."""
ResourceName = Annotated[str, r"([a-z]\w* \d+( [a-z]\w*)?)?"]
"""A resource of a platform: name, number, and a part of it."""


@dataclass(frozen=True)
class Wires:
    """A serial line on pins of a connector.

    Attributes
    ----------
    connector : str
        Name and number.
    rx, tx : str
        Pins, seen from the board.
    attributes : mapping of str to str
        Of the pins, as the platform's tools want them.
    """

    connector: ResourceName
    rx: str
    tx: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """A board, as ``flows/boards.toml`` says.

    Attributes
    ----------
    name, title, platform : str
    target : str
        Name of a target of this package.
    passed, failed, button : str
        Resources; the board has no button, and one lamp, where it is empty.
    uart : str
        Resource of the serial line.
    wires : Wires or None
        In place of `uart`.
    """

    name: str
    title: Text
    platform: Place
    target: str
    passed: ResourceName = "led 0"
    failed: ResourceName = "led 1"
    button: ResourceName = ""
    uart: ResourceName = "uart 0"
    wires: Wires | None = None

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of the boards of this package."""
        return tuple(_packaged())

    @staticmethod
    def of(asked: str | Path) -> Board:
        """Return the board a user asked for: a name, or a file that ends in ``.toml``.

        Raises
        ------
        UsageError
            No such board, or the file cannot be read.
        """
        if str(asked).endswith(".toml"):
            [board] = _boards(Path(asked), most=1).values()
            return board
        try:
            return _packaged()[str(asked)]
        except KeyError:
            raise UsageError(
                f"unknown board {str(asked)!r}",
                why=f"boards are {', '.join(Board.names())}",
                fix="choose one, or give a file of your own, FILE.toml",
            ) from None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, named by key."""
        if self.passed == self.failed:
            yield Problem("failed", "it is the lamp of passed", 'another, or "" for none')
        if self.target not in Target.names():
            yield Problem("target", f"no target {self.target!r}", " or ".join(Target.names()))
        elif Target.named(self.target).pnr is None:
            yield Problem("target", f"{self.target} has no open place-and-route")

    def open_platform(self) -> Any:
        """Return a new platform.

        Raises
        ------
        ToolNotFound
            Its package is not installed, or has no such class.
        """
        module, _, name = self.platform.partition(":")
        try:
            return getattr(importlib.import_module(module), name)()
        except (ImportError, AttributeError) as error:
            raise ToolNotFound(
                "the board's pins are not known here", where=self.name, why=str(error), fix=EXTRA
            ) from error


@functools.cache
def _packaged() -> Mapping[str, Board]:
    return _boards(PACKAGED)


def _boards(path: Path, most: int | None = None) -> dict[str, Board]:
    """Read the boards of a file; raise UsageError with all that is wrong."""
    what = "cannot read the board file"
    try:
        content = parse_toml(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(what, where=str(path), why=str(error)) from error
    entries = content.pop("board", None)
    problems = [Problem(key, "unknown table", "[board.NAME] is known") for key in content]
    if not isinstance(entries, dict) or not entries or (most and len(entries) > most):
        problems.append(Problem("board", "no table of tables", "[board.NAME]"))
        entries = {}
    out = {}
    for name, entry in entries.items():
        table = {**entry, "name": name} if isinstance(entry, dict) else entry
        board = read_table(Board, table, f"board.{name}", problems)
        if board is not None:
            out[name] = board
    if problems:
        raise UsageError("the board file cannot be used", where=str(path), problems=problems)
    return out
