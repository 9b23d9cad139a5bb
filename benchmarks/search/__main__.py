"""``python -m benchmarks.search --data DIR``: methods of search at equal trials, many seeds.

Every network of two small spaces is trained briefly once; searches look up what it gave. What is
trained already is kept in --rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import optuna

from benchmarks.page import Page, add_write, is_part
from benchmarks.search.grid import SPACES, Grid, area
from nnlogic.core.archive import write_bytes
from nnlogic.report.plots import scatter_file
from nnlogic.report.sections import Scatter, ScatterPoint
from nnlogic.train import search_study as studies
from nnlogic.train.search_seeds import Seeds

SEEDS, TRIALS = 20, 40
SHOWN = (5, 10, 15, 20, 30, 40)
SAMPLERS = ("random", "tpe", "cluster")
NOTES = Path(__file__).with_name("notes.md")


def race(grid: Grid, sampler: str, seed: int, seeds: Seeds | None) -> np.ndarray:
    """Return accuracy and LUT6 of each trial of one search, shape (trials, 2)."""
    space = grid.space if seeds is None else seeds.space
    base = grid.space.base_params()
    study = optuna.create_study(directions=studies.DIRECTIONS)
    studies.add(study, space.choices, base, grid.values(base), {})
    for point in () if seeds is None else seeds.params:
        studies.enqueue(study, space.choices, point)

    def fits(params: dict[str, int]) -> bool:
        return grid.space.fits({**base, **params})

    while len(studies.finished(study)) < TRIALS:
        study.sampler, distributions = studies.sampler_for(
            sampler, study, space.choices, (seed,), fits
        )
        trial = study.ask(distributions)
        point = {**base, **trial.params}
        if grid.space.fits(point):
            study.tell(trial, grid.values(point))
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return np.array([t.values for t in studies.finished(study)])


def compare(grid: Grid) -> dict[str, np.ndarray]:
    """Return the area under the front after each of `SHOWN` trials, by method, (seeds, shown)."""
    known = np.array(list(grid.known.values()))
    corner = (
        float(np.quantile(known[:, 0], 0.1)),
        float(known[:, 1].min()),
        float(known[:, 1].max()),
    )
    best = area(known, corner)

    def areas(found: np.ndarray) -> list[float]:
        return [area(found[:n], corner) / best for n in SHOWN]

    seeds = grid.seeds()
    out: dict[str, np.ndarray] = {}
    for sampler in SAMPLERS:
        for title, start in ((sampler, None), (f"ilp, then {sampler}", seeds)):
            runs = [areas(race(grid, sampler, seed, start)) for seed in range(SEEDS)]
            out[title] = np.array(runs)
    points = [grid.space.base_params(), *seeds.params]
    alone = np.array([grid.values(point) for point in points])
    out[f"ilp alone, {len(points)} networks"] = np.array([areas(alone)])
    return out


def table(found: dict[str, np.ndarray]) -> list[str]:
    """Return the lines of a recipe's table: share of the best possible area, with its error."""
    lines = ["| method | " + " | ".join(map(str, SHOWN)) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    for method, values in sorted(found.items(), key=lambda item: -item[1][:, -1].mean()):
        error = values.std(axis=0) / np.sqrt(max(1, len(values) - 1))
        cells = [
            f"{100 * m:.1f} ± {100 * e:.1f}"
            for m, e in zip(values.mean(axis=0), error, strict=True)
        ]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def plot(name: str, found: dict[str, np.ndarray]) -> str:
    """Return a plot of what is missing to the best possible area."""
    points = []
    for method, values in found.items():
        missing = 100 * (1 - values.mean(axis=0))
        for trials, left in zip(SHOWN, missing, strict=True):
            if len(values) == 1 and trials != SHOWN[-1]:
                continue
            said = f"{method}, {trials} trials: {left:.2f} % missing"
            mark = method if trials == SHOWN[-1] else ""
            points.append(
                ScatterPoint(trials, max(left, 0.01), said, mark, method == "ilp, then cluster")
            )
    return scatter_file(
        Scatter(f"Search around {name}", "trials", "area missing, %", tuple(points))
    )


def main() -> None:
    """Train what is missing, compare, print the page, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    parser.add_argument(
        "--rows", type=Path, default=Path("build"), help="folder of what is trained"
    )
    add_write(parser, "search.md")
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "data", "rows"))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    args.rows.mkdir(parents=True, exist_ok=True)
    page = NOTES.read_text("utf-8")
    for name in SPACES:
        grid = Grid(name, args.rows / f"search_{name}.jsonl", args.data)
        grid.fill()
        found = compare(grid)
        page = page.replace(f"TABLE {name}\n", "\n".join(table(found)) + "\n")
        if args.out:
            write_bytes(args.out.parent / f"search_{name}.svg", plot(name, found).encode())
    print(page)
    out.done(page)


if __name__ == "__main__":
    main()
