"""What a layer kind is: the contract of the files in `nnlogic.quant.layers`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.bits import Words
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat

if TYPE_CHECKING:
    from nnlogic.quant.kernel import Copies

Formats = tuple[IntFormat, ...]


@dataclass(frozen=True, eq=False)
class Sums:
    """Arithmetic of a layer: weighted sums of the wires it reads, thresholded or not.

    Attributes
    ----------
    weights : int64 array, shape (neurons, inputs)
        Zero where a neuron does not read a wire.
    bias : int64 array, shape (neurons,)
    thresholds : int64 array, shape (neurons, levels - 1), or None
        Nondecreasing along the last axis. The output is the number of thresholds not above the
        sum; without them it is the sum itself.
    """

    weights: IntArray
    bias: IntArray
    thresholds: IntArray | None


@dataclass(frozen=True)
class Largest:
    """Arithmetic of a layer of one neuron: the index of the largest wire, lowest in a tie."""


class Layer(ABC):
    """Neurons that read the wires of the layers before: the base of every layer kind.

    A kind is a frozen dataclass (``eq=False``) with the four fields below among its own. It says
    what its neurons compute and which wires they read; everything else follows, and may be said
    better. Its fields are its file, by the rules of `nnlogic.core.fields`. In what follows
    ``x_formats`` are the formats of the wires of all `sources`, in order.

    Attributes
    ----------
    kind : str
        Name of the kind, in files and messages.
    name : str
    sources : tuple of str
        Layers read, one after another; ``"input"`` is the network's input ports.
    formats : tuple of IntFormat
        One per neuron.
    role : str
        One of `nnlogic.core.formats.ROLES`.
    """

    kind: ClassVar[str] = ""
    name: str
    sources: tuple[str, ...]
    formats: Formats
    role: str

    @abstractmethod
    def evaluate(self, x: IntArray) -> IntArray:
        """Return exact outputs, shape (samples, neurons), for values of shape (samples, wires)."""

    def columns(self, read: Callable[[int], IntArray], count: int) -> IntArray:
        """Return exact outputs from values given wire by wire.

        Parameters
        ----------
        read : callable
            Returns the values of a wire, int64, all of the same shape of two axes.
        count : int
            Wires there are.

        Returns
        -------
        int64 array, shape (neurons, *shape of a wire)
            Here by `evaluate`, on all wires.
        """
        x = np.stack([read(wire) for wire in range(count)], axis=-1)
        return np.moveaxis(self.evaluate(x.reshape(-1, count)).reshape(*x.shape[:2], -1), 2, 0)

    @property
    def bitwise(self) -> bool:
        """Whether all that is read and given is single bits, and `words` computes it."""
        return False

    def words(self, read: Callable[[int], Words]) -> Words:
        """Return exact outputs of a `bitwise` layer, 64 samples at a time.

        Parameters
        ----------
        read : callable
            Returns the bits of a wire, uint64, packed by sample, all of the same shape.

        Returns
        -------
        uint64 array, shape (neurons, *shape of a wire)
            Bits beyond the last sample are of no meaning.
        """
        raise TypeError(f"layers of kind {self.kind} are not bitwise")

    def wires(self, neuron: int, x_formats: Formats) -> tuple[int, ...]:
        """Return the wires a neuron reads, in the order of its table's index. Here: all."""
        return tuple(range(len(x_formats)))

    def problems(self, x_formats: Formats) -> list[str]:
        """Return what breaks the layer's rules."""
        return [
            f"neuron {i} reads a wire that does not exist"
            for i in range(len(self.formats))
            if any(not 0 <= wire < len(x_formats) for wire in self.wires(i, x_formats))
        ]

    def table(self, neuron: int, x_formats: Formats) -> IntArray:
        """Return a neuron's outputs for all codes of the wires it reads, int64.

        The index holds the raw codes, first wire in the low bits. Here by `evaluate`, with zeros
        on the wires that are not read.
        """
        wires = self.wires(neuron, x_formats)
        rows = 1 << sum(x_formats[wire].bits for wire in wires)
        index, x = np.arange(rows), np.zeros((rows, len(x_formats)), np.int64)
        for wire in wires:
            fmt = x_formats[wire]
            x[:, wire] = fmt.from_raw(index & ((1 << fmt.bits) - 1))
            index >>= fmt.bits
        return frozen(self.evaluate(x)[:, neuron], np.int64)

    @property
    def arithmetic(self) -> Sums | Largest | None:
        """What computes the layer without tables; None where only tables do."""
        return None

    def copies(self, x_formats: Formats) -> Copies | None:
        """Return the layer as copies of small networks; None where it is not made of them."""
        return None

    def rewired(self, sources: tuple[str, ...], places: Sequence[int], x_formats: Formats) -> Layer:
        """Return the layer on other sources, for a network that is cut into parts.

        Parameters
        ----------
        sources : tuple of str
        places : sequence of int
            For each wire of now its place among the wires of `sources`; -1 for one that is not
            among them, which no neuron reads.
        x_formats : tuple of IntFormat
            Of the wires of `sources`.

        Raises
        ------
        UsageError
            The layer cannot be taken apart from what it reads. Here: if any wire moves.
        """
        if list(places) != list(range(len(x_formats))):
            raise UsageError(
                f"layers of kind {self.kind} cannot be cut off", where=self.name,
                why=f"it reads {len(places)} wires, and {len(x_formats)} cross the boundary "
                "before it",
                fix="give it the backend of the layer before it",
            )  # fmt: skip
        return replace(self, sources=sources)  # type: ignore[type-var]

    def label(self) -> str:
        """Return the kind in a word or two."""
        return self.kind.lower()

    def text(self, x_formats: Formats) -> str:
        """Return what follows the layer's name in the stable printed form."""
        fans = [len(self.wires(i, x_formats)) for i in range(len(self.formats))]
        return f"{self.kind.lower()} fan-in {min(fans)}..{max(fans)}"

    @property
    def tabular(self) -> bool:
        """Whether its neurons are meant to be tables, where narrow enough."""
        how = self.arithmetic
        return how is None or (isinstance(how, Sums) and how.thresholds is not None)

    def fan_in_bits(self, x_formats: Formats) -> list[int]:
        """Return, per neuron, the bits of the wires it reads."""
        bits = [fmt.bits for fmt in x_formats]
        every = range(len(self.formats))
        return [sum(bits[wire] for wire in self.wires(i, x_formats)) for i in every]
