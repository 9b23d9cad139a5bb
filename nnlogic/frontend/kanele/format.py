"""The tables and checkpoints of KANELE among the importers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

CONFIG = "config.json"
NAMES = ("layers.0.spline_selector", "layers.0.spline_weight", "layers.0.grid")
FIRST_KEY = re.compile(rb'\s*\{\s*"\d+_\d+_\d+"\s*:\s*\{')


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a torch file with the splines of a KANELE model."""
    with path.open("rb") as file:
        return set(NAMES) <= Look(file.read(64), path).tensor_texts


class Kanele(Format):
    """Tables or checkpoint of a network of learned functions of one variable."""

    name = "kanele"
    title = "KANELE tables"
    wanted = "the truth_tables.json or .pt of a KANELE model, with its config.json beside it"
    options: ClassVar[Mapping[str, str]] = {
        "bits": "width of the outputs, where there is no config.json beside the tables",
        "rows": "of a checkpoint: raw (default where it has a scaler) or standardized",
        "decision": "argmax (default where there are several outputs) or none, for a regression",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for a first table that is named by layer, input and output, or for splines."""
        if set(NAMES) <= Look(head, path).tensor_texts:
            return Confidence.FAMILY
        return Confidence.CERTAIN if FIRST_KEY.match(head) else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the tables, and the width of the outputs from the configuration beside them."""
        from nnlogic.frontend.kanele.read import load_kanele

        return load_kanele(path, options.read)

    def files(self, net: QuantNet, path: Path) -> Sequence[Path]:
        """Return the tables, and the configuration where it was read."""
        return [path.parent / name for name in net.info["files"]]


FORMAT = Kanele()
