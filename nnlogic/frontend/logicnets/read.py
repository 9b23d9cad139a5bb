"""Checkpoints of LogicNets as QuantNets.

Umuroglu et al., "LogicNets: Co-designed neural networks and circuits for extreme-throughput
applications", FPL 2020. A neuron is a masked sum, a batch norm and a Brevitas quantizer in float32,
tabulated over the codes of its inputs. The widths of the codes are not in the file, and neither is
how outputs are decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.core.limits import CLASSES, FEATURES, LAYERS, NEURONS
from nnlogic.frontend.finite import finite
from nnlogic.frontend.logicnets.format import SCALE
from nnlogic.frontend.monotone import first_where
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, InputQuantizer, Layer, QuantNet

MOST_BITS = 8
"""Of a code."""
MOST_INDEX = 16
"""Bits a neuron reads."""
EPSILON = np.float32(1e-5)
KEY = re.compile(r"module_list\.(\d{1,4})\.(fc|input_quant|output_quant)\.(.+)")
BITS_FIX = "--read bits=IN/HIDDEN/OUT as in the configuration it was trained with, bits=1/2/2 say"
DECISION = re.compile(r"argmax|none|threshold:(0?\.\d{1,17}|[01])")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Neurons:
    """A layer of the file.

    Attributes
    ----------
    weight, mask : float32 array of shape (outputs, inputs), bool array of the same shape
    bias, gamma, beta, mean, variance : float32 arrays, shape (outputs,)
    scale : float32
        Two to the learned value.
    """

    weight: Floats
    mask: NDArray[np.bool_]
    bias: Floats
    gamma: Floats
    beta: Floats
    mean: Floats
    variance: Floats
    scale: np.float32

    def normed(self, sums: Floats, of: int) -> Floats:
        """Return the batch norm of sums of one neuron, with its bias."""
        y = sums + self.bias[of]
        spread = np.sqrt(self.variance[of] + EPSILON)
        return (y - self.mean[of]) / spread * self.gamma[of] + self.beta[of]


def load_logicnets(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.logicnets.format.LogicNets.options`.

    Returns
    -------
    QuantNet
        Inputs are codes of features from 0 to 1; outputs the codes of the last layer, offset by
        half of their range as its Verilog has them, and the class.

    Raises
    ------
    CheckpointError
        All problems of the file are listed; or the widths are not given.
    UnsupportedModel
        A neuron reads too many bits, or the input quantizer has parameters.
    UsageError
        A wrong option.
    ToolNotFound
        torch is not installed.
    """
    layers, after = _layers(path)
    outputs = len(layers[-1].bias)
    bits = _bits(path, options, len(layers))
    decision = options.get("decision", "argmax" if outputs > 1 else "")
    _require_decision(path, decision, outputs)
    wide = [
        Problem(f"layer{number}", f"neurons read up to {reads} bits", f"at most {MOST_INDEX}")
        for number, layer in enumerate(layers)
        if (reads := int(layer.mask.sum(axis=1).max()) * bits[number]) > MOST_INDEX
    ]
    if wide:
        raise UnsupportedModel("neurons too wide for tables", where=str(path), problems=wide)
    with finite(path):
        return _net(path, layers, bits, decision, after)


def _bits(path: Path, options: Mapping[str, str], layers: int) -> list[int]:
    """Return the widths of the inputs and of every layer."""
    given = options.get("bits")
    if given is None:
        raise CheckpointError(
            "a LogicNets checkpoint does not hold the widths of its codes",
            where=str(path),
            why=f"it has {layers} layers of weights, masks and scales",
            fix=BITS_FIX,
        )
    parts = given.split("/")
    found = [int(p) for p in parts if p.isascii() and p.isdigit() and len(p) < 3]
    if len(found) != 3 or len(parts) != 3 or not all(1 <= b <= MOST_BITS for b in found):
        raise UsageError("--read bits", why=f"{given!r}, widths 1 to {MOST_BITS}", fix=BITS_FIX)
    return [found[0], *[found[1]] * (layers - 1), found[2]]


def _require_decision(path: Path, decision: str, outputs: int) -> None:
    if not decision:
        raise CheckpointError(
            "a LogicNets checkpoint does not hold how its one output is decided",
            where=str(path),
            fix="--read bits=..,decision=threshold:0.75 with the threshold its training script "
            "compares the sigmoid with, or decision=none",
        )
    if DECISION.fullmatch(decision) is None or (decision == "argmax" and outputs < 2):
        raise UsageError(
            "--read decision",
            why=f"{decision!r}, of {outputs} outputs",
            fix="argmax, none, or threshold:T with T from 0 to 1",
        )
    if decision.startswith("threshold") and outputs > 1:
        raise UsageError(
            "--read decision", why=f"a threshold, and {outputs} outputs", fix="argmax, or none"
        )


