"""Networks of the zoo refined by their rows: better tables and wires, then fewer or more LUTs.

    python -m benchmarks.zoo.refine START.safetensors --data DIR --sizes 50,40,50,30 --out DIR
        [--teacher FILE.npz] [--mixed] [--share 0.8] [--sweeps 1] [--pins 3] [--sigmas 0.0]
        [--trials 4] [--at-once 0.02] [--seconds 600] [--wire-bits 10] [--seed 0]

START reads fixed-point codes (``input_method = "fixed"``); the search may also read the bits below,
down to `--wire-bits`. FILE is what `benchmarks.zoo.teach` wrote. At each size the network is
written as ``OUT/NAME-LUTS.safetensors`` where none of that size is better on validation rows. Test
rows are read for the record in the file alone.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnlogic
from benchmarks.zoo.row import rows_of
from nnlogic.data import Dataset
from nnlogic.frontend.native import write_quantized
from nnlogic.quant.ir import InputQuantizer, QuantNet
from nnlogic.refine.run import refine, start_of, worth_of
from nnlogic.refine.search import Plan

GOLDEN_ROWS = 300
FAMILY = "refined LUTs"
PLAN = ("sweeps", "pins", "trials", "seed", "sigmas", "at_once", "seconds")


def main() -> None:
    """Search, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("start", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--mixed", action="store_true", help="learn from the mixed rows, too")
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--wire-bits", type=int, default=10)
    for field in dataclasses.fields(Plan):
        if field.name in PLAN:
            kind = type(field.default)
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", type=kind, default=field.default
            )
    args = parser.parse_args()
    net = nnlogic.load(args.start)
    data = rows_of(net, args.start, args.data)
    start = start_of(net, args.wire_bits)
    x, worth = taught(data, args.teacher, args.share, args.mixed)
    if start.thresholds is None:
        raise SystemExit(f"{args.start} reads no raw features")
    codes = InputQuantizer(start.thresholds).encode(x, tuple(data.feature_names))
    sizes = tuple(int(size) for size in args.sizes.split(","))
    plan = Plan(sizes=sizes, **{key: getattr(args, key) for key in PLAN})
    training = {
        "start": dict(net.info.get("training", {})),
        "plan": {key: list(v) if isinstance(v, tuple) else v for key, v in vars_of(plan).items()},
        "share": args.share if args.teacher else 0.0,
        "mixed": args.mixed,
    }
    best: dict[int, float] = {}
    args.out.mkdir(parents=True, exist_ok=True)
    for found in refine(start, net.name, codes, worth, plan):
        luts = sum(len(la.formats) for la in found.layers if la.role == "network")
        share = right(found, data.x_val, data.y_val)
        print(f"{luts} LUTs, validation {100 * share:.2f} %", flush=True)
        if share > best.get(luts, 0.0):
            best[luts] = share
            path = args.out / f"{net.name}-{luts}.safetensors"
            write(dataclasses.replace(found, name=path.stem), data, path, training)


def vars_of(plan: Plan) -> dict[str, Any]:
    """Return a plan's values, but for the time it was given."""
    return {k: v for k, v in dataclasses.asdict(plan).items() if k != "seconds"}


def taught(
    data: Dataset, teacher: Path | None, share: float, mixed: bool
) -> tuple[NDArray, NDArray[np.float32]]:
    """Return training rows, raw, and what it is worth to say each class of each."""
    classes = len(data.class_names)
    if teacher is None:
        return data.x_train, worth_of(data.y_train, classes)
    with np.load(teacher, allow_pickle=False) as file:
        worth = worth_of(data.y_train, classes, file["train"].astype(np.float32), share)
        if not mixed:
            return data.x_train, worth
        rows = np.concatenate([data.x_train, file["mixed_rows"]])
        return rows, np.concatenate([worth, file["mixed"].astype(np.float32)])


def right(net: QuantNet, x: NDArray, y: NDArray) -> float:
    """Return the share of rows whose class is right."""
    return float(np.mean(net.evaluate(net.encode(x))[:, net.class_output] == y))


def write(
    net: QuantNet, data: Dataset, path: Path, training: dict[str, Any], family: str = FAMILY
) -> None:
    """Write a checkpoint with its accuracies and golden rows."""
    test = right(net, data.x_test, data.y_test)
    accuracy = {"validation": right(net, data.x_val, data.y_val), "table": test, "quantized": test}
    info = {**net.info, "accuracy": accuracy, "family": family, "training": training}
    info["dataset"] = {
        "name": data.name,
        "digest": data.digest,
        "provenance": data.provenance,
        "test_rows": len(data.y_test),
    }
    x = data.x_val[:GOLDEN_ROWS]
    golden = x, net.evaluate(net.encode(x))
    write_quantized(path, dataclasses.replace(net, info=info), golden=golden)


if __name__ == "__main__":
    main()
