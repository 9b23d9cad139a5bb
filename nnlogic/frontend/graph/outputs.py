"""What a module returns: codes, sums and classes, as ports of the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.frontend.graph.apart import apart
from nnlogic.frontend.graph.circuit import Circuit, in_order, straight
from nnlogic.frontend.graph.grid import exponent
from nnlogic.frontend.graph.straight_through import STRAIGHT_THROUGH
from nnlogic.frontend.graph.values import Coded, Lost, Pending, Sums
from nnlogic.frontend.wiring import TABLE_BITS, Refusal
from nnlogic.quant.ir import QuantNet

CLOSE = 1e-3
"""Of the distance of levels: what straight-through forms may be off by rounding."""
MOST = 40
"""Bits of a sum."""
SCORES = "round the weights and the bias of the last layer: torch.round(w * 64) / 64"


@dataclass(eq=False)
class Scores:
    """The class of the largest of some values."""

    of: Coded | Pending


@dataclass
class Outputs:
    """Ports so far.

    Attributes
    ----------
    circuit : Circuit
    wires : list of (Port, layer, index)
    meanings : list of dict
        Per port, what its code times ``step`` is, or ``levels`` by code.
    classes : int
        Of the argmax; 0 without one.
    """

    circuit: Circuit
    wires: list[tuple[Port, str, int]] = field(default_factory=list)
    meanings: list[dict[str, Any]] = field(default_factory=list)
    classes: int = 0

    def add(self, value: Any, name: str) -> None:
        """Add what a module returns.

        Raises
        ------
        Refusal
            It has no exact integers.
        """
        if isinstance(value, Scores):
            self._class(value)
        elif (
            isinstance(value, Pending)
            and (found := straight(value)) is not None
            and (isinstance(found.base, Sums))
        ):
            value = found
            ids = value.ids.reshape(-1).numpy()
            wires, bits = self._sums(value.base, ids, f"{name}_sums", common=False)
            self._ports(name, wires, [{"step": 2.0**-bits}] * len(ids))
        elif isinstance(value, Coded | Pending):
            self._codes(self.circuit.code(value, f"{name}_codes"), name)
        elif value is None or isinstance(value, Lost):
            raise Refusal("is not computed", "return a tensor")
        else:
            raise Refusal("does not depend on the input", "return what the network computes")

    def _ports(self, name: str, wires: list[int], meanings: list[dict[str, Any]]) -> None:
        for i, (wire, meaning) in enumerate(zip(wires, meanings, strict=True)):
            at = self.circuit.wires[wire]
            port = Port(name if len(wires) == 1 else f"{name}{i}", at.format)
            self.wires.append((port, at.layer, at.index))
            self.meanings.append(meaning)

    def _sums(
        self, base: Sums, ids: np.ndarray, name: str, *, common: bool
    ) -> tuple[list[int], int]:
        """Return wires of exact sums, and how many of their bits stand after the point."""
        if base.weights is None or base.error[ids].any():
            raise Refusal(
                "float sums that torch rounds in an order of its own",
                f"{SCORES}; or module.double()",
            )
        unit, offset = base.unit[ids], base.offset[ids]
        bits = max(exponent(unit), exponent(offset), -MOST if common else 0)
        weights = base.weights[ids]
        top = np.abs(unit) * np.abs(weights).sum(axis=1) + np.abs(offset)
        if bits > 200 or float(top.max()) * 2.0**bits >= 2.0**MOST:
            raise Refusal(f"sums of more than {MOST} bits", SCORES)
        gain = np.ldexp(unit, bits).astype(np.int64)
        bias = np.ldexp(offset, bits).astype(np.int64)
        if common:
            divisor = int(np.gcd.reduce(np.append(np.abs(gain), np.abs(bias)))) or 1
            gain, bias = gain // divisor, bias // divisor
        wires = self.circuit.linear(name, base.wires, weights * gain[:, None], bias, None, "output")
        return wires, bits

    def _codes(self, x: Coded, name: str) -> None:
        ids = x.ids.reshape(-1).tolist()
        table = x.values.double().reshape(len(x.values), -1).numpy()
        codes: list[IntArray] = []
        formats: list[IntFormat] = []
        meanings: list[dict[str, Any]] = []
        inputs: list[tuple[int, ...]] = []
        bits = max(0, exponent(table))
        fine = bits <= MOST and float(np.abs(table).max()) * 2.0**bits < 2.0 ** (TABLE_BITS + 2)
        for i, wire in enumerate(ids):
            v = table[: self.circuit.wires[wire].count, i]
            if fine:
                codes.append(np.ldexp(v, bits).astype(np.int64))
                meanings.append({"step": 2.0**-bits})
            else:
                levels, inverse = np.unique(v, return_inverse=True)
                codes.append(inverse.astype(np.int64))
                meanings.append({"levels": [float(level) for level in levels]})
            formats.append(IntFormat.holding(int(codes[-1].min()), max(1, int(codes[-1].max()))))
            inputs.append((wire,))
        wires = self.circuit.tables(f"{name}_levels", inputs, codes, formats, "output")
        self._ports(name, wires, meanings)

    def _class(self, scores: Scores) -> None:
        x = scores.of
        if isinstance(x, Pending):
            x = straight(x) or in_order(x) or x
            if isinstance(x.base, Sums) and x.base.error.any():
                certain = apart(x)
                if certain is None and x.base.weights is not None and x.monotone:
                    raise Refusal(
                        "scores of two classes that are equal up to what torch rounds, in an "
                        "order of its own",
                        f"a bias of its own for every class in the last layer; or {SCORES}",
                    )
                x = certain or x
        if isinstance(x, Pending) and isinstance(x.base, Sums) and x.plain and (
            x.base.weights is not None and not x.base.error.any()
        ):  # fmt: skip
            wires, _ = self._sums(x.base, x.ids.reshape(-1).numpy(), "scores", common=True)
        else:
            wires = self._ranks(x)
        self.classes = len(wires)
        best = self.circuit.best("class", wires)
        self._ports("class", [best], [{"step": 1.0}])

    def _ranks(self, x: Coded | Pending) -> list[int]:
        """Return wires that stand in the order of the values."""
        coded = self.circuit.code(x, "scores")
        ids = coded.ids.reshape(-1).tolist()
        table = coded.values.double().reshape(len(coded.values), -1).numpy()
        columns = [table[: self.circuit.wires[w].count, i] for i, w in enumerate(ids)]
        order = np.unique(np.concatenate(columns))
        codes = [np.searchsorted(order, v).astype(np.int64) for v in columns]
        fmt = IntFormat.holding(0, max(1, len(order) - 1))
        return self.circuit.tables("ranks", [(w,) for w in ids], codes, [fmt] * len(ids), "output")


def _snapped(net: QuantNet, values: np.ndarray) -> np.ndarray:
    """Return values without what straight-through forms add to levels by rounding."""
    out = values.copy()
    for at, meaning in enumerate(net.info["outputs"]):
        if "step" in meaning:
            near = np.rint(out[:, at] / meaning["step"]) * meaning["step"]
            room = meaning["step"]
        else:
            levels = np.array(meaning["levels"])
            place = np.abs(out[:, at : at + 1] - levels[None]).argmin(axis=1)
            near, room = levels[place], float(np.diff(levels).min(initial=np.inf))
        out[:, at] = np.where(np.abs(out[:, at] - near) < CLOSE * room, near, out[:, at])
    return out


def coded_outputs(net: QuantNet, outputs: list[np.ndarray]) -> np.ndarray:
    """Return the codes that stand for what a module gives; -1 and below 0 for what has none.

    Parameters
    ----------
    net : QuantNet
        With ``info["outputs"]``.
    outputs : list of float64 arrays, shape (rows, values)
    """
    values = np.concatenate(outputs, axis=1)
    if net.info.get(STRAIGHT_THROUGH):
        values = _snapped(net, values)
    columns = []
    for port, meaning, column in zip(net.outputs, net.info["outputs"], values.T, strict=True):
        nothing = port.format.lo - 1
        if "step" in meaning:
            scaled = column / meaning["step"]
            code = np.where(scaled == np.rint(scaled), scaled, nothing).astype(np.int64)
        else:
            levels = np.array(meaning["levels"])
            at = np.minimum(np.searchsorted(levels, column), len(levels) - 1)
            code = np.where(levels[at] == column, at, nothing)
        columns.append(code)
    return np.stack(columns, axis=1).astype(np.int64)
