"""Models of LightGBM among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.core.formats import IntArray
from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.trees.format import LEAF_BITS
from nnlogic.quant.ir import QuantNet


class LightGbm(Format):
    """Classifiers that LightGBM saved as text."""

    name = "lightgbm"
    title = "LightGBM text model"
    wanted = "the text file that LightGBM's save_model wrote"
    options: ClassVar[Mapping[str, str]] = {"leaf-bits": LEAF_BITS}

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the two lines that every such file begins with."""
        starts = (b"tree\nversion=", b"tree\r\nversion=")
        return Confidence.CERTAIN if head.startswith(starts) else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the trees, with rounded leaves."""
        from nnlogic.frontend.lightgbm.read import read_lightgbm
        from nnlogic.frontend.trees.rounded import rounded_net

        return rounded_net(read_lightgbm(path), path, options.read)

    def original(self, net: QuantNet, path: Path, codes: IntArray) -> IntArray | None:
        """Return the classes that LightGBM gives, with leaves as they are in the file."""
        from nnlogic.frontend.lightgbm.read import read_lightgbm
        from nnlogic.frontend.trees.rounded import float_classes

        return float_classes(net, read_lightgbm(path), codes)


FORMAT = LightGbm()
