"""``python -m benchmarks.cut_sums --data DIR``: all sums of a network without their lowest columns.

LUT6 at effort fast, accuracy on test rows, and the exact error of a sum, for those of `zoo/systems`
whose wide neurons are adders. Approximate mode chooses for each neuron; here all lose the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import nnlogic
from nnlogic import data
from nnlogic.tables.approximate.cut import SumError, cut
from nnlogic.tables.approximate.patch import Patch, substituted
from nnlogic.tables.ir import Sum, TableNet, Threshold

ZOO = Path(__file__).parents[1] / "zoo" / "systems"
NETWORKS = ("jets_pca", "jets_formats")
MOST = 5


def without(tables: TableNet, low: int) -> tuple[TableNet, list[SumError]]:
    """Return tables whose sums all lost so many columns, and the errors of those that did."""
    patches: dict[int, Patch] = {}
    errors = []
    for number, block in enumerate(tables.blocks):
        found = cut(block, low) if low and isinstance(block, Sum | Threshold) else None
        if found is not None:
            patches[number] = found[0]
            errors.append(found[1])
    return substituted(tables, {}, patches), errors


def main() -> None:
    """Compile, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cut_sums", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    args = parser.parse_args()
    rows = data.load("jets", args.data)
    print("| network | columns | sums cut | error of a sum | test % | LUT6 |")
    print("|---|---|---|---|---|---|")
    for name in NETWORKS:
        net = nnlogic.load(ZOO / f"{name}.safetensors")
        exact = nnlogic.tabulate(net, arith="auto")
        codes = net.encode(rows.x_test)
        for low in range(MOST):
            tables, errors = without(exact, low)
            right = 100 * float(np.mean(tables.evaluate(codes)[:, net.class_output] == rows.y_test))
            luts = nnlogic.minimize(tables, effort="fast", jobs=1).n_nodes
            said = ""
            if errors:
                said = f"{min(e.least for e in errors)} to {max(e.most for e in errors)}"
            line = f"| `{name}` | {low} | {len(errors)} | {said} | {right:.2f} | {luts:,} |"
            print(line, flush=True)


if __name__ == "__main__":
    main()
