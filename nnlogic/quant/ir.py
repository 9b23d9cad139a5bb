"""QuantNet: layers on integer codes with exact arithmetic. It defines what a network means.

Every wire carries an integer with a format. A layer reads the wires of its source layers,
concatenated in the order named; the source ``"input"`` is the network's input ports. Rounding is
stated once: raw features are compared with thresholds as float32 (`InputQuantizer`), and nothing
after that rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.core.errors import InputError, IRError, Problem
from nnlogic.core.formats import IntArray, IntFormat, LayerInfo, Port

INPUT = "input"


@dataclass(frozen=True, eq=False)
class InputQuantizer:
    """Monotone quantizer of raw features, applied outside the logic.

    Attributes
    ----------
    thresholds : tuple of float32 arrays
        Per feature, nondecreasing. The code of ``x`` is the number of thresholds ``<= x``.
    """

    thresholds: tuple[NDArray[np.float32], ...]

    def encode(self, rows: NDArray, names: tuple[str, ...]) -> IntArray:
        """Quantize raw rows.

        Parameters
        ----------
        rows : array, shape (samples, features)
            Cast to float32 before comparing.
        names : tuple of str
            Feature names, for messages.

        Returns
        -------
        int64 array, shape (samples, features)

        Raises
        ------
        InputError
            Wrong width, NaN or infinity.
        """
        rows = np.asarray(rows)
        if rows.ndim != 2 or rows.shape[1] != len(self.thresholds):
            raise InputError(
                "input rows have the wrong shape",
                why=f"got shape {rows.shape}, need (rows, {len(self.thresholds)})",
                fix=f"one column per feature, in this order: {', '.join(names)}",
            )
        if rows.dtype.kind not in "fiub":
            raise InputError("input rows must be numbers", why=f"got {rows.dtype}")
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32, copy=False)
        problems = []
        for i, name in enumerate(names):
            bad = np.flatnonzero(~np.isfinite(rows[:, i]))
            if bad.size:
                why = f"row {bad[0]} is {rows[bad[0], i]} ({bad.size} rows in all)"
                problems.append(Problem(name, why, "drop or impute these rows"))
        if problems:
            raise InputError("input rows hold NaN or infinity", problems=problems)
        columns = [
            np.searchsorted(t, rows[:, i], side="right") for i, t in enumerate(self.thresholds)
        ]
        return np.stack(columns, axis=1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Linear:
    """Integer weighted sums, thresholded or not.

    With thresholds the output code is the number of thresholds ``<= weights @ x + bias``;
    without, it is the sum itself. A popcount is a Linear with weights of one.

    Attributes
    ----------
    weights : int64 array, shape (neurons, inputs)
        Zero where there is no connection.
    bias : int64 array, shape (neurons,)
    thresholds : int64 array, shape (neurons, levels - 1), or None
        Nondecreasing along the last axis.
    formats : tuple of IntFormat
        One per neuron.
    """

    name: str
    sources: tuple[str, ...]
    weights: IntArray
    bias: IntArray
    thresholds: IntArray | None
    formats: tuple[IntFormat, ...]
    role: str = "network"

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        # float64 products are exact: verify() bounds every partial sum below 2**53.
        acc = x.astype(np.float64) @ self.weights.T.astype(np.float64)
        total = acc.astype(np.int64) + self.bias
        if self.thresholds is None:
            return total
        out = np.zeros(total.shape, dtype=np.int64)
        for k in range(self.thresholds.shape[1]):
            out += total >= self.thresholds[:, k]
        return out

    def fan_in(self, neuron: int) -> IntArray:
        """Return the indices of the wires neuron `neuron` reads."""
        return np.flatnonzero(self.weights[neuron])

    def problems(self, x_formats: tuple[IntFormat, ...]) -> list[str]:
        """Return what breaks the layer's rules."""
        out = []
        n = len(self.formats)
        if self.weights.shape != (n, len(x_formats)) or self.bias.shape != (n,):
            return [
                f"weights {self.weights.shape} and bias {self.bias.shape} for {n} neurons "
                f"of {len(x_formats)} inputs"
            ]
        span = np.array([max(abs(f.lo), abs(f.hi)) for f in x_formats], dtype=np.float64)
        worst = np.abs(self.weights).astype(np.float64) @ span + np.abs(self.bias)
        if worst.size and worst.max() >= 2.0**53:
            out.append(f"accumulator of neuron {int(worst.argmax())} exceeds 53 bits")
        if self.thresholds is not None:
            if self.thresholds.shape[0] != n:
                out.append(f"{self.thresholds.shape[0]} threshold rows for {n} neurons")
            elif np.any(self.thresholds[:, 1:] < self.thresholds[:, :-1]):
                out.append("thresholds decrease")
            if any(f.lo != 0 or f.hi < self.thresholds.shape[1] for f in self.formats):
                out.append(f"{self.thresholds.shape[1]} thresholds do not fit the output format")
        elif not out:
            lo_x = np.array([f.lo for f in x_formats], dtype=np.int64)
            hi_x = np.array([f.hi for f in x_formats], dtype=np.int64)
            pos, neg = np.maximum(self.weights, 0), np.minimum(self.weights, 0)
            lo = pos @ lo_x + neg @ hi_x + self.bias
            hi = pos @ hi_x + neg @ lo_x + self.bias
            out += [
                f"neuron {i} reaches {lo[i]}..{hi[i]}, outside {f}"
                for i, f in enumerate(self.formats)
                if lo[i] < f.lo or hi[i] > f.hi
            ]
        return out


