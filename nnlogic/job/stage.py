"""The contract of a stage: what it makes, what checks it, what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from nnlogic.checks.verdict import Verdict
from nnlogic.job.directory import ir_path

if TYPE_CHECKING:
    from nnlogic.job.context import Context
    from nnlogic.report.model import Row


class Value(Protocol):
    """What a stage makes: an IR."""

    kind: ClassVar[str]

    def save(self, path: Path) -> None: ...  # noqa: D102

    def text(self) -> str: ...  # noqa: D102

    def stats(self) -> Mapping[str, int]: ...  # noqa: D102


@dataclass(frozen=True)
class Comparison:
    """A check of a stage: part `title` of rung `rung`, made when it is asked for."""

    rung: int
    title: str
    make: Callable[[], Verdict]


class Stage:
    """One step of a compile run; the values of stages before stand in the context.

    Attributes
    ----------
    name : str
        Of its file below ``ir/`` and of its value in the context.
    group : str
        The stage of `nnlogic.job.options.STAGES` it belongs to; ``--from`` and ``--stop-after``
        speak of these.
    kind : type or None
        What loads its value; None for a stage that makes no IR.
    before : str
        The stage whose size stands beside its own in the report.
    """

    name: ClassVar[str] = ""
    group: ClassVar[str] = ""
    kind: ClassVar[Any] = None
    before: ClassVar[str] = ""

    def make(self, ctx: Context) -> Any:
        """Return the value; a stage without an IR writes its files."""
        raise NotImplementedError

    def use(self, ctx: Context, value: Any) -> None:
        """Give a value, made or loaded, to the stages that follow."""
        ctx.values[self.name] = value

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Return rows for the report, before anything is checked."""
        return ()

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Return what compares the value with those before; `verify` makes them again."""
        return ()

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Return rows for the report when the checks are done."""
        return ()

    def file(self, value: Any) -> str:
        """Return the name of the file below ``ir/`` that holds a value."""
        return self.name

    def load(self, ctx: Context, folder: Path) -> Any:
        """Return the value saved in a run, or None where it has none."""
        path = ir_path(folder, self.name)
        return self.kind.load(path) if self.kind is not None and path.exists() else None
