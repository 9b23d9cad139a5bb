"""What the trainer drives: one network, or many members at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.progress import Progress
from nnlogic.quant.ir import QuantNet


class Trainable(Protocol):
    """A training run of a recipe on a data set, from its first step to its checkpoint.

    Made from (recipe, dataset, device), which checks that they fit and costs little; then
    `prepare`, rounds of `advance` until `finished`, and `finish`.
    """

    save_seconds: ClassVar[float]
    """Least seconds between two saves of the state."""

    @property
    def one_thread(self) -> bool:
        """Whether sums must not be split over threads, to round alike on any number of cores."""

    @property
    def title(self) -> str:
        """What it does, in a few words."""

    @property
    def model(self) -> nn.Module:
        """What is trained: the parameters of all members."""

    @property
    def members(self) -> int:
        """Networks trained at once."""

    @property
    def total(self) -> int:
        """Rounds or steps in all."""

    @property
    def done(self) -> int:
        """Of these, how many are done."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do but `finish`."""

    def begin_with(self, checkpoint: Path) -> None:
        """Take over the weights of another network, before anything is prepared.

        Raises
        ------
        UsageError
            Networks of this kind do not.
        """

    def prepare(self, saved: Mapping[str, Any] | None, progress: Progress) -> None:
        """Bring rows and teacher to the device, and go on from a saved `state` if there is one."""

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of a batch of training rows, given by their indices, with gradients."""

    def advance(self) -> str:
        """Take a round of steps; return what to tell of it."""

    def state(self) -> dict[str, Any]:
        """Return all that `prepare` needs to go on; tensors and plain values only."""

    def finish(self, progress: Progress) -> None:
        """Put the best weights in place, and do what follows the last step."""

    def merits(self) -> NDArray[np.floating]:
        """Return how good every member is, exactly, on the validation rows, shape (members,)."""

    def quantnet(self, member: int) -> QuantNet:
        """Return a member as it is compiled."""

    def best(self) -> int:
        """Return the member to keep, chosen without test rows."""

    def measure(self, progress: Progress) -> dict[str, Any]:
        """Return the figures of the best member, see `TrainResult`; uses the test rows."""

    def facts(self) -> dict[str, Any]:
        """Return what the checkpoint says of its training, JSON data."""

    def write(self, path: Path, info: Mapping[str, Any]) -> None:
        """Write the checkpoint of the best member with its golden rows."""

    @property
    def epochs(self) -> tuple[int, int]:
        """Epochs run, and the one whose weights were kept; zeros where steps are counted."""
