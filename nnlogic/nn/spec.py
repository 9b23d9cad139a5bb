"""What a recipe says about one layer of any neuron family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnlogic.model.architecture import RESERVED
from nnlogic.nn.connect import CONNECTIONS
from nnlogic.nn.quantizers import KINDS, MOST_LEVELS, LearnedBits

PLAIN = "none"
"""Activation of a layer whose outputs are exact sums, for scores that go to the argmax."""
PRUNED = "pruned"
"""Connections of a linear layer that starts dense and is cut in training."""


@dataclass(frozen=True, slots=True)
class FamilySpec:
    """One layer.

    Attributes
    ----------
    name : str
        Identifier, unique in the network.
    width : int
        Neurons.
    family : str
        A name of `nnlogic.nn.families.families`.
    fan_in : int
        Wires a neuron reads; 0 for all.
    activation : str
        A name of `nnlogic.nn.quantizers`; ``"none"`` where the family allows plain sums.
    bits : int
        Bits of the output code.
    batch_norm : bool
        Batch-norm before the activation; a bias otherwise.
    connect : str
        How connections are found: a name of `nnlogic.nn.connect`, or ``"pruned"`` (linear only:
        start dense, cut small weights).
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

    def problems(self) -> list[str]:
        """Return what is wrong with the values that all families share."""
        out = []
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            out.append(f"name {self.name!r} is not an identifier")
        if self.name in RESERVED:
            out.append(f"name {self.name!r} is taken by the network itself")
        if self.width < 1:
            out.append(f"width {self.width}, at least 1")
        if self.fan_in < 0:
            out.append(f"fan_in {self.fan_in}, 0 (all) or more")
        if not 1 <= self.bits <= 8:
            out.append(f"bits {self.bits}, allowed 1 to 8")
        for key, known in (
            ("activation", (*KINDS, LearnedBits.kind, PLAIN)),
            ("connect", (*CONNECTIONS, PRUNED)),
        ):
            if getattr(self, key) not in known:
                out.append(f"{key} {getattr(self, key)!r}, known are {', '.join(known)}")
        if self.activation == "sign" and self.bits != 1:
            out.append(f"bits {self.bits}, a sign has 1")
        if self.activation == "rebnet" and self.bits > MOST_LEVELS:
            out.append(f"bits {self.bits}, residual binarization has up to {MOST_LEVELS}")
        if self.role not in ("encoder", "network"):
            out.append(f"role {self.role!r}, known are encoder, network")
        return out
