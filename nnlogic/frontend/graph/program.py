"""A graph of operations of aten, wherever it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Ref:
    """A tensor that the graph computes, by name.

    Raises
    ------
    TypeError
        The name is no text: files of others are untyped.
    """

    name: str

    def __post_init__(self) -> None:
        _texts(self.name)


@dataclass(frozen=True)
class Symbol:
    """A size that is known only when the module runs: that of the batch."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes
    ----------
    name : str
    op : str
        ``"linear.default"`` of the operations of aten; of others with their name space.
    args, kwargs
        Constants and `Ref`.
    outputs : tuple of str
        Names of the tensors it gives.
    line : str
        Where in the user's program it comes from.
    kind : str
        What the user calls the operation; by default its name in aten.
    """

    name: str
    op: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[str, ...]
    line: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        _texts(self.name, self.op, *self.kwargs, *self.outputs, self.line, self.kind)


@dataclass(frozen=True)
class Graph:
    """A module as operations in order.

    Attributes
    ----------
    name : str
    inputs : mapping of str to (dtype, shape)
        What the user gives; the first size, of the batch, is that of the example.
    constants : mapping of str to Tensor
    nodes : tuple of Node
    outputs : tuple of str
    fix : str
        How to make the file again.
    """

    name: str
    inputs: Mapping[str, tuple[torch.dtype, tuple[int, ...]]]
    constants: Mapping[str, torch.Tensor]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    fix: str = ""

    def __post_init__(self) -> None:
        _texts(self.name, *self.inputs, *self.constants, *self.outputs, self.fix)


def _texts(*names: object) -> None:
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"a name is no text: {str(wrong[0])[:60]}")
