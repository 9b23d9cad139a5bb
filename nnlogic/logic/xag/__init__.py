"""Networks of XOR and AND with few ANDs, where XOR costs nothing (garbled circuits, MPC, FHE)."""

from nnlogic.logic.xag.build import fewest_ands
from nnlogic.logic.xag.graph import Xag

__all__ = ["Xag", "fewest_ands"]
