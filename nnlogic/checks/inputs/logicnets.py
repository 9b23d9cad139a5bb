"""Checkpoints of LogicNets against QuantNet.

The importer is not trusted: tensors are read again, and the network is evaluated in float32 on raw
rows, layer after layer, with products added in order of the wires.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_on_rows, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.frontend.torch_file import read_arrays
from nnlogic.quant.ir import QuantNet

ROWS = 2048


def check_logicnets(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the model in the file, on rows around its input thresholds.

    Parameters
    ----------
    net : QuantNet
    source : Path
    """
    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("a LogicNets model has an input quantizer")
    content = read_arrays(source)
    state = {k: np.asarray(v) for k, v in content.get("model_dict", content).items()}
    rows = edge_rows(net.quantizer, ROWS)
    codes, values = _evaluate(state, rows, [int(b) for b in net.info["bits"]])
    decision = str(net.info["decision"])
    if decision == "argmax":
        codes = np.column_stack([codes, values.argmax(axis=1)])
    elif decision != "none":
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-values.astype(np.float64)))
        codes = np.column_stack([codes, chance > float(decision.partition(":")[2])])
    return compare_on_rows(net, rows, codes, "LogicNets in float32").timed(start)


def _evaluate(
    state: Mapping[str, Any], rows: NDArray[np.float32], bits: list[int]
) -> tuple[IntArray, NDArray[np.float32]]:
    """Return the codes of the last layer, plus half of their range, and the outputs."""
    count = 1 + max(int(name.split(".")[1]) for name in state)
    top = np.float32((1 << bits[0]) - 1)
    x = np.minimum(np.maximum(np.rint(rows / (1 / top)), 0), top) * (1 / top)
    for layer in range(count - 1):
        levels = np.float32((1 << bits[1]) - 1)
        y, scale = _normed(state, layer, x), _scale(state, layer) / levels
        x = np.clip(np.rint(y / scale), 0, levels) * scale
    last = count - 1
    half = np.float32(1 << bits[2] - 1)
    scale = _scale(state, last) / half
    codes = np.clip(np.rint(_normed(state, last, x) / scale), -half, half - 1)
    post = f"module_list.{last}.output_quant.post_transforms.0."
    after = [state.get(post + name, np.float32(i)) for i, name in enumerate(("bias", "weight"))]
    return (codes + half).astype(np.int64), (codes * scale + after[0]) * after[1]


def _scale(state: Mapping[str, Any], layer: int) -> np.float32:
    start, end = f"module_list.{layer}.output_quant.brevitas_module.", ".learned_value"
    found = next(v for k, v in state.items() if k.startswith(start) and k.endswith(end))
    return np.float32(2) ** np.float32(found)


def _normed(state: Mapping[str, Any], layer: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
    part = f"module_list.{layer}."
    weight, mask = state[part + "fc.weight"], state[part + "fc.mask.mask"] == 1
    sums = np.zeros((len(x), len(weight)), np.float32)
    for wire in range(weight.shape[1]):
        mine = mask[:, wire]
        sums[:, mine] += x[:, wire, None] * weight[mine, wire]
    norm = {
        name: state[f"{part}output_quant.pre_transforms.0.{name}"]
        for name in ("weight", "bias", "running_mean", "running_var")
    }
    spread = np.sqrt(norm["running_var"] + np.float32(1e-5))
    centred = (sums + state[part + "fc.bias"]) - norm["running_mean"]
    out: NDArray[np.float32] = centred / spread * norm["weight"] + norm["bias"]
    return out


RUNG = of_source("LogicNets in float32 = QuantNet", check_logicnets, "the model")
