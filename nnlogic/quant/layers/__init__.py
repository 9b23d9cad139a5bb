"""Layer kinds by name: one file each in this folder, or an entry point of ``nnlogic.layers``."""

from functools import cache

from nnlogic.core.plugins import by_kind
from nnlogic.quant.layer import Layer


@cache
def layer_kinds() -> dict[str, type[Layer]]:
    """Return all layer kinds by the name files use."""
    return by_kind(__name__, "LAYER", "nnlogic.layers")
