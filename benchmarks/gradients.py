"""``python -m benchmarks.gradients --data DIR``: weights in posits, both gradients, many seeds.

Trains `jets_formats` short, with the weights of all layers in a format, from the same start with
each gradient of `nnlogic.nn.quantizers.FormattedWeights`, and prints accuracies on validation rows.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from nnlogic.train import train
from nnlogic.train.formats import in_formats
from nnlogic.train.recipe_file import load_layered_recipe

FORMATS = ("posit(4,1)", "posit(3,1)")
GRADIENTS = ("straight", "gap")


def accuracy(fmt: str, gradient: str, seed: int, data: Path, epochs: int) -> float:
    """Return the accuracy on validation rows of one network, in percent."""
    base = load_layered_recipe("jets_formats")
    formats = {spec.name: fmt for spec in base.layers}
    recipe = dataclasses.replace(
        in_formats(base, formats, "weights", gradient), seed=seed, epochs=epochs, epoch_rows=16_384
    )
    with tempfile.TemporaryDirectory() as folder:
        return 100 * train(recipe, out=folder, data_dir=data).accuracy["validation"]


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradients", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()
    print("| weights | straight | `gap` | gain, standard error |")
    print("|---|---|---|---|")
    for fmt in FORMATS:
        found = np.array(
            [
                [accuracy(fmt, g, seed, args.data, args.epochs) for g in GRADIENTS]
                for seed in range(args.seeds)
            ]
        )
        gain = found[:, 1] - found[:, 0]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        means = " | ".join(f"{mean:.2f}" for mean in found.mean(axis=0))
        print(f"| `{fmt}` | {means} | {gain.mean():+.2f} ± {error:.2f} |", flush=True)


if __name__ == "__main__":
    main()
