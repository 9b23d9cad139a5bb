"""Float teachers: what networks are measured against, and may learn from.

A recipe of layers trains one perceptron; populations learn from an ensemble that is trained once
for a data set and kept.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.data.fetch import cache_dir
from nnlogic.train.float_nets import (
    Ensemble,
    ImageNet,
    fit,
    is_image,
    log_probabilities,
    perceptron,
)
from nnlogic.train.recipe import Recipe

WIDTH = 128
RATE = 4e-3
ONE_FLOAT_IS = (
    f"a float32 perceptron of three hidden layers of {WIDTH}, with batch-norm and dropout, on "
    "standardized features"
)
KEPT_FLOAT_IS = "the float teacher the recipe distils from"
TEACHERS = 3
TEACHER_VERSION = 1
"""Raised when kept teachers or their training change."""
STEPS, BATCH, IMAGE_STEPS, IMAGE_BATCH = 5000, 1024, 1650, 512


@dataclass(frozen=True, eq=False)
class Taught:
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


def teach(dataset: Dataset, recipe: Recipe, device: torch.device, progress: Progress) -> Taught:
    """Train a float teacher, `ONE_FLOAT_IS`, on the training rows.

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

    return Taught(
        log_probabilities(net, x),
        accuracy(net, dataset.x_test, dataset.y_test, device),
        accuracy(net, dataset.x_val, dataset.y_val, device),
    )


@torch.no_grad()
def accuracy(net: nn.Module, x: NDArray, y: NDArray, device: torch.device | str) -> float:
    """Return the share of rows a float net classifies right."""
    found = log_probabilities(net, torch.from_numpy(x).to(device)).argmax(1)
    return float((found == torch.from_numpy(y).to(device)).double().mean())


def untrained_teacher(data: Dataset, x: Tensor) -> Ensemble:
    """Return an untrained teacher for rows like `x`."""
    classes = len(data.class_names)
    if is_image(data.x_train):
        return Ensemble([ImageNet(classes)])
    width = 192 if x.shape[1] < 100 else 384
    return Ensemble([perceptron(x, classes, width) for _ in range(TEACHERS)])


def make_teacher(
    data: Dataset, device: torch.device | str, progress: Progress = SILENT
) -> Ensemble:
    """Train a float teacher on the training rows."""
    torch.manual_seed(1)
    x = torch.from_numpy(data.x_train).to(device)
    y = torch.from_numpy(data.y_train).to(device)
    image = is_image(data.x_train)
    steps, batch = (IMAGE_STEPS, IMAGE_BATCH) if image else (STEPS, BATCH)
    teacher = untrained_teacher(data, x)
    total = steps * len(teacher.members)
    with progress.step(f"train the teacher on {device}", total=total) as step:
        for member in teacher.members:
            fit(
                member,
                x,
                y,
                steps=steps,
                batch=batch,
                image=image,
                rate=4e-3,
                advance=step.advance,
            )
    return teacher.eval()


def kept_teacher(
    data: Dataset, device: torch.device | str, progress: Progress = SILENT
) -> Ensemble:
    """Return the teacher of a data set, trained once per kind of device and kept in the cache."""
    kind = torch.device(device).type
    path = cache_dir() / "teachers" / f"{data.name}-{data.digest}-{kind}-{TEACHER_VERSION}.pt"
    try:
        return load_teacher(path, data, device)
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.PickleError):
        teacher = make_teacher(data, device, progress)
    buffer = io.BytesIO()
    torch.save(teacher.state_dict(), buffer)
    # A cache that cannot be written costs time, nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, buffer.getvalue())
    return teacher


def load_teacher(path: Path, data: Dataset, device: torch.device | str) -> Ensemble:
    """Read the weights that ``torch.save(teacher.state_dict(), path)`` wrote."""
    teacher = untrained_teacher(data, torch.from_numpy(data.x_train[:1000]))
    teacher.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    return teacher.to(device).eval()


def saved_teacher(
    weights: Mapping[str, Any], data: Dataset, device: torch.device | str
) -> Ensemble:
    """Return the teacher with the weights that the state of a run keeps."""
    teacher = untrained_teacher(data, torch.from_numpy(data.x_train))
    teacher.load_state_dict(weights)
    return teacher.to(device).eval()
