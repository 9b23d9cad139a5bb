"""QuantNet: layers on integer codes with exact arithmetic. It defines what a network means.

Every wire carries an integer with a format. A layer reads the wires of its source layers,
concatenated in the order named; the source ``"input"`` is the network's input ports. Rounding is
stated once: raw features are compared with thresholds as float32 (`InputQuantizer`), and nothing
after that rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.core.archive import exact
from nnlogic.core.errors import IRError, MalformedError, Problem
from nnlogic.core.fields import (
    Arrays,
    Meta,
    read_fields,
    read_kind,
    stored,
    write_kind,
)
from nnlogic.core.formats import ROLES, IntArray, IntFormat, LayerInfo, Port
from nnlogic.core.inert import printed
from nnlogic.core.limits import CLASSES, FEATURES, LAYERS, NEURONS
from nnlogic.core.stored import Stored
from nnlogic.quant.info import info_problems
from nnlogic.quant.layer import Largest, Layer
from nnlogic.quant.layers import layer_kinds
from nnlogic.quant.layers.argmax import Argmax
from nnlogic.quant.layers.enumerated import Enumerated
from nnlogic.quant.layers.linear import Linear
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.quantity import Quantity, quantities_of
from nnlogic.quant.quantizer import InputQuantizer, finite
from nnlogic.quant.word import WordFormat, words_of

__all__ = [
    "INPUT",
    "Argmax",
    "Enumerated",
    "InputQuantizer",
    "Layer",
    "Linear",
    "QuantNet",
    "Windowed",
]

INPUT = "input"
CLASS = "class"
VALUES_AT_ONCE = 1 << 24
"""Values of all layers that exist at once while a network is evaluated, 128 MB."""


@dataclass(frozen=True, eq=False)
class QuantNet(Stored):
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
    layers: tuple[Layer, ...] = field(metadata=stored(apart=True))
    output_wires: tuple[tuple[Port, str, int], ...] = field(metadata=stored(apart=True))
    quantizer: InputQuantizer | None = field(default=None, metadata=stored(apart=True))
    info: Mapping[str, Any] = field(default_factory=dict)

    kind: ClassVar[str] = "QuantNet"

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports."""
        return tuple(port for port, _, _ in self.output_wires)

    @property
    def class_output(self) -> int | None:
        """Place of the output that names a class; None where there is none.

        That of an argmax, whatever it is called; else the one called ``class``; else the only
        output, where it is unsigned. Outputs that stand for quantities are none.
        """
        if self.info.get("quantities"):
            return None
        best = {la.name for la in self.layers if isinstance(la.arithmetic, Largest)}
        chosen = [i for i, (_, layer, _) in enumerate(self.output_wires) if layer in best]
        if len(chosen) == 1:
            return chosen[0]
        named = [i for i, port in enumerate(self.outputs) if port.name == CLASS]
        if named:
            return named[0]
        single = len(self.outputs) == 1 and not self.outputs[0].format.signed
        return 0 if single else None

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """What outputs stand for, where the network gives quantities; empty where it does not."""
        return quantities_of(self.info)

    @cached_property
    def raw(self) -> tuple[WordFormat, ...]:
        """Formats of the raw words the inputs are, where the quantizer is part of the network."""
        return words_of(self.info)

    def decode(self, outputs: IntArray) -> NDArray[np.float64]:
        """Return outputs in the units of the user, exactly.

        Parameters
        ----------
        outputs : int array, shape (samples, outputs)
            From `evaluate`.

        Returns
        -------
        float64 array, shape (samples, quantities)
        """
        places = {port.name: i for i, port in enumerate(self.outputs)}
        columns = [q.decode(outputs[:, places[q.port]]) for q in self.quantities]
        return np.stack(columns, axis=1) if columns else np.zeros((len(outputs), 0))

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
        """Return raw feature rows as the network reads them: as codes, or as the nearest words.

        Without a quantizer, outside or inside, rows are codes already.
        """
        if self.raw:
            x = finite(rows, tuple(p.name for p in self.inputs))
            words = [word.encode(x[:, i]) for i, word in enumerate(self.raw)]
            return np.stack(words, axis=1)
        if self.quantizer is None:
            return bits.check_codes(rows, self.inputs)
        return self.quantizer.encode(rows, tuple(p.name for p in self.inputs))

    def trace(self, codes: IntArray) -> dict[str, IntArray]:
        """Evaluate and return the values of every layer by name."""
        values = {INPUT: bits.check_codes(codes, self.inputs)}
        for layer in self.layers:
            parts = [values[s] for s in layer.sources]
            x = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
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
        # Maps have many wires: rows are taken a part at a time, to bound memory.
        wires = len(self.inputs) + sum(len(layer.formats) for layer in self.layers)
        step = max(1, VALUES_AT_ONCE // max(1, wires))
        parts = []
        for start in range(0, max(1, len(codes)), step):
            values = self.trace(codes[start : start + step])
            out = [values[layer][:, wire] for _, layer, wire in self.output_wires]
            parts.append(np.stack(out, axis=1))
        return np.concatenate(parts)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of QuantNet is broken."""
        problems = self._size_problems()
        if problems:
            raise IRError("QuantNet breaks its rules", where=self.name, problems=problems)
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
                found = found or ["has no neurons"] * (not layer.formats)
                problems += [Problem(layer.name, why) for why in found]
            if layer.role not in ROLES:
                problems.append(Problem(layer.name, f"role {layer.role!r:.40}, not of {ROLES}"))
            seen.add(layer.name)
        if self.quantizer is not None:
            problems += self._quantizer_problems(self.quantizer)
        if self.raw and tuple(w.format for w in self.raw) != tuple(p.format for p in self.inputs):
            problems.append(Problem("info.raw", "raw formats are not those of the ports"))
        for port, name, wire in self.output_wires:
            formats = self._formats.get(name, ())
            if not 0 <= wire < len(formats) or formats[wire] != port.format:
                problems.append(Problem(port.name, f"is not wire {wire} of {name!r}"))
        problems += self._quantity_problems()
        if problems:
            raise IRError("QuantNet breaks its rules", where=self.name, problems=problems)

    def _size_problems(self) -> list[Problem]:
        out = FEATURES.problems("inputs", len(self.inputs))
        out += LAYERS.problems("layers", len(self.layers))
        for layer in self.layers:
            out += NEURONS.problems(layer.name, len(layer.formats))
        names = self.info.get("class_names", ())
        return out + CLASSES.problems("info.class_names", len(names))

    def _quantity_problems(self) -> list[Problem]:
        ports = {port.name: port for port in self.outputs}
        names, out = [q.name for q in self.quantities], list[Problem]()
        for q in self.quantities:
            if q.port not in ports:
                out.append(Problem(f"quantity {q.name}", f"there is no output {q.port}"))
            else:
                out += [Problem(f"quantity {q.name}", why) for why in q.problems(ports[q.port])]
        twice = sorted({n for n in names if names.count(n) > 1})
        return out + [Problem(f"quantity {n}", "is stated twice") for n in twice]

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
        """Layers, neurons and the widest fan-in in bits, that of an argmax left out."""
        widest = 0
        for layer in self.layers:
            if not isinstance(layer.arithmetic, Largest):
                widest = max([widest, *layer.fan_in_bits(self.x_formats(layer))])
        neurons = sum(len(layer.formats) for layer in self.layers)
        return {"layers": len(self.layers), "neurons": neurons, "widest_fan_in_bits": widest}

    def text(self) -> str:
        """Return the stable printed form: one line per port and layer."""
        lines = [f"QuantNet {self.name}"]
        lines += [f"  input {p}" for p in self.inputs]
        for layer in self.layers:
            out = f"{len(layer.formats)} x {formats_text(layer.formats)}"
            head = f"{layer.role} {layer.name}({','.join(layer.sources)}) -> {out}"
            lines.append(f"  {head}: {layer.text(self.x_formats(layer))}")
        lines += [f"  output {p} = {layer}[{wire}]" for p, layer, wire in self.output_wires]
        return printed(lines)

    def parts(self) -> tuple[Meta, Arrays]:
        """Return metadata and arrays: arrays of a layer below its name, thresholds by port."""
        meta, arrays = super().parts()
        meta["layers"] = [write_kind(layer, layer.name, arrays) for layer in self.layers]
        meta["outputs"] = [[p.name, str(p.format), la, wire] for p, la, wire in self.output_wires]
        meta["quantizer"] = self.quantizer is not None
        if self.quantizer is not None:
            for port, t in zip(self.inputs, self.quantizer.thresholds, strict=True):
                arrays[f"input.{port.name}"] = t
        return meta, arrays

    @classmethod
    def from_parts(cls, meta: Meta, arrays: Arrays) -> QuantNet:
        """Inverse of `parts`."""
        problems: list[Problem] = []
        own = _read(cls, meta, arrays, problems)
        rest = _read(_Rest, meta, arrays, problems)
        layers = [
            _layer(item, i, arrays, problems) for i, item in enumerate(rest.get("layers", ()))
        ]
        thresholds = []
        for port in own.get("inputs", ()) if rest.get("quantizer") else ():
            name = f"input.{port.name}"
            try:
                thresholds.append(exact(arrays[name], np.float32, 1))
            except KeyError:
                problems.append(Problem(name, "missing"))
            except ValueError as error:
                problems.append(Problem(name, str(error)))
        problems += info_problems(own.get("info", {}))
        if problems:
            raise MalformedError(problems)
        return cls(
            **own,
            layers=tuple(layer for layer in layers if layer is not None),
            output_wires=tuple(
                (Port(name, fmt), layer, wire) for name, fmt, layer, wire in rest["outputs"]
            ),
            quantizer=InputQuantizer(tuple(thresholds)) if rest["quantizer"] else None,
        )


@dataclass(frozen=True)
class _Rest:
    """What a QuantNet stores in another way than its fields."""

    layers: tuple[Mapping[str, Any], ...]
    outputs: tuple[tuple[str, IntFormat, str, int], ...]
    quantizer: bool


def _read(cls: Any, meta: Meta, arrays: Arrays, problems: list[Problem], path: str = "") -> Meta:
    try:
        return read_fields(cls, meta, path, arrays)
    except MalformedError as error:
        problems += error.problems
        return {}


def _layer(item: Meta, number: int, arrays: Arrays, problems: list[Problem]) -> Layer | None:
    name = item.get("name")
    if not isinstance(name, str):
        problems.append(Problem(f"layer {number}", "has no name"))
        return None
    try:
        layer: Layer = read_kind(layer_kinds(), item, name, arrays)
    except MalformedError as error:
        problems += error.problems
        return None
    return layer


def formats_text(formats: tuple[IntFormat, ...]) -> str:
    """Return the distinct formats, most frequent first."""
    return "/".join(str(f) for f, _ in Counter(formats).most_common())
