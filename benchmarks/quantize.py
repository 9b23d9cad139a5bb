"""What each step of `nnlogic.quantize` costs on scikit-learn's digits; the figures of its page.

Usage: python -m benchmarks.quantize
"""

from __future__ import annotations

import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import nnlogic

TRAINED = 0.7
"""Share of the rows that the float network is trained on."""


def float_network(rows: np.ndarray, labels: np.ndarray) -> nn.Module:
    """Train 64 + 32 hidden neurons on the first rows."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    count = int(TRAINED * len(rows))
    x, y = torch.from_numpy(rows[:count]), torch.from_numpy(labels[:count])
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    return module.eval()


def main() -> None:
    """Print a table with the defaults, and one with all connections kept."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.data))
    rows, labels = (data.data / 16).astype(np.float32)[order], data.target[order]
    module = float_network(rows, labels)
    for options in ({}, {"fan_in": 0, "bits": 3}):
        start = time.perf_counter()
        found = nnlogic.quantize(module, rows, labels, steps=1500, **options)
        print(f"\n{options or 'defaults'}, {time.perf_counter() - start:.0f} s\n{found.text()}")


if __name__ == "__main__":
    main()
