"""Training rows on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nnlogic.train.tasks import Task


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingRows:
    """Tensors on the training device; test rows are never among them.

    Attributes
    ----------
    x, x_val : tensors, shape (rows, features)
        Input codes, uint8; of a float twin standardized features.
    y, y_val : tensors, shape (rows, ...)
        What outputs are compared with, as `task` wants it.
    task : Task
    teacher : tensor, shape (rows, outputs), or None
        What a teacher says of `x`, as `task` has it.
    """

    x: Tensor
    y: Tensor
    x_val: Tensor
    y_val: Tensor
    task: Task
    teacher: Tensor | None = None
