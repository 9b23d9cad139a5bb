"""LUT cells of devices, so that a vendor tool keeps the mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Const, Instance, Value

from nnlogic.core.errors import UsageError


@dataclass(frozen=True)
class Primitive:
    """How a device family names its LUT cell.

    Attributes
    ----------
    name : str
    cells : tuple of str
        Cell for 1, 2, 3 ... inputs; the last entry is the widest.
    inputs : tuple of str
        Input pins, index bit 0 first.
    output : str
        Output pin.
    parameter : str
        Receives the table, bit ``i`` for index ``i``.
    """

    name: str
    cells: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    parameter: str

    @property
    def width(self) -> int:
        """Most inputs of a LUT."""
        return len(self.cells)

    def instance(self, table: int, inputs: Sequence[Value], output: Value) -> Instance:
        """Return the cell that computes a truth table of one or more inputs."""
        cell = self.cells[len(inputs) - 1]
        pins = len(self.inputs) if cell == self.cells[-1] else len(inputs)
        wide = list(inputs) + [Const(0, 1)] * (pins - len(inputs))
        for used in range(len(inputs), pins):
            table |= table << (1 << used)
        return Instance(
            cell,
            **{f"p_{self.parameter}": Const(table, 1 << pins)},
            **{f"i_{pin}": value for pin, value in zip(self.inputs, wide, strict=False)},
            **{f"o_{self.output}": output},
        )


PRIMITIVES = {
    p.name: p
    for p in (
        Primitive(
            "xilinx",
            tuple(f"LUT{n}" for n in range(1, 7)),
            tuple(f"I{n}" for n in range(6)),
            "O",
            "INIT",
        ),
        Primitive("ecp5", ("LUT4",) * 4, ("A", "B", "C", "D"), "Z", "INIT"),
        Primitive("ice40", ("SB_LUT4",) * 4, ("I0", "I1", "I2", "I3"), "O", "LUT_INIT"),
    )
}


def primitive_for(name: str | None, k: int) -> Primitive | None:
    """Return the primitive called `name`, for a network of `k`-input LUTs.

    Raises
    ------
    UsageError
        Unknown name, or LUTs wider than the device's.
    """
    if name is None:
        return None
    if name not in PRIMITIVES:
        raise UsageError(
            f"no primitives called {name!r}", fix=f"choose one of {', '.join(PRIMITIVES)}"
        )
    primitive = PRIMITIVES[name]
    if k > primitive.width:
        raise UsageError(
            f"the network does not fit {name} primitives",
            why=f"its LUTs have up to {k} inputs, the device's {primitive.width}",
            fix=f"minimize with k={primitive.width}",
        )
    return primitive
