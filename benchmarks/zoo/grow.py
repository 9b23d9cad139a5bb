"""Train the boosted-tree peers, as networks of the zoo.

    python -m benchmarks.zoo.grow nid --data DIR --scan          # all shapes, with LUTs as mapped
    python -m benchmarks.zoo.grow nid --data DIR --out zoo/peers # the chosen ones
    python -m benchmarks.zoo.grow jets --wire ...                # from saturating fixed point

The shapes in ``boost.toml`` were chosen on validation rows from a scan.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnlogic
from benchmarks.zoo.boost import Shape, accuracy, grow
from nnlogic import data
from nnlogic.core.errors import UnsupportedModel
from nnlogic.frontend.trees.ensemble import Leaves, TreeEnsemble
from nnlogic.frontend.trees.net import tree_net
from nnlogic.nn import fit_thresholds
from nnlogic.quant.ir import InputQuantizer, QuantNet

CHOSEN = Path(__file__).parent / "boost.toml"
FAMILY = "boosted trees"
ROUNDS = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40)
SCAN = tuple(Shape(d, b, r) for d in (2, 3, 4, 5) for b in (2, 3, 4) for r in (0.7, 1.0))


@dataclass(frozen=True)
class Inputs:
    """A data set as input codes.

    Attributes
    ----------
    rows : Dataset
    quantizer : InputQuantizer
    bits : tuple of int
        Per feature: 1 where all values are 0 or 1, otherwise 6, with a sixty-fourth of the
        training rows on each code; or *from the wire*, the bits of saturating fixed-point numbers.
    train, val : float32 arrays, shape (rows, features)
    """

    rows: data.Dataset
    quantizer: InputQuantizer
    bits: tuple[int, ...]
    train: NDArray[np.float32]
    val: NDArray[np.float32]

    @staticmethod
    def of(rows: data.Dataset, *, wire: bool = False) -> Inputs:
        """Fit the input codes to the training rows."""
        thresholds, widths = [], []
        for column in rows.x_train.T:
            if np.isin(column, (0.0, 1.0)).all():
                thresholds.append(np.array([0.5], dtype=np.float32))
                widths.append(1)
            elif wire:
                x, labels = column[:, None], rows.y_train
                thresholds += fit_thresholds(x, (6,), method="fixed", labels=labels)
                widths.append(6)
            else:
                cuts = np.quantile(column.astype(np.float64), np.arange(1, 64) / 64)
                thresholds.append(np.unique(cuts.astype(np.float32)))
                widths.append(6)
        quantizer = InputQuantizer(tuple(thresholds))
        train, val = (
            quantizer.encode(x, rows.feature_names).astype(np.float32)
            for x in (rows.x_train, rows.x_val)
        )
        return Inputs(rows, quantizer, tuple(widths), train, val)

    def grow(self, shape: Shape, rounds: int) -> Iterator[tuple[TreeEnsemble, Leaves]]:
        """Yield the ensemble after each round."""
        names, classes = self.rows.feature_names, self.rows.class_names
        return grow(self.train, self.rows.y_train, names, classes, shape, rounds)

    def network(self, ensemble: TreeEnsemble, leaves: Leaves, **info: Any) -> QuantNet:
        """Return an ensemble as a QuantNet."""
        return tree_net(ensemble, leaves=leaves, codes=(self.quantizer, self.bits), info=info)


def scan(inputs: Inputs) -> None:
    """Print validation accuracy and LUT6 as mapped, for all shapes and rounds."""
    for shape in SCAN:
        for number, (ensemble, leaves) in enumerate(inputs.grow(shape, max(ROUNDS)), 1):
            if number not in ROUNDS:
                continue
            right = 100 * accuracy(ensemble, leaves, inputs.val, inputs.rows.y_val)
            try:
                tables = nnlogic.tabulate(inputs.network(ensemble, leaves), arith="auto")
            except UnsupportedModel:
                continue
            luts = nnlogic.minimize(tables, effort="fast", jobs=1).stats()["luts"]
            print(f"{luts:5d} {right:6.2f} {shape} rounds={number}", flush=True)


def train(inputs: Inputs, chosen: list[dict[str, Any]], out: Path, prefix: str) -> None:
    """Train the chosen shapes and write their checkpoints."""
    rows = inputs.rows
    for item in chosen:
        shape = Shape(item["depth"], item["leaf_bits"], item["rate"])
        *_, (ensemble, leaves) = inputs.grow(shape, item["rounds"])
        right = accuracy(ensemble, leaves, inputs.val, rows.y_val)
        net = inputs.network(
            ensemble,
            leaves,
            family=FAMILY,
            dataset={
                "name": rows.name,
                "digest": rows.digest,
                "provenance": rows.provenance,
                "test_rows": len(rows.y_test),
            },
            accuracy={"validation": right},
            training=item,
        )
        path = out / f"{prefix}_{item['name']}.safetensors"
        net.save(path)
        print(f"{path}: validation {100 * right:.2f} %", flush=True)


def main() -> None:
    """Scan or train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--scan", action="store_true")
    parser.add_argument("--wire", action="store_true", help="6-bit fixed point, not quantiles")
    args = parser.parse_args()
    inputs = Inputs.of(data.load(args.dataset, args.data), wire=args.wire)
    if args.scan:
        scan(inputs)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        chosen = tomllib.loads(CHOSEN.read_text(encoding="utf-8"))
        prefix = f"{args.dataset}_wire" if args.wire else args.dataset
        train(inputs, chosen[args.dataset], args.out, prefix)


if __name__ == "__main__":
    main()
