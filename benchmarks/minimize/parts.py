"""What is minimized, and what a method made of it."""

from __future__ import annotations

import resource
from dataclasses import dataclass, replace
from functools import cached_property

from nnlogic.approximate.rows import Split
from nnlogic.checks.whole import network_blif
from nnlogic.core.formats import IntFormat, Port
from nnlogic.logic.cone import Cone, mismatches
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import Function, TableNet
from nnlogic.tools.abc import prove_equal


@dataclass(frozen=True, eq=False)
class Netlist:
    """A combinational network too wide for a table.

    Attributes
    ----------
    name : str
    blif : str
        Its definition; results are proved equal to it by ports of the same names.
    tables : TableNet or None
        The same network as tables, where it was one; ports are single bits.
    layered : bool
        Nothing may be shared or moved across its layers.
    """

    name: str
    blif: str
    tables: TableNet | None = None
    layered: bool = False


def netlist_of(net: TableNet, layered: bool = False) -> Netlist:
    """Return a network of tables as a part, its ports split into bits ``x<i>`` and ``y<i>``."""
    bitwise = replace(
        net,
        inputs=bit_ports("x", net.n_inputs),
        outputs=bit_ports("y", len(net.output_signals)),
    )
    return Netlist(net.name, network_blif(bitwise).replace("[0]", ""), bitwise, layered)


def bit_ports(letter: str, count: int) -> tuple[Port, ...]:
    """Return single-bit ports."""
    return tuple(Port(f"{letter}{i}", IntFormat(1)) for i in range(count))


@dataclass(frozen=True, eq=False)
class Sampled:
    """A trained network and rows it may lose accuracy on, for approximate mode.

    Attributes
    ----------
    net : QuantNet
    tables : TableNet
        The network, exactly.
    split : Split
        Rows to observe, rows to stay within the budget on, and rows that take no part.
    """

    net: QuantNet
    tables: TableNet
    split: Split


Part = Function | Netlist | Sampled


@dataclass(frozen=True)
class Score:
    """What a method made of one part.

    Attributes
    ----------
    luts : int
        LUTs of two or more inputs.
    depth : int
        LUT levels on the longest path; wide muxes are none.
    seconds : float
        Processor time, of child processes too, without the check.
    checked : str
        ``exhaustive`` over all inputs that matter, or ``proved`` by SAT.
    muxes : int
        Wide muxes (F7, F8, ...), not among `luts`.
    cone : Cone or None
        The result itself, for functions.
    note : str
        What approximation cost, on rows that took no part.
    """

    luts: int
    depth: int
    seconds: float
    checked: str
    muxes: int = 0
    cone: Cone | None = None
    note: str = ""


class Wrong(Exception):
    """A method's result differs from what it was given."""


def check_cone(cone: Cone, function: Function) -> str:
    """Compare on every input that matters."""
    wrong = mismatches(cone, function)
    if wrong:
        raise Wrong(f"differs on {wrong} of {1 << function.n_inputs} inputs")
    return "exhaustive"


def check_blif(result: str, part: Netlist) -> str:
    """Prove two BLIF networks equal."""
    equal, detail = prove_equal(part.blif, result, timeout=300)
    if not equal:
        raise Wrong(detail)
    return "proved"


class Stopwatch:
    """Processor seconds of this process and of its finished children, as a context."""

    def __enter__(self) -> Stopwatch:
        self._start = _used()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = _used()

    @cached_property
    def seconds(self) -> float:
        """Seconds between entry and exit."""
        return self._end - self._start


def _used() -> float:
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(who) for who in both]
    return sum(u.ru_utime + u.ru_stime for u in used)
