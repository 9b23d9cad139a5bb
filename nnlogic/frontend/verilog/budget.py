"""What a circuit takes is counted before memory is taken, and limited."""

from __future__ import annotations

from bisect import bisect_right

from nnlogic.frontend.verilog.text import NotTables

MAX_BITS = 1 << 22
"""Bits of all signals of all instances."""
MAX_PORTS = 1 << 17
"""Bits of the data inputs, or outputs, of the top."""
MAX_INSTANCES = 1 << 16
MAX_ENTRIES = 1 << 26
"""Entries of all tables together."""
MAX_DEPTH = 1 << 10
"""Levels of modules within each other."""


class Budget:
    """Hands out bits, and counts all that grows with a circuit.

    Attributes
    ----------
    instances : int
    """

    def __init__(self) -> None:
        self.instances = self._entries = self._bits = 0
        self._firsts: list[int] = []
        self._owners: list[tuple[str, str, str]] = []  # path, signal, place

    def new_bits(self, count: int, path: str, name: str, place: str) -> list[int]:
        """Return bits of a signal, which are new.

        Raises
        ------
        NotTables
            There are more than `MAX_BITS`.
        """
        first = self._bits
        self.charge(count)
        self._firsts.append(first)
        self._owners.append((path, name, place))
        return list(range(first, first + count))

    @property
    def full(self) -> bool:
        """Whether a limit is passed, so that nothing more need be read."""
        return (
            self._bits > MAX_BITS or self._entries > MAX_ENTRIES or self.instances > MAX_INSTANCES
        )

    def charge(self, count: int) -> None:
        """Count bits, or words of an array.

        Raises
        ------
        NotTables
            There are more than `MAX_BITS`.
        """
        self._bits += count
        if self._bits > MAX_BITS:
            raise NotTables(0, f"signals of more than {MAX_BITS:,} bits together")

    def owner(self, bit: int) -> tuple[str, str, int, str]:
        """Return path, signal, index in it, and place of a bit."""
        at = bisect_right(self._firsts, bit) - 1
        path, name, place = self._owners[at]
        return path, name, bit - self._firsts[at], place

    def charge_entries(self, count: int, at: int) -> None:
        """Count the entries of a table before it is made.

        Raises
        ------
        NotTables
            There are more than `MAX_ENTRIES`.
        """
        self._entries += count
        if self._entries > MAX_ENTRIES:
            raise NotTables(at, f"tables of more than {MAX_ENTRIES:,} entries together")

    def charge_instance(self, path: str, at: int) -> None:
        """Count an instance.

        Raises
        ------
        NotTables
            There are more than `MAX_INSTANCES`, or more than `MAX_DEPTH` within each other.
        """
        self.instances += 1
        if self.instances > MAX_INSTANCES:
            raise NotTables(at, f"more than {MAX_INSTANCES:,} instances")
        if path.count(".") > MAX_DEPTH:
            raise NotTables(at, f"modules within each other more than {MAX_DEPTH:,} levels deep")
