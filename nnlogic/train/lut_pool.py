"""Training rows of a LUT-native population: codes on the device, perturbed copies, a teacher."""

from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.data.fetch import cache_dir
from nnlogic.nn.quantizers import InputQuantizer, fit_thresholds
from nnlogic.train.lut_job import Pool
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.teacher import (
    IMAGE_SIDE,
    Ensemble,
    ImageNet,
    fit,
    log_probabilities,
    perceptron,
    shake_image,
    shake_rows,
)

TEACHERS = 3
TEACHER_VERSION = 1
"""Raised when teachers or their training change."""
RANK_COPIES, RANK_SHAKE = 20, 0.5
"""Perturbed copies of the validation images: 6,000 plain ones have a standard error of 0.17 points
near 98 %, which hides the differences between members."""


def is_image(data: Dataset) -> bool:
    """Whether rows are 28 x 28 images of 0..255."""
    return data.x_train.shape[1] == IMAGE_SIDE**2


def untrained_teacher(data: Dataset, x: Tensor) -> Ensemble:
    """Return an untrained teacher for rows like `x`."""
    classes = len(data.class_names)
    if is_image(data):
        return Ensemble([ImageNet(classes)])
    width = 192 if x.shape[1] < 100 else 384
    return Ensemble([perceptron(x, classes, width) for _ in range(TEACHERS)])


def make_teacher(data: Dataset, device: str, progress: Progress = SILENT) -> Ensemble:
    """Train a float teacher on the training rows."""
    torch.manual_seed(1)
    x = torch.from_numpy(data.x_train).to(device)
    y = torch.from_numpy(data.y_train).to(device)
    image = is_image(data)
    steps, batch = (1650, 512) if image else (5000, 1024)
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


def kept_teacher(data: Dataset, device: str, progress: Progress = SILENT) -> Ensemble:
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


def load_teacher(path: Path, data: Dataset, device: str) -> Ensemble:
    """Read the weights that ``torch.save(teacher.state_dict(), path)`` wrote."""
    teacher = untrained_teacher(data, torch.from_numpy(data.x_train[:1000]))
    teacher.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    return teacher.to(device).eval()


def make_thresholds(data: Dataset, recipe: PopulationRecipe) -> list[Tensor]:
    """Return the thresholds of the input codes, per feature."""
    features = data.x_train.shape[1]
    if recipe.input_bits == 1:
        top = float(data.x_train.max())
        return [torch.tensor([(top + 1) / 2 if top > 1 else 0.5])] * features
    if is_image(data):
        # Steps of a power of two: a code is the top bits of a pixel, and costs nothing.
        codes = 1 << recipe.input_bits
        return [torch.arange(1, codes) * (256.0 / codes)] * features
    fitted = fit_thresholds(
        data.x_train, (recipe.input_bits,) * features, method=recipe.input_method
    )
    return [torch.from_numpy(t) for t in fitted]


def make_pool(
    data: Dataset, recipe: PopulationRecipe, teacher: nn.Module | None, device: str
) -> tuple[Pool, list[Tensor]]:
    """Return the rows a recipe trains on, and the thresholds of its codes.

    Raises
    ------
    CheckpointError
        From the quantizer, when thresholds cannot be fitted.
    """
    thresholds = make_thresholds(data, recipe)
    quantizer = InputQuantizer((recipe.input_bits,) * data.x_train.shape[1])
    quantizer.set_thresholds(tuple(t.numpy() for t in thresholds))
    quantizer = quantizer.to(device)

    def encode(x: Tensor) -> Tensor:
        return torch.cat([quantizer(part).to(torch.uint8) for part in x.split(20_000)])

    torch.manual_seed(recipe.seed + 2)
    x = torch.from_numpy(data.x_train).to(device)
    shake = shake_image if is_image(data) else shake_rows
    codes, targets = [], []
    for copy in range(recipe.copies + 1):
        for part in x.split(20_000):
            rows = part if copy == 0 else shake(part, recipe.shake)
            codes.append(encode(rows))
            if teacher is not None:
                targets.append(log_probabilities(teacher, rows))
    y = torch.from_numpy(data.y_train).to(device)
    x_val, y_val = (torch.from_numpy(a).to(device) for a in (data.x_val, data.y_val))
    codes_val = encode(x_val)
    copies = RANK_COPIES if is_image(data) else 0
    pool = Pool(
        plain_rows=len(y),
        codes=torch.cat(codes),
        y=y.repeat(recipe.copies + 1),
        teacher=torch.cat(targets) if targets else None,
        codes_val=codes_val,
        y_val=y_val,
        codes_rank=torch.cat(
            [encode(shake(x_val, RANK_SHAKE)) for _ in range(copies)] or [codes_val]
        ),
        y_rank=y_val.repeat(max(copies, 1)),
        input_bits=recipe.input_bits,
        classes=len(data.class_names),
    )
    return pool, thresholds
