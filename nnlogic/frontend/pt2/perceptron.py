"""A float network of linear layers one after another, read from its graph to be quantized."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nnlogic.core.errors import Problem, UnsupportedModel
from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.program import Graph, Node, Ref, Symbol

TWO_SIDED = ops.names("tanh.default sigmoid.default hardsigmoid.default sign.default erf.default")
"""Activations that saturate on both sides."""
ONE_SIDED = ops.names(
    """relu.default relu6.default hardtanh.default clamp.default clamp_min.default gelu.default
    silu.default elu.default leaky_relu.default softplus.default hardswish.default
    mish.default"""
)
"""Activations that are flat, or nearly so, on one side."""
SHIFT = {"add.Tensor": 1.0, "add.Scalar": 1.0, "sub.Tensor": -1.0, "sub.Scalar": -1.0}
GAIN = {"mul.Tensor": 1.0, "mul.Scalar": 1.0, "div.Tensor": -1.0, "div.Scalar": -1.0}
FIX = "train with quantizers instead (docs/guide/own-training.md), or rewrite it as linear layers"


@dataclass
class FloatLayer:
    """``function(x @ weight.T + bias)``, in float64.

    Attributes
    ----------
    weight : tensor, shape (outputs, inputs)
    bias : tensor, shape (outputs,)
    function : callable, or None
        Element by element; None for scores.
    one_sided : bool
        Whether the function is flat on one side, as a ReLU, rather than on both.
    """

    weight: Tensor
    bias: Tensor
    function: Callable[[Tensor], Tensor] | None = None
    one_sided: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        """Return what the layer gives for rows, shape (rows, outputs)."""
        z = x @ self.weight.T + self.bias
        return z if self.function is None else self.function(z)


@dataclass
class _Chain:
    """What was read so far; `scale` and `shift` wait for the next linear layer."""

    width: int
    layers: list[FloatLayer] = field(default_factory=list)
    scale: Tensor | None = None
    shift: Tensor | None = None

    def affine(self, gain: Tensor, offset: Tensor) -> None:
        """Apply ``gain * x + offset`` to what is there, per feature."""
        last = self.layers[-1] if self.layers else None
        if last is not None and last.function is None:
            last.weight = last.weight * gain[:, None]
            last.bias = last.bias * gain + offset
            return
        self.scale = gain if self.scale is None else self.scale * gain
        self.shift = offset if self.shift is None else self.shift * gain + offset

    def linear(self, weight: Tensor, bias: Tensor) -> None:
        """Append a layer; one right after another is multiplied into it."""
        if self.shift is not None and self.scale is not None:
            bias, weight = bias + weight @ self.shift, weight * self.scale
            self.scale = self.shift = None
        last = self.layers[-1] if self.layers else None
        if last is not None and last.function is None:
            last.bias, last.weight = weight @ last.bias + bias, weight @ last.weight
        else:
            self.layers.append(FloatLayer(weight, bias))
        self.width = len(weight)


def perceptron_of(graph: Graph, where: str) -> list[FloatLayer]:
    """Return the layers of a float network.

    Parameters
    ----------
    graph : Graph
    where : str
        Of errors.

    Raises
    ------
    UnsupportedModel
        With all operations that are no part of a chain of linear layers.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise UnsupportedModel("no module of one batch of rows", where=where, fix=FIX)
    ((name, (_, shape)),) = graph.inputs.items()
    width = 1
    for size in shape[1:]:
        width *= size
    chain = _Chain(width)
    values: dict[str, Any] = dict(graph.constants)
    current, problems = {name}, []
    for node in graph.nodes:
        try:
            moved = _step(chain, node, values, current)
        except (ValueError, RuntimeError, TypeError, IndexError) as error:
            place = f"{node.name} (aten.{node.op}){', ' + node.line if node.line else ''}"
            problems.append(Problem(place, str(error).splitlines()[0][:160], FIX))
            moved = True
        if moved:
            current = set(node.outputs[:1]) | (current if node.op in ops.NOTHING else set())
    if not problems and (not chain.layers or chain.shift is not None):
        problems.append(Problem("output", "no linear layer gives it", FIX))
    if not problems and chain.layers[-1].function is not None:
        problems.append(
            Problem("output", "an activation gives it", "return scores, before any activation")
        )
    if problems:
        what = "a network that is not linear layers one after another"
        raise UnsupportedModel(what, where=where, problems=problems)
    return chain.layers


