"""Train what the leaderboard compares and no repository holds, with the peers' own programs.

    python -m benchmarks.leaderboard.train --peers DIR --data DIR [--only KIND]

Writes trees of LightGBM, xgboost and conifer (from scikit-learn) into ``DIR/trees``, trees of
TreeLUT with the Verilog it makes of them into ``DIR/treelut-models``, and networks of torchlogix,
with its Verilog where it can write some, into ``DIR/torchlogix-models``. Needs those packages, of
which TreeLUT and torchlogix may also lie below DIR; one kind at a time does where they do not fit
into one environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.leaderboard.data import rows
from nnlogic.core.formats import IntArray


def _training(name: str, data: Path) -> tuple[NDArray[Any], IntArray]:
    """Return features and classes of the training rows of a small set."""
    found = rows(f"uci-third:{name}", data)
    if found is None or found.train is None or found.train_y is None:
        raise SystemExit(f"no uci_small.npz in {data}")
    return found.train, found.train_y


def trees(peers: Path, data: Path) -> None:
    """Train boosted trees of three libraries."""
    import conifer
    import lightgbm
    import xgboost
    from sklearn.ensemble import GradientBoostingClassifier

    out = peers / "trees"
    out.mkdir(parents=True, exist_ok=True)
    x, y = _training("vehicle", data)
    options = {"objective": "multiclass", "num_class": 4, "num_leaves": 12, "verbose": -1}
    model = lightgbm.train(options, lightgbm.Dataset(x, y), 12)
    model.save_model(str(out / "lightgbm_vehicle.txt"))
    booster = xgboost.XGBClassifier(n_estimators=8, max_depth=4)
    booster.fit(*_training("vowel", data))
    booster.save_model(str(out / "xgboost_vowel.json"))
    boosted = GradientBoostingClassifier(n_estimators=8, max_depth=3, random_state=0)
    boosted.fit(*_training("wine", data))
    conifer.converters.convert_from_sklearn(boosted).save(str(out / "conifer_wine.json"))


def treelut(peers: Path, data: Path) -> None:
    """Train trees on features of few bits, as TreeLUT takes them."""
    sys.path.insert(0, str(peers / "TreeLUT" / "src"))
    import xgboost
    from treelut import TreeLUTClassifier

    for name, bits, count in (("vehicle", 5, 6), ("satimage", 6, 8)):
        x, y = _training(name, data)
        low, high = x.min(axis=0), x.max(axis=0)
        codes = np.round((x - low) / (high - low + 1e-9) * ((1 << bits) - 1)).astype(int)
        model = xgboost.XGBClassifier(
            n_estimators=count, max_depth=4, learning_rate=0.5, objective="multi:softmax",
            base_score=0.5,
        )  # fmt: skip
        model.fit(codes, y)
        folder = peers / "treelut-models" / name
        folder.mkdir(parents=True, exist_ok=True)
        # Trees of depth 4 read at most 15 comparisons each.
        made = TreeLUTClassifier(model, bits, 3, pipeline=[0, 0, 0], dir_path=str(folder))
        made.convert()
        made.verilog()


def torchlogix(peers: Path, data: Path) -> None:
    """Train networks of each parametrization."""
    sys.path.insert(0, str(peers / "torchlogix" / "src"))
    import torch
    from torchlogix import Circuit
    from torchlogix.layers import FixedBinarization, GroupSum, LogicDense

    torch.manual_seed(0)
    for name, kind, reads, levels, widths, epochs in (
        ("digits", "raw", 2, 1, (600, 600, 600), 40),
        ("digits", "warp", 4, 1, (200, 200), 40),
        ("vehicle", "light", 6, 4, (120, 120), 60),
        ("vehicle", "warp", 2, 6, (240, 240, 240), 80),
    ):
        x, y = map(torch.tensor, _training(name, data))
        count, bits = int(y.max()) + 1, x.shape[1] * levels
        layers: list[Any] = [
            FixedBinarization(FixedBinarization.get_distributive_thresholds(x, levels, "feature"))
        ]
        for width, before in zip(widths, (bits, *widths), strict=False):
            layers.append(LogicDense(before, width, lut_rank=reads, parametrization=kind))
        layers.append(GroupSum(count, tau=widths[-1] / count / 6))
        network = torch.nn.Sequential(*layers)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(128):
                loss = torch.nn.functional.cross_entropy(network(x[part]), y[part])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        folder = peers / "torchlogix-models" / f"{kind}{reads}_{name}"
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(network.eval().state_dict(), folder / "state.pt")
        if reads == 2:  # It writes no others.
            core = torch.nn.Sequential(*layers[1:]).eval()
            circuit = Circuit.from_model(core, [1, bits])
            circuit.write_verilog_code(str(folder / "circuit.v"))


KINDS: dict[str, Callable[[Path, Path], None]] = {
    "trees": trees, "treelut": treelut, "torchlogix": torchlogix,
}  # fmt: skip


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--only", choices=KINDS, help="one kind of model")
    args = parser.parse_args()
    for name, train in KINDS.items():
        if args.only in (None, name):
            train(args.peers, args.data)


if __name__ == "__main__":
    main()
