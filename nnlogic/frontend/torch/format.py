"""Torch files among the importers; torch itself is imported only to read one."""

from __future__ import annotations

from pathlib import Path

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

LEGACY = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
"""The number that files of the layout before the zip archive begin with, as a pickle."""


class Torch(Format):
    """What ``torch.save`` wrote: refused with the reason, mostly."""

    name = "torch"
    title = "torch file"
    wanted = "a torch.save of an nnlogic.nn.Network, which needs --allow-pickle"
    suffixes = (".pt", ".pth")

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the number of the old layout, or a pickle in an archive that is no program."""
        if LEGACY in head[:24]:
            return Confidence.CERTAIN
        file = Look(head, path)
        if any(n.endswith("data.pkl") for n in file.members) and not file.is_torchscript:
            return Confidence.CERTAIN
        return Confidence.MAYBE if path.suffix in self.suffixes and not file.text else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read the network of a pickled module, or say why there is none."""
        from nnlogic.frontend.torch.read import load_torch

        return load_torch(path, allow_pickle=options.allow_pickle)


FORMAT = Torch()