@dataclass(frozen=True, eq=False)
class Enumerated:
    """Neurons given by their tables: encoders, and families defined only by enumeration.

    Attributes
    ----------
    inputs : tuple of tuple of int
        Per neuron, the wires it reads.
    tables : tuple of int64 arrays
        Per neuron, output value by input index; the index holds the raw codes of the wires
        read, first wire in the low bits.
    """

    name: str
    sources: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]
    tables: tuple[IntArray, ...]
    formats: tuple[IntFormat, ...]
    x_formats: tuple[IntFormat, ...]
    role: str = "network"

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        columns = []
        for wires, table in zip(self.inputs, self.tables, strict=True):
            index = np.zeros(len(x), dtype=np.int64)
            shift = 0
            for wire in wires:
                index |= self.x_formats[wire].to_raw(x[:, wire]) << shift
                shift += self.x_formats[wire].bits
            columns.append(table[index])
        return np.stack(columns, axis=1)

    def problems(self, x_formats: tuple[IntFormat, ...]) -> list[str]:
        """Return what breaks the layer's rules."""
        if x_formats != self.x_formats:
            return ["input formats differ from those of the source layers"]
        if not len(self.inputs) == len(self.tables) == len(self.formats):
            return ["inputs, tables and formats differ in number"]
        out = []
        for i, (wires, table, fmt) in enumerate(
            zip(self.inputs, self.tables, self.formats, strict=True)
        ):
            if any(not 0 <= w < len(x_formats) for w in wires):
                out.append(f"neuron {i} reads a wire that does not exist")
                continue
            width = sum(x_formats[w].bits for w in wires)
            if table.shape != (1 << width,):
                out.append(f"neuron {i} has {table.shape} entries for {width} input bits")
            elif not fmt.contains(table):
                out.append(f"neuron {i} leaves its format {fmt}")
        return out


@dataclass(frozen=True, eq=False)
class Argmax:
    """Index of the largest input; the lowest index wins a tie."""

    name: str
    sources: tuple[str, ...]
    formats: tuple[IntFormat, ...]
    role: str = "output"

    def evaluate(self, x: IntArray) -> IntArray:
        """Return the winning index, shape (samples, 1)."""
        return np.argmax(x, axis=1)[:, None].astype(np.int64)

    def problems(self, x_formats: tuple[IntFormat, ...]) -> list[str]:
        """Return what breaks the layer's rules."""
        if len(self.formats) != 1 or self.formats[0].hi < len(x_formats) - 1:
            return [f"{len(x_formats)} candidates do not fit {self.formats}"]
        return []


Layer = Linear | Enumerated | Argmax


