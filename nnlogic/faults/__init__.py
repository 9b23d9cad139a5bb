"""Faults in a compiled network: what upsets and stuck signals do to its answers."""

from nnlogic.faults.harden import nearest_outputs, triplicated
from nnlogic.faults.inject import Effects, Kind, inject
from nnlogic.faults.parity import Parity, parity
from nnlogic.faults.several import several

__all__ = [
    "Effects", "Kind", "Parity", "inject", "nearest_outputs", "parity", "several", "triplicated",
]  # fmt: skip
