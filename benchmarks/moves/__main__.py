"""``python -m benchmarks.moves``: tree search over moves against the portfolio, at equal CPU time.

Functions are the tables of 7 to 10 inputs of the zoo's families and peers; the prior learns from
one half, the other is compared on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import nnlogic
from benchmarks.moves.moves import OBJECTIVE, K, Runner
from benchmarks.moves.search import Prior, Tree, cpu, explored
from benchmarks.page import Page, add_write, is_part
from nnlogic.logic.portfolio import SolveOptions, solve
from nnlogic.tables.ir import Function

ZOO = Path(__file__).parents[2] / "zoo"
INPUTS = range(7, 11)
LEARN_SECONDS = 4.0
FACTORS = (1, 3)
NOTES = Path(__file__).with_name("notes.md")


def functions(most: int) -> list[Function]:
    """Return distinct functions of trained networks, as many of each network as of any other."""
    found: dict[str, Function] = {}
    pools = []
    for path in sorted(
        [*(ZOO / "families").glob("*.safetensors"), *(ZOO / "peers").glob("*.safe*")]
    ):
        tables = nnlogic.tabulate(nnlogic.load(path), arith="auto")
        used = [tables.functions[b.function] for b in tables.instances]
        pools.append([f for f in used if f.n_inputs in INPUTS])
    rng = np.random.default_rng(0)
    for pool in pools:
        rng.shuffle(pool)
    for turn in range(max(map(len, pools))):
        for pool in pools:
            if turn < len(pool) and len(found) < most:
                found.setdefault(pool[turn].digest, pool[turn])
    return list(found.values())


def compared(function: Function, prior: Prior) -> dict:
    """Return the LUTs of the portfolio and of both searches, at its time and at multiples."""
    start = cpu()
    options = SolveOptions(k=K, effort="normal", objective=OBJECTIVE)
    row = {"portfolio": solve(function, options).cone.luts, "seconds": cpu() - start}
    for name, used in (("learned", prior), ("uniform", Prior())):
        tree, spent = Tree(Runner(function), used), 0.0
        for factor in FACTORS:
            tree.search(factor * row["seconds"] - spent)
            spent = factor * row["seconds"]
            row[f"{name} x{factor}"] = min(tree.tried.values())
            row[f"{name} x{factor} tried"] = len(tree.tried)
    return row


def table(rows: list[dict]) -> list[str]:
    """Return the lines of the table: LUTs together, and functions better and worse."""
    base = np.array([row["portfolio"] for row in rows])
    seconds = np.mean([row["seconds"] for row in rows])
    lines = [
        "| | LUT6 together | fewer on | more on | sequences tried, mean |",
        "|---|---|---|---|---|",
    ]
    lines.append(f"| portfolio, effort normal ({seconds:.2f} s each) | {base.sum()} | | | |")
    for factor in FACTORS:
        for name in ("learned", "uniform"):
            luts = np.array([row[f"{name} x{factor}"] for row in rows])
            tried = np.mean([row[f"{name} x{factor} tried"] for row in rows])
            time = "equal time" if factor == 1 else f"{factor} times its time"
            fewer, more = int((luts < base).sum()), int((luts > base).sum())
            title = f"tree search, {name} prior, {time}"
            lines.append(f"| {title} | {luts.sum()} | {fewer} | {more} | {tried:.0f} |")
    return lines


def main() -> None:
    """Learn the prior, compare, print the page, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moves", description=__doc__)
    parser.add_argument("--functions", type=int, default=40)
    parser.add_argument("--rows", type=Path, default=Path("build/moves.jsonl"))
    add_write(parser, "moves.md")
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "rows"))
    found = functions(args.functions)
    learned, held_out = found[::2], found[1::2]
    solve(learned[0], SolveOptions(k=K, effort="normal", objective=OBJECTIVE))  # compiles kernels
    prior = Prior()
    for seed, function in enumerate(learned):
        tried = explored(function, LEARN_SECONDS, seed)
        prior.learn(function, tried)
        print(seed, min(tried, key=lambda m: tried[m]), min(tried.values()), len(tried), flush=True)
    rows = []
    for function in held_out:
        rows.append(compared(function, prior))
        print(json.dumps(rows[-1]), flush=True)
    args.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = NOTES.read_text("utf-8").replace("TABLE\n", "\n".join(table(rows)) + "\n")
    print(page)
    out.done(page)


if __name__ == "__main__":
    main()
