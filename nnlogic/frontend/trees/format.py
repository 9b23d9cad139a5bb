"""Models of xgboost among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.quant.ir import QuantNet

ROUNDS = ("best", "all")
LEAF_BITS = "bits that leaves are rounded to, 1 to 6 (default 4)"


class Trees(Format):
    """Classifiers that xgboost saved as JSON or UBJSON."""

    name = "trees"
    title = "xgboost JSON"
    wanted = "the .json or .ubj file that xgboost's save_model wrote"
    suffixes = (".json", ".ubj")
    options: ClassVar[Mapping[str, str]] = {
        "rounds": "best: those up to the best_iteration of early stopping (default); all",
        "leaf-bits": LEAF_BITS,
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for an object with a ``learner``, which xgboost writes first."""
        from nnlogic.frontend.trees.document import is_ubjson

        if is_ubjson(head):
            return Confidence.CERTAIN if b"learner{" in head else None
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return None
        if b'"learner"' in head:
            return Confidence.CERTAIN
        return Confidence.MAYBE if path.suffix == ".json" else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the trees, with rounded leaves."""
        from nnlogic.frontend.trees.rounded import rounded_net
        from nnlogic.frontend.trees.xgboost import read_xgboost

        rounds = options.read.get("rounds", ROUNDS[0])
        if rounds not in ROUNDS:
            raise UsageError("--read rounds", why=f"{rounds!r} is not one of {', '.join(ROUNDS)}")
        ensemble = read_xgboost(path, all_rounds=rounds == "all")
        info = {"all_rounds": True} if rounds == "all" else {}
        return rounded_net(ensemble, path, options.read, info)

    def text(self, net: QuantNet) -> str:
        """Say which rounds count, after an early stop."""
        rounds = str(net.info.get("rounds", ""))
        return f"{self.title}, rounds: {rounds}" if "best_iteration" in rounds else self.title

    def original(self, net: QuantNet, path: Path, codes: IntArray) -> IntArray | None:
        """Return the classes that xgboost gives, with leaves as they are in the file."""
        from nnlogic.frontend.trees.rounded import float_classes
        from nnlogic.frontend.trees.xgboost import read_xgboost

        ensemble = read_xgboost(path, all_rounds=bool(net.info.get("all_rounds")))
        return float_classes(net, ensemble, codes)


FORMAT = Trees()
