"""The float teacher of a stack: what it is measured against, and may learn from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nnlogic.core.progress import Progress
from nnlogic.data import Dataset
from nnlogic.train.recipe import Recipe
from nnlogic.train.teacher import fit, log_probabilities, perceptron

WIDTH = 128
RATE = 4e-3
FLOAT_IS = (
    f"a float32 perceptron of three hidden layers of {WIDTH}, with batch-norm and dropout, on "
    "standardized features"
)


@dataclass(frozen=True, eq=False)
class Teacher:
    """What a teacher gave.

    Attributes
    ----------
    targets : float16 tensor, shape (training rows, classes)
        Log-probabilities.
    test, validation : float
        Its accuracy.
    """

    targets: Tensor
    test: float
    validation: float


def teach(dataset: Dataset, recipe: Recipe, device: torch.device, progress: Progress) -> Teacher:
    """Train a float teacher, `FLOAT_IS`, on the training rows.

    Parameters
    ----------
    dataset : Dataset
    recipe : Recipe
        Gives seed, batch, and `float_epochs` over all training rows.
    device : torch.device
    progress : Progress
    """
    x = torch.from_numpy(dataset.x_train).to(device)
    y = torch.from_numpy(dataset.y_train).to(device)
    batch = min(recipe.batch, len(x))
    steps = max(1, recipe.float_epochs * len(x) // batch)
    cuda = [device] if device.type == "cuda" else []
    with (
        progress.step("train the float teacher", total=steps) as step,
        torch.random.fork_rng(cuda),
    ):
        torch.manual_seed(recipe.seed)
        net = perceptron(x, len(dataset.class_names), WIDTH)
        net = fit(
            net,
            x,
            y,
            steps=steps,
            batch=batch,
            image=False,
            rate=RATE,
            advance=step.advance,
        )

    def accuracy(rows: Tensor, labels: Tensor) -> float:
        return float((log_probabilities(net, rows).argmax(1) == labels).double().mean())

    return Teacher(
        log_probabilities(net, x),
        accuracy(
            torch.from_numpy(dataset.x_test).to(device),
            torch.from_numpy(dataset.y_test).to(device),
        ),
        accuracy(
            torch.from_numpy(dataset.x_val).to(device), torch.from_numpy(dataset.y_val).to(device)
        ),
    )
