"""What a module of LogicNets-family Verilog consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnlogic.frontend.verilog.case import CaseBody
from nnlogic.frontend.verilog.expr import Expr
from nnlogic.frontend.verilog.text import SourceFile


@dataclass(frozen=True)
class Net:
    """A declared signal; without a range it has one bit."""

    high: Expr | None
    low: Expr | None
    at: int


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


@dataclass
class Module:
    """What a module consists of, in the order of the file."""

    name: str
    source: SourceFile
    at: int
    ports: dict[str, str] = field(default_factory=dict)  # name -> direction
    params: dict[str, Expr] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    nets: dict[str, Net] = field(default_factory=dict)
    assigns: list[tuple[Expr, Expr, int]] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
