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
from torch import Tensor

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.data.fetch import cache_dir
from nnlogic.train.float_nets import (
    Ensemble,
    ImageNet,
    fit,
    is_image,
    perceptron,
)
from nnlogic.train.recipe import Recipe
from nnlogic.train.tasks import Task

WIDTH = 128
RATE = 4e-3
ONE_FLOAT_IS = (
    f"a float32 perceptron of three hidden layers of {WIDTH}, with batch-norm and dropout, on "
    "standardized features"
)
KEPT_FLOAT_IS = "the float teacher the recipe distils from"
GIVEN_FLOAT_IS = "none: the teacher was given, and its accuracy on these rows is not known"
TEACHERS = 3
TEACHER_VERSION = 1
"""Raised when kept teachers or their training change."""
STEPS, BATCH, IMAGE_STEPS, IMAGE_BATCH = 5000, 1024, 1650, 512


@dataclass(frozen=True, eq=False)
class Taught:
    """What a teacher gave.

    Attributes
    ----------
    targets : tensor, shape (training rows, outputs)
        As the task has them, see `Task.taught`.
    test, validation : array, or None
        What it says of these rows; None of a teacher that was given.
    """

    targets: Tensor
    test: NDArray | None = None
    validation: NDArray | None = None


def teach(
    dataset: Dataset, recipe: Recipe, task: Task, device: torch.device, progress: Progress
) -> Taught:
    """Train a float teacher, `ONE_FLOAT_IS`, on the training rows; or take what one has said.

    Parameters
    ----------
    dataset : Dataset
    recipe : Recipe
        Gives seed, batch, and `float_epochs` over all training rows.
    task : Task
    device : torch.device
    progress : Progress
    """
    if dataset.taught is not None:
        return Taught(task.given(dataset.taught).to(device))
    x = torch.from_numpy(dataset.x_train).to(device)
    y = task.wanted(dataset.y_train).to(device)
    batch = min(recipe.batch, len(x))
    steps = max(1, recipe.float_epochs * len(x) // batch)
    cuda = [device] if device.type == "cuda" else []
    with (
        progress.step("train the float teacher", total=steps) as step,
        torch.random.fork_rng(cuda),
    ):
        torch.manual_seed(recipe.seed)
        net = perceptron(x, task, WIDTH)
        net = fit(
            net,
            x,
            y,
            task,
            steps=steps,
            batch=batch,
            image=False,
            rate=RATE,
            advance=step.advance,
        )

    return Taught(
        task.teach(net, x),
        task.said_by(net, dataset.x_test, device),
        task.said_by(net, dataset.x_val, device),
    )


def untrained_teacher(data: Dataset, x: Tensor, task: Task) -> Ensemble:
    """Return an untrained teacher for rows like `x`."""
    if is_image(data.x_train):
        return Ensemble([ImageNet(task)], task)
    width = 192 if x.shape[1] < 100 else 384
    return Ensemble([perceptron(x, task, width) for _ in range(TEACHERS)], task)


def make_teacher(
    data: Dataset, task: Task, device: torch.device | str, progress: Progress = SILENT
) -> Ensemble:
    """Train a float teacher on the training rows."""
    torch.manual_seed(1)
    x = torch.from_numpy(data.x_train).to(device)
    y = task.wanted(data.y_train).to(device)
    image = is_image(data.x_train)
    steps, batch = (IMAGE_STEPS, IMAGE_BATCH) if image else (STEPS, BATCH)
    teacher = untrained_teacher(data, x, task)
    total = steps * len(teacher.members)
    with progress.step(f"train the teacher on {device}", total=total) as step:
        for member in teacher.members:
            fit(
                member,
                x,
                y,
                task,
                steps=steps,
                batch=batch,
                image=image,
                rate=4e-3,
                advance=step.advance,
            )
    return teacher.eval()


def kept_teacher(
    data: Dataset, task: Task, device: torch.device | str, progress: Progress = SILENT
) -> Ensemble:
    """Return the teacher of a data set, trained once per kind of device and kept in the cache."""
    kind = torch.device(device).type
    name = f"{data.name}-{data.digest}-{task.teacher_name}{kind}-{TEACHER_VERSION}.pt"
    path = cache_dir() / "teachers" / name
    try:
        return load_teacher(path, data, task, device)
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.PickleError):
        teacher = make_teacher(data, task, device, progress)
    buffer = io.BytesIO()
    torch.save(teacher.state_dict(), buffer)
    # A cache that cannot be written costs time, nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, buffer.getvalue())
    return teacher


def load_teacher(path: Path, data: Dataset, task: Task, device: torch.device | str) -> Ensemble:
    """Read the weights that ``torch.save(teacher.state_dict(), path)`` wrote."""
    teacher = untrained_teacher(data, torch.from_numpy(data.x_train[:1000]), task)
    teacher.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    return teacher.to(device).eval()


def saved_teacher(
    weights: Mapping[str, Any], data: Dataset, task: Task, device: torch.device | str
) -> Ensemble:
    """Return the teacher with the weights that the state of a run keeps."""
    teacher = untrained_teacher(data, torch.from_numpy(data.x_train), task)
    teacher.load_state_dict(weights)
    return teacher.to(device).eval()
