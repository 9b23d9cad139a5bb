"""Rank networks of sweeps on perturbed copies of the validation rows; test rows are not read.

    python -m benchmarks.zoo.rank NAME SWEEP.npz ... --data DIR [--copies 20]

Plain validation rows are few (6,000 for MNIST, a standard error of 0.17 points near 98 %), so
members that differ by less look alike; copies perturbed as in training tell them apart better.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.zoo.export import networks, rebuild
from nnlogic import data
from nnlogic.train.lut_pool import is_image
from nnlogic.train.teacher import shake_image, shake_rows


def main() -> None:
    """Print a line per network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("sweeps", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--copies", type=int, default=20)
    args = parser.parse_args()
    found = [item for item in networks(args.sweeps) if item[0]["recipe"]["name"] == args.name]
    rows = data.load(found[0][0]["recipe"]["dataset"], args.data)
    torch.manual_seed(7)
    x = torch.from_numpy(rows.x_val)
    shake = shake_image if is_image(rows) else shake_rows
    copies = [rows.x_val, *(shake(x).numpy() for _ in range(args.copies))]
    for place, (fact, network, _) in enumerate(found):
        net = rebuild(fact, network, rows)
        parts = [np.mean(net.evaluate(net.encode(c))[:, -1] == rows.y_val) for c in copies]
        print(
            f"{place} {args.name} steps {fact['steps']} member {fact['member']}: validation "
            f"{parts[0]:.5f}, copies {np.mean(parts[1:]):.5f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
