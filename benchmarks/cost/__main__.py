"""``python -m benchmarks.cost collect|fit``: calibrate `nnlogic.predict.cost`, report its error."""

from __future__ import annotations

import argparse
import json
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmarks.cost.collect import argmax_luts, collect
from benchmarks.cost.fit import calibrate

EFFORTS = ("fast", "normal")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("collect", help="train and compile networks of random shapes")
    verb.add_argument("samples", type=Path, help="file of JSON lines to append to")
    verb.add_argument("--networks", type=int, nargs=2, default=(0, 40), metavar=("FROM", "TO"))
    verb.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    verb = verbs.add_parser("fit", help="fit the model to what was collected")
    verb.add_argument("samples", type=Path)
    verb.add_argument(
        "-o", "--out", type=Path, help="also write it; nnlogic reads FILE", metavar="FILE"
    )
    args = parser.parse_args()
    if args.verb == "collect":
        collect(args.samples, range(*args.networks), EFFORTS, args.data)
        return
    models = {}
    for effort in EFFORTS:
        models[effort] = calibrate(args.samples, effort, partial(argmax_luts, effort=effort))
        models[effort]["facts"]["nnlogic"] = version("nnlogic")
        print(effort, json.dumps(models[effort], indent=1))
    if args.out:
        args.out.write_text(json.dumps(models, indent=1) + "\n")


if __name__ == "__main__":
    main()
