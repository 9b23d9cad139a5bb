"""Measure every checkpoint of the zoo and its peers, and write the page.

    python -m benchmarks.zoo [--data DIR] [--only NAME ...] [--no-ecp5] [--jobs N]

Rows are kept beside their runs; a checkpoint that has not changed is not measured again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.zoo.peers import plain_luts
from benchmarks.zoo.row import Row, Settings, measure
from benchmarks.zoo.table import page
from nnlogic.core.errors import NNLogicError
from nnlogic.logic.engines.base import EFFORTS

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run; return 1 when a row could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--zoo", type=Path, default=ROOT / "zoo")
    parser.add_argument("--data", type=Path, help="folder with local copies of the data sets")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "zoo")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks" / "zoo.md")
    parser.add_argument("--only", nargs="*", help="names of checkpoints")
    parser.add_argument("--effort", choices=EFFORTS, default="normal")
    parser.add_argument("--optimize", choices=("none", "layer", "network"), default="network")
    parser.add_argument("--no-ecp5", dest="ecp5", action="store_false")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    settings = Settings(args.effort, args.optimize, args.ecp5, args.data)
    args.work.mkdir(parents=True, exist_ok=True)
    tables, failed = [], False
    for folder in (args.zoo, args.zoo / "peers"):
        rows = []
        for path in sorted(folder.glob("*.safetensors")):
            chosen = args.only is None or path.stem in args.only
            try:
                rows += list(row_of(path, args.work, settings, args.jobs, fresh=chosen))
            except NNLogicError as error:
                failed = True
                print(f"{path.stem}: {error}", file=sys.stderr, flush=True)
        tables.append(rows)
    args.page.parent.mkdir(parents=True, exist_ok=True)
    notes = ROOT / "benchmarks" / "zoo" / "notes.md"
    args.page.write_text(page(*tables, notes.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{args.page}: {sum(map(len, tables))} rows")
    return int(failed)


def row_of(path: Path, work: Path, settings: Settings, jobs: int, *, fresh: bool) -> Iterator[Row]:
    """Yield the row of a checkpoint: the stored one when it still holds, else a new one."""
    stored = work / f"{path.stem}.json"
    if stored.exists():
        row = Row.load(stored)
        if row.key == settings.key(path):
            yield row
            return
    if not fresh:
        return
    row = plain_luts(measure(path, work, settings, jobs), path)
    row.save(stored)
    print(f"{row.name}: {row.test:.2f} %, {row.luts}, {row.seconds:.0f} s", flush=True)
    yield row


if __name__ == "__main__":
    sys.exit(main())
