"""One layer of a network as data: what a recipe says of it, and a checkpoint keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from nnlogic.core.limits import NEURONS

ACTIVATIONS = ("sign", "pact", "signed_uniform", "qfx")
"""Activations of evenly spaced values: those that fold into integer thresholds."""
RESERVED = ("input", "argmax", "golden")
PLAIN = ""
"""Family of a layer that names none: linear sums, kept as float parameters."""
SUMS = "none"
"""Activation of a layer whose outputs are exact sums, for scores that go to the argmax."""
PRUNED = "pruned"
"""Connections of a linear layer that starts dense and is cut in training."""
WEIGHT_BITS = 8


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer, of any neuron family.

    Attributes
    ----------
    name : str
        Identifier, unique in the network.
    width : int
        Neurons.
    family : str
        A name of `nnlogic.nn.families.families`; `PLAIN` in a network all of whose layers are
        linear sums and kept as such, see `plain_layer`.
    fan_in : int
        Wires a neuron reads, of linear sums the most; 0 for all.
    activation : str
        A name of `nnlogic.nn.quantizers`; ``"none"`` where the family allows plain sums.
    bits : int
        Bits of the output code.
    batch_norm : bool
        Batch-norm before the activation; a bias otherwise.
    connect : str
        How connections are found, see `nnlogic.nn.connect`. Of a plain layer the recipe's
        `pruning` decides.
    role : str
        ``"encoder"`` or ``"network"``; the report counts them apart.
    options : mapping
        The family's own options, by name.
    """

    name: str
    width: int
    family: str = "linear"
    fan_in: int = 0
    activation: str = "signed_uniform"
    bits: int = 2
    batch_norm: bool = True
    connect: str = "random"
    role: str = "network"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight_bits(self) -> int:
        """Bits of the signed integer weights of a linear layer."""
        return int(self.options.get("weight_bits", WEIGHT_BITS))

    def problems(self) -> list[str]:
        """Return what is wrong with the values that all families share, and of a plain layer."""
        out = []
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            out.append(f"name {self.name!r} is not an identifier")
        if self.name in RESERVED:
            out.append(f"name {self.name!r} is taken by the network itself")
        if self.width < 1:
            out.append(f"width {self.width}, at least 1")
        if why := NEURONS.why(self.width):
            out.append(f"width of {why} ({NEURONS.variable})")
        if self.fan_in < 0:
            out.append(f"fan_in {self.fan_in}, 0 (all) or more")
        if not 1 <= self.bits <= 8:
            out.append(f"bits {self.bits}, allowed 1 to 8")
        if self.activation == "sign" and self.bits != 1:
            out.append(f"bits {self.bits}, a sign has 1")
        if self.role not in ("encoder", "network"):
            out.append(f"role {self.role!r}, known are encoder, network")
        if self.family != PLAIN:
            return out
        if self.activation not in ACTIVATIONS:
            out.append(f"activation {self.activation!r}, known are {', '.join(ACTIVATIONS)}")
        if not 2 <= self.weight_bits <= 16:
            out.append(f"weight_bits {self.weight_bits}, allowed 2 to 16")
        return out

    def to_table(self) -> dict[str, Any]:
        """Return the layer as a table of a recipe: the family's options beside the others.

        A plain layer has the keys of `plain_layer`, in a native checkpoint too.
        """
        table = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "options"}
        if self.family == PLAIN:
            del table["family"], table["connect"]
            return {**table, "weight_bits": self.weight_bits}
        return {**table, **self.options}

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form: of a plain layer its table, of others with the options apart."""
        return self.to_table() if self.family == PLAIN else asdict(self)


def plain_layer(
    name: str,
    width: int,
    fan_in: int = 0,
    activation: str = "pact",
    bits: int = 2,
    weight_bits: int = WEIGHT_BITS,
    batch_norm: bool = True,
    role: str = "network",
) -> LayerSpec:
    """Return linear sums of a network that is kept as its float parameters.

    Parameters
    ----------
    name, width, fan_in, bits, batch_norm, role
        See `LayerSpec`.
    activation : str
        One of `ACTIVATIONS`.
    weight_bits : int
        Bits of the signed integer weights, 2 to 16.
    """
    options = {"weight_bits": weight_bits}
    return LayerSpec(
        name, width, PLAIN, fan_in, activation, bits, batch_norm, role=role, options=options
    )
