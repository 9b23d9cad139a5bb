"""``python -m benchmarks.ablation --data DIR``: what each ingredient is worth, on small networks.

Every network is trained on a CPU, compiled at effort fast and measured on the test split. Rows
already in --rows are kept: remove the file to measure again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import nnlogic
from benchmarks.ablation.variants import BUDGET, TRIALS, Variant, variants
from benchmarks.page import Page, add_write, is_part
from nnlogic import data
from nnlogic.predict.cost import cost_model
from nnlogic.predict.estimate import luts_by_role
from nnlogic.quant.ir import QuantNet
from nnlogic.train import PopulationRecipe, train
from nnlogic.train.cost_loss import LutCost
from nnlogic.train.layered import make_network
from nnlogic.train.search import search
from nnlogic.train.search_options import SearchOptions

SHOWN = ("section", "name", "seed", "validation", "luts", "seconds")
PREDICTED = ("estimate", "term")
ESTIMATES = "estimates"
NOTES = Path(__file__).with_name("notes.md")


def luts(net: QuantNet) -> int:
    """Return the LUT6 a network compiles to."""
    tables = nnlogic.tabulate(net, arith="auto")
    return int(nnlogic.minimize(tables, effort="fast", jobs=1).n_nodes)


def checkpoint_of(variant: Variant, folder: Path, data_dir: Path) -> Path:
    """Train a variant, or search around it; return the checkpoint."""
    recipe = variant.recipe
    if isinstance(recipe, PopulationRecipe) or not variant.sampler:
        return train(recipe, out=folder, data_dir=data_dir, device="cpu").checkpoint
    options = SearchOptions(
        trials=TRIALS,
        budget=BUDGET,
        sampler=variant.sampler,
        sensitivity="none" if variant.sampler == "random" else "fisher",
        seed=recipe.seed,
    )
    found = search(recipe, out=folder, luts=luts, options=options, data_dir=data_dir)
    best = found.within_budget or min(found.front, key=lambda item: item.luts)
    return best.checkpoint


def measure(variant: Variant, data_dir: Path) -> dict[str, Any]:
    """Return one measurement: accuracies in percent, compiled LUT6, seconds of CPU."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        net = nnlogic.load(checkpoint_of(variant, Path(folder), data_dir))
        term = loss_term(variant, net, Path(folder))
    recipe = variant.recipe
    rows = data.load(recipe.dataset, data_dir)

    def right(x: np.ndarray, y: np.ndarray) -> float:
        return 100 * float(np.mean(net.evaluate(net.encode(x))[:, -1] == y))

    return {
        "validation": right(rows.x_val, rows.y_val),
        "test": right(rows.x_test, rows.y_test),
        "luts": luts(net),
        "estimate": luts_by_role(net)["total"],
        "term": term,
        "seconds": time.process_time() - start,
    }


def loss_term(variant: Variant, net: QuantNet, folder: Path) -> float | None:
    """Return what the differentiable cost says of a trained stack, its argmax included."""
    recipe = variant.recipe
    if isinstance(recipe, PopulationRecipe) or recipe.plain:
        return None
    features = tuple(port.name for port in net.inputs)
    stack = make_network(recipe, features, tuple(net.info["class_names"]))
    state = torch.load(folder / recipe.state_name, weights_only=True)
    stack.load_state_dict(state["loop"]["best"])
    stack.anneal(1.0)
    scores = max(net.x_formats(net.layers[-1]), key=lambda fmt: fmt.bits)
    with torch.no_grad():
        return float(LutCost(stack)()) + cost_model().choice(len(stack.classes), scores.bits)


def estimates(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the table of predictions beside compiled LUTs."""
    lines = ["| network | seed | compiled LUT6 | by its tables | as the loss term |"]
    lines += ["|---|---|---|---|---|"]
    for row in {row["recipe"]: row for row in rows if row["term"] is not None}.values():
        cells = [f"{row[key]:.0f} ({row[key] / row['luts'] - 1:+.0%})" for key in PREDICTED]
        name = f"{row['section']}: {row['name']}"
        lines.append(f"| {name} | {row['seed']} | {row['luts']} | {' | '.join(cells)} |")
    return lines


def table(rows: list[dict[str, Any]], section: str) -> list[str]:
    """Return the lines of one section's table."""
    lines = ["| | validation % | test % | LUT6 | seeds |", "|---|---|---|---|---|"]
    names = dict.fromkeys(row["name"] for row in rows if row["section"] == section)
    for name in names:
        own = [row for row in rows if (row["section"], row["name"]) == (section, name)]
        cells = [spread([row[key] for row in own], 2) for key in ("validation", "test")]
        cells.append(spread([row["luts"] for row in own], 0))
        lines.append(f"| {name} | {' | '.join(cells)} | {len(own)} |")
    return lines


def spread(values: list[float], digits: int) -> str:
    """Return mean and half the range; of one value, the value."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    half = (max(values) - min(values)) / 2
    return f"{np.mean(values):.{digits}f} ± {half:.{digits}f}"


def page(rows: list[dict[str, Any]]) -> str:
    """Return the page: notes with a table after each heading that names a section."""
    out = []
    for line in NOTES.read_text("utf-8").splitlines():
        section = line.removeprefix("TABLE ")
        if section == line:
            out.append(line)
        else:
            out += estimates(rows) if section == ESTIMATES else table(rows, section)
    measured = {row["recipe"]: row["seconds"] for row in rows}
    total = sum(measured.values()) / 60
    return "\n".join(out).replace("{minutes}", f"{total:.0f}") + "\n"


def main() -> None:
    """Measure what is missing, print the page, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    parser.add_argument("--rows", type=Path, default=Path("build/ablation.jsonl"))
    parser.add_argument("--seeds", type=int, default=2)
    add_write(parser, "ablation.md")
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "data", "rows"))
    args.rows.parent.mkdir(parents=True, exist_ok=True)
    old = args.rows.read_text("utf-8").splitlines() if args.rows.exists() else []
    rows = [json.loads(line) for line in old]
    done = {(row["section"], row["name"], row["seed"]) for row in rows}
    same = {row["recipe"]: row for row in rows}
    for seed in range(args.seeds):
        for variant in variants(seed):
            if (variant.section, variant.name, seed) in done:
                continue
            key = json.dumps([variant.recipe.to_meta(), variant.sampler], sort_keys=True)
            if key not in same:
                same[key] = {**measure(variant, args.data), "recipe": key}
            rows.append(
                {**same[key], "section": variant.section, "name": variant.name, "seed": seed}
            )
            with args.rows.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(*(rows[-1][key] for key in SHOWN), flush=True)
    print(page(rows))
    out.done(page(rows))


if __name__ == "__main__":
    main()
