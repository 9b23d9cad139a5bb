"""Models of conifer among the importers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.core.formats import IntArray
from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.trees.format import LEAF_BITS
from nnlogic.quant.ir import QuantNet

FIELDS = re.compile(rb'"(n_classes|n_features|n_trees|max_depth|init_predict|norm)"\s*:')


class Conifer(Format):
    """Trees that conifer converted from scikit-learn, xgboost, TMVA, ydf or ONNX."""

    name = "conifer"
    title = "conifer JSON"
    wanted = "the .json file that conifer's save wrote"
    options: ClassVar[Mapping[str, str]] = {"leaf-bits": LEAF_BITS}

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the fields that conifer writes before the trees."""
        if not head.lstrip().startswith(b"{"):
            return None
        return Confidence.CERTAIN if len(set(FIELDS.findall(head))) >= 4 else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the trees, with rounded leaves."""
        from nnlogic.frontend.conifer.read import read_conifer
        from nnlogic.frontend.trees.rounded import rounded_net

        return rounded_net(read_conifer(path), path, options.read)

    def original(self, net: QuantNet, path: Path, codes: IntArray) -> IntArray | None:
        """Return the classes that conifer's sums give, with leaves as they are in the file."""
        from nnlogic.frontend.conifer.read import read_conifer
        from nnlogic.frontend.trees.rounded import float_classes

        return float_classes(net, read_conifer(path), codes)


FORMAT = Conifer()
