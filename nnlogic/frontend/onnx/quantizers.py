"""Quantizers: those of QONNX, and QuantizeLinear with Clip and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Callable

import torch

from nnlogic.frontend.onnx.emitter import Emitter, Given, Value
from nnlogic.frontend.wiring import Refusal

FLOAT = torch.float32
MOST_BITS = 32


def _rounded(e: Emitter, x: Value, mode: str) -> Value:
    simple = {"ROUND": "round", "HALF_EVEN": "round", "CEIL": "ceil", "FLOOR": "floor",
              "ROUND_TO_ZERO": "trunc", "DOWN": "trunc"}  # fmt: skip
    if mode in simple:
        return e.call(f"{simple[mode]}.default", x)
    size = e.call("abs.default", x)
    away: dict[str, Callable[[], Value]] = {
        "UP": lambda: e.call("ceil.default", size),
        "HALF_UP": lambda: e.call("floor.default", e.call("add.Scalar", size, 0.5)),
        "HALF_DOWN": lambda: e.call("ceil.default", e.call("sub.Scalar", size, 0.5)),
    }
    if mode not in away:
        raise Refusal(f"rounding mode {mode[:40]!r}", f"one of {', '.join([*simple, *away])}")
    return e.call("mul.Tensor", e.call("sign.default", x), away[mode]())


def _bounds(bits: torch.Tensor, signed: int, narrow: int) -> tuple[torch.Tensor, torch.Tensor]:
    if not bool(((bits >= 1) & (bits <= MOST_BITS) & (bits == bits.round())).all()):
        raise Refusal(f"a width of {bits.reshape(-1)[0]:g} bits", f"1 to {MOST_BITS}")
    if signed:
        half = 2.0 ** (bits - 1)
        return -half + narrow, half - 1
    return torch.zeros_like(bits), 2.0**bits - 1 - narrow


def quant(e: Emitter, given: Given) -> Value:
    """Return what Quant of QONNX gives: scaled, clipped, rounded, and scaled back."""
    x, scale, zero = given.input(0), given.constant(1).to(FLOAT), given.constant(2).to(FLOAT)
    bits = given.constant(3).to(FLOAT)
    signed, narrow = given.integer("signed", 1), given.integer("narrow", 0)
    mode = given.text("rounding_mode", "ROUND").upper()
    _positive(scale)
    y = e.call("add.Tensor", e.call("div.Tensor", x, scale), zero)
    if signed and bits.numel() == 1 and float(bits) == 1:
        # One bit with a sign stands for -1 and 1.
        y = _sign(e, y)
    else:
        lo, hi = _bounds(bits, signed, narrow)
        y = _rounded(e, e.call("clamp.Tensor", y, lo, hi), mode)
    return e.call("mul.Tensor", e.call("sub.Tensor", y, zero), scale)


def bipolar(e: Emitter, given: Given) -> Value:
    """Return -1 or 1, of zero 1, times the scale."""
    scale = given.constant(1).to(FLOAT)
    return e.call("mul.Tensor", _sign(e, given.input(0)), scale)


def _sign(e: Emitter, x: Value) -> Value:
    one = torch.ones((), dtype=FLOAT)
    return e.call("where.self", e.call("ge.Scalar", x, 0), one, -one)


def trunc(e: Emitter, given: Given) -> Value:
    """Return what Trunc of QONNX, version 1, gives: fewer bits, the upper ones."""
    if len(given.step.inputs) != 5:
        raise Refusal("Trunc of version 2", "AveragePool, and Quant after it")
    x, scale, zero = given.input(0), given.constant(1).to(FLOAT), given.constant(2).to(FLOAT)
    before, after = given.constant(3).to(FLOAT), given.constant(4).to(FLOAT)
    _positive(scale)
    y = e.call("add.Tensor", e.call("div.Tensor", x, scale), zero)
    y = e.call("div.Tensor", e.call("round.default", y), 2.0 ** (before - after))
    y = _rounded(e, y, given.text("rounding_mode", "FLOOR").upper())
    return e.call("mul.Tensor", e.call("sub.Tensor", y, zero), scale)


def _positive(scale: torch.Tensor) -> None:
    if not bool((scale > 0).all()):
        raise Refusal("a scale that is not above zero", "repair the model")


def _along(values: torch.Tensor, x: Value, axis: int) -> torch.Tensor:
    """Return values as they stand along an axis of a tensor."""
    if values.dim() > 1:
        raise Refusal("scales in blocks", "one scale, or one a channel")
    if values.dim() == 1 and len(values) > 1:
        if not -len(x.shape) <= axis < len(x.shape):
            raise Refusal(f"axis {axis} of {len(x.shape)}", "check the model")
        sizes = [1] * len(x.shape)
        sizes[axis] = len(values)
        return values.reshape(sizes)
    return values.reshape(())


def quantize_linear(e: Emitter, given: Given) -> Value:
    """Return integers, as floats: divided, rounded, moved and clipped to the type."""
    x, axis = given.input(0), given.integer("axis", 1)
    given.ignore("saturate", "precision")
    if given.integer("block_size", 0) or given.integer("output_dtype", 0):
        raise Refusal("blocks, or a type that is named apart", "one scale, and a zero point")
    scale = _along(given.constant(1).to(FLOAT), x, axis)
    _positive(scale)
    found = given.optional(2)
    kind = torch.uint8 if found is None else given.constant(2).dtype
    if kind.is_floating_point or kind == torch.bool:
        raise Refusal(f"integers of type {kind}", "int8, uint8, int16, uint16 or int32")
    info = torch.iinfo(kind)
    zero = torch.zeros(()) if found is None else _along(given.constant(2).to(FLOAT), x, axis)
    y = e.call("round.default", e.call("div.Tensor", x, scale))
    # Integers saturate; in float32 they are exact up to 24 bits, and clipped before.
    y = e.call("add.Tensor", y, zero)
    return e.call("clamp.default", y, float(info.min), float(info.max))


def dequantize_linear(e: Emitter, given: Given) -> Value:
    """Return integers less the zero point, times the scale."""
    x, axis = given.input(0), given.integer("axis", 1)
    if given.integer("block_size", 0):
        raise Refusal("scales in blocks", "one scale, or one a channel")
    given.ignore("output_dtype")
    scale = _along(given.constant(1).to(FLOAT), x, axis)
    if isinstance(x, torch.Tensor):
        x = x.to(FLOAT)
    if given.optional(2) is not None:
        x = e.call("sub.Tensor", x, _along(given.constant(2).to(FLOAT), x, axis))
    return e.call("mul.Tensor", x, scale)
