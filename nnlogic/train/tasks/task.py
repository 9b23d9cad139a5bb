"""What a network is trained for: what its outputs are compared with, and how good that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.quant.ir import QuantNet
from nnlogic.quant.quantity import Quantity

CHUNK = 20_000


class Task(ABC):
    """What outputs are trained to be.

    Outputs have the shape (..., rows, outputs), with an axis of members in front where there are
    many. Losses are means over everything.

    Attributes
    ----------
    relative : bool
        Whether outputs are scores, compared with each other only.
    teacher_name : str
        Tells teachers that are kept for one data set apart.
    outputs : int
    quantities : tuple of Quantity
        What codes 0, 1, ... of the outputs stand for; empty where they are scores.
    """

    relative: ClassVar[bool]
    teacher_name: str = ""
    outputs: int
    quantities: tuple[Quantity, ...] = ()

    @abstractmethod
    def wanted(self, y: NDArray) -> Tensor:
        """Return what outputs are compared with, (rows, ...), of the labels of a data set."""

    @abstractmethod
    def loss(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss of outputs."""

    @abstractmethod
    def losses(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss of each row, of outputs without members."""

    @abstractmethod
    def pulls(self, found: Tensor, taught: Tensor, temperature: float) -> Tensor:
        """Return the loss of each row against a teacher, what it says as `taught` has it."""

    def pull(self, found: Tensor, taught: Tensor, temperature: float) -> Tensor:
        """Return the loss of outputs against those of a teacher."""
        return self.pulls(found, taught, temperature).mean()

    @abstractmethod
    def merit(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return how good each row is, (..., rows); more is better."""

    def weights(self, wanted: Tensor) -> Tensor | None:
        """Return how much each row counts in choosing, (rows,); None where all count alike."""
        return None

    @abstractmethod
    def taught(self, outputs: Tensor) -> Tensor:
        """Return what a network learns from, of the outputs of a teacher."""

    @abstractmethod
    def given(self, said: NDArray) -> Tensor:
        """Return what a network learns from, of what a teacher that was given says.

        Log-probabilities, or quantities in the user's units, (rows, outputs).
        """

    @abstractmethod
    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the outputs of several teachers as those of one."""

    def head(self) -> list[nn.Module]:
        """Return what follows the last layer of a float net, for its outputs to be of this task."""
        return []

    @abstractmethod
    def measured(self, parts: dict[str, tuple[NDArray, NDArray]]) -> dict[str, Any]:
        """Return figures for the checkpoint.

        Parameters
        ----------
        parts : dict of str to (found, labels)
            By name of the figure; what was found is as `exact` or `said` return it.
        """

    @abstractmethod
    def exact(self, net: QuantNet, x: NDArray) -> NDArray:
        """Return what a network says of raw rows: classes, or quantities in the user's units."""

    @abstractmethod
    def said(self, outputs: Tensor) -> NDArray:
        """Return the same of outputs, (rows, outputs)."""

    @abstractmethod
    def in_words(self, merit: float) -> str:
        """Return the mean of `merit` in words."""

    @torch.no_grad()
    def teach(self, teacher: nn.Module, x: Tensor) -> Tensor:
        """Return what a network learns from a teacher on raw rows, (rows, outputs)."""
        return torch.cat([self.taught(teacher(part).float()) for part in x.split(CHUNK)])

    @torch.no_grad()
    def said_by(self, net: nn.Module, x: NDArray, device: torch.device | str) -> NDArray:
        """Return what a float net says of raw rows."""
        rows = torch.from_numpy(x).to(device)
        return self.said(torch.cat([net(part).float() for part in rows.split(CHUNK)]))
