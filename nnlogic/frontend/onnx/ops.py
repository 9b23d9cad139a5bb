"""Which operations of ONNX are read, and what each is in aten.

Left out are those whose last bit differs from one runtime to the next, such as Sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from nnlogic.frontend.onnx import quantizers, windows
from nnlogic.frontend.onnx.emitter import Emitter, Given, Symbolic, Value
from nnlogic.frontend.wiring import Refusal

Handler = Callable[[Emitter, Given], Value | None]


def _binary(op: str) -> Handler:
    return lambda e, given: e.call(op, given.input(0), given.input(1))


def _unary(op: str) -> Handler:
    return lambda e, given: e.call(op, given.input(0))


def _same(e: Emitter, given: Given) -> Value:
    given.ignore("ratio", "seed", "momentum")
    return given.input(0)


def _cast(e: Emitter, given: Given) -> Value:
    x, to = given.input(0), given.integer("to", 1)
    given.ignore("saturate", "round_mode")
    types = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 11: torch.float64}
    if isinstance(x, torch.Tensor) and to in types:
        return x.to(types[to])
    if to != 1 or (isinstance(x, Symbolic) and x.meta.dtype not in (torch.float32, torch.bool)):
        raise Refusal(f"a cast to type {to} of what is computed", "float32 throughout")
    return e.call("_to_copy.default", x) if _is_float(x) else e.call(
        "where.self", x, torch.ones(()), torch.zeros(())
    )  # fmt: skip


def _is_float(x: Value) -> bool:
    meta = x.meta if isinstance(x, Symbolic) else x
    return meta.is_floating_point()


def _constant(e: Emitter, given: Given) -> Value:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in given.left:
            found = given.left.pop(name)
            if found is None:
                raise Refusal("a constant that cannot be read", "check the model")
            kind = torch.float32 if "float" in name else None
            return torch.as_tensor(found, dtype=kind)
    raise Refusal("a constant without a value that is read", "a tensor of numbers")


def _shape(e: Emitter, given: Given) -> Value:
    sizes = list(given.input(0).shape)
    start, end = given.integer("start", 0), given.integer("end", len(sizes))
    return torch.tensor(sizes[start:end], dtype=torch.int64)


def _gather(e: Emitter, given: Given) -> Value:
    x, index, axis = given.input(0), given.constant(1).to(torch.int64), given.integer("axis", 0)
    if index.dim() == 0:
        return e.call("select.int", x, axis, int(index))
    if index.dim() > 1:
        raise Refusal("a gather by a table of indices", "a list of indices")
    size = x.shape[axis] if -len(x.shape) <= axis < len(x.shape) else 0
    return e.call("index_select.default", x, axis, torch.where(index < 0, index + size, index))


def _reshape(e: Emitter, given: Given) -> Value:
    x, sizes = given.input(0), given.numbers(1, "shape")
    if sizes is None:
        raise Refusal("has no shape", "check the model")
    if not given.integer("allowzero", 0):
        sizes = [x.shape[i] if n == 0 and i < len(x.shape) else n for i, n in enumerate(sizes)]
    return e.call("view.default" if isinstance(x, Symbolic) else "reshape.default", x, sizes)


def _flatten(e: Emitter, given: Given) -> Value:
    x, axis = given.input(0), given.integer("axis", 1)
    if axis != 1:
        raise Refusal(f"flattens from axis {axis}", "axis 1")
    return e.call("view.default", x, [x.shape[0], -1])


def _transpose(e: Emitter, given: Given) -> Value:
    x = given.input(0)
    return e.call("permute.default", x, given.list("perm", range(len(x.shape))[::-1]))


def _squeeze(e: Emitter, given: Given) -> Value:
    x, axes = given.input(0), given.numbers(1, "axes")
    dims = len(x.shape)
    axes = [a % dims for a in axes or [i for i, n in enumerate(x.shape) if n == 1 and i]]
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    return e.call("reshape.default", x, kept)


def _unsqueeze(e: Emitter, given: Given) -> Value:
    x, axes = given.input(0), given.numbers(1, "axes") or []
    sizes = list(x.shape)
    for a in sorted(a % (len(x.shape) + len(axes)) for a in axes):
        sizes.insert(a, 1)
    return e.call("reshape.default", x, sizes)


def _concat(e: Emitter, given: Given) -> Value:
    parts = [given.input(i) for i in range(len(given.step.inputs))]
    return e.call("cat.default", parts, given.integer("axis", 0))


def _slice(e: Emitter, given: Given) -> Value:
    x = given.input(0)
    starts, ends = given.numbers(1, "starts") or [], given.numbers(2, "ends") or []
    axes = given.numbers(3, "axes") or list(range(len(starts)))
    steps = given.numbers(4, "steps") or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or min(steps, default=1) < 1:
        raise Refusal("a slice that runs backwards, or whose parts do not fit", "steps above 0")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        x = e.call("slice.Tensor", x, axis, start, min(end, 1 << 62), step)
    return x


def _clip(e: Emitter, given: Given) -> Value:
    x = given.input(0)
    bounds = []
    for place, name in ((1, "min"), (2, "max")):
        found = given.left.pop(name, None)
        if found is None and given.optional(place) is not None:
            found = given.constant(place).to(torch.float64).reshape(-1)[0].item()
        bounds.append(None if found is None else float(found))
    return e.call("clamp.default", x, *bounds) if bounds != [None, None] else x


def _pow(e: Emitter, given: Given) -> Value:
    if isinstance(given.input(0), Symbolic):
        raise Refusal("a power of what is computed", "Mul, or a quantizer's scale")
    power = float(given.constant(1).reshape(-1)[0])
    x = given.constant(0)
    # Square roots are rounded in one way everywhere; other powers are not.
    return x.sqrt() if power == 0.5 else x**power


def _constants_only(op: str) -> Handler:
    def handle(e: Emitter, given: Given) -> Value:
        return e.call(op, given.constant(0))

    return handle


def _matmul(e: Emitter, given: Given) -> Value:
    return e.call("matmul.default", given.input(0), given.constant(1))


def _gemm(e: Emitter, given: Given) -> Value:
    x, w = given.input(0), given.constant(1)
    alpha, beta = given.real("alpha", 1.0), given.real("beta", 1.0)
    if given.integer("transA", 0) or alpha != 1 or beta != 1:
        raise Refusal("a Gemm with alpha, beta or transA", "fold them into the weights")
    if w.dim() != 2:
        raise Refusal(f"weights of {w.dim()} axes", "two axes")
    w = w if given.integer("transB", 0) else w.t()
    y = e.call("linear.default", x, w)
    bias = given.optional(2)
    return y if bias is None else e.call("add.Tensor", y, bias)


def _batch_norm(e: Emitter, given: Given) -> Value:
    x, epsilon = given.input(0), given.real("epsilon", 1e-5)
    given.ignore("momentum", "spatial", "is_test")
    if given.integer("training_mode", 0):
        raise Refusal("batch statistics of training", "export in inference mode")
    sizes = [1, -1] + [1] * (len(x.shape) - 2)
    scale, bias, mean, variance = (given.constant(i).reshape(sizes) for i in range(1, 5))
    y = e.call("mul.Tensor", e.call("sub.Tensor", x, mean), scale)
    y = e.call("div.Tensor", y, (variance + epsilon).sqrt())
    return e.call("add.Tensor", y, bias)


def _argmax(e: Emitter, given: Given) -> Value:
    x, axis = given.input(0), given.integer("axis", 0)
    given.ignore("keepdims")
    if given.integer("select_last_index", 0):
        raise Refusal("an ArgMax that takes the last of equals", "select_last_index=0")
    return e.call("argmax.default", x, axis)


def _topk(e: Emitter, given: Given) -> Value:
    x, axis = given.input(0), given.integer("axis", -1)
    given.ignore("sorted")
    count = given.numbers(1, "k")
    if count != [1] or not given.integer("largest", 1):
        raise Refusal("more than the largest of its inputs", "k=1")
    return e.call("argmax.default", x, axis)


HANDLERS: dict[str, Handler] = {
    "Abs": _unary("abs.default"), "Add": _binary("add.Tensor"), "ArgMax": _argmax,
    "AveragePool": windows.average_pool, "BatchNormalization": _batch_norm,
    "BipolarQuant": quantizers.bipolar, "Cast": _cast, "Ceil": _unary("ceil.default"),
    "Clip": _clip, "Concat": _concat, "Constant": _constant, "Conv": windows.conv,
    "DequantizeLinear": quantizers.dequantize_linear, "Div": _binary("div.Tensor"),
    "Dropout": _same, "Flatten": _flatten, "Floor": _unary("floor.default"), "Gather": _gather,
    "Gemm": _gemm, "GlobalAveragePool": windows.global_average, "Greater": _binary("gt.Tensor"),
    "GreaterOrEqual": _binary("ge.Tensor"), "Identity": _same, "IntQuant": quantizers.quant,
    "Less": _binary("lt.Tensor"), "LessOrEqual": _binary("le.Tensor"), "MatMul": _matmul,
    "Max": _binary("maximum.default"), "MaxPool": windows.max_pool,
    "Min": _binary("minimum.default"), "Mul": _binary("mul.Tensor"), "Neg": _unary("neg.default"),
    "Pow": _pow, "Quant": quantizers.quant, "QuantizeLinear": quantizers.quantize_linear,
    "Reciprocal": _constants_only("reciprocal.default"), "ReduceMean": windows.reduce_mean,
    "Relu": _unary("relu.default"), "Reshape": _reshape, "Round": _unary("round.default"),
    "Shape": _shape, "Sign": _unary("sign.default"), "Slice": _slice,
    "Sqrt": _constants_only("sqrt.default"), "Squeeze": _squeeze, "Sub": _binary("sub.Tensor"),
    "TopK": _topk, "Transpose": _transpose, "Trunc": quantizers.trunc, "Unsqueeze": _unsqueeze,
}  # fmt: skip
SCORES = ("Softmax", "LogSoftmax")
"""At the end these change no decision, and are left out."""
INSTEAD = {
    "Sigmoid": "leave it out at the end; inside, HardSigmoid and a quantizer",
    "Tanh": "Clip and a quantizer: its last bit differs from one runtime to the next",
    "Softmax": "leave it out at the end; inside a network, a quantized activation",
    "LSTM": "a network of feed-forward layers: logic has no state",
    "GRU": "a network of feed-forward layers: logic has no state",
    "If": "a graph without branches", "Loop": "a graph without loops",
    "MultiThreshold": "the QONNX model before FINN's streamlining, with Quant nodes",
}  # fmt: skip