@dataclass(frozen=True, eq=False)
class QuantNet:
    """A network of integer layers.

    Attributes
    ----------
    inputs : tuple of Port
        Integer codes, one per feature, as they enter the logic.
    quantizer : InputQuantizer or None
        Maps raw features to these codes; None when the inputs are integers already.
    layers : tuple of Layer
        In topological order.
    outputs : tuple of (Port, layer name, wire)
        What leaves the network.
    info : mapping
        JSON data that travels along: class names, accuracies, data set, training.
    """

    name: str
    inputs: tuple[Port, ...]
    layers: tuple[Layer, ...]
    output_wires: tuple[tuple[Port, str, int], ...]
    quantizer: InputQuantizer | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    kind: ClassVar[str] = "QuantNet"

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports."""
        return tuple(port for port, _, _ in self.output_wires)

    @property
    def layer_infos(self) -> tuple[LayerInfo, ...]:
        """Names and roles of the layers."""
        return tuple(LayerInfo(layer.name, layer.role) for layer in self.layers)

    def x_formats(self, layer: Layer) -> tuple[IntFormat, ...]:
        """Return the formats of the wires `layer` reads."""
        table = self._formats
        return tuple(f for source in layer.sources for f in table[source])

    @cached_property
    def _formats(self) -> dict[str, tuple[IntFormat, ...]]:
        out = {INPUT: tuple(p.format for p in self.inputs)}
        out.update({layer.name: layer.formats for layer in self.layers})
        return out

    def encode(self, rows: NDArray) -> IntArray:
        """Quantize raw feature rows to input codes; without a quantizer, rows are codes."""
        if self.quantizer is None:
            return bits.check_codes(rows, self.inputs)
        return self.quantizer.encode(rows, tuple(p.name for p in self.inputs))

    def trace(self, codes: IntArray) -> dict[str, IntArray]:
        """Evaluate and return the values of every layer by name."""
        values = {INPUT: bits.check_codes(codes, self.inputs)}
        for layer in self.layers:
            x = np.concatenate([values[s] for s in layer.sources], axis=1)
            values[layer.name] = layer.evaluate(x)
        return values

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs.

        Parameters
        ----------
        codes : int array, shape (samples, inputs)

        Returns
        -------
        int64 array, shape (samples, outputs)
        """
        values = self.trace(codes)
        return np.stack([values[layer][:, wire] for _, layer, wire in self.output_wires], axis=1)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of QuantNet is broken."""
        problems: list[Problem] = []
        seen = {INPUT}
        for layer in self.layers:
            missing = [s for s in layer.sources if s not in seen]
            if missing or not layer.sources:
                problems.append(
                    Problem(layer.name, f"reads {missing or 'nothing'}, not yet defined")
                )
            elif layer.name in seen:
                problems.append(Problem(layer.name, "the name is used twice"))
            else:
                found = layer.problems(self.x_formats(layer))
                problems += [Problem(layer.name, why) for why in found]
            seen.add(layer.name)
        if self.quantizer is not None:
            problems += self._quantizer_problems(self.quantizer)
        for port, name, wire in self.output_wires:
            formats = self._formats.get(name, ())
            if not 0 <= wire < len(formats) or formats[wire] != port.format:
                problems.append(Problem(port.name, f"is not wire {wire} of {name!r}"))
        if problems:
            raise IRError("QuantNet breaks its rules", where=self.name, problems=problems)

    def _quantizer_problems(self, quantizer: InputQuantizer) -> list[Problem]:
        if len(quantizer.thresholds) != len(self.inputs):
            why = f"{len(quantizer.thresholds)} features, {len(self.inputs)} ports"
            return [Problem("input quantizer", why)]
        return [
            Problem(port.name, "input thresholds are not finite, sorted, or do not fit the port")
            for port, t in zip(self.inputs, quantizer.thresholds, strict=True)
            if not np.all(np.isfinite(t)) or np.any(t[1:] < t[:-1]) or port.format.hi < len(t)
        ]

    def stats(self) -> dict[str, int]:
        """Layers, neurons and the widest fan-in in bits."""
        widest = 0
        for layer in self.layers:
            formats = self.x_formats(layer)
            if isinstance(layer, Linear):
                width = np.array([f.bits for f in formats])
                widest = max(widest, int(((layer.weights != 0) @ width).max(initial=0)))
            elif isinstance(layer, Enumerated):
                widest = max([widest, *(sum(formats[w].bits for w in ws) for ws in layer.inputs)])
        neurons = sum(len(layer.formats) for layer in self.layers)
        return {"layers": len(self.layers), "neurons": neurons, "widest_fan_in_bits": widest}

    def text(self) -> str:
        """Return the stable printed form."""
        from nnlogic.quant.text import quant_text

        return quant_text(self)

    def save(self, path: Path) -> None:
        """Write to a versioned file."""
        from nnlogic.quant.store import save_quant

        save_quant(self, path)

    @staticmethod
    def load(path: Path) -> QuantNet:
        """Read what `save` wrote, and verify it."""
        from nnlogic.quant.store import load_quant

        return load_quant(path)
