"""Training rows on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingRows:
    """Tensors on the training device; test rows are never among them.

    Attributes
    ----------
    x, x_val : tensors, shape (rows, features)
        Input codes, uint8; of a float twin standardized features.
    y, y_val : int64 tensors, shape (rows,)
    teacher : float16 tensor, shape (rows, classes), or None
        A teacher's log-probabilities for `x`.
    """

    x: Tensor
    y: Tensor
    x_val: Tensor
    y_val: Tensor
    teacher: Tensor | None = None
