"""LogicNets-family Verilog among the importers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.verilog.text import SUFFIXES
from nnlogic.quant.ir import QuantNet


class Verilog(Format):
    """Known by name; what kind of Verilog it is, reading tells."""

    name = "verilog"
    title = "LogicNets-family Verilog"
    wanted = "the top .v file of LogicNets-family Verilog"
    suffixes = SUFFIXES

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look at the name."""
        return Confidence.MAYBE if path.suffix in SUFFIXES else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read tables and wires; missing modules are looked for beside the file."""
        from nnlogic.frontend.verilog.load import load_verilog

        return load_verilog(path)

    def files(self, net: QuantNet, path: Path) -> Sequence[Path]:
        """Return all files the modules came from."""
        facts = net.info["verilog"]
        return [path.parent / name for name in (*facts["files"], *facts.get("words", ()))]

    def text(self, net: QuantNet) -> str:
        """Say how many files there were."""
        return f"{self.title}, {len(net.info['verilog']['files'])} files"


FORMAT = Verilog()