def _layers(path: Path) -> tuple[list[Neurons], tuple[np.float32, np.float32]]:
    """Return the layers, and bias and weight of what follows the last one's codes."""
    content = read_arrays(path)
    state = content.get("model_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise CheckpointError("a LogicNets checkpoint without its model_dict", where=str(path))
    parts: dict[int, dict[str, Any]] = {}
    problems = []
    for key, value in state.items():
        match = KEY.fullmatch(str(key))
        if match is None:
            problems.append(Problem(str(key)[:80], "is no part of a LogicNets layer"))
        else:
            parts.setdefault(int(match[1]), {})[f"{match[2]}.{match[3]}"] = value
    problems += LAYERS.problems("module_list", len(parts))
    if problems or sorted(parts) != list(range(len(parts))) or not parts:
        problems = problems or [Problem("module_list", f"numbered {sorted(parts)[:8]}")]
        raise CheckpointError("not the layers of LogicNets", where=str(path), problems=problems)
    if any(name.startswith("input_quant") for name in parts[0]):
        raise UnsupportedModel(
            "a LogicNets model whose input quantizer has parameters",
            where=str(path),
            why="only features from 0 to 1 in equal steps (QuantReLU, CONST, max_val 1) are read",
            fix="give the Verilog that its tools write",
        )
    layers: list[Neurons] = []
    width = None
    for number in range(len(parts)):
        layer = _layer(number, parts[number], width, problems)
        if layer is not None:
            layers.append(layer)
            width = len(layer.bias)
        if number:
            _require_same(number, parts, problems)
    last = parts[len(parts) - 1]
    after = [
        _one(last.get(f"output_quant.post_transforms.0.{name}", default), name, problems)
        for name, default in (("bias", 0.0), ("weight", 1.0))
    ]
    if not after[1] > 0:
        problems.append(Problem("post_transforms.0.weight", f"{after[1]}, not above 0"))
    problems += CLASSES.problems("outputs", width or 0)
    if problems:
        raise CheckpointError(
            "a LogicNets checkpoint that cannot be used", where=str(path), problems=problems
        )
    return layers, (after[0], after[1])


def _one(value: Any, name: str, problems: list[Problem]) -> np.float32:
    found = as_array(value)
    if found.size != 1 or found.dtype.kind != "f" or not np.isfinite(found).all():
        problems.append(Problem(name, f"{found.dtype} of shape {found.shape}, not a finite number"))
        return np.float32(1)
    return np.float32(found.reshape(()))


def _layer(
    number: int, parts: Mapping[str, Any], width: int | None, problems: list[Problem]
) -> Neurons | None:
    where = f"module_list.{number}"
    weight = as_array(parts.get("fc.weight", 0))
    if weight.ndim != 2 or not weight.size or (width is not None and weight.shape[1] != width):
        why = f"shape {weight.shape}, need (outputs, {width or 'inputs'})"
        problems.append(Problem(f"{where}.fc.weight", why))
        return None
    beyond = FEATURES.problems(where, weight.shape[1]) + NEURONS.problems(where, len(weight))
    if beyond:
        problems += beyond
        return None
    pre = "output_quant.pre_transforms.0."
    names = {
        "fc.weight": weight.shape, "fc.mask.mask": weight.shape, "fc.bias": (len(weight),),
        **{f"{pre}{n}": (len(weight),) for n in ("weight", "bias", "running_mean", "running_var")},
    }  # fmt: skip
    found = []
    for name, shape in names.items():
        value = as_array(parts.get(name, 0))
        if value.shape != shape or value.dtype.kind != "f" or not np.isfinite(value).all():
            why = f"{value.dtype} of shape {value.shape}, need finite numbers of shape {shape}"
            problems.append(Problem(f"{where}.{name}", "is missing" if name not in parts else why))
            value = np.ones(shape)
        found.append(value.astype(np.float32))
    weight, mask, bias, gamma, beta, mean, variance = found
    if not np.isin(mask, (0, 1)).all() or not mask.any(axis=1).all():
        problems.append(
            Problem(f"{where}.fc.mask.mask", "is not 0 and 1, or a neuron reads nothing")
        )
    if (variance < 0).any():
        problems.append(Problem(f"{where}.{pre}running_var", "is negative"))
    scales = [value for name, value in parts.items() if name.startswith("output_quant.brevitas") and
              name.endswith(SCALE)]  # fmt: skip
    if len(scales) != 1:
        problems.append(Problem(f"{where}.output_quant", "has no learned scale"))
        return None
    learned = _one(scales[0], f"{where}.output_quant scale", problems)
    if not -60 < learned < 60:
        problems.append(Problem(f"{where}.output_quant scale", f"2**{learned}"))
        return None
    return Neurons(weight, mask > 0, bias, gamma, beta, mean, variance, np.exp2(learned))


def _require_same(
    number: int, parts: Mapping[int, Mapping[str, Any]], problems: list[Problem]
) -> None:
    """What a layer says of its inputs must be what the layer before says of its outputs."""
    before = parts[number - 1]
    for name, value in parts[number].items():
        if name.startswith("input_quant."):
            other = before.get("output" + name.removeprefix("input"))
            if other is None or not np.array_equal(as_array(other), as_array(value)):
                problems.append(
                    Problem(f"module_list.{number}.{name}", "is not the layer before's")
                )


def _codes(y: Floats, scale: np.float32, low: int, high: int) -> IntArray:
    """Return values in steps of a scale, ties to even, clamped."""
    return np.clip(np.rint(y / scale), low, high).astype(np.int64)


def table(
    layer: Neurons,
    of: int,
    wires: Sequence[int],
    bits: int,
    step: np.float32,
    out: IntFormat,
    last: bool,
) -> IntArray:
    """Return the codes of a neuron, by those of its inputs; the first wire in the low bits.

    Products are added in order of the wires, in float32.
    """
    index = np.arange(1 << bits * len(wires))
    sums = np.zeros(len(index), np.float32)
    for place, wire in enumerate(wires):
        values = (index >> bits * place & (1 << bits) - 1).astype(np.float32) * step
        sums += values * layer.weight[of, wire]
    half = 1 << out.bits - 1
    y = layer.normed(sums, of)
    if last:
        return _codes(y, layer.scale / np.float32(half), -half, half - 1) + half
    return _codes(y, layer.scale / np.float32(out.hi), 0, out.hi)


def _net(
    path: Path,
    layers: Sequence[Neurons],
    bits: Sequence[int],
    decision: str,
    after: tuple[np.float32, np.float32],
) -> QuantNet:
    made: list[Layer] = []
    source, fmt = INPUT, IntFormat(bits[0])
    width = layers[0].weight.shape[1]
    step = np.float32(1) / np.float32(fmt.hi)
    tops = np.arange(1, fmt.hi + 1)
    # Features from 0 to 1 in equal steps, ties to even.
    edges = frozen(first_where(lambda x: np.rint(x / step) >= tops, len(tops)), np.float32)
    for number, layer in enumerate(layers):
        last = number + 1 == len(layers)
        out = IntFormat(bits[number + 1])
        wires = tuple(tuple(np.flatnonzero(row).tolist()) for row in layer.mask)
        tables = tuple(
            frozen(table(layer, of, reads, fmt.bits, step, out, last), np.int64)
            for of, reads in enumerate(wires)
        )
        inputs = (fmt,) * layer.weight.shape[1]
        made.append(
            Enumerated(f"layer{number}", (source,), wires, tables, (out,) * len(tables), inputs)
        )
        source, fmt = f"layer{number}", out
        step = layer.scale / np.float32(out.hi)
    outputs = len(layers[-1].bias)
    ports = [(Port(f"y{o}", fmt), source, o) for o in range(outputs)]
    classes = max(2, outputs)
    index = IntFormat.holding(0, classes - 1)
    values = _values(fmt, layers[-1].scale, after)
    if decision == "argmax":
        if not (np.diff(values) > 0).all():
            raise CheckpointError(
                "different codes of an output are equal in float32",
                where=str(path),
                why=f"bias {after[0]:g} and weight {after[1]:g} behind the last layer",
            )
        made.append(Argmax("class", (source,), (index,)))
    elif decision != "none":
        chosen = frozen(_above(decision, values), np.int64)
        made.append(Enumerated("class", (source,), ((0,),), (chosen,), (index,), (fmt,), "output"))
    if decision != "none":
        ports.append((Port("class", index), "class", 0))
    net = QuantNet(
        name=path.stem,
        inputs=tuple(Port(f"x{i}", IntFormat(bits[0])) for i in range(width)),
        layers=tuple(made),
        output_wires=tuple(ports),
        quantizer=InputQuantizer((edges,) * width),
        info={
            "bits": [bits[0], bits[1] if len(layers) > 1 else bits[-1], bits[-1]],
            "decision": decision,
            **({} if decision == "none" else {"class_names": [str(c) for c in range(classes)]}),
        },
    )
    net.verify()
    return net


def _values(
    fmt: IntFormat, scale: np.float32, after: tuple[np.float32, np.float32]
) -> NDArray[np.float32]:
    """Return the outputs of the model by code."""
    half = 1 << fmt.bits - 1
    codes = np.arange(-half, half).astype(np.float32)
    return (codes * (scale / np.float32(half)) + after[0]) * after[1]


def _above(decision: str, values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return for which outputs the sigmoid is above the threshold."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-values.astype(np.float64))) > float(decision.partition(":")[2])
