"""Layer kinds by name: one file each in this folder, or an entry point of ``nnlogic.layers``."""

from functools import cache

from nnlogic.core.kinds import find_kinds
from nnlogic.quant.layer import Layer


@cache
def layer_kinds() -> dict[str, type[Layer]]:
    """Return all layer kinds by the name files use."""
    return find_kinds(__name__, Layer, "nnlogic.layers")
