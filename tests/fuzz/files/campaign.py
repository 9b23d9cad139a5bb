"""Many cases one after another; what failed is made smaller and kept."""

from __future__ import annotations

import itertools
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from . import sweep as systematic
from .format import Format
from .formats import formats
from .place import Case, Workplace, drawn
from .sandbox import Limits


@dataclass
class Campaign:
    """What was tried and what was found.

    Attributes
    ----------
    place : Workplace
    keep : Path
        Where failing cases go.
    tried, failed : counts by format
    titles : counts of faults
    memory, seconds : the most by format
    """

    place: Workplace
    keep: Path
    tried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    titles: Counter[str] = field(default_factory=Counter)
    memory: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, case: Case, smaller: Iterable[Case] = ()) -> None:
        """Run a case; keep it, or the first of some smaller ones that fails in the same way."""
        title, out = self.place.fault(case)
        name = case.format
        self.tried[name] += 1
        self.memory[name] = max(self.memory[name], out.memory)
        self.seconds[name] = max(self.seconds.get(name, 0), out.seconds)
        if title is None:
            return
        self.failed[name] += 1
        known = f"{name}: {title}"
        self.titles[known] += 1
        if self.titles[known] > 1:
            return
        case = next((c for c in smaller if self.place.fault(c)[0] == title), case)
        self.keep.mkdir(parents=True, exist_ok=True)
        path = self.keep / f"{name}-{zlib.crc32(case.data + title.encode()):08x}.json"
        case.save(path, title)
        click.echo(f"FOUND {known}")
        click.echo(f"  nnlogic {' '.join(case.argv)}")
        click.echo(f"  {'; '.join(case.done)!r}")
        click.echo(f"  python -m tests.fuzz files --replay {path}")

    def random(self, fmt: Format, seed: int, number: int) -> None:
        """Run the case of a seed and a number."""
        case = drawn(fmt, seed, number, self.place.made)
        fewer = range(1, len(case.done))
        self.run(case, (drawn(fmt, seed, number, self.place.made, most) for most in fewer))

    def summary(self) -> None:
        """Print counts."""
        for name, tried in sorted(self.tried.items()):
            click.echo(
                f"{name:22} {tried:6} tried, {self.failed[name]:6} failed; at most "
                f"{self.memory[name] >> 20:5} MiB, {self.seconds[name]:5.1f} s"
            )
        for title, count in self.titles.most_common():
            click.echo(f"{count:6} {title}")
        click.echo(
            f"{self.tried.total()} broken files, {self.failed.total()} ended badly in "
            f"{len(self.titles)} ways; at most {max(self.memory.values(), default=0) >> 20} MiB "
            f"and {max(self.seconds.values(), default=0):.1f} s"
        )


def turns(
    names: Sequence[str], count: int | None, until: float | None
) -> Iterator[tuple[str, int]]:
    """Yield format and number of each case, all formats in turn, up to a count or a time."""
    number = 0
    while True:
        for name in names:
            if (count is not None and number >= count) or (until and time.monotonic() > until):
                return
            yield name, number
            number += 1


def replayed(place: Workplace, cases: Sequence[Case]) -> int:
    """Run cases once more, show what each says, and return whether anything is wrong."""
    titles = []
    for case in cases:
        title, out = place.fault(case)
        titles += [title] if title else []
        click.echo(f"nnlogic {' '.join(case.argv)}: {'; '.join(case.done)!r}\n{out.text}")
        click.echo(f"exit {out.code}, {out.seconds:.1f} s, {out.memory >> 20} MiB")
        click.echo(f"FOUND {title}\n" if title else "")
    click.echo(f"{len(titles)} of {len(cases)} found" if titles else "nothing found")
    return int(bool(titles))


@click.command()
@click.option(
    "--count", type=int, help="Broken files to try (default: 4000, or what --minutes allows)."
)
@click.option("--minutes", type=float, help="How long to go on.")
@click.option("--seed", type=int, help="By default the time.")
@click.option(
    "--format", "names", multiple=True, help="Only this format, or formats that start so."
)
@click.option(
    "--keep", default=Path("build/fuzz/files"), type=Path, help="Folder for failing cases."
)
@click.option("--seconds", default=20, show_default=True, help="Of the processor, for each.")
@click.option("--sweep", is_flag=True, help="Every place with every odd value, at most --minutes.")
@click.option("--replay", type=Path, help="Run the case in a file, or those in a folder.")
def main(
    count: int | None, minutes: float | None, seed: int | None, names: tuple[str, ...], keep: Path,
    seconds: int, sweep: bool, replay: Path | None,
) -> None:  # fmt: skip
    """Give broken files of every format to the commands that read them."""
    known = formats()
    chosen = [n for n in known if not names or n.startswith(names)]
    if not chosen:
        raise click.UsageError(f"formats are {', '.join(known)}")
    if minutes is None:
        count = 4000 if count is None else count
    seed = int(time.time()) if seed is None else seed
    files = () if not replay else sorted(replay.glob("*.json")) if replay.is_dir() else [replay]
    cases = [Case.load(path) for path in files]
    with tempfile.TemporaryDirectory(prefix="nnlogic-fuzz-") as folder:
        place = Workplace(Path(folder) / "work", Limits(seconds))
        place.prepare(sorted({case.format for case in cases}) if replay else chosen)
        if replay:
            raise SystemExit(replayed(place, cases))
        click.echo(f"seed {seed}", err=True)
        campaign = Campaign(place, keep)
        until = None if minutes is None else time.monotonic() + 60 * minutes
        if sweep:
            every = (case for name in chosen for case in systematic.cases(known[name], place.made))
            for case in itertools.takewhile(lambda _: not until or time.monotonic() < until, every):
                campaign.run(case)
        else:
            for name, number in turns(chosen, count, until):
                campaign.random(known[name], seed, number)
        campaign.summary()
    if campaign.titles:
        raise SystemExit(1)
