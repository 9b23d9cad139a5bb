"""The logic of a run in the formats of other worlds; one module here for each.

A module has ``EXPORT``, an `Export`; other packages name theirs by an entry point of the group
``nnlogic.exports``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

from nnlogic.core.names import Identifier, unique_identifiers
from nnlogic.core.plugins import discover

if TYPE_CHECKING:
    from nnlogic.checks.verdict import Verdict
    from nnlogic.hw.lut_cell import LutCell
    from nnlogic.logic.cone import Cone
    from nnlogic.logic.ir import LogicNet

GROUP = "nnlogic.exports"


@dataclass(frozen=True)
class Subject:
    """What is written.

    Attributes
    ----------
    net : LogicNet
    name : Identifier
        Of the module, model or function.
    remarks : tuple of str
        Lines about where it comes from, for a comment.
    cell : LutCell or None
        LUTs of the run's target, for formats that are of a device family.
    """

    net: LogicNet
    name: Identifier
    remarks: tuple[str, ...] = ()
    cell: LutCell | None = None

    @cached_property
    def cone(self) -> Cone:
        """The network without names; each node reads what it depends on."""
        from nnlogic.logic.network.tidy import tidied
        from nnlogic.logic.rewrite import cone_of

        return tidied(cone_of(self.net))

    def bit_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return a name for each input bit and each output bit: ``pt_0``, or ``pt`` if alone."""
        sides = (self.net.inputs, self.net.outputs)
        texts = [
            port.name if port.format.bits == 1 else f"{port.name}_{bit}"
            for ports in sides
            for port in ports
            for bit in range(port.format.bits)
        ]
        names = tuple(str(name) for name in unique_identifiers(texts))
        return names[: self.net.n_inputs], names[self.net.n_inputs :]


@dataclass(frozen=True)
class Written:
    """The content of a file, and what is worth saying about it.

    Attributes
    ----------
    data : bytes
    facts : mapping of str to int
        Counts, for instance ``{"AND": 311, "AND depth": 12}``.
    """

    data: bytes
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """A format.

    Attributes
    ----------
    suffixes : tuple of str
        Of its files; the first is the usual one.
    title : str
        In words, for help texts.
    write : callable
        Takes the subject and the suffix of the file.
    check : callable
        Takes the subject, the content and the suffix; compares the content with the network, with
        nothing that `write` uses.
    """

    suffixes: tuple[str, ...]
    title: str
    write: Callable[[Subject, str], Written]
    check: Callable[[Subject, bytes, str], tuple[Verdict, ...]]


@cache
def exports() -> Mapping[str, Export]:
    """Return every format by each of its suffixes."""
    found = discover("nnlogic.export", "EXPORT", GROUP)
    return {suffix: export for export in found for suffix in export.suffixes}
