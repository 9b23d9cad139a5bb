"""Torch files among the importers; torch itself is imported only to read one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.quant.ir import QuantNet


class Torch(Format):
    """What ``torch.save`` wrote, and any other pickle: refused with the reason, mostly."""

    name = "torch"
    title = "torch file"
    wanted = "a torch.save of an nnlogic.nn.Network, which needs --allow-pickle"

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for a pickle, plain or in a zip archive."""
        # The length of a safetensors header may begin with the same byte.
        if head[:1] == b"\x80" and head[4:9] != b"\0\0\0\0{":
            return Confidence.CERTAIN
        if head[:4] == b"PK\x03\x04" and _holds_pickle(path):
            return Confidence.CERTAIN
        return Confidence.MAYBE if path.suffix in (".pt", ".pth") else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the network of a pickled module, or say why there is none."""
        from nnlogic.frontend.torch.read import load_torch

        return load_torch(path, allow_pickle=options.allow_pickle)


def _holds_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False


FORMAT = Torch()
