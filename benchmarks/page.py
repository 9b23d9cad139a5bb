"""Where a benchmark writes: nowhere, unless it is told; no part of one replaces a whole page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nnlogic.core.archive import write_bytes

PUBLISHED = Path(__file__).parents[1] / "docs" / "benchmarks"


def add_write(parser: argparse.ArgumentParser, page: str) -> None:
    """Add ``--write FILE`` to a parser; `page` is the name of what is published."""
    parser.add_argument(
        "--write", "--out", "--page", dest="out", type=Path, metavar="FILE",
        help=f"also write the page, for instance {Path('docs', 'benchmarks', page)}; "
        "without it everything is only printed",
    )  # fmt: skip


def is_part(parser: argparse.ArgumentParser, args: argparse.Namespace, *free: str) -> bool:
    """Whether options were given with which less is measured; `free` ones change only where."""
    given = {name for name, value in vars(args).items() if value != parser.get_default(name)}
    return bool(given - {*free, "out"})


class Page:
    """The file a benchmark writes, if it was told one.

    What is there so far stands beside it, in ``FILE.part``; the file itself changes once, when
    everything is measured.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Which ends the program where a part would replace a published page.
    out : Path or None
    part : bool
        Whether less is measured than what is published.
    """

    def __init__(self, parser: argparse.ArgumentParser, out: Path | None, part: bool) -> None:
        self.out = out
        if out is None:
            return
        published = out.resolve().parent == PUBLISHED.resolve()
        if part and published and out.exists():
            parser.error(f"a part of the measures does not replace {out}; name another file")
        out.parent.mkdir(parents=True, exist_ok=True)

    @property
    def _so_far(self) -> Path | None:
        return None if self.out is None else self.out.with_name(f"{self.out.name}.part")

    def so_far(self, text: str) -> None:
        """Keep what is measured so far."""
        if self._so_far is not None:
            write_bytes(self._so_far, text.encode())

    def done(self, text: str) -> None:
        """Write the whole page."""
        if self.out is None or self._so_far is None:
            return
        write_bytes(self.out, text.encode())
        self._so_far.unlink(missing_ok=True)
        print(f"written: {self.out}", file=sys.stderr)
