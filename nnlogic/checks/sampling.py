"""Comparison by evaluation on sample rows, and the search for the first difference."""

from __future__ import annotations

import numpy as np

from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.tables.ir import TableNet

Stage = QuantNet | TableNet | LogicNet | HardwareDesign


def compare_samples(left: Stage, right: Stage, codes: IntArray) -> Verdict:
    """Evaluate both stages on the same rows.

    Parameters
    ----------
    left, right : stage
        With equal ports.
    codes : int array, shape (samples, inputs)

    Returns
    -------
    Verdict
        On a difference, `where` names the row, the output and the first differing neuron bit.
    """
    a, b = left.evaluate(codes), right.evaluate(codes)
    how = f"sampled n={len(codes)}"
    wrong = np.argwhere(a != b)
    if not wrong.size:
        return Verdict(left.kind, right.kind, True, how)
    row, port = (int(v) for v in wrong[0])
    where = f"row {row}, output {left.outputs[port].name}"
    neuron = first_difference(left, right, codes[row : row + 1])
    if neuron:
        where += f", first at {neuron}"
    rows = len(np.unique(wrong[:, 0]))
    detail = (
        f"{left.kind} gives {a[row, port]}, {right.kind} gives {b[row, port]}; "
        f"{rows} of {len(codes)} rows differ"
    )
    return Verdict(left.kind, right.kind, False, how, detail, where)


def first_difference(left: Stage, right: Stage, codes: IntArray) -> str:
    """Return the origin of the first neuron bit, in order of the layers, that differs on a row."""
    a, b = neuron_bits(left, codes), neuron_bits(right, codes)
    return next((name for name in a if name in b and (a[name] != b[name]).any()), "")


def neuron_bits(stage: Stage, codes: IntArray) -> dict[str, Bools]:
    """Values of all neuron bits by origin (``fc1/neuron12/bit0``), each of shape (samples,)."""
    if isinstance(stage, HardwareDesign):
        return neuron_bits(stage.logic, codes)
    if isinstance(stage, QuantNet):
        values = stage.trace(codes)
        return {
            f"{layer.name}/neuron{i}/bit{b}": (values[layer.name][:, i] >> b & 1).astype(bool)
            for layer in stage.layers
            if layer.name != INPUT
            for i, fmt in enumerate(layer.formats)
            for b in range(fmt.bits)
        }
    if isinstance(stage, TableNet):
        signals = stage.trace(codes)
        return {
            f"{origin}/bit{b}": signals[s]
            for block in stage.blocks
            for origin in [block.origin if "/" in block.origin else f"{block.origin}/neuron0"]
            for b, s in enumerate(block.outputs)
        }
    words = stage.trace_words(bits.pack_ports(codes, stage.inputs))
    nodes = bits.unpack(words, len(codes))[stage.n_inputs :]
    return {o: v for o, v in zip(stage.origins, nodes, strict=True) if "/bit" in o}
