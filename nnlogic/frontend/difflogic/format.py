"""State dicts of difflogic among the importers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

LAYER = re.compile(r"(?:.*\.)?\d+\.(weights|indices)")


class Difflogic(Format):
    """A ``state_dict`` of LogicLayers whose wires were registered, so that they are in the file."""

    name = "difflogic"
    title = "difflogic state_dict"
    wanted = "the state_dict of a difflogic network that registers its indices"
    options: ClassVar[Mapping[str, str]] = {
        "classes": "number of classes the last layer is split among; not in the file",
        "inputs": "number of input bits, where the last ones are not read",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for numbered layers of nothing but weights and indices."""
        names = [name for name in Look(head, path).tensor_texts if "." in name]
        kinds = {m.group(1) if (m := LAYER.fullmatch(name)) else "" for name in names}
        return Confidence.FAMILY if kinds == {"weights", "indices"} else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read it without running code."""
        from nnlogic.frontend.difflogic.read import load_difflogic

        return load_difflogic(path, options.read)


FORMAT = Difflogic()
