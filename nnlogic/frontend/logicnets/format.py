"""Checkpoints of LogicNets among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

MASK = ".fc.mask.mask"
SCALE = "tensor_quant.scaling_impl.learned_value"


class LogicNets(Format):
    """A torch file of masked linear layers with Brevitas activations."""

    name = "logicnets"
    title = "LogicNets checkpoint"
    wanted = "the .pth checkpoint of a LogicNets model"
    options: ClassVar[Mapping[str, str]] = {
        "bits": "IN/HIDDEN/OUT widths of the codes, which the file does not hold: bits=1/2/2",
        "decision": "argmax (default of several outputs), none, or threshold:T, class 1 where the "
        "sigmoid of the one output is above T",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for a mask and a learned scale among the names in the pickle."""
        names = Look(head, path).tensor_texts
        known = any(n.endswith(MASK) for n in names) and any(n.endswith(SCALE) for n in names)
        return Confidence.FAMILY if known else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read it without running code."""
        from nnlogic.frontend.logicnets.read import load_logicnets

        return load_logicnets(path, options.read)


FORMAT = LogicNets()
