"""Parity over the registers of a pipeline: what it sees, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.design.ir import HardwareDesign


@dataclass(frozen=True)
class Parity:
    """A parity bit for each rank of registers, compared a clock later.

    Any odd number of upsets in a rank is seen. A signal that goes wrong before the register goes
    into its parity as well, so faults of LUTs and of their table bits are not.

    Attributes
    ----------
    ranks : tuple of int
        Data registers of each rank, the input rank first; ranks without any are left out.
    luts : int
        Of the trees of exclusive ORs before and behind each rank, and of the tree that joins
        what they find.
    held : bool array, shape (signals,)
        Which signals some register holds.
    """

    ranks: tuple[int, ...]
    luts: int
    held: Bools

    @property
    def flip_flops(self) -> int:
        """Those that hold parities."""
        return len(self.ranks)


def parity(design: HardwareDesign) -> Parity:
    """Return what a parity bit for each rank of registers takes and sees.

    The trees have as many inputs as a LUT of the logic; they are not in the figures of the design.
    """
    born, last = design.signal_segments, design.last_use
    live = np.ones(len(born), bool)
    live[design.logic.n_inputs :] = design.logic.fan_in_counts > 0
    ranks = [live & (born < rank) & (last >= rank) for rank in range(1, design.n_segments + 1)]
    if design.input_register:
        inputs = live & (last >= 0)
        inputs[design.logic.n_inputs :] = False
        ranks.insert(0, inputs)
    sizes = tuple(int(rank.sum()) for rank in ranks if rank.any())
    k = design.logic.k
    luts = sum(tree(size, k) + tree(size + 1, k) for size in sizes) + tree(len(sizes), k)
    return Parity(sizes, luts, np.any(ranks, axis=0))


def tree(inputs: int, k: int) -> int:
    """Return LUTs of `k` inputs that join so many signals into one."""
    return -(-(inputs - 1) // (k - 1)) if inputs > 1 else 0
