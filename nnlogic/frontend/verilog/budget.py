"""What a circuit takes is counted before memory is taken, and limited."""

from __future__ import annotations

from bisect import bisect_right

from nnlogic.core.limits import ENTRIES, HIERARCHY, INSTANCES, SIGNALS
from nnlogic.frontend.verilog.text import NotTables


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
            There are more than `SIGNALS` allows.
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
            self._bits > SIGNALS.value
            or self._entries > ENTRIES.value
            or self.instances > INSTANCES.value
        )

    def charge(self, count: int) -> None:
        """Count bits, or words of an array.

        Raises
        ------
        NotTables
            There are more than `SIGNALS` allows.
        """
        self._bits += count
        if self._bits > SIGNALS.value:
            why = f"signals of more than {SIGNALS.value:,} bits together"
            raise NotTables(0, why, SIGNALS.more)

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
            There are more than `ENTRIES` allows.
        """
        self._entries += count
        if self._entries > ENTRIES.value:
            why = f"tables of more than {ENTRIES.value:,} entries together"
            raise NotTables(at, why, ENTRIES.more)

    def charge_instance(self, path: str, at: int) -> None:
        """Count an instance.

        Raises
        ------
        NotTables
            There are more than `INSTANCES` allows, or than `HIERARCHY` within each other.
        """
        self.instances += 1
        if self.instances > INSTANCES.value:
            raise NotTables(at, f"more than {INSTANCES.value:,} instances", INSTANCES.more)
        if path.count(".") > HIERARCHY.value:
            why = f"modules within each other more than {HIERARCHY.value:,} levels deep"
            raise NotTables(at, why, HIERARCHY.more)
