"""The float twin: what the same network reaches without rounding."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.progress import Progress
from nnlogic.data import Dataset
from nnlogic.nn.network import Network
from nnlogic.train.epochs import EpochSteps
from nnlogic.train.recipe import Recipe
from nnlogic.train.rows import TrainingRows
from nnlogic.train.tasks import Regression, Task

FLOAT_IS = (
    "the same widths and connections, trained with float32 weights, activations that clip but "
    "do not round, and standardized features"
)


def train_float_twin(
    network: Network,
    dataset: Dataset,
    recipe: Recipe,
    task: Task,
    device: torch.device,
    progress: Progress,
) -> NDArray:
    """Train a network's float twin, `FLOAT_IS`, and return what it says of the test rows.

    Parameters
    ----------
    network : Network
        Gives widths and connections; not changed.
    dataset : Dataset
    recipe : Recipe
    task : Task
    device : torch.device
    progress : Progress
    """
    twin = Network(network.arch, seed=recipe.seed, fan_in_limit=recipe.fan_in_limit).to(device)
    if isinstance(task, Regression):
        twin.quantities = task.quantities
        twin.start_at(task.middle, task.spread)
    twin.set_quantized(False)
    for own, other in zip(twin.blocks, network.blocks, strict=True):
        own.linear.mask.copy_(other.linear.mask)
    mean = dataset.x_train.mean(axis=0, dtype=np.float64)
    spread = dataset.x_train.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1.0

    def standard(x: np.ndarray) -> Tensor:
        return torch.from_numpy(((x - mean) / spread).astype(np.float32)).to(device)

    def outputs(x: Tensor) -> Tensor:
        return twin.outputs(twin.body(x))

    rows = TrainingRows(
        x=standard(dataset.x_train),
        y=task.wanted(dataset.y_train).to(device),
        x_val=standard(dataset.x_val),
        y_val=task.wanted(dataset.y_val).to(device),
        task=task,
    )
    steps = EpochSteps(
        twin,
        rows,
        recipe,
        epochs=recipe.float_epochs,
        outputs=outputs,
        exact=outputs,
        prune=False,
    )
    with progress.step("train the float twin", recipe.float_epochs) as step:
        while not steps.finished:
            loss, merit = steps.run_epoch()
            step.advance(1, f"loss {loss:.4f}, validation {task.in_words(merit)}")
    steps.keep_best()
    with torch.no_grad():
        return task.said(outputs(standard(dataset.x_test)))
