"""What a module of LogicNets-family Verilog consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnlogic.frontend.verilog.case import CaseBody
from nnlogic.frontend.verilog.expr import Expr, Name
from nnlogic.frontend.verilog.text import NotTables, SourceFile


@dataclass(frozen=True)
class Net:
    """A declared signal; without a range it has one bit. `words` is the range of an array."""

    high: Expr | None
    low: Expr | None
    at: int
    signed: bool = False
    words: tuple[Expr, Expr] | None = None


@dataclass(frozen=True)
class Instance:
    """A use of another module; connections by name, or in order under ``0``, ``1``, ..."""

    module: str
    name: str
    params: dict[str, Expr]
    pins: dict[str, Expr | None]
    at: int


@dataclass(frozen=True)
class Table:
    """A ``case`` table; `clock` is empty for a combinational one."""

    selector: Expr
    target: Expr
    body: CaseBody
    clock: str
    at: int


@dataclass(frozen=True)
class Register:
    """A register; `reset` is the signal, and its value in operation, or None."""

    target: Expr
    data: Expr
    clock: str
    reset: tuple[str, int] | None
    at: int


@dataclass(frozen=True)
class Assign:
    """An assignment of a block."""

    target: Expr
    value: Expr
    blocking: bool
    at: int


@dataclass(frozen=True)
class Case:
    """A ``case`` of a block: labels and statements of every item; no labels is the default.

    Attributes
    ----------
    wild : str
        Digits of a label that match anything: ``"xz?"`` of them, or none.
    unique : bool
        No two items may match.
    """

    selector: Expr
    items: tuple[tuple[tuple[Expr, ...], tuple[Statement, ...]], ...]
    default: tuple[Statement, ...] | None
    wild: str
    unique: bool
    at: int


@dataclass(frozen=True)
class If:
    """Branches in order, each under its condition, and what is done when none holds."""

    branches: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    other: tuple[Statement, ...] | None
    at: int


Statement = Assign | Case | If


@dataclass(frozen=True)
class Process:
    """A block of statements; `clock` is empty for a combinational one."""

    statements: tuple[Statement, ...]
    clock: str
    reset: tuple[str, int] | None
    at: int


@dataclass(frozen=True)
class Function:
    """A function: what it takes, in order, its variables, and what it does."""

    name: str
    result: Net
    arguments: dict[str, Net]
    variables: dict[str, Net]
    statements: tuple[Statement, ...]
    at: int


@dataclass(frozen=True)
class Load:
    """``$readmemh`` or ``$readmemb``: a file of words into an array."""

    base: int
    file: str
    array: str
    at: int


@dataclass
class Module:
    """What a module consists of, in the order of the file."""

    name: str
    source: SourceFile
    at: int
    ports: dict[str, str] = field(default_factory=dict)  # name -> direction
    params: dict[str, Expr] = field(default_factory=dict)
    kinds: dict[str, Net] = field(default_factory=dict)  # of the params
    local: set[str] = field(default_factory=set)
    nets: dict[str, Net] = field(default_factory=dict)
    assigns: list[tuple[Expr, Expr, int]] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    initial: list[Assign | Load] = field(default_factory=list)


def base_name(target: Expr, at: int) -> str:
    """Return the signal that a target of a statement is, or is a part of.

    Raises
    ------
    NotTables
        It is several signals, or none.
    """
    if not isinstance(target, Name):
        raise NotTables(at, "a block assigns several signals at once", "assign them one by one")
    return target.name
