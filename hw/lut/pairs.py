"""Which nodes of a module share LUT cells with two outputs."""

from __future__ import annotations

from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.lut.structure import LayerPlan, Tap
from nnlogic.logic.cone import Cone
from nnlogic.logic.dual import shared_cells


def plan_pairs(design: HardwareDesign, plan: LayerPlan, shared: int) -> dict[int, int]:
    """Return, for the later node of each pair, the earlier one; both read at most `shared` taps.

    Taps behind a register are other signals than those before it.
    """
    n_in = design.logic.n_inputs
    own = {(n_in + node, 0): i for i, node in enumerate(plan.nodes)}
    outside: dict[Tap, int] = {}
    for row in plan.fanins:
        for tap in row:
            if tap not in own:
                outside.setdefault(tap, len(outside))
    signals = outside | {tap: len(outside) + i for tap, i in own.items()}
    fanins = tuple(tuple(dict.fromkeys(signals[t] for t in row)) for row in plan.fanins)
    cone = Cone(len(outside), fanins, (0,) * len(fanins), ())
    pairs = (sorted(pair) for pair in shared_cells(cone, shared))
    return {plan.nodes[later]: plan.nodes[earlier] for earlier, later in pairs}
