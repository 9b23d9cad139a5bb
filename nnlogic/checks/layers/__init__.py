"""Checkers by layer kind: one file each here, or an entry point of ``nnlogic.check_layers``."""

from functools import cache
from typing import Any

from nnlogic.checks.layer import Checker
from nnlogic.core.plugins import by_kind
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layer import Layer


@cache
def checkers() -> dict[str, type[Checker[Any]]]:
    """Return all checkers by the kind of layer they are for."""
    return by_kind(__name__, "CHECKER", "nnlogic.check_layers")


def checker_of(net: QuantNet, layer: Layer) -> Checker[Any]:
    """Return the checker of a layer of `net`; one that evaluates it where its kind has none."""
    return checkers().get(layer.kind, Checker)(layer, net.x_formats(layer))
