"""Classes: the output with the largest score is the one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nnlogic.quant.ir import QuantNet
from nnlogic.train.tasks.task import Task


class Classification(Task):
    """Scores of classes, trained by cross-entropy.

    Parameters
    ----------
    outputs : int
        Classes.
    counts : int tensor, shape (classes,), optional
        Training rows of each.
    balance : float
        A row of class c weighs ``(rows / (classes * rows of c)) ** balance``.
    """

    relative = True

    def __init__(self, outputs: int, counts: Tensor | None = None, balance: float = 0.0) -> None:
        self.outputs = outputs
        self.class_weights: Tensor | None = None
        if balance and counts is not None:
            even = counts.sum() / (outputs * counts.clamp(min=1))
            self.class_weights = even.float() ** balance

    def wanted(self, y: NDArray) -> Tensor:
        """Return the classes, int64, shape (rows,)."""
        return torch.from_numpy(y)

    def _own_weights(self, like: Tensor) -> Tensor | None:
        if self.class_weights is not None and self.class_weights.device != like.device:
            self.class_weights = self.class_weights.to(like.device)
        return self.class_weights

    def loss(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the cross-entropy, a row counting as much as its class."""
        members = found.shape[0] if found.dim() == 3 else 1
        labels = wanted.repeat(members)
        return functional.cross_entropy(found.flatten(0, -2), labels, self._own_weights(found))

    def losses(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the cross-entropy of each row, times the weight of its class."""
        own = self._own_weights(found)
        return functional.cross_entropy(found, wanted, own, reduction="none")

    def pulls(self, found: Tensor, taught: Tensor, temperature: float) -> Tensor:
        """Return the cross-entropy against the teacher's distribution, both softened."""
        target = torch.softmax(taught.to(found.dtype) / temperature, -1)
        mine = functional.log_softmax(found / temperature, -1)
        return -(target * mine).sum(-1)

    def merit(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return 1 where the largest score is the class's, the lowest class winning ties."""
        # torch.argmax promises nothing about ties.
        order = torch.arange(self.outputs, 0, -1, device=found.device)
        winner = ((found == found.amax(-1, keepdim=True)) * order).argmax(-1)
        return (winner == wanted).double()

    def weights(self, wanted: Tensor) -> Tensor | None:
        """Return the weight of the class of each row."""
        own = self._own_weights(wanted)
        return None if own is None else own[wanted]

    def taught(self, outputs: Tensor) -> Tensor:
        """Return log-probabilities, float16."""
        return functional.log_softmax(outputs, 1).half()

    def given(self, said: NDArray) -> Tensor:
        """Return log-probabilities, float16."""
        return torch.from_numpy(said).half()

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the mean of the log-probabilities."""
        return torch.stack([functional.log_softmax(part, 1) for part in parts]).mean(0)

    def measured(self, parts: dict[str, tuple[NDArray, NDArray]]) -> dict[str, Any]:
        """Return the share of rows that are right."""
        return {"accuracy": {name: float(np.mean(f == y)) for name, (f, y) in parts.items()}}

    def exact(self, net: QuantNet, x: NDArray) -> NDArray:
        """Return the class of each row."""
        return net.evaluate(net.encode(x))[:, -1]

    def said(self, outputs: Tensor) -> NDArray:
        """Return the class of each row."""
        return outputs.argmax(1).cpu().numpy()

    def in_words(self, merit: float) -> str:
        """Return an accuracy in words."""
        return f"{100 * merit:.2f} %"
