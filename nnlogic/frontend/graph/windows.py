"""Convolution and pooling as operations of aten: what their arguments say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from nnlogic.frontend.graph.circuit import Circuit
from nnlogic.frontend.graph.maps import averaged, convolved, largest
from nnlogic.frontend.graph.program import Node
from nnlogic.frontend.graph.values import Coded, Pending
from nnlogic.frontend.wiring import Refusal

MOST = ("dilation", "ceil_mode")
MEAN = ("ceil_mode", "count_include_pad", "divisor_override")
Code = Callable[[Coded | Pending, str], Coded]


def convolution(
    circuit: Circuit, code: Code, node: Node, args: list[Any], kwargs: dict[str, Any]
) -> Pending:
    """Return what a convolution gives."""
    given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
    whole = node.op == "convolution.default"
    x, weights, bias = args[0], given.get(1), given.get(2, given.get("bias"))
    names = ("stride", "padding", "dilation")
    stride, padding, dilation = (given.get(i, given.get(n)) or [] for i, n in enumerate(names, 3))
    groups = given.get(8 if whole else 6, given.get("groups", 1))
    if whole and given.get(6):
        raise Refusal("a transposed convolution", "an upsampling, and a convolution")
    if not isinstance(x, Coded | Pending) or not isinstance(weights, torch.Tensor):
        raise Refusal("a product of two inputs", "products of inputs and constants alone")
    if isinstance(padding, str):
        raise Refusal(f"padding {padding!r}", "padding by numbers")
    coded = code(x, f"{node.name}_in")
    return convolved(circuit, coded, weights, bias, stride, padding, dilation, groups, node.name)


def pooling(
    circuit: Circuit, code: Code, node: Node, args: list[Any], kwargs: dict[str, Any]
) -> Coded | Pending:
    """Return what pooling gives."""
    most = node.op.startswith("max")
    names = ("", "", "stride", "padding", *(MOST if most else MEAN))
    given: dict[str, Any] = {
        "stride": [], "padding": [], "dilation": [], "count_include_pad": True
    }  # fmt: skip
    given |= {**dict(zip(names, args, strict=False)), **kwargs}
    size, stride, padding = args[1], given["stride"], given["padding"]
    if given.get("ceil_mode") or given.get("divisor_override"):
        raise Refusal("pooling that rounds sizes up, or divides otherwise", "ceil_mode=False")
    coded = code(args[0], f"{node.name}_in")
    if most:
        return largest(circuit, coded, size, stride, padding, given["dilation"], node.name)
    if not given["count_include_pad"] and any(padding):
        raise Refusal("a mean that leaves the padding out", "count_include_pad=True")
    return averaged(circuit, coded, size, stride, padding, node.name)
