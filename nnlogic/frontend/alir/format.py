"""Programs of alkaid and da4ml among the importers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import inflated
from nnlogic.quant.ir import QuantNet

GZIP = b"\x1f\x8b"
_SHAPE = rb"\s*\[\s*\d+\s*,\s*\d+\s*\]\s*,\s*\[\s*(?:-?\d|\])"
OBJECT = re.compile(
    rb'\s*\{\s*(?:"(?:meta|spec_version)"\s*:\s*[\w"]+\s*,\s*)*"model"\s*:\s*\[' + _SHAPE
)
META = re.compile(rb'\s*\{[^\[{]*"meta"\s*:\s*"(?:ALIR|DAIS)Model"')
ARRAY = re.compile(rb"\s*\[(?:\s*\[\s*\[)?" + _SHAPE)
"""Files of da4ml, programs or lists of them, which have no words in them."""


class Alir(Format):
    """A program of sums, tables and choices on fixed-point numbers."""

    name = "alir"
    title = "ALIR program"
    wanted = "the .json or .json.gz of a program of alkaid or da4ml (from HGQ: alkaid convert)"
    options: ClassVar[Mapping[str, str]] = {
        "inputs": "codes (default): a feature is the bits of its fixed-point number, which wrap; "
        "or features: numbers, cut to these bits outside of the logic, which saturate",
        "decision": "argmax (default where there are several outputs) or none",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look at how the JSON begins, unpacked where it is packed."""
        if head.startswith(GZIP):
            head = inflated(head, 31)
        if OBJECT.match(head) or META.match(head):
            return Confidence.CERTAIN
        return Confidence.MAYBE if ARRAY.match(head) else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the program, and build layers of what its outputs need."""
        from nnlogic.frontend.alir.document import read_programs
        from nnlogic.frontend.alir.network import network_of

        return network_of(read_programs(path), options.read, where=str(path), name=_stem(path))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".json") or "alir"


FORMAT = Alir()
