"""Take away LUTs of a compiled network that say almost nothing, whatever it was trained for.

    python -m benchmarks.zoo.stuck START.safetensors --data DIR --sizes 2750,2700 --out DIR
        [--rows 12000] [--shake 0.5] [--at-once 0.02] [--seed 0]

Every LUT of the netlist, votes and argmax among them, is stuck at 0 and at 1 on training rows, half
of them shaken (`nnlogic.faults`). Those that change the fewest answers of the network become
constants, each tried on all rows first, and the netlist is swept. What is right plays no part, so
nothing is learned by heart. At each size the network is written as ``OUT/NAME-SIZE.safetensors``.
Test rows are read for the record in the file alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import nnlogic
from benchmarks.zoo.refine import write
from benchmarks.zoo.row import rows_of
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray
from nnlogic.faults.inject import STUCK_0, STUCK_1, inject
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network.tidy import absorb_inverters, merge_equal, propagate_constants
from nnlogic.logic.rewrite import rewritten
from nnlogic.quant.ir import QuantNet
from nnlogic.refine.netlist import Netlist
from nnlogic.refine.network import to_quantnet
from nnlogic.train.float_nets import shake_image, shake_rows

IMAGES = "mnist"
COPIES = 3
"""Of the validation rows, shaken, that are looked at."""
TRIED = 6
"""LUTs tried for each that is to go, before all are rated again."""


def main() -> None:
    """Shrink, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("start", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--shake", type=float, default=0.5)
    parser.add_argument("--at-once", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    net = nnlogic.load(args.start)
    data, column = rows_of(net, args.start, args.data), net.class_output
    if column is None:
        raise SystemExit(f"{args.start} says no class")
    torch.manual_seed(args.seed)

    def shaken(x: NDArray) -> NDArray:
        shake = shake_image if data.name == IMAGES else shake_rows
        return shake(torch.tensor(x, dtype=torch.float32), args.shake).numpy()

    rng = np.random.default_rng(args.seed)
    chosen = rng.choice(len(data.x_train), min(len(data.x_train), args.rows // 2), replace=False)
    x = data.x_train[chosen]
    codes = net.encode(np.concatenate([x, shaken(x)]))
    valid = np.concatenate([shaken(data.x_val) for _ in range(COPIES)])
    logic = nnlogic.minimize(nnlogic.tabulate(net), objective="area", effort="fast", jobs=1)
    said = logic.evaluate(codes)[:, column]
    args.out.mkdir(parents=True, exist_ok=True)
    for size in (logic.stats()["luts"], *map(int, args.sizes.split(","))):
        logic = shrunk(logic, size, codes, column, said, args.at_once)
        made = as_network(net, logic, column, f"{net.name}-{size}")
        plain, other = share(made, data.x_val, data.y_val), share(made, valid, data.y_val)
        same = float(np.mean(logic.evaluate(codes)[:, column] == said))
        print(
            f"{logic.stats()['luts']} LUTs, validation {plain:.2f} %, shaken {other:.2f} %, "
            f"same answer on {100 * same:.2f} % of the rows",
            flush=True,
        )
        training = {"start": dict(net.info.get("training", {})), "stuck": vars_of(args)}
        write(made, data, args.out / f"{made.name}.safetensors", training)


def vars_of(args: argparse.Namespace) -> dict[str, float]:
    """Return the options that decide what is found."""
    return {name: getattr(args, name) for name in ("rows", "shake", "at_once", "seed")}


def shrunk(
    logic: LogicNet, size: int, codes: IntArray, column: int, said: IntArray, at_once: float
) -> LogicNet:
    """Return a network of at most so many LUTs; those go that change the fewest answers."""
    words = bits.pack_ports(codes, logic.inputs)
    now = 0
    while (luts := logic.stats()["luts"]) > size:
        found = inject(logic, codes, chosen=column, labels=said, jobs=1).kinds
        costs = np.stack([found[kind].answers for kind in (STUCK_0, STUCK_1)])
        order = np.argsort(costs.min(axis=0), kind="stable")
        order = order[order >= logic.n_inputs]
        wanted = max(1, min(int(at_once * luts), luts - size))
        tables, gone = logic.tables.copy(), 0
        for signal in order[: TRIED * wanted].tolist():
            node = signal - logic.n_inputs
            count = int(logic.fan_in_counts[node])
            if gone == wanted or not count:
                continue
            before = tables[node]
            ones = np.uint64((1 << (1 << count)) - 1)
            tables[node] = ones if costs[1, signal] < costs[0, signal] else 0
            trial = replace(logic, tables=frozen(tables, np.uint64))
            changed = differing(trial, words, column, said)
            if changed - now <= costs[:, signal].min():
                now, gone = changed, gone + 1
            else:
                tables[node] = before
        if not gone:
            raise SystemExit(f"nothing more to take away at {luts} LUTs")
        logic = swept(replace(logic, tables=frozen(tables, np.uint64)))
    return logic


def differing(logic: LogicNet, words: bits.Words, column: int, said: IntArray) -> int:
    """Return the samples in which an output is not what it was."""
    at, fmt = bits.total_bits(logic.outputs[:column]), logic.outputs[column].format
    now = logic.trace_words(words)[list(logic.output_signals[at : at + fmt.bits])]
    before = bits.pack(bits.raw_to_bits(fmt.to_raw(said)[:, None], [fmt.bits]))
    changed = np.bitwise_or.reduce(now ^ before, axis=0)
    return int(bits.unpack(changed[None], len(said))[0].sum())


def swept(logic: LogicNet) -> LogicNet:
    """Return a network without constants and what nothing reads."""
    while True:
        nodes = logic.n_nodes
        for rewrite in (propagate_constants, absorb_inverters, merge_equal):
            logic = rewritten(logic, rewrite)
        if logic.n_nodes == nodes:
            return logic


def as_network(net: QuantNet, logic: LogicNet, column: int, name: str) -> QuantNet:
    """Return what drives the class as a network of tables."""
    info = {key: net.info[key] for key in ("class_names", "dataset") if key in net.info}
    thresholds = None if net.quantizer is None else net.quantizer.thresholds
    return to_quantnet(
        Netlist.of(logic, column), name=name, inputs=net.inputs, thresholds=thresholds, info=info
    )


def share(net: QuantNet, x: NDArray, y: IntArray) -> float:
    """Return the share of rows that are right, percent; rows may be copies of those of `y`."""
    said = net.evaluate(net.encode(x))[:, net.class_output or 0]
    return 100 * float(np.mean(said == np.resize(y, len(said))))


if __name__ == "__main__":
    main()
