"""What raw features cost inside the core: LUTs with a comparator per threshold, and with cells.

    python -m benchmarks.raw [--write docs/benchmarks/raw.md]

Networks of the zoo as they come, on codes, and with their input quantizer inside for several
formats (effort fast, LUT6). Both ways go through the whole minimizer in this one process, each with
an empty cache of its own: first with the structures of `nnlogic.logic.ranks` left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from unittest import mock

import nnlogic
from benchmarks.page import Page, add_write, is_part
from nnlogic.design.build import build
from nnlogic.job.facts import estimate_facts
from nnlogic.logic import structures
from nnlogic.quant.encoder import comparisons, with_encoder
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.word import parse_words
from nnlogic.tables.passes import simplify

ROOT = Path(__file__).parents[1]
NETS, FORMATS = ("jets_s", "jets_m"), ("q3.7", "q4.12", "float32")
NEVER = 1 << 30
HEAD = """# Raw features in the core

Made by

    python -m benchmarks.raw --write docs/benchmarks/raw.md

LUT6 and levels of networks of the zoo, effort fast: on codes, as they come, and with the input
quantizer inside (`--raw FORMAT`). *Alone*: a comparator for each threshold that is read, equal
parts shared. *Cells*: a window of the word, cells of it by its highest bits, and the rest compared
with the constants of the cell. Both give the same codes: rung 2 compares each with the quantizer,
and each structure is proved before it is used.

| network | format | thresholds | LUT6, alone | encoder | levels | LUT6, cells | encoder | levels |
|---|---|---|---|---|---|---|---|---|
"""
TAIL = """
Thresholds are those at which something changes that the network reads. `q3.7` reaches few of them
(the report warns of it), so that networks shrink. Carry chains are not used: counts are LUTs alone.
"""


def measured(net: QuantNet, shared: int) -> tuple[int, int, int]:
    """Return LUTs, those of the encoder, and levels; below `shared` thresholds each is alone."""
    tables, _ = simplify(nnlogic.tabulate(net), effort="fast", timeout=60.0)
    with tempfile.TemporaryDirectory() as cache, mock.patch.object(structures, "SHARED", shared):
        logic = nnlogic.minimize(tables, k=6, effort="fast", jobs=1, cache_dir=cache)
    luts = {row.part: row.luts or 0 for row in estimate_facts(build(logic))}
    stats = logic.stats()
    return stats["luts"], luts.get("encoder", 0), stats["depth"]


def main() -> int:
    """Measure all; print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", nargs="+", default=list(NETS), help="names in zoo/")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    add_write(parser, "raw.md")
    args = parser.parse_args()
    page, text = Page(parser, args.out, is_part(parser, args)), HEAD
    for name in args.nets:
        net = nnlogic.load(ROOT / "zoo" / f"{name}.safetensors")
        luts, _, levels = measured(net, structures.SHARED)
        text += f"| `{name}` | codes | | {luts:,} | | {levels} | {luts:,} | | {levels} |\n"
        for words in args.formats:
            raw = with_encoder(net, parse_words(words, [p.name for p in net.inputs]))
            count = sum(map(len, comparisons(raw)))
            cells = [f"`{name}`", f"`{words}`", str(count)]
            for shared in (NEVER, structures.SHARED):
                cells += [f"{v:,}" for v in measured(raw, shared)]
            text += f"| {' | '.join(cells)} |\n"
            page.so_far(text)
    print(text + TAIL)
    page.done(text + TAIL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
