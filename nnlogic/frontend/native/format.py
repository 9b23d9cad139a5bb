"""The native format among the importers."""

from __future__ import annotations

import json
from pathlib import Path

from nnlogic.core.archive import archive_kind
from nnlogic.frontend.format import CHECKPOINT, Confidence, Format, LoadOptions
from nnlogic.frontend.native.checkpoint import load_native, load_quantized
from nnlogic.quant.ir import QuantNet

LONGEST_HEADER = 100_000_000


class Native(Format):
    """Checkpoints and QuantNets; also refuses safetensors files of others, with the reason."""

    name = "native"
    title = CHECKPOINT
    wanted = "the .safetensors file that nnlogic.nn.save_checkpoint or nnlogic train wrote"

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for safetensors: the length of a JSON header, little-endian u64, then the header."""
        length = int.from_bytes(head[:8], "little")
        if 2 <= length <= min(path.stat().st_size - 8, LONGEST_HEADER):
            with path.open("rb") as file:
                file.seek(8)
                header = file.read(length)
            try:
                if isinstance(json.loads(header), dict):
                    return Confidence.CERTAIN
            except (ValueError, RecursionError):
                pass
        return Confidence.MAYBE if path.suffix == ".safetensors" else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read a checkpoint or a saved QuantNet."""
        return load_quantized(path) if archive_kind(path) == QuantNet.kind else load_native(path)


FORMAT = Native()
