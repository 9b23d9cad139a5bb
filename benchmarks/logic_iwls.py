"""LUT6 counts of the IWLS 2022 neurons, engine by engine and best of all.

Usage: python benchmarks/logic_iwls.py DIRECTORY [--effort high] [--jobs 2]
The directory holds .truth files: one line per output, minterm 2**n - 1 first.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from nnlogic.core import bits
from nnlogic.logic.portfolio import Options, solve
from nnlogic.tables.ir import Function


def read_truth(path: Path) -> Function:
    rows = path.read_text().split()
    table = np.array([[c == "1" for c in reversed(row)] for row in rows])
    return Function(table.shape[1].bit_length() - 1, bits.pack(table))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--effort", default="high")
    parser.add_argument("--k", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, default=None, help="first N files")
    args = parser.parse_args()
    from joblib import Parallel, delayed

    paths = sorted(args.directory.glob("*.truth"))[: args.only]
    options = Options(k=args.k, effort=args.effort, objective="area")
    start = time.monotonic()
    solutions = Parallel(n_jobs=args.jobs)(delayed(solve)(read_truth(p), options) for p in paths)
    wall = time.monotonic() - start
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0])
    for path, s in zip(paths, solutions, strict=True):
        print(f"{path.stem:>8} {s.cone.luts:5d} LUT {s.cone.depth:2d} levels  {s.engine}")
        for a in s.attempts:
            total = totals[a.engine]
            total[0] += a.luts
            total[1] += a.depth
            total[2] += a.seconds
            total[3] += bool(a.error)
    print(f"\n{'engine':<28} {'LUT':>6} {'levels':>7} {'s each':>7} errors")
    n = len(paths)
    for name, (luts, depth, seconds, errors) in sorted(totals.items(), key=lambda t: t[1][0]):
        print(f"{name:<28} {luts:6.0f} {depth / n:7.2f} {seconds / n:7.3f} {errors}")
    luts = sum(s.cone.luts for s in solutions)
    levels = np.mean([s.cone.depth for s in solutions])
    print(f"{'best of all':<28} {luts:6d} {levels:7.2f}   {wall:.1f} s wall, {args.jobs} jobs")


if __name__ == "__main__":
    main()
