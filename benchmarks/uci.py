"""Small tables of UCI: LUTs of ours at the accuracy of float models and of weightless networks.

    python -m benchmarks.uci FOLDER [--only NAME ...] [--seconds 60] [--write FILE]

FOLDER holds ``uci_small.npz``. Test rows are those that BTHOWeN tests on: a third of a table in its
order, or what the table itself says. A fifth of the others, drawn by class, validates. Ours are
boosted trees of integer leaves of several shapes and sizes, and smaller networks by refinement
(`nnlogic.refine.fit`) of those that validate best; each is compiled. Float models are those of
scikit-learn as they come, on all rows that do not test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnlogic
from benchmarks.leaderboard.data import rows as rows_of
from benchmarks.page import Page, add_write, is_part
from benchmarks.zoo.boost import Shape, grow
from nnlogic.core.errors import NNLogicError
from nnlogic.frontend.trees.net import tree_net
from nnlogic.quant.ir import InputQuantizer, QuantNet
from nnlogic.refine.fit import fit

SHAPES = (
    (4, Shape(depth=2, leaf_bits=3, rate=0.8)),
    (4, Shape(depth=3, leaf_bits=3, rate=0.6)),
    (5, Shape(depth=4, leaf_bits=4, rate=0.4)),
)
"""Bits of the codes, and trees."""
ROUNDS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 28, 40)
MOST_LUTS = 3000
"""Larger networks are not asked for."""
MANY = 10_000
"""With more rows boosted trees are those on histograms, and the perceptron stops early."""
SEED = 0
WEIGHTLESS = {
    "iris": (98.00, 46), "satimage": (88.00, 3337), "shuttle": (99.90, 470),
    "vehicle": (76.24, 1349), "wine": (98.31, 408),
}  # fmt: skip
"""BTHOWeN: accuracy of its own files on the same rows, and published LUTs."""
RIVALS = ("forest", "boosted trees", "perceptron", "BTHOWeN")
NOTES = Path(__file__).with_name("uci.md")


@dataclass(frozen=True)
class Network:
    """A network of ours: LUT6 from codes to class, and share of test rows that are right."""

    luts: int
    test: float


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to learn from, to choose by, and to test on."""

    x: tuple[NDArray, NDArray, NDArray]
    y: tuple[NDArray, NDArray, NDArray]
    classes: tuple[str, ...]

    @staticmethod
    def of(name: str, folder: Path) -> Split:
        """Return the rows of a table; those that lack a value are left out."""
        found = rows_of(f"uci-third:{name}", folder)
        if found is None or found.train is None or found.train_y is None:
            raise SystemExit(f"{folder} has no uci_small.npz")
        parts = [(found.train, found.train_y), (found.x, found.y)]
        (rest, rest_y), (x_test, y_test) = (
            (x[np.isfinite(x).all(1)], y[np.isfinite(x).all(1)]) for x, y in parts
        )
        # A class of one row cannot be on both sides.
        rare = np.bincount(rest_y).min() < 2
        x_train, x_val, y_train, y_val = train_test_split(
            rest, rest_y, test_size=0.2, random_state=SEED, stratify=None if rare else rest_y
        )
        classes = tuple(f"class{i}" for i in range(1 + int(max(rest_y.max(), y_test.max()))))
        return Split((x_train, x_val, x_test), (y_train, y_val, y_test), classes)


def names_of(folder: Path) -> list[str]:
    """Return the names of the tables, the smallest first."""
    with np.load(folder / "uci_small.npz", allow_pickle=False) as file:
        sizes = {k.removesuffix("__X"): file[k].size for k in file if k.endswith("__X")}
    return sorted(sizes, key=lambda name: sizes[name])


def floats(split: Split) -> list[float]:
    """Return test accuracies of float models, percent."""
    x, y = np.concatenate(split.x[:2]), np.concatenate(split.y[:2])
    many = len(x) > MANY
    trees = HistGradientBoostingClassifier if many else GradientBoostingClassifier
    perceptron = MLPClassifier((64,), max_iter=400, random_state=SEED, early_stopping=many)
    models = (
        RandomForestClassifier(random_state=SEED),
        trees(random_state=SEED),
        make_pipeline(StandardScaler(), perceptron),
    )
    return [100 * float(m.fit(x, y).score(split.x[2], split.y[2])) for m in models]


