"""Operations of ONNX as operations of aten: constants are folded, shapes found on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from nnlogic.core.names import identifier
from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.program import Node, Ref
from nnlogic.frontend.onnx.document import Step
from nnlogic.frontend.wiring import Refusal


@dataclass(frozen=True, eq=False)
class Symbolic:
    """A tensor that depends on the input: its name, and a tensor of its shape without values."""

    name: str
    meta: torch.Tensor

    @property
    def shape(self) -> torch.Size:
        """Of the tensor."""
        return self.meta.shape


Value = Symbolic | torch.Tensor


@dataclass
class Emitter:
    """Nodes so far.

    Attributes
    ----------
    values : dict of str to Symbolic or tensor
        By the names of ONNX.
    nodes : list of Node
    """

    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    step: Step | None = None

    def call(self, op: str, *args: Any) -> Any:
        """Return what an operation gives: at once where all is constant, else as a node."""
        flat = [a for arg in args for a in (arg if isinstance(arg, list) else [arg])]
        try:
            if not any(isinstance(a, Symbolic) for a in flat):
                return ops.call(op, args, {})
            meta = ops.call(op, tuple(_each(a, _shadow) for a in args), {})
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            why = str(error).splitlines()[0][:160] if str(error) else repr(error)
            raise Refusal(f"shapes or types that do not fit: {why}", "check the model") from error
        step = self.step
        name = f"v{len(self.nodes)}"
        kind, shown = (step.op, identifier(step.name)) if step is not None else ("", name)
        self.nodes.append(
            Node(shown, op, tuple(_each(a, _ref) for a in args), {}, (name,), kind=kind)
        )
        return Symbolic(name, meta)


def _each(arg: Any, change: Any) -> Any:
    return [change(a) for a in arg] if isinstance(arg, list) else change(arg)


def _shadow(value: Any) -> Any:
    if isinstance(value, Symbolic):
        return value.meta
    return value.to("meta") if isinstance(value, torch.Tensor) else value


def _ref(value: Any) -> Any:
    return Ref(value.name) if isinstance(value, Symbolic) else value


class Given:
    """What a step is given: inputs by place, attributes by name; none may be left over.

    Parameters
    ----------
    step : Step
    values : mapping of str to Symbolic or tensor
    """

    def __init__(self, step: Step, values: Mapping[str, Value]) -> None:
        self.step, self.values = step, values
        self.left = dict(step.attributes)

    def input(self, place: int) -> Value:
        """Return an input that must be there."""
        found = self.optional(place)
        if found is None:
            raise Refusal(f"has no input {place}", "check the model")
        return found

    def optional(self, place: int) -> Value | None:
        """Return an input, or None."""
        names = self.step.inputs
        name = names[place] if place < len(names) else ""
        if name and name not in self.values:
            raise Refusal(f"reads {name[:60]!r}, which nothing gives", "check the model")
        return self.values[name] if name else None

    def constant(self, place: int) -> torch.Tensor:
        """Return an input that may not depend on the model's input."""
        found = self.input(place)
        if not isinstance(found, torch.Tensor):
            raise Refusal(f"its input {place} is computed from the model's input", "a constant")
        return found

    def numbers(self, place: int, name: str) -> list[int] | None:
        """Return integers that are an input, or an attribute in older versions."""
        if name in self.left:
            return [int(v) for v in self._list(name)]
        found = self.optional(place)
        if found is None:
            return None
        return [int(v) for v in self.constant(place).reshape(-1).tolist()]

    def _list(self, name: str) -> Sequence[Any]:
        found = self.left.pop(name)
        return found if isinstance(found, list) else [found]

    def integer(self, name: str, default: int) -> int:
        """Return an attribute."""
        found = self.left.pop(name, default)
        if type(found) is not int:
            raise Refusal(f"attribute {name} is {str(found)[:40]}", "an integer")
        return found

    def real(self, name: str, default: float) -> float:
        """Return an attribute."""
        found = self.left.pop(name, default)
        if type(found) not in (int, float):
            raise Refusal(f"attribute {name} is {str(found)[:40]}", "a number")
        return float(found)

    def text(self, name: str, default: str) -> str:
        """Return an attribute."""
        return str(self.left.pop(name, default))

    def list(self, name: str, default: Sequence[int]) -> list[int]:
        """Return an attribute of integers."""
        if name not in self.left:
            return [int(v) for v in default]
        return [int(v) for v in self._list(name)]

    def ignore(self, *names: str) -> None:
        """Leave out attributes that say nothing here."""
        for name in names:
            self.left.pop(name, None)

    def done(self) -> None:
        """Raise Refusal when an attribute is left over."""
        if self.left:
            names = ", ".join(sorted(self.left))[:120]
            raise Refusal(f"attributes that are not known: {names}", "a version nnlogic knows")
