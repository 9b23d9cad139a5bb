"""Training rows of a population: codes on the device, perturbed copies, rows for ranking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.data import Dataset
from nnlogic.nn.quantizers import FeatureQuantizer, fit_thresholds
from nnlogic.train.float_nets import is_image, shake_image, shake_rows
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.rows import TrainingRows
from nnlogic.train.tasks import Task

RANK_COPIES, RANK_SHAKE = 20, 0.5
"""Perturbed copies of the validation images: 6,000 plain ones have a standard error of 0.17 points
near 98 %, which hides the differences between members."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PopulationRows(TrainingRows):
    """Rows of a population: perturbed copies among them.

    Attributes
    ----------
    x_rank, y_rank : tensors
        Rows members are ranked on; never test rows.
    input_bits : int
    plain_rows : int
        How many rows, the first, are not perturbed.
    """

    x_rank: Tensor
    y_rank: Tensor
    input_bits: int
    plain_rows: int

    def centres(self, count: int) -> Tensor:
        """Return code quantiles of every feature, (features, count)."""
        ordered = self.x[:: max(1, len(self.x) // 100_000)].sort(0).values
        at = [(k + 0.5) / max(count, 1) * (len(ordered) - 1) for k in range(count)]
        return ordered[torch.tensor(at).long().to(ordered.device)].t().float().cpu()

    def recode(self, bits: int) -> Tensor:
        """Return codes of fewer bits by quantiles, int64, (features, 2**input_bits)."""
        codes = self.x[:: max(1, len(self.x) // 100_000)].long().cpu()
        size = 1 << self.input_bits
        out = torch.zeros((codes.shape[1], size), dtype=torch.int64)
        for i in range(codes.shape[1]):
            count = torch.bincount(codes[:, i], minlength=size).double()
            middle = (count.cumsum(0) - count / 2) / count.sum()
            out[i] = (middle * (1 << bits)).long().clamp(max=(1 << bits) - 1)
        return out


def make_thresholds(data: Dataset, recipe: PopulationRecipe) -> list[Tensor]:
    """Return the thresholds of the input codes, per feature."""
    features = data.x_train.shape[1]
    if recipe.input_bits == 1:
        top = float(data.x_train.max())
        return [torch.tensor([(top + 1) / 2 if top > 1 else 0.5])] * features
    if is_image(data.x_train):
        # Steps of a power of two: a code is the top bits of a pixel, and costs nothing.
        codes = 1 << recipe.input_bits
        return [torch.arange(1, codes) * (256.0 / codes)] * features
    x, channels = data.x_train, features
    labels = None if data.targets else data.y_train
    if recipe.windows:
        # The places of a map are coded alike: they share their kernels.
        channels = math.prod(recipe.frame[:-2])
        x = x.reshape(-1, channels)
        if recipe.input_bits > 1 and x.min() >= 0 and np.array_equal(x, np.rint(x)):
            # Whole numbers, those of an ADC: their top bits, which cost nothing.
            step = 1 << max(0, int(x.max()).bit_length() - recipe.input_bits)
            return [torch.arange(1, 1 << recipe.input_bits) * step - 0.5] * features
        labels = None if labels is None else labels.repeat(features // channels)
    bits = (recipe.input_bits,) * channels
    fitted = fit_thresholds(x, bits, method=recipe.input_method, labels=labels)
    return [torch.from_numpy(t) for t in fitted] * (features // channels)


def make_rows(
    data: Dataset,
    recipe: PopulationRecipe,
    task: Task,
    teacher: nn.Module | None,
    device: torch.device | str,
) -> tuple[PopulationRows, list[Tensor]]:
    """Return the rows a recipe trains on, and the thresholds of its codes.

    Raises
    ------
    CheckpointError
        From the quantizer, when thresholds cannot be fitted.
    """
    thresholds = make_thresholds(data, recipe)
    quantizer = FeatureQuantizer((recipe.input_bits,) * data.x_train.shape[1])
    quantizer.set_thresholds(tuple(t.numpy() for t in thresholds))
    quantizer = quantizer.to(device)

    def encode(x: Tensor) -> Tensor:
        return torch.cat([quantizer(part).to(torch.uint8) for part in x.split(20_000)])

    torch.manual_seed(recipe.seed + 2)
    x = torch.from_numpy(data.x_train).to(device)
    shake = shake_image if is_image(data.x_train) else shake_rows
    codes, targets = [], []
    for copy in range(recipe.copies + 1):
        for part in x.split(20_000):
            rows = part if copy == 0 else shake(part, recipe.shake)
            codes.append(encode(rows))
            if teacher is not None:
                targets.append(task.teach(teacher, rows))
    if data.taught is not None and recipe.distill:
        targets = [task.given(data.taught).to(device)] * (recipe.copies + 1)
    y, y_val = (task.wanted(labels).to(device) for labels in (data.y_train, data.y_val))
    x_val = torch.from_numpy(data.x_val).to(device)
    codes_val = encode(x_val)
    copies = RANK_COPIES if is_image(data.x_train) else 0
    rows = PopulationRows(
        plain_rows=len(y),
        x=torch.cat(codes),
        y=torch.cat([y] * (recipe.copies + 1)),
        teacher=torch.cat(targets) if targets else None,
        x_val=codes_val,
        y_val=y_val,
        x_rank=torch.cat([encode(shake(x_val, RANK_SHAKE)) for _ in range(copies)] or [codes_val]),
        y_rank=torch.cat([y_val] * max(copies, 1)),
        task=task,
        input_bits=recipe.input_bits,
    )
    return rows, thresholds
