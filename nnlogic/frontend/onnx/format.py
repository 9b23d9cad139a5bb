"""ONNX among the importers; the onnx package and torch are imported only to read a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from nnlogic.frontend.foreign.onnx import is_model
from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.quant.ir import QuantNet


class Onnx(Format):
    """A graph whose quantizers make it exact on integers."""

    name = "onnx"
    title = "ONNX model"
    wanted = "an .onnx file with quantizers, as Brevitas, QKeras and qonnx write"
    suffixes = (".onnx", ".qonnx")
    options: ClassVar[Mapping[str, str]] = {
        "inputs": "format of the input codes, u1 or i4 or q3.3 (three bits before the point, the "
        "sign among them, three after), uq1.3, or bipolar (-1 and 1); default: the model quantizes "
        "them itself",
        "decision": "argmax (default where there are several outputs) or none",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look at the fields of the model, as far as they go."""
        return Confidence.CERTAIN if is_model(head) else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the graph, and follow it from quantizer to quantizer."""
        from nnlogic.frontend.onnx.network import load_onnx

        return load_onnx(path, options.read)

    def run(self, path: Path, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the graph by torch, operation by operation, up to a softmax at the end."""
        from nnlogic.frontend.graph.run import run_graph
        from nnlogic.frontend.onnx.network import read_graph

        return run_graph(read_graph(path), rows)


FORMAT = Onnx()
