"""The float twin: what the same network reaches without rounding."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnlogic.core.progress import Progress
from nnlogic.data import Dataset
from nnlogic.nn.network import Network
from nnlogic.train.epochs import EpochSteps
from nnlogic.train.recipe import Recipe
from nnlogic.train.rows import TrainingRows

FLOAT_IS = (
    "the same widths and connections, trained with float32 weights, activations that clip but "
    "do not round, and standardized features"
)


def train_float_twin(
    network: Network,
    dataset: Dataset,
    recipe: Recipe,
    device: torch.device,
    progress: Progress,
) -> float:
    """Train a network's float twin, `FLOAT_IS`, and return its accuracy on the test rows.

    Parameters
    ----------
    network : Network
        Gives widths and connections; not changed.
    dataset : Dataset
    recipe : Recipe
    device : torch.device
    progress : Progress
    """
    twin = Network(network.arch, seed=recipe.seed, fan_in_limit=recipe.fan_in_limit).to(device)
    twin.set_quantized(False)
    for own, other in zip(twin.blocks, network.blocks, strict=True):
        own.linear.mask.copy_(other.linear.mask)
    mean = dataset.x_train.mean(axis=0, dtype=np.float64)
    spread = dataset.x_train.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1.0

    def standard(x: np.ndarray) -> Tensor:
        return torch.from_numpy(((x - mean) / spread).astype(np.float32)).to(device)

    def predict(x: Tensor) -> Tensor:
        return twin.body(x).argmax(1)

    rows = TrainingRows(
        x=standard(dataset.x_train),
        y=torch.from_numpy(dataset.y_train).to(device),
        x_val=standard(dataset.x_val),
        y_val=torch.from_numpy(dataset.y_val).to(device),
    )
    steps = EpochSteps(
        twin,
        rows,
        recipe,
        epochs=recipe.float_epochs,
        score=twin.body,
        predict=predict,
        prune=False,
    )
    with progress.step("train the float twin", recipe.float_epochs) as step:
        while not steps.finished:
            loss, accuracy = steps.run_epoch()
            step.advance(1, f"loss {loss:.4f}, validation {100 * accuracy:.2f} %")
    steps.keep_best()
    with torch.no_grad():
        found = predict(standard(dataset.x_test)).cpu().numpy()
    return float(np.mean(found == dataset.y_test))
