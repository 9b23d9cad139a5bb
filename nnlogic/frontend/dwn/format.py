"""Checkpoints of differentiable weightless networks among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet


class Dwn(Format):
    """A torch file of tables, learned wires and thermometers, as ``torch_dwn`` trains them."""

    name = "dwn"
    title = "DWN checkpoint"
    wanted = "the .pt checkpoint of a DWN, with its thermometer and scaler"

    options: ClassVar[Mapping[str, str]] = {
        "rows": "raw (default), or standardized: features already less mean, over scale"
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the tables of a LUT layer and a thermometer among the names in the pickle."""
        names = Look(head, path).tensor_texts
        if "thermometer" in names and any(name.endswith(".luts") for name in names):
            return Confidence.FAMILY
        return None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read it without running code."""
        from nnlogic.frontend.dwn.read import load_dwn

        return load_dwn(path, options.read)


FORMAT = Dwn()