def trees(split: Split, bits: int, shape: Shape) -> Iterator[QuantNet]:
    """Yield integer trees of more and more rounds."""
    cuts = np.arange(1, 1 << bits) / (1 << bits)
    thresholds = tuple(
        np.unique(np.quantile(c.astype(np.float64), cuts).astype(np.float32)) for c in split.x[0].T
    )
    widths = tuple(max(1, len(t).bit_length()) for t in thresholds)
    features = tuple(f"x{i}" for i in range(len(thresholds)))
    quantizer = InputQuantizer(thresholds)
    codes = quantizer.encode(split.x[0], features).astype(np.float32)
    info = {"class_names": list(split.classes)}
    grown = grow(codes, split.y[0], features, split.classes, shape, ROUNDS[-1])
    for round_, (ensemble, leaves) in enumerate(grown, 1):
        if round_ in ROUNDS:
            yield tree_net(ensemble, leaves=leaves, codes=(quantizer, widths), info=info)


def luts(net: QuantNet) -> int:
    """Return LUT6 of the whole network."""
    tables = nnlogic.tabulate(net, arith="auto")
    return int(nnlogic.minimize(tables, objective="area", effort="fast", jobs=1).stats()["luts"])


def right(net: QuantNet, x: NDArray, y: NDArray) -> float:
    """Return accuracy, percent."""
    return 100 * float(np.mean(net.evaluate(net.encode(x))[:, net.class_output or 0] == y))


def networks(split: Split, seconds: float) -> Iterator[Network]:
    """Yield networks of ours; `seconds` of CPU are for growing, as many for refinement."""
    best, start = -1.0, None
    for bits, shape in SHAPES:
        began = time.process_time()
        for net in trees(split, bits, shape):
            made = Network(luts(net), right(net, split.x[2], split.y[2]))
            yield made
            valid = right(net, split.x[1], split.y[1])
            if valid > best:
                best, start = valid, (net, made.luts)
            late = time.process_time() - began > seconds / len(SHAPES)
            if late or made.luts > MOST_LUTS:
                break
    if start is None:
        return
    net, size = start
    learned, labels = np.concatenate(split.x[:2]), np.concatenate(split.y[:2])
    try:
        for found in fit(net, net.encode(learned), labels, luts=size // 8 + 1, seconds=seconds):
            yield Network(luts(found.net), right(found.net, split.x[2], split.y[2]))
    except NNLogicError:
        # Too few rows to choose by.
        return


def smallest(ours: Sequence[Network], enough: float) -> str:
    """Return LUT6 of the smallest network that is not less accurate; a dash where none is."""
    fit_ones = [net.luts for net in ours if net.test >= enough]
    return f"**{min(fit_ones)}**" if fit_ones else "-"


def row(name: str, split: Split, seconds: float) -> str:
    """Return the line of a table."""
    ours = list(networks(split, seconds))
    cells = [name, str(len(split.x[2])), str(len(split.classes))]
    for accuracy in floats(split):
        cells += [f"{accuracy:.1f}", smallest(ours, accuracy)]
    if name in WEIGHTLESS:
        accuracy, size = WEIGHTLESS[name]
        cells += [f"{accuracy:.1f} ({size})", smallest(ours, accuracy)]
    else:
        cells += ["", ""]
    best = min(ours, key=lambda net: (-net.test, net.luts))
    error = 100 * float(np.sqrt(best.test / 100 * (1 - best.test / 100) / len(split.x[2])))
    cells += [f"{best.test:.1f}", f"{error:.1f}", str(best.luts), str(len(ours))]
    return "| " + " | ".join(cells) + " |"


def page(lines: Sequence[str]) -> str:
    """Return the page."""
    columns = ["table", "test rows", "classes"]
    columns += [cell for rival in RIVALS for cell in (f"{rival} %", "LUT6")]
    columns += ["our best %", "standard error", "LUT6", "networks"]
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    return NOTES.read_text("utf-8").replace("TABLE\n", head + "\n".join(lines) + "\n")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seconds", type=float, default=60.0)
    add_write(parser, "uci.md")
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "folder"))
    lines = []
    for name in names_of(args.folder):
        if args.only is None or name in args.only:
            lines.append(row(name, Split.of(name, args.folder), args.seconds))
            print(lines[-1], flush=True)
    out.done(page(lines))


if __name__ == "__main__":
    main()
