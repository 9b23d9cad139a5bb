"""Measure the minimizer against everything else, in one run.

python -m benchmarks.minimize [--iwls DIR] [--peers DIR] [--only ROW ...] [--effort high]
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.minimize import abc, table, yosys
from benchmarks.minimize.cases import PER_ROW, Case, Parts, all_cases
from benchmarks.minimize.measure import EXACT, Task, cell_of, measured
from benchmarks.minimize.ours import Ours, warm_up
from benchmarks.minimize.table import Cell
from benchmarks.page import Page, add_write, is_part
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.portfolio import OBJECTIVES
from nnlogic.tools.find import find

NOTES = """\
Cells: LUT6 / LUT4, levels as LUT6 / LUT4, processor seconds as LUT6 / LUT4 (child processes
counted; checks and the compilation of kernels left out). Levels are those of the deepest part;
floors and aims with levels are for the mean, as published. LUTs have two or more inputs; wide
muxes (F7, F8, F9) are counted apart as (+n) and are no levels. `-`: the method cannot read the row,
or the row has no data. Rows of several parts are sums. Every result was compared with what it was
made from before it was counted: *exhaustive* over all inputs that matter, or *proved* by SAT; a
difference would read *wrong* here. `nnlogic approximate` and `&ttopt -R 1` see the same
don't-cares, the inputs absent from 3,000 rows; the percentage is their agreement with the table on
1,000 rows that took no part.

Checkpoints, approximate: half of the rows beside the checkpoint decide (two parts observed, one
part for the budget of 0.5 points); the percentages are agreement with the exact network, and both
accuracies, on the other half; the check is against the approximate tables.

IIoT, layers kept: ABC and Yosys get the neurons that reach an output, one at a time; layers merged:
`&ttopt` and `lutmin` run per table, and `strash; dch; if; mfs2` on the whole. Yosys infers a ROM
per `case` table and maps it to LUTs; its LUT4 column is `synth_ecp5 -noccu2 -nowidelut`. The LUT4
script of `&ttopt` is `&put; dch; if -K 4 -a; mfs2` after it, since `&lnetmap` makes LUT6 only.
The VGG16 kernels are one netlist, which `&ttopt` and `lutmin` cannot read. Floors and aims are for
LUT6 of `nnlogic exact`.
"""


def methods(effort: str, objective: str) -> list[Task]:
    """Return the columns of the table."""
    return [
        Task(Ours(EXACT, effort, objective), own=True),
        Task(Ours("nnlogic approximate", effort, objective), observed=True),
        Task(abc.TTOPT_CARES, observed=True),
        Task(abc.TTOPT),
        Task(abc.LUTMIN),
        Task(abc.DCH),
        Task(yosys.DEFAULT),
        Task(yosys.NO_WIDE),
    ]


def rows(cases: Sequence[Case], tasks: Sequence[Task], jobs: int) -> Iterator[str]:
    """Yield the lines of the table as they are measured."""
    yield from table.header([t.method.name for t in tasks])
    for case in cases:
        if case.missing:
            yield table.row(case, [], Cell({}))
            continue
        print(f"{case.title} (`{case.name}`)", file=sys.stderr, flush=True)
        parts: Parts = case.load()
        cells = [cell_of(task, parts, found) for task, found in measured(tasks, parts, jobs)]
        by_name = dict(zip((t.method.name for t in tasks), cells, strict=True))
        yield table.row(case, cells, by_name[abc.TTOPT.name])


def main() -> None:
    """Print the table row by row, and write the page where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.minimize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--iwls", type=Path, help="directory of IWLS 2022 .truth files")
    parser.add_argument("--peers", type=Path, help="directory of cybernid*/ and vgg/")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="rows whose name starts so")
    parser.add_argument(
        "--neurons", type=int, default=PER_ROW, help="single neurons per row (default %(default)s)"
    )
    parser.add_argument("--effort", default="high", choices=EFFORTS)
    parser.add_argument("--objective", default="area", choices=OBJECTIVES)
    parser.add_argument("--jobs", type=int, default=1, help="parts measured at the same time")
    add_write(parser, "minimize.md")
    args = parser.parse_args()
    names = tuple(args.only or [""])
    cases = [c for c in all_cases(args.peers, args.iwls, args.neurons) if c.name.startswith(names)]
    if not cases:
        parser.error(f"no row is called {' or '.join(names)}")
    done: list[str] = []
    warm_up(args.effort)
    page = Page(parser, args.out, is_part(parser, args, "iwls", "peers", "jobs", "effort"))
    for text in rows(cases, methods(args.effort, args.objective), args.jobs):
        print(text, flush=True)
        done.append(text)
        page.so_far(document(done, args))
    page.done(document(done, args))


def document(lines: Sequence[str], args: argparse.Namespace) -> str:
    """Return the page: command, tools, how to read it, table."""
    shown = ["python -m benchmarks.minimize"]
    for name in ("iwls", "peers"):
        if getattr(args, name):
            shown.append(f"--{name} DIR")
    if args.only:
        shown.append(f"--only {shlex.join(args.only)}")
    if args.neurons != PER_ROW:
        shown.append(f"--neurons {args.neurons}")
    shown.append(f"--effort {args.effort} --objective {args.objective} --jobs {args.jobs}")
    tools = ", ".join(f"{name}: {find(name).source}" for name in ("abc", "yosys"))
    head = [
        "# The minimizer, measured",
        "",
        "One run of",
        "",
        f"    {' '.join(shown)}",
        "",
        f"on {os.cpu_count()} processors; {tools}.",
        "",
        NOTES,
    ]
    return "\n".join([*head, *lines, ""])


if __name__ == "__main__":
    main()
