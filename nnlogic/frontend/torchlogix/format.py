"""State dicts of torchlogix among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

WIRES = (".connections.indices", ".connections._indices_L0")
"""Ends of the names of a dense layer's wires, and of a convolution's."""


class Torchlogix(Format):
    """A ``state_dict`` of dense layers of lookup tables, with thresholds where it has them."""

    name = "torchlogix"
    title = "torchlogix state_dict"
    wanted = "the state_dict of a torchlogix network of dense layers"
    options: ClassVar[Mapping[str, str]] = {
        "classes": "number of classes the last layer is split among; not in the file",
        "inputs": "number of features, or of input bits without thresholds, where the last ones "
        "are not read",
        "parametrization": "warp or light, what weights mean; not in the file (raw is seen)",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the wires of a layer among the names in the pickle."""
        names = Look(head, path).tensor_texts
        return Confidence.FAMILY if any(name.endswith(WIRES) for name in names) else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read it without running code."""
        from nnlogic.frontend.torchlogix.read import load_torchlogix

        return load_torchlogix(path, options.read)


FORMAT = Torchlogix()
