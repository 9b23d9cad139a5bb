"""What statements are about, and their words: features, classes, outputs, values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.inert import visible
from nnlogic.logic.cone import Cone
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.rewrite import cone_of
from nnlogic.quant.ir import QuantNet


@dataclass(frozen=True)
class Subject:
    """A compiled network.

    Attributes
    ----------
    net : LogicNet
        What is asked.
    quant : QuantNet
        Its names, classes and input thresholds.
    rows : int64 array, shape (rows, inputs), or None
        Input codes for statements about rows.
    where : str
        For messages.
    """

    net: LogicNet
    quant: QuantNet
    rows: IntArray | None
    where: str

    @cached_property
    def cone(self) -> Cone:
        """The network without names."""
        return tidied(cone_of(self.net))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First bit of each input."""
        widths = [port.format.bits for port in self.net.inputs]
        return tuple(int(at) for at in np.cumsum([0, *widths])[:-1])

    def feature(self, name: str) -> int:
        """Return the place of an input."""
        return self._place(name, self.net.inputs, "feature")

    def output(self, name: str) -> int:
        """Return the place of an output."""
        return self._place(name, self.net.outputs, "output")

    def _place(self, name: str, ports: tuple[Port, ...], what: str) -> int:
        names = [port.name for port in ports]
        if name not in names:
            raise self.error(f"no {what} is called {name!r}", f"one of {', '.join(names[:20])}")
        return names.index(name)

    @property
    def chosen(self) -> int:
        """Place of the output that names the class."""
        place = self.quant.class_output
        if place is None:
            raise self.error("no output of the network names a class", "a statement about scores")
        return place

    def class_number(self, name: str) -> int:
        """Return the number of a class, given by name or number."""
        names = [str(n) for n in self.quant.info.get("class_names", ())]
        if name in names:
            return names.index(name)
        top = self.net.outputs[self.chosen].format.hi
        if name.isdecimal() and int(name) <= (len(names) - 1 if names else top):
            return int(name)
        raise self.error(f"no class is called {name!r}", ", ".join(names) or f"0 to {top}")

    def bounds(self, feature: int) -> tuple[int, int]:
        """Return the smallest and largest code of an input that any value has."""
        fmt = self.net.inputs[feature].format
        if self.quant.quantizer is None:
            return fmt.lo, fmt.hi
        return 0, len(self.quant.quantizer.thresholds[feature])

    def codes(self, feature: int, sign: str, value: float) -> tuple[int, int]:
        """Return the first and the last code of the values that are ``sign value``.

        Parameters
        ----------
        feature : int
        sign : str
            ``">"``, ``">="``, ``"<"``, ``"<="`` or ``"="``.
        value : float
            In units of the feature where it has input thresholds; rows are float32 there, and so
            are the values that count. A code otherwise.
        """
        lo, hi = self.bounds(feature)
        if self.quant.quantizer is None:
            up, down = math.ceil(value), math.floor(value)
            low = down + 1 if sign == ">" else up
            high = up - 1 if sign == "<" else down
        else:
            near = np.float32(value)
            exact = value if sign != "=" else near  # a single value is rounded as rows are
            at_least = near if float(near) >= exact else np.nextafter(near, np.float32(np.inf))
            at_most = near if float(near) <= exact else np.nextafter(near, np.float32(-np.inf))
            more = np.nextafter(at_most, np.float32(np.inf))
            less = np.nextafter(at_least, np.float32(-np.inf))
            thresholds = self.quant.quantizer.thresholds[feature]
            low, high = (
                int(np.searchsorted(thresholds, end, side="right"))
                for end in (more if sign == ">" else at_least, less if sign == "<" else at_most)
            )
        if sign in (">", ">="):
            high = hi
        if sign in ("<", "<="):
            low = lo
        return max(lo, low), min(hi, high)

    def error(self, why: str, fix: str) -> UsageError:
        """Return the error for a statement that cannot be understood."""
        return UsageError("not a statement about this network", where=self.where,
                          why=visible(why), fix=visible(fix))  # fmt: skip


def logic_of(run: Path) -> tuple[LogicNet, QuantNet]:
    """Return the logic of a run and the network it was made from.

    Raises
    ------
    UsageError
        The logic is not that of the whole network, or is not there.
    """
    places = [run / "ir" / f"{stage}.safetensors" for stage in ("logic", "quant")]
    if not all(place.exists() for place in places):
        why = "the run has no logic"
        raise UsageError("no logic to ask", where=str(run), why=why, fix="compile it whole")
    net, quant = LogicNet.load(places[0]), QuantNet.load(places[1])
    if (net.inputs, net.outputs) != (quant.inputs, quant.outputs):
        raise UsageError(
            "the logic of this run is not the whole network", where=str(run),
            fix="compile it with --backend lut",
        )  # fmt: skip
    return net, quant
