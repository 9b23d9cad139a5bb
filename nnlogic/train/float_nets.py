"""Float nets: perceptrons for rows, a small convolutional net for images, and how they are fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nnlogic.train.tasks import Task

IMAGE_SIDE = 28
REPORT_EVERY = 50


def is_image(rows: Tensor | NDArray) -> bool:
    """Whether rows are 28 x 28 images of 0..255, by their length."""
    return rows.shape[1] == IMAGE_SIDE**2


class Standardize(nn.Module):
    """Subtract the mean and divide by the standard deviation of the training rows."""

    mean: Tensor
    std: Tensor

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", x.mean(0))
        self.register_buffer("std", x.std(0) + 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Return standardized rows."""
        return (x - self.mean) / self.std


class Ensemble(nn.Module):
    """Several networks as one: the mean of their log-probabilities, or of their quantities."""

    def __init__(self, members: list[nn.Module], task: Task) -> None:
        super().__init__()
        self.members, self.task = nn.ModuleList(members), task

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs, shape (rows, outputs)."""
        return self.task.joined([member(x) for member in self.members])


def perceptron(x: Tensor, task: Task, width: int) -> nn.Module:
    """Return an untrained perceptron of three hidden layers for rows like `x`."""
    layers: list[nn.Module] = [Standardize(x)]
    inputs = x.shape[1]
    for _ in range(3):
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.1)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, task.outputs), *task.head())


class ImageNet(nn.Module):
    """Convolutional net for 28 x 28 images given as rows of 0..255."""

    def __init__(self, task: Task, width: int = 48) -> None:
        super().__init__()
        sizes = [1, width, width, 0, 2 * width, 2 * width, 0, 4 * width]
        layers: list[nn.Module] = []
        channels = 1
        for size in sizes[1:]:
            if size == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(channels, size, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(size), nn.ReLU()]
            channels = size
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)]
        self.body = nn.Sequential(*layers, nn.Linear(channels, task.outputs), *task.head())

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs, shape (rows, outputs)."""
        out: Tensor = self.body(x.view(-1, 1, IMAGE_SIDE, IMAGE_SIDE) / 255)
        return out


def shake_image(x: Tensor, amount: float = 1.0) -> Tensor:
    """Rotate, scale, shear and shift images a little; rows of 784 in and out."""
    rows = len(x)

    def draw() -> Tensor:
        return (torch.rand(rows, device=x.device) * 2 - 1) * amount

    angle, scale, shear = draw() * math.radians(10), 1 + 0.08 * draw(), 0.12 * draw()
    aspect, shift_x, shift_y = 1 + 0.06 * draw(), draw() * 1.6 / 14, draw() * 1.6 / 14
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    top = torch.stack([cos * aspect, shear - sin, shift_x], 1)
    bottom = torch.stack([sin, cos / aspect, shift_y], 1)
    images = x.view(rows, 1, IMAGE_SIDE, IMAGE_SIDE)
    grid = functional.affine_grid(torch.stack([top, bottom], 1), list(images.shape), False)
    return functional.grid_sample(images, grid, align_corners=False).view(rows, -1)


def shake_rows(x: Tensor, amount: float = 1.0) -> Tensor:
    """Add Gaussian noise of a twentieth of each feature's standard deviation."""
    return x + 0.05 * amount * x.std(0) * torch.randn_like(x)


def fit(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    task: Task,
    *,
    steps: int,
    batch: int,
    image: bool,
    rate: float,
    advance: Callable[[int], None],
) -> nn.Module:
    """Train a teacher with AdamW under a one-cycle rate; returns it in eval mode.

    `advance` is called with the number of steps done since its last call.
    """
    net = net.to(x.device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate / 2, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    shake = shake_image if image else shake_rows
    kind = x.device.type
    for number in range(1, steps + 1):
        rows = torch.randint(len(x), (batch,), device=x.device)
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=image and kind == "cuda"):
            scores = net(shake(x[rows]))
            loss = task.loss(scores.float(), y[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if number % REPORT_EVERY == 0:
            advance(REPORT_EVERY)
    return net.eval()
