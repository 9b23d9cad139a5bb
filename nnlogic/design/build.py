"""LogicNet to HardwareDesign: choose the pipeline segment of every node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.names import identifier
from nnlogic.core.stages import refused
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet

LAYER, BALANCED = "layer", "balanced"


def build(
    logic: LogicNet | TableNet | QuantNet,
    *,
    name: str | None = None,
    schedule: str | int = LAYER,
    input_register: bool = True,
    stream: bool = True,
) -> HardwareDesign:
    """Place a LogicNet into pipeline segments.

    Parameters
    ----------
    logic : LogicNet
        Stages before are minimized first, with the defaults of `nnlogic.minimize`.
    name : str, optional
        Name of the Verilog top module; the network's name by default, made an identifier.
    schedule : "layer", "balanced" or int
        ``"layer"``: one segment per layer of the network that holds nodes, so registers sit at
        the layers' ends. A number: at most that many LUT levels per segment, retimed across
        layers, with the smallest possible latency and then few registers
        (`nnlogic.design.passes.minimize_registers`). ``"balanced"``: the smallest number that
        takes no more segments than ``"layer"``, or ``"layer"`` where that is as even.
    input_register : bool
        Register the inputs first.
    stream : bool
        Ask for a valid/ready wrapper around the core.

    Returns
    -------
    HardwareDesign
        Verified.

    Raises
    ------
    UsageError
        `schedule` is no word of these and no positive number, or `logic` is no such stage.
    """
    if isinstance(logic, TableNet | QuantNet):
        from nnlogic.logic.build import minimize

        logic = minimize(logic)
    if not isinstance(logic, LogicNet):
        raise refused("nnlogic.build", logic, LogicNet.kind)
    if schedule == BALANCED:
        schedule = balanced_schedule(logic)
    levels = _levels_per_segment(schedule)
    segments = layer_segments(logic) if levels is None else asap_segments(logic, levels)
    design = HardwareDesign(
        name=identifier(logic.name if name is None else name),
        logic=logic,
        segments=frozen(segments, np.int32),
        n_segments=int(segments.max(initial=0)) + 1,
        input_register=input_register,
        stream=stream,
    )
    if levels is not None:
        from nnlogic.design.passes.minimize_registers import minimize_registers

        design = minimize_registers(design, levels)
    design.verify()
    return design


def _levels_per_segment(schedule: str | int) -> int | None:
    if schedule == LAYER:
        return None
    if isinstance(schedule, int) and not isinstance(schedule, bool) and schedule >= 1:
        return schedule
    raise UsageError(
        "unknown pipeline schedule",
        where=f"schedule={schedule!r}",
        fix="use 'layer', 'balanced', or the number of LUT levels per pipeline segment (1 or more)",
    )


def balanced_schedule(logic: LogicNet) -> str | int:
    """Return LUT levels per segment for as many segments as layers; their ends where that is even.

    The latency is at most that of a segment per layer, and the deepest segment never deeper.
    """
    segments = layer_segments(logic)
    count = int(segments.max(initial=0)) + 1
    even = max(1, -(-int(logic.levels.max(initial=0)) // count))
    return LAYER if deepest(logic, segments) <= even else even


def deepest(logic: LogicNet, segments: NDArray[np.int32]) -> int:
    """Return the most LUT levels in one of the segments."""
    design = HardwareDesign(
        "depths", logic, frozen(segments, np.int32), int(segments.max(initial=0)) + 1
    )
    return max(design.segment_depths(), default=0)


def layer_segments(logic: LogicNet) -> NDArray[np.int32]:
    """Return the segment of each node, one segment per layer that holds nodes.

    A node that reads a signal of a later layer moves there; constants are in segment 0 since
    they need no registers.
    """
    n_in = logic.n_inputs
    out = [0] * (n_in + logic.n_nodes)
    rows, counts, layers = (
        a.tolist() for a in (logic.fanins, logic.fan_in_counts, logic.node_layers)
    )
    for i, (row, count, layer) in enumerate(zip(rows, counts, layers, strict=True)):
        if count:
            out[n_in + i] = max(layer, *(out[s] for s in row[:count]))
    segments = np.array(out[n_in:], dtype=np.int32)
    real = logic.fan_in_counts > 0
    segments[real] = np.unique(segments[real], return_inverse=True)[1]
    return segments


def asap_segments(logic: LogicNet, levels: int) -> NDArray[np.int32]:
    """Return the earliest segment of each node with at most `levels` LUT levels per segment."""
    depth = logic.levels[logic.n_inputs :]
    return np.maximum(0, (depth - 1) // levels).astype(np.int32)
