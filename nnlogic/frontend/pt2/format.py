"""Archives of torch.export among the importers; torch itself is imported only to read one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

TITLE = "torch.export archive"


class Pt2(Format):
    """What ``torch.export.save`` wrote: a graph of operations as JSON, weights as plain bytes."""

    name = "pt2"
    title = TITLE
    wanted = "a .pt2 file of torch.export.save"
    suffixes = (".pt2",)
    options: ClassVar[Mapping[str, str]] = {
        "inputs": "format of the input codes, u1 or i4 or q3.3 (three bits before the point, the "
        "sign among them, three after), uq1.3, or bipolar (-1 and 1); default: the module "
        "quantizes them itself",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the graph in the archive."""
        names = Look(head, path).members
        if any(name.endswith("/models/model.json") for name in names):
            return Confidence.FAMILY
        return Confidence.MAYBE if path.suffix in self.suffixes and head[:2] == b"PK" else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the graph, and follow it from quantizer to quantizer."""
        from nnlogic.frontend.graph.network import network_of
        from nnlogic.frontend.pt2.archive import read_graph

        return network_of(read_graph(path), options.read.get("inputs"), where=str(path))

    def run(self, path: Path, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the graph by torch, operation by operation."""
        from nnlogic.frontend.graph.run import run_graph
        from nnlogic.frontend.pt2.archive import read_graph

        return run_graph(read_graph(path), rows)


FORMAT = Pt2()
