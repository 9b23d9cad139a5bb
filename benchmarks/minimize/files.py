"""Files of logic that the minimizer was not made for, against simple scripts and known networks.

python -m benchmarks.minimize.files FILE.pla FILE.truth ... [--known DIR ...] [--budget SECONDS]

``--known`` names directories with AIGER files of the same names, such as those of a contest, which
are mapped to LUTs and of which the smallest counts. Every result is proved equal to the file as ABC
reads it.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.minimize.parts import Stopwatch
from benchmarks.page import Page, add_write, is_part
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.formats import parse
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.resub.improve import load_kernels
from nnlogic.logic.specified import minimize_specification
from nnlogic.tools.abc import prove_equal, run_abc
from nnlogic.tools.budget import Budget, spending
from nnlogic.tools.plain import scratch

READ = {".pla": "read_pla in.pla", ".truth": "read_truth -x -f in.truth"}
MAP = "dch; if -K 6 -a; mfs2"
SCRIPTS = (
    f"strash; {MAP}",
    f"strash; dc2; dc2; dc2; {MAP}",
    f"fx; strash; {MAP}",
    f"collapse; sop; fx; strash; dc2; {MAP}",
    f"collapse; strash; {MAP}",
    "collapse; lutmin -K 6; mfs2",
)
"""Of which the best counts as simple."""
HEAD = ("file", "in", "out", "nnlogic", "levels", "CPU s", "best script", "CPU s", "known")
SECONDS = 60.0


def main() -> None:
    """Print the table row by row, and write the page where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.minimize.files",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, help=".pla and .truth files")
    parser.add_argument("--known", nargs="+", type=Path, help="directories of .aig")
    parser.add_argument("--effort", default="normal", choices=EFFORTS)
    parser.add_argument("--budget", type=float, help="seconds of search for each file")
    add_write(parser, "files.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "files", "known", "effort", "budget"))
    lines = []
    load_kernels()
    for line in rows(args):
        print(line, flush=True)
        lines.append(line)
        page.so_far("\n".join(lines))
    page.done(document(lines, args))


def rows(args: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the table as they are measured."""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{' --- |' * len(HEAD)}"
    sums = [0, 0, 0]
    for path in args.files:
        spec = parse(path.read_bytes(), path.name, path.suffix)
        options = SolveOptions(effort=args.effort, objective="area")
        with Stopwatch() as watch, spending(Budget(args.budget or math.inf)):
            ours = minimize_specification(spec, options, cache=ResultCache(None)).cone
        seconds = watch.seconds
        proved(path, ours)
        with Stopwatch() as watch:
            simple = min(filter(None, (scripted(path, s) for s in SCRIPTS)), key=lambda c: c.luts)
        found = [mapped(folder / f"{path.stem}.aig", path) for folder in (args.known or [])]
        known = min((luts for luts in found if luts is not None), default=None)
        counts = (ours.luts, simple.luts, known or 0)
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
        yield (
            f"| {path.stem} | {len(spec.inputs)} | {len(spec.outputs)} | {ours.luts:,} | "
            f"{ours.depth} | {seconds:.1f} | {simple.luts:,} | {watch.seconds:.1f} | "
            f"{'-' if known is None else f'{known:,}'} |"
        )
    yield f"| sum | | | {sums[0]:,} | | | {sums[1]:,} | | {sums[2] or '-'} |"


def transformed(path: Path, script: str) -> str:
    """Return what a script makes of a file, as BLIF text."""
    with scratch("files") as cwd:
        (cwd / f"in{path.suffix}").write_bytes(path.read_bytes())
        out = cwd / "out.blif"
        text = f"{READ[path.suffix]}; {script}; write_blif out.blif"
        run_abc(text, cwd=cwd, outputs=(out,), timeout=SECONDS)
        return out.read_text()


def scripted(path: Path, script: str) -> Cone | None:
    """Return the network of a script, None where it found none in time."""
    try:
        return propagate_constants(read_blif(transformed(path, script))).cone
    except ToolFailed as failure:
        print(f"{path.name}: {script}: {failure.what}", file=sys.stderr)
        return None


def proved(path: Path, cone: Cone) -> None:
    """Raise unless a network is equal to the file as ABC reads it; ports go by position."""
    original = read_blif(transformed(path, "strash; if -K 6"))
    equal, said = prove_equal(write_blif(original), write_blif(cone))
    if not equal:
        raise SystemExit(f"{path}: wrong, {said}")


def mapped(aiger: Path, path: Path) -> int | None:
    """Return the LUTs of a known network, proved equal to the file as well."""
    if not aiger.is_file():
        return None
    with scratch("known") as cwd:
        (cwd / "in.aig").write_bytes(aiger.read_bytes())
        out = cwd / "out.blif"
        script = "read in.aig; strash; dch; if -K 6 -a; mfs2 -a -e; write_blif out.blif"
        run_abc(script, cwd=cwd, outputs=(out,), timeout=SECONDS)
        cone = propagate_constants(read_blif(out.read_text())).cone
    proved(path, cone)
    return cone.luts


def document(lines: Sequence[str], args: argparse.Namespace) -> str:
    """Return the page: command, how to read it, table."""
    files = shlex.join(p.name for p in args.files)
    known = f" --known {' '.join(p.name for p in (args.known or []))}" if args.known else ""
    budget = f" --budget {args.budget:g}" if args.budget else ""
    head = [
        "# Files of others",
        "",
        f"    python -m benchmarks.minimize.files {files}{known} --effort {args.effort}{budget}",
        "",
        "LUT6 at objective area; processor seconds, child processes counted, checks left out.",
        f"*Best script*: the smallest of {len(SCRIPTS)} one-line scripts of ABC, and the seconds",
        "of all of them. *Known*: the smallest known network of gates, mapped by ABC",
        "(`dch; if -a; mfs2 -a -e`).",
        "Every result was proved equal to the file as ABC reads it.",
        "",
    ]
    return "\n".join([*head, *lines, ""])


if __name__ == "__main__":
    main()
