"""What importers of trees share: leaves rounded as the user asks, and classes before rounding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.frontend.trees.ensemble import TreeEnsemble
from nnlogic.frontend.trees.net import LEAF_BITS, rows_of, tree_net
from nnlogic.quant.ir import QuantNet


def rounded_net(
    ensemble: TreeEnsemble,
    path: Path,
    read: Mapping[str, str],
    info: Mapping[str, Any] | None = None,
) -> QuantNet:
    """Return the network of trees that were read from a file.

    Parameters
    ----------
    ensemble : TreeEnsemble
    path : Path
        The file, for messages.
    read : mapping of str to str
        ``leaf-bits``: bits that leaves are rounded to.
    info : mapping, optional

    Raises
    ------
    UnsupportedModel, UsageError
    """
    bits = read.get("leaf-bits", str(LEAF_BITS))
    if not (bits.isascii() and bits.isdigit() and len(bits) < 3):
        raise UsageError("--read leaf-bits", why=f"{bits!r} is not a number of bits")
    try:
        return tree_net(ensemble, leaves=int(bits), info=info)
    except UnsupportedModel as error:
        raise UnsupportedModel(
            error.what, where=str(path), why=error.why, fix=error.fix, problems=error.problems
        ) from error


def float_classes(net: QuantNet, ensemble: TreeEnsemble, codes: IntArray) -> IntArray | None:
    """Return the classes that the trees give before rounding, for rows of these codes."""
    return None if net.quantizer is None else ensemble.predict(rows_of(net.quantizer, codes))
