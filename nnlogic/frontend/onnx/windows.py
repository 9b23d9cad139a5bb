"""Convolution and pooling of ONNX in aten."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.frontend.onnx.emitter import Emitter, Given, Value
from nnlogic.frontend.wiring import Refusal


def _sizes(given: Given, x: Value, kernel: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Return stride, padding and dilation of a window."""
    rank = len(kernel)
    stride = given.list("strides", [1] * rank)
    dilation = given.list("dilations", [1] * rank)
    pads, auto = given.list("pads", [0] * 2 * rank), given.text("auto_pad", "NOTSET")
    if rank not in (1, 2) or len(x.shape) != rank + 2 or len(pads) != 2 * rank:
        raise Refusal(f"a window of {rank} dimensions on {len(x.shape)}", "one or two")
    if len(stride) != rank or len(dilation) != rank or min(*kernel, *stride, *dilation) < 1:
        raise Refusal(f"a window {list(kernel)}, strides {stride}, dilations {dilation}")
    if auto.startswith("SAME"):
        both = [
            max(0, (-(-int(n) // s) - 1) * s + (k - 1) * d + 1 - int(n))
            for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
        ]
        lower = auto == "SAME_LOWER"
        pads = [(p + lower) // 2 for p in both] + [(p + 1 - lower) // 2 for p in both]
    elif auto not in ("NOTSET", "VALID"):
        raise Refusal(f"auto_pad {auto[:20]!r}", "pads by numbers")
    if pads[:rank] != pads[rank:] or min(pads) < 0:
        raise Refusal(f"padding {pads}, not the same on both sides", "the same on both sides")
    return stride, pads[:rank], dilation


def conv(e: Emitter, given: Given) -> Value:
    """Return a convolution by constant weights."""
    x, w, bias = given.input(0), given.constant(1), given.optional(2)
    kernel = given.list("kernel_shape", w.shape[2:])
    if kernel != list(w.shape[2:]):
        raise Refusal(f"a kernel {kernel} with weights {list(w.shape)}", "check the model")
    stride, padding, dilation = _sizes(given, x, kernel)
    op, groups = f"conv{len(kernel)}d.default", given.integer("group", 1)
    return e.call(op, x, w, bias, stride, padding, dilation, groups)


def max_pool(e: Emitter, given: Given) -> Value:
    """Return the largest value under a window."""
    x, kernel = given.input(0), given.list("kernel_shape", [])
    given.ignore("storage_order")
    if given.integer("ceil_mode", 0) or len([out for out in given.step.outputs if out]) > 1:
        raise Refusal("pooling that rounds sizes up, or gives places", "ceil_mode=0")
    return e.call(f"max_pool{len(kernel)}d.default", x, kernel, *_sizes(given, x, kernel))


def average_pool(e: Emitter, given: Given) -> Value:
    """Return the mean under a window."""
    x, kernel = given.input(0), given.list("kernel_shape", [])
    counted = bool(given.integer("count_include_pad", 0))
    stride, padding, dilation = _sizes(given, x, kernel)
    if given.integer("ceil_mode", 0) or any(d != 1 for d in dilation):
        raise Refusal("a mean with gaps, or whose size is rounded up", "a plain average")
    if any(padding) and not counted:
        raise Refusal("a mean that leaves the padding out", "count_include_pad=1")
    return e.call(f"avg_pool{len(kernel)}d.default", x, kernel, stride, padding)


def global_average(e: Emitter, given: Given) -> Value:
    """Return the mean of every channel."""
    x = given.input(0)
    sizes = [int(n) for n in x.shape[2:]]
    return e.call(f"avg_pool{len(sizes)}d.default", x, sizes)


def reduce_mean(e: Emitter, given: Given) -> Value:
    """Return the mean over all positions of a map."""
    x, axes = given.input(0), given.numbers(1, "axes") or []
    given.ignore("noop_with_empty_axes")
    dims = len(x.shape)
    if dims < 3 or sorted(a % dims for a in axes) != list(range(2, dims)):
        raise Refusal(f"a mean over axes {axes}", "over all positions of a map")
    y = global_average(e, given)
    if given.integer("keepdims", 1):
        return y
    return e.call("view.default", y, [int(n) for n in x.shape[:2]])
