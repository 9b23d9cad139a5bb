"""Architecture as data: what a native checkpoint says about its network."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nnlogic.core.errors import CheckpointError, Problem, TooWide

ACTIVATIONS = ("sign", "pact", "signed_uniform", "qfx")
RESERVED = ("input", "argmax", "golden")
FAN_IN_BITS = 12
"""Default bound on the input bits of a neuron: its table then has at most 4096 rows."""


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One linear layer with its activation.

    Attributes
    ----------
    name : str
        Identifier, unique in the network.
    width : int
        Neurons.
    fan_in : int
        Largest number of connections of a neuron; 0 for all inputs.
    activation : str
        One of `ACTIVATIONS`.
    bits : int
        Bits of the output code; 1 for ``"sign"``.
    weight_bits : int
        Bits of the signed integer weights, 2 to 16.
    batch_norm : bool
        Batch-norm between sum and activation; a bias otherwise.
    role : str
        ``"encoder"`` or ``"network"``; the report counts them apart.
    """

    name: str
    width: int
    fan_in: int = 0
    activation: str = "pact"
    bits: int = 2
    weight_bits: int = 8
    batch_norm: bool = True
    role: str = "network"

    def problems(self) -> list[str]:
        """Return what is wrong with the values."""
        out = []
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            out.append(f"name {self.name!r} is not an identifier")
        if self.name in RESERVED:
            out.append(f"name {self.name!r} is taken by the network itself")
        if self.width < 1:
            out.append(f"width {self.width}, at least 1")
        if self.fan_in < 0:
            out.append(f"fan_in {self.fan_in}, 0 (all) or more")
        if self.activation not in ACTIVATIONS:
            out.append(f"activation {self.activation!r}, known are {', '.join(ACTIVATIONS)}")
        if not 1 <= self.bits <= 8:
            out.append(f"bits {self.bits}, allowed 1 to 8")
        if self.activation == "sign" and self.bits != 1:
            out.append(f"bits {self.bits}, a sign has 1")
        if self.role not in ("encoder", "network"):
            out.append(f"role {self.role!r}, known are encoder, network")
        if not 2 <= self.weight_bits <= 16:
            out.append(f"weight_bits {self.weight_bits}, allowed 2 to 16")
        return out


@dataclass(frozen=True, slots=True)
class Architecture:
    """A classifier: input codes, linear layers one after another, argmax over the last.

    Attributes
    ----------
    name : str
    features : tuple of str
        Names of the raw inputs.
    input_bits : tuple of int
        Bits of each input code.
    classes : tuple of str
        Names of the outputs of the last layer.
    layers : tuple of LayerSpec
    norm_eps : float
        ``eps`` of all batch-norms.
    """

    name: str
    features: tuple[str, ...]
    input_bits: tuple[int, ...]
    classes: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    norm_eps: float = 1e-5

    def in_bits(self, index: int) -> tuple[int, ...]:
        """Return the bits of each input of layer `index`."""
        if index == 0:
            return self.input_bits
        return (self.layers[index - 1].bits,) * self.layers[index - 1].width

    def problems(self) -> list[Problem]:
        """Return what contradicts itself."""
        out = [Problem(spec.name, why) for spec in self.layers for why in spec.problems()]
        if not self.layers:
            return [Problem("layers", "there are none")]
        if not self.features:
            out.append(Problem("features", "there are none"))
        if len(self.input_bits) != len(self.features):
            out.append(
                Problem("input_bits", f"{len(self.input_bits)} for {len(self.features)} features")
            )
        if any(not 1 <= b <= 8 for b in self.input_bits):
            out.append(Problem("input_bits", f"{self.input_bits}, allowed 1 to 8 each"))
        if self.layers[-1].width != len(self.classes):
            why = f"width {self.layers[-1].width} for {len(self.classes)} classes"
            out.append(Problem(self.layers[-1].name, why))
        for what, names in (
            ("features", self.features),
            ("classes", self.classes),
            ("layers", tuple(spec.name for spec in self.layers)),
        ):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                out.append(Problem(what, f"named twice: {', '.join(twice)}"))
        return out

    def require_enumerable(self, limit: int = FAN_IN_BITS) -> None:
        """Raise TooWide, with every layer concerned, when a fan-in exceeds `limit` bits."""
        problems = []
        for index, spec in enumerate(self.layers):
            bits = sorted(self.in_bits(index), reverse=True)
            width = sum(bits[: spec.fan_in or len(bits)])
            if width > limit:
                problems.append(
                    Problem(
                        spec.name,
                        f"fan-in of {width} bits, limit {limit}",
                        f"fan_in = {max(1, limit // bits[0])}, or fewer bits per input",
                    )
                )
        if problems:
            raise TooWide("neurons too wide to enumerate", where=self.name, problems=problems)

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form."""
        return asdict(self)

    @staticmethod
    def from_meta(meta: Mapping[str, Any], where: str) -> Architecture:
        """Inverse of `to_meta`; an unknown or missing attribute is an error.

        Raises
        ------
        CheckpointError
            With all problems found.
        """
        problems = key_problems("architecture", meta, Architecture)
        layers = meta.get("layers", ())
        for i, item in enumerate(layers):
            place = str(item.get("name", f"layer {i}"))
            problems += key_problems(place, item, LayerSpec)
        if problems:
            raise CheckpointError("architecture not understood", where=where, problems=problems)
        try:
            out = Architecture(
                name=str(meta["name"]),
                features=tuple(str(n) for n in meta["features"]),
                input_bits=tuple(int(b) for b in meta["input_bits"]),
                classes=tuple(str(n) for n in meta["classes"]),
                layers=tuple(LayerSpec(**item) for item in layers),
                norm_eps=float(meta["norm_eps"]),
            )
            problems = out.problems()
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                "architecture not understood", where=where, why=str(error)
            ) from error
        if problems:
            raise CheckpointError("architecture contradicts itself", where=where, problems=problems)
        return out


def key_problems(
    where: str, item: Mapping[str, Any], cls: type, optional: Iterable[str] = ()
) -> list[Problem]:
    """Return unknown and missing keys of `item`, against the fields of the dataclass `cls`."""
    known = [f.name for f in fields(cls)]
    out = [
        Problem(where, f"unknown attribute {key!r}", _suggestion(key, known))
        for key in item
        if key not in known
    ]
    missing = [key for key in known if key not in item and key not in set(optional)]
    return out + [Problem(where, f"attribute {key!r} is missing") for key in missing]


def _suggestion(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
