"""Measure every checkpoint of the zoo, of its families and peers, and print the page.

    python -m benchmarks.zoo [--data DIR] [--only NAME ...] [--no-ecp5] [--jobs N] [--write FILE]

Rows are kept beside their runs; a checkpoint that has not changed is not measured again. With
`--only` the page holds the other rows too, as far as they were measured before.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import Page, add_write, is_part
from benchmarks.zoo import row as plain_rows
from benchmarks.zoo import stream
from benchmarks.zoo.peers import plain_luts
from benchmarks.zoo.row import Row, Settings
from benchmarks.zoo.stream import STREAM, StreamRow
from benchmarks.zoo.table import GROUPS, PEERS, Zoo, page
from nnlogic.core.errors import NNLogicError
from nnlogic.logic.engines.base import EFFORTS

ROOT = Path(__file__).parents[2]
AnyRow = Row | StreamRow


def main() -> int:
    """Run; return 1 when a row could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--zoo", type=Path, default=ROOT / "zoo")
    parser.add_argument("--data", type=Path, help="folder with local copies of the data sets")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "zoo")
    add_write(parser, "zoo.md")
    parser.add_argument("--only", nargs="*", help="names of checkpoints")
    parser.add_argument("--effort", choices=EFFORTS, default="normal")
    parser.add_argument("--optimize", choices=("none", "layer", "network"), default="network")
    parser.add_argument("--no-ecp5", dest="ecp5", action="store_false")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    out = Page(parser, args.out, is_part(parser, args, "zoo", "data", "work", "jobs"))
    settings = Settings(args.effort, args.optimize, args.data)
    args.work.mkdir(parents=True, exist_ok=True)
    zoo, failed = Zoo(), False
    for group, folder in GROUPS.items():
        for path in sorted((args.zoo / folder).glob("*.safetensors")):
            fresh = args.only is None or path.stem in args.only
            maker = Maker(path, args.work, settings, args.jobs, plain=group == PEERS)
            try:
                row = maker.row(ecp5=args.ecp5) if fresh else maker.stored()
            except NNLogicError as error:
                failed = True
                print(f"{path.stem}: {error}", file=sys.stderr, flush=True)
                row = maker.stored()
            zoo.add(group, path.stem, row)
    notes = ROOT / "benchmarks" / "zoo" / "notes.md"
    text = page(zoo, notes.read_text(encoding="utf-8"))
    print(text)
    out.done(text)
    return int(failed)


@dataclass(frozen=True)
class Maker:
    """Makes the row of one checkpoint, and keeps it as JSON in `work`.

    Attributes
    ----------
    path : Path
        Of the checkpoint.
    work : Path
    settings : Settings
    jobs : int
    plain : bool
        Also count the LUTs of the plain flow.
    """

    path: Path
    work: Path
    settings: Settings
    jobs: int
    plain: bool

    @property
    def _streams(self) -> bool:
        return STREAM in self.path.stem

    def stored(self) -> AnyRow | None:
        """Return the row kept earlier, if the checkpoint and the settings are still its own."""
        file = self.work / f"{self.path.stem}.json"
        kind = StreamRow if self._streams else Row
        row = kind.load(file) if file.exists() else None
        return row if row is not None and row.key == self.settings.key(self.path) else None

    def row(self, *, ecp5: bool) -> AnyRow:
        """Return the row; what it lacks is measured and kept, the ecp5 columns if asked."""
        row, kind = self.stored(), stream if self._streams else plain_rows
        if row is None:
            row = self._keep(kind.measure(self.path, self.work, self.settings, self.jobs))
        if self.plain and isinstance(row, Row) and row.plain is None:
            row = self._keep(plain_luts(row, self.path))
        if ecp5 and not row.ecp5:
            row = self._keep(kind.with_ecp5(row, self.path, self.work, self.settings, self.jobs))
        return row

    def _keep(self, row: AnyRow) -> AnyRow:
        row.save(self.work / f"{row.name}.json")
        fmax = "" if row.fmax is None else f", {row.luts4} LUT4, {row.fmax:.0f} MHz"
        print(f"{row.name}: {row.test:.2f} %, {row.luts}, {row.seconds:.0f} s{fmax}", flush=True)
        return row


if __name__ == "__main__":
    sys.exit(main())
