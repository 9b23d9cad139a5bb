"""Pickles of BTHOWeN among the importers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look, pickled_names
from nnlogic.quant.ir import QuantNet

CLASSES = frozenset({
    "wisard.WiSARD", "wisard.Discriminator", "discriminators.Discriminator",
    "bloom_filter.BloomFilter",
})  # fmt: skip


class Bthowen(Format):
    """A pickle of a WiSARD of Bloom filters, packed with xz or as it is."""

    name = "bthowen"
    title = "BTHOWeN model"
    wanted = "the .pickle.lzma of a BTHOWeN model, with --read train=FILE of its training rows"
    suffixes = (".lzma",)
    options: ClassVar[Mapping[str, str]] = {
        "train": "rows it was trained on (.csv, .npy or .npz), whose means and deviations are its "
        "thresholds; without them inputs are the bits of the thermometers",
        "bleach": "counts from which a filter has seen its input; default: what the file holds",
    }

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look for the class of the network among the names in the pickle."""
        look = Look(head, path)
        names = look.names or pickled_names(look.unxz)
        return Confidence.CERTAIN if "wisard.WiSARD" in names else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read it without running code."""
        from nnlogic.frontend.bthowen.read import load_bthowen

        return load_bthowen(path, options.read)


FORMAT = Bthowen()
