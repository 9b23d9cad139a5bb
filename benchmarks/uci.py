"""Small tables of UCI: networks of few LUTs beside float models.

    python -m benchmarks.uci TABLES.npz [--only NAME ...] [--seconds 30] [--write FILE]

TABLES holds ``NAME__X``, ``NAME__y`` and ``NAME__classes``. A fifth of the rows tests, a fifth of
the rest validates, drawn by class. Ours are boosted trees of integer leaves on 4-bit codes,
rounds chosen on validation rows, compiled; then refined by the rows (`nnlogic.refine.fit`) to half
their LUTs and less, the smallest chosen that validates as well. Float models are those of
scikit-learn as they come, on all rows that do not test. LUT6 are of the whole network, from codes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnlogic
from benchmarks.page import Page, add_write, is_part
from benchmarks.zoo.boost import Shape, accuracy, grow
from nnlogic.frontend.trees.net import tree_net
from nnlogic.quant.ir import InputQuantizer, QuantNet
from nnlogic.refine.fit import fit

BITS, ROUNDS, SEED = 4, 6, 0
SHAPE = Shape(depth=3, leaf_bits=3, rate=0.8)
COLUMNS = (
    "table", "rows", "features", "classes", "forest %", "boosted trees %", "perceptron %",
    "integer trees %", "LUT6", "refined %", "LUT6",
)  # fmt: skip
HEAD = f"""# Small tables of UCI

Made by `python -m benchmarks.uci TABLES.npz`, test accuracies of one split, seed 0; with so few
test rows differences of a few points are noise. Codes of 4 bits by quantiles are made outside the
logic.
"Forest", "boosted trees" and "perceptron" (64 hidden) are float models of scikit-learn.

| {" | ".join(COLUMNS)} |
{"|---" * len(COLUMNS)}|
"""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to learn from, to choose by, and to test on."""

    x: tuple[NDArray, NDArray, NDArray]
    y: tuple[NDArray, NDArray, NDArray]

    @staticmethod
    def of(x: NDArray, y: NDArray) -> Split:
        """Draw a fifth for testing, and a fifth of the rest for validation, by class."""
        rest, x_test, rest_y, y_test = train_test_split(
            x, y, test_size=0.2, random_state=SEED, stratify=y
        )
        x_train, x_val, y_train, y_val = train_test_split(
            rest, rest_y, test_size=0.2, random_state=SEED, stratify=rest_y
        )
        return Split((x_train, x_val, x_test), (y_train, y_val, y_test))


def tables(path: Path) -> Iterator[tuple[str, NDArray, NDArray, tuple[str, ...]]]:
    """Yield name, rows, labels and class names, the smallest tables first.

    Rows that lack a value are left out.
    """
    with np.load(path, allow_pickle=False) as file:
        names = [k.removesuffix("__X") for k in file if k.endswith("__X")]
        for name in sorted(names, key=lambda n: file[f"{n}__X"].size):
            classes = tuple(str(c) for c in file[f"{name}__classes"])
            x, y = file[f"{name}__X"].astype(np.float32), file[f"{name}__y"]
            whole = np.isfinite(x).all(1)
            yield name, x[whole], y[whole], classes


def floats(split: Split) -> list[float]:
    """Return test accuracies of float models, percent."""
    x, y = np.concatenate(split.x[:2]), np.concatenate(split.y[:2])
    models = (
        RandomForestClassifier(random_state=SEED),
        GradientBoostingClassifier(random_state=SEED),
        make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=400, random_state=SEED)),
    )
    return [100 * float(m.fit(x, y).score(split.x[2], split.y[2])) for m in models]


def trees(split: Split, features: tuple[str, ...], classes: tuple[str, ...]) -> QuantNet:
    """Return integer trees, of the rounds that validate best."""
    cuts = np.arange(1, 1 << BITS) / (1 << BITS)
    thresholds = tuple(
        np.unique(np.quantile(c.astype(np.float64), cuts).astype(np.float32)) for c in split.x[0].T
    )
    bits = tuple(max(1, len(t).bit_length()) for t in thresholds)
    quantizer = InputQuantizer(thresholds)
    train, val = (quantizer.encode(x, features).astype(np.float32) for x in split.x[:2])
    best, chosen = -1.0, None
    for ensemble, leaves in grow(train, split.y[0], features, classes, SHAPE, ROUNDS):
        right = accuracy(ensemble, leaves, val, split.y[1])
        if right > best:
            best, chosen = right, (ensemble, leaves)
    if chosen is None:
        raise SystemExit("no trees grew")
    info = {"class_names": list(classes)}
    return tree_net(chosen[0], leaves=chosen[1], codes=(quantizer, bits), info=info)


def luts(net: QuantNet) -> int:
    """Return LUT6 of the whole network."""
    made = nnlogic.minimize(nnlogic.tabulate(net, arith="auto"), objective="area", jobs=1)
    return int(made.stats()["luts"])


def right(net: QuantNet, x: NDArray, y: NDArray) -> float:
    """Return accuracy, percent."""
    return 100 * float(np.mean(net.evaluate(net.encode(x))[:, net.class_output or 0] == y))


def row(name: str, x: NDArray, y: NDArray, classes: tuple[str, ...], seconds: float) -> str:
    """Return the line of a table."""
    split = Split.of(x, y)
    net = trees(split, tuple(f"x{i}" for i in range(x.shape[1])), classes)
    size, best = luts(net), net
    learned, labels = np.concatenate(split.x[:2]), np.concatenate(split.y[:2])
    enough = right(net, split.x[1], split.y[1])
    walk = fit(net, net.encode(learned), labels, luts=max(1, size // 4), seconds=seconds)
    chosen = size
    for found in walk:
        if 100 * found.validation >= enough and found.luts < chosen:
            chosen, best = found.luts, found.net
    own = [f"{right(net, split.x[2], split.y[2]):.1f}", f"{size}"]
    own += [f"{right(best, split.x[2], split.y[2]):.1f}", f"{luts(best)}"]
    cells = [name, *map(str, x.shape), str(len(classes))]
    return "| " + " | ".join([*cells, *(f"{v:.1f}" for v in floats(split)), *own]) + " |"


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seconds", type=float, default=30.0)
    add_write(parser, "uci.md")
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "tables"))
    lines = []
    for name, x, y, classes in tables(args.tables):
        if args.only is None or name in args.only:
            lines.append(row(name, x, y, classes, args.seconds))
            print(lines[-1], flush=True)
    out.done(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