def _step(chain: _Chain, node: Node, values: dict[str, Any], current: set[str]) -> bool:
    """Apply an operation; return whether what flows through the chain has a new name."""
    refs = [a.name for a in _flat([*node.args, *node.kwargs.values()]) if isinstance(a, Ref)]
    live = [r for r in refs if r in current]
    args = [_value(a, values) for a in node.args]
    if node.op in ops.NOTHING:
        return False
    if not live:
        if node.op not in ops.CONSTANT or any(r not in values for r in refs):
            raise ValueError("reads what is no constant, nor what the operation before gives")
        out = ops.call(node.op, tuple(args), {k: _value(v, values) for k, v in node.kwargs.items()})
        values.update(zip(node.outputs, out if isinstance(out, tuple | list) else [out],
                          strict=False))  # fmt: skip
        return False
    if any(r not in live and r not in values for r in refs) or len(live) > 1:
        raise ValueError("two paths meet here")
    _apply(chain, node, args, current)
    return True


def _apply(chain: _Chain, node: Node, args: Sequence[Any], current: set[str]) -> None:
    op = node.op
    if op in ops.SAME or op in ops.CAST or op in ops.LAST:
        if "dropout" in op and args[2]:
            raise ValueError("drops at random: module.eval() before the export")
    elif op in ("view.default", "reshape.default", "flatten.using_ints", "_unsafe_view.default"):
        size = args[1]
        if isinstance(size, list) and len(size) != 2:
            raise ValueError("a shape that is not (rows, features)")
    elif op in ("linear.default", "addmm.default", "mm.default", "matmul.default"):
        weight, bias = _linear(op, args)
        if weight.dim() != 2 or weight.shape[1] != chain.width:
            raise ValueError(f"weights {tuple(weight.shape)} for {chain.width} features")
        chain.linear(weight, bias)
    elif op in ops.NORM:
        chain.affine(*_norm(args))
    elif op in SHIFT or op in GAIN:
        chain.affine(*_affine(op, node, args, current, chain.width))
    elif op in ONE_SIDED or op in TWO_SIDED:
        last = chain.layers[-1] if chain.layers else None
        if last is None or last.function is not None or chain.shift is not None:
            raise ValueError("an activation that does not follow a linear layer")
        rest, kwargs = tuple(args[1:]), dict(node.kwargs)
        last.function = lambda z: ops.call(op, (z, *rest), kwargs)
        two = op in TWO_SIDED or (op == "hardtanh.default" and (args[1:2] or [-1.0])[0] < 0)
        last.one_sided = not two
    else:
        raise ValueError("not among linear layers, norms, activations")


def _linear(op: str, args: Sequence[Any]) -> tuple[Tensor, Tensor]:
    if op == "linear.default":
        weight, bias = args[1], args[2] if len(args) > 2 else None
    elif op == "addmm.default":
        weight, bias = args[2].T, args[0]
    else:
        weight, bias = args[1].T, None
    weight = weight.double()
    return weight, torch.zeros(len(weight)).double() if bias is None else bias.double()


def _norm(args: Sequence[Any]) -> tuple[Tensor, Tensor]:
    _, gamma, beta, mean, var = args[:5]
    numbers = [a for a in args[5:] if isinstance(a, float)]
    eps = numbers[-1] if numbers else 1e-5
    gain = 1.0 / torch.sqrt(var.double() + eps)
    gain = gain if gamma is None else gain * gamma.double()
    return gain, (0.0 if beta is None else beta.double()) - mean.double() * gain


def _affine(
    op: str, node: Node, args: Sequence[Any], current: set[str], width: int
) -> tuple[Tensor, Tensor]:
    first = isinstance(node.args[0], Ref) and node.args[0].name in current
    if not first and op.startswith("div"):
        raise ValueError("one over what flows")
    other = torch.as_tensor(args[1] if first else args[0], dtype=torch.float64).reshape(-1)
    other = other.expand(width) if other.numel() == 1 else other
    if other.shape != (width,):
        raise ValueError(f"a constant of {other.numel()} values for {width} features")
    if op in GAIN:
        return other ** GAIN[op], torch.zeros(width, dtype=torch.float64)
    sign = torch.full((width,), 1.0 if first else SHIFT[op], dtype=torch.float64)
    return sign, other * (SHIFT[op] if first else 1.0)


def _value(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, Ref):
        return values.get(value.name)
    if isinstance(value, list | tuple):
        return [_value(v, values) for v in value]
    return -1 if isinstance(value, Symbol) else value


def _flat(values: Sequence[Any]) -> list[Any]:
    out: list[Any] = []
    for value in values:
        out += _flat(value) if isinstance(value, list | tuple) else [value]
    return out
