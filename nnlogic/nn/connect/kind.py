"""What a kind of connections says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from nnlogic.nn.connect import Connection


@dataclass(frozen=True, slots=True)
class Ends:
    """What is to be connected.

    Attributes
    ----------
    inputs, outputs : int
    fan_in : int
        Wires an output reads, 1 to `inputs`.
    channels : int
        Of a window, whose wires are tap-major, channel-minor; 0 where the inputs are none.
    """

    inputs: int
    outputs: int
    fan_in: int
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connections. A file in this folder names its own as ``CONNECT``.

    Attributes
    ----------
    name : str
        As it is shown to users.
    pattern : str
        Regular expression of what a recipe may say; the name itself when empty.
    make : callable, optional
        ``(text of the recipe, ends, generator)`` to connections; without, of linear sums only.
    fixed : bool
        Whether `make` gives wires that training does not change.
    groups : callable, optional
        ``(text, inputs)`` to a number of runs of consecutive wires, equally long, in each of which
        every output reads equally many. Linear sums start dense, and are cut in each run.
    fan_in : callable, optional
        ``(text, inputs)`` to the fan-in that the text itself says.
    """

    name: str
    pattern: str = ""
    make: Callable[[str, Ends, torch.Generator | None], Connection] | None = None
    fixed: bool = False
    groups: Callable[[str, int], int] | None = None
    fan_in: Callable[[str, int], int] | None = None

    def matches(self, text: str) -> bool:
        """Whether a recipe that says `text` means this kind."""
        return re.fullmatch(self.pattern or re.escape(self.name), text) is not None
