"""What codes of features cost: in LUTs before the network, and in accuracy.

    python -m benchmarks.wire --data DIR [--rows N]

Prints the LUT6 that turn 10-bit fixed-point features into the codes of each jets network of the zoo
that does not read them as they are (`nnlogic.minimize`, effort fast, proved), and the accuracy of
boosted trees on codes of several kinds. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nnlogic
from nnlogic import data
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.nn import fit_thresholds
from nnlogic.quant.ir import INPUT, Enumerated, InputQuantizer, QuantNet
from nnlogic.quant.wire import fixed_point_of

ZOO = Path(__file__).parents[1] / "zoo"
WIRE_BITS = 10


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=60_000, help="training rows of the trees")
    args = parser.parse_args()
    jets = data.load("jets", args.data)
    bits = (WIRE_BITS,) * len(jets.feature_names)
    wires = fit_thresholds(jets.x_train, bits, "fixed", labels=jets.y_train)
    print("| network | LUT6 from 10-bit features to its codes | proved |\n|---|---|---|")
    for path in sorted(ZOO.glob("jets_*.safetensors")):
        net = nnlogic.load(path)
        codes = list(zip(net.quantizer.thresholds, net.inputs, strict=True))
        if any(fixed_point_of(t, port.format.bits) is None for t, port in codes):
            tables = nnlogic.tabulate(encoder_of(net, wires))
            logic = nnlogic.minimize(tables, effort="fast", objective="area")
            how = nnlogic.check(tables, logic).how
            print(f"| {net.name} | {int((logic.fan_in_counts > 1).sum())} | {how} |", flush=True)
    print("\n| codes | accuracy % of boosted trees on validation rows |\n|---|---|")
    kinds = [("quantile", 6), *(("fixed", width) for width in (5, 6, 7, 8))]
    for method, width in kinds:
        share = trees(jets, method, width, args.rows)
        print(f"| {method}, {width} bits | {100 * share:.2f} |", flush=True)


def encoder_of(net: QuantNet, wires: tuple[NDArray[np.float32], ...]) -> QuantNet:
    """Return the logic from fixed-point numbers to the input codes of a network.

    A number stands for the middle of what it was rounded down from.
    """
    wire, tables = IntFormat(WIRE_BITS), []
    for thresholds, edges in zip(net.quantizer.thresholds, wires, strict=True):
        step = float(edges[1]) - float(edges[0])
        middles = float(edges[0]) + step * (np.arange(1 << WIRE_BITS) - 0.5)
        found = np.searchsorted(thresholds, middles.astype(np.float32), side="right")
        tables.append(frozen(found, np.int64))
    formats = tuple(port.format for port in net.inputs)
    count = len(formats)
    layer = Enumerated(
        "codes", (INPUT,), tuple((i,) for i in range(count)), tuple(tables), formats,
        (wire,) * count, "encoder",
    )  # fmt: skip
    ports = tuple(Port(port.name, wire) for port in net.inputs)
    outputs = tuple(
        (Port(f"{p.name}_code", p.format), "codes", i) for i, p in enumerate(net.inputs)
    )
    return QuantNet(f"{net.name}_codes", ports, (layer,), outputs)


def trees(jets: data.Dataset, method: str, bits: int, rows: int) -> float:
    """Return the share of validation rows that 60 rounds of 31 leaves get right."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    widths = (bits,) * len(jets.feature_names)
    quantizer = InputQuantizer(fit_thresholds(jets.x_train, widths, method, labels=jets.y_train))
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=31, learning_rate=0.15, early_stopping=False, random_state=0
    )
    names = tuple(jets.feature_names)
    model.fit(quantizer.encode(jets.x_train[:rows], names), jets.y_train[:rows])
    return float(model.score(quantizer.encode(jets.x_val, names), jets.y_val))


if __name__ == "__main__":
    main()
