"""Models of xgboost among the importers."""

from __future__ import annotations

from pathlib import Path

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.quant.ir import QuantNet


class Trees(Format):
    """Classifiers that xgboost saved as JSON."""

    name = "trees"
    title = "xgboost JSON"
    wanted = "the .json file that xgboost's save_model wrote"

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for an object with a ``learner``, which xgboost writes first."""
        if not head.lstrip().startswith(b"{"):
            return None
        if b'"learner"' in head:
            return Confidence.CERTAIN
        return Confidence.MAYBE if path.suffix == ".json" else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the trees, with leaves rounded to the default number of bits."""
        from nnlogic.frontend.trees.read import load_xgboost

        return load_xgboost(path)


FORMAT = Trees()
