"""``python -m benchmarks.surrogate collect|zoo|fit``: data for `nnlogic.predict.whole`, and fit.

What was collected stands in ``samples.npz`` beside this file; README.md there says what it holds.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.page import add_write
from benchmarks.surrogate.collect import Sample, of_zoo, sample
from benchmarks.surrogate.fit import fit_all, load, write
from benchmarks.surrogate.page import page
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import NNLogicError

HERE = Path(__file__).parent
SAMPLES, ZOO_SAMPLES = HERE / "samples.npz", HERE / "zoo.npz"
SURROGATE = HERE.parents[1] / "nnlogic" / "predict" / "whole" / "surrogate.npz"
SAVE_EVERY = 25


def save(path: Path, samples: list[Sample], refused: Counter[str]) -> None:
    """Write what was collected as one file of arrays."""
    kept = {name: np.array([getattr(s, name) for s in samples]) for name in Sample.__annotations__}
    floats = ("start", "found", "targets")
    packed = {k: v.astype(np.float32) if k in floats else v for k, v in kept.items()}
    said = np.array([f"{n} {why}" for why, n in refused.items()])
    np.savez_compressed(path, refused=said, **packed)


def collect(path: Path, numbers: range, data: Path) -> None:
    """Make and compile networks; those a stage refuses are counted, and left out."""
    samples: list[Sample] = []
    refused: Counter[str] = Counter()
    for number in numbers:
        try:
            samples.append(sample(number, data))
            print(samples[-1].number, samples[-1].kind, samples[-1].targets.round(2), flush=True)
        except NNLogicError as error:
            refused[f"{type(error).__name__}: {error.what}"] += 1
        if samples and (number % SAVE_EVERY == 0 or number == numbers[-1]):
            save(path, samples, refused)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surrogate", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("collect", help="make and compile small networks of all families")
    verb.add_argument("out", type=Path, help="file of arrays, .npz")
    verb.add_argument("--networks", type=int, nargs=2, default=(0, 2400), metavar=("FROM", "TO"))
    verb.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    verb = verbs.add_parser("zoo", help="compile networks of the zoo, to measure errors on them")
    verb.add_argument("out", type=Path, help="file of arrays, .npz")
    verb = verbs.add_parser("fit", help="fit the surrogate, and print its page")
    verb.add_argument("samples", type=Path, nargs="*", default=[SAMPLES])
    verb.add_argument("-o", "--surrogate", type=Path, help="also write it; nnlogic reads FILE")
    verb.add_argument(
        "--join", type=Path, metavar="FILE", help="also write all samples as one file"
    )
    add_write(verb, "surrogate.md")
    args = parser.parse_args()
    if args.verb == "collect":
        collect(args.out, range(*args.networks), args.data)
    elif args.verb == "zoo":
        samples: list[Sample] = []
        for found in of_zoo():
            samples.append(found)
            print(found.kind, found.targets.round(2), flush=True)
            save(args.out, samples, Counter())
    else:
        samples_of = load(args.samples)
        if args.join:
            np.savez_compressed(args.join, **samples_of)
        found = fit_all(samples_of, load([ZOO_SAMPLES]) if ZOO_SAMPLES.exists() else None)
        if args.surrogate:
            write(args.surrogate, found)
        text = page(found)
        print(text)
        if args.out:
            write_bytes(args.out, text.encode())


if __name__ == "__main__":
    main()
