"""Errors a user can act on: what failed, where, why with numbers, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes
    ----------
    where : str
        The layer, row, file position or option concerned.
    why : str
        What is wrong, with the numbers that show it.
    fix : str
        What the user can do about it; may be empty when ``why`` already says so.
    """

    where: str
    why: str
    fix: str = ""


class NNLogicError(Exception):
    """Base of all errors nnlogic raises on purpose.

    Parameters
    ----------
    what : str
        One sentence: what could not be done.
    where : str
        File, layer or command concerned.
    why : str
        The reason, with numbers.
    fix : str
        How to fix it.
    problems : sequence of Problem
        All problems found, when there can be more than one; they replace `why` and `fix`.
    """

    code = "NL000"
    exit_code = 70

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        fix: str = "",
        problems: Sequence[Problem] = (),
    ) -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        self.problems = tuple(problems)
        super().__init__(self.text())

    def text(self) -> str:
        """Return the message as printed to a user, without a trailing newline."""
        head = f"{self.code} {self.what}"
        lines = [f"{head}  ({self.where})" if self.where else head]
        width = max((len(p.where) for p in self.problems), default=0)
        for p in self.problems:
            lines.append(f"  {p.where:<{width}}  {p.why}")
            if p.fix:
                lines.append(f"  {'':<{width}}  fix: {p.fix}")
        lines += [f"  {line}" for line in self.why.splitlines()]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)

    def at(self, where: str) -> Self:
        """Return the same error, of another place."""
        return type(self)(
            self.what, where=where, why=self.why, fix=self.fix, problems=self.problems
        )

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process boundaries when functions are minimized in parallel.
        state = (self.what, self.where, self.why, self.fix, self.problems)
        return _rebuild, (type(self), state)


def _rebuild(cls: type[NNLogicError], state: tuple) -> NNLogicError:
    what, where, why, fix, problems = state
    return cls(what, where=where, why=why, fix=fix, problems=problems)


class UsageError(NNLogicError):
    """An option or argument makes no sense, or an output would be overwritten."""

    code, exit_code = "NL100", 2


class CheckpointError(NNLogicError):
    """A checkpoint cannot be read, is damaged, or lacks what compiling needs."""

    code, exit_code = "NL201", 3


class MalformedError(ValueError):
    """Data of a file are missing, of a wrong type or out of range; who opened it says which file.

    Parameters
    ----------
    problems : sequence of Problem
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.where}: {p.why}" for p in problems))


class InputError(NNLogicError):
    """Input rows cannot be read, or do not fit the network's ports."""

    code, exit_code = "NL202", 3


class FormatError(NNLogicError):
    """A file of logic (truth table, PLA, BLIF, AIGER) or of patterns is malformed."""

    code, exit_code = "NL203", 3


class UnsupportedModel(NNLogicError):
    """Layers or attributes that nnlogic cannot compile to logic."""

    code, exit_code = "NL302", 3


class NotQuantized(UnsupportedModel):
    """A float reaches a place where integer codes are needed."""

    code = "NL303"


class TooWide(UnsupportedModel):
    """A neuron has too many input bits to enumerate."""

    code = "NL304"


class UnsafeVerilog(UnsupportedModel):
    """A Verilog file could do more than describe a circuit, so no tool is given it."""

    code = "NL305"


class Different(NNLogicError):
    """Two stages that must be equal are not."""

    code, exit_code = "NL401", 1


class IRError(NNLogicError):
    """An intermediate representation breaks its own rules."""

    code, exit_code = "NL402", 70


class ToolNotFound(NNLogicError):
    """An external program is missing or too old."""

    code, exit_code = "NL501", 4


class ToolFailed(NNLogicError):
    """An external program failed, whatever its exit status said."""

    code, exit_code = "NL502", 5


class ToolTimeout(ToolFailed):
    """An external program did not finish in time."""

    code = "NL503"


class TargetMissed(NNLogicError):
    """The design does not meet the clock or does not fit the device."""

    code, exit_code = "NL601", 6
