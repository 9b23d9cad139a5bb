"""The page of the DSP table: its words, and the columns beside the LUT backend."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from textwrap import wrap

from benchmarks.dsp.cases import Case
from benchmarks.dsp.luts import LEVELS, Luts
from nnlogic.backends.dsp.model.cost import Cost

MHZ = 250.0
WORDS = 16
NEAR, BUSY = 10, 90
"""Aims: percent above the bound, percent of slice steps used."""
KEPT = """\
The rows come from runs of the same command with `--only`, several at a time on a busy machine, so
seconds are loose; counts and cycles do not depend on it. `--keep` is the directory that joins them.
"""
NOTES = f"""\
Networks as programs of two-input operations for 48-lane DSP logic units. *steps*: length of the
program; *bound*: no schedule is shorter (w work, d depth, p both together, r ports). *used*: share
of slice cycles that do an operation. *contexts*: independent batches of 48 vectors that take turns
to hide the pipeline of 6 cycles. *BRAM* (36 Kb) and *LUT6* (crossbar, small memories) are
estimates. Latency (one group of contexts x 48 vectors, inputs loaded) and throughput are for an
**assumed clock of {MHZ:.0f} MHz**. *build*: from LUTs to operations, ABC included; *compile*:
scheduling, allocation and the rules of the program; both in processor seconds. Every program was
compared with its graph: *proved* follows every value, *sampled* is {64 * WORDS} random vectors
through the interpreter; *graph* is the comparison of the operations with the network they were
built from. VGG16 rows are NullaNet's own minimized kernels, all 512 filters of a layer on one
patch; a lane is a position of the convolution. Random graphs read signals at most 4,096 back.
"""
HEAD = (
    "| network | operations | depth | slices | contexts | steps | bound | over | used | BRAM "
    "| LUT6 | latency us | vectors/s | build s | compile s | checked |"
)
BESIDE_NOTES = f"""\
## Beside the LUT backend, and beside published figures

The same networks as pipelined LUTs, a vector every clock, at the **same assumed clock of
{MHZ:.0f} MHz**: a register after every {LEVELS} LUT6 levels, which the delay model of target xcup
allows there ({LEVELS} levels in 3.7 ns; like the engine's clock, no tool was asked). *LUT6* are of
two or more inputs, objective area, everything counted. *engine*: the fastest of the table above,
32 slices; its LUT6 are crossbar and small memories. *ratio*: vectors per second of the LUTs
over those of the engine. *LUT6 per slice*: LUTs that do as many vectors per second as one slice
(LUT6 / ratio / slices), the crossbar left out.

Zoo counts are from [zoo.md](zoo.md) (`python -m benchmarks.zoo`), the others from
`python -m benchmarks.dsp.luts --peers DIR`; the VGG16 layers there are minimized as one network on
one patch. [minimize.md](minimize.md) has conv8 at effort normal, filter by filter: 7,141. Rows of
the table above that are missing here (lenet-fc1, random graphs) were not counted as LUTs.
"""
REMAINS = """\
What holds short programs above their bound is their start, when there is nothing to read but
inputs: with one pair of read ports per input memory the first steps cannot feed all slices. More
input memories are taken as long as each doubling shortens the program by a percent; that took the
first layer of LeNet from 10.3, 12.7 and 15.0 % over the bound (8, 16, 32 slices) to the figures
below. Other orders did not: a second schedule that follows the slack of a backward one (8 rounds),
and the best of 60 random tie-breaks, gained one step at most on that layer, and one percent at most
on the last. The bound itself knows slices, latency and ports, each alone or the first two
together, but not ports and latency together, so part of what is left may be the bound's.
"""
BESIDE_HEAD = (
    "| network | LUT6 | levels | latency us | vectors/s | counted by "
    "| engine latency us | vectors/s | BRAM | LUT6 | ratio | LUT6 per slice | published |"
)
PUBLISHED_NOTES = """\
*published*: LUTs that NullaNet's authors declare for the same six VGG16 layers, fully parallel,
latency 2, a patch every clock. Their kernels are the input of these rows, so the functions are the
same, filter by filter; comparable is the count of LUTs, with the reservation that ours count LUT6
before any vendor tool, and theirs are declared without the tool and the clock. Theirs and ours
leave out what cuts the patches, and the layers 1 to 7 on a multiply-accumulate engine.

Not in the table: cycles or times of single layers from the 2022 paper on DSP compilation
(arXiv 2208.00302). The sources at hand do not give them, so nothing here is a comparison with that
paper's engine; neither is the 25 times the throughput of an XNOR accelerator that the 2023 paper
(arXiv 2304.06299) claims for the whole of VGG16, whose slices, clock and batch are not known here.
Our cycles are counted and checked; our times are cycles at an assumed clock.
"""


def summary(lines: Sequence[str]) -> str:
    """Return how many engines are near their bound, and which are not."""
    name, over, far, busy = "", 0, [], []
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = cells[0] or name
        engine = f"{name} on {cells[3]}"
        over += 1
        if float(cells[7].rstrip("%")) > NEAR:
            far.append(f"{engine} ({cells[7]})")
        if float(cells[8].rstrip("%")) < BUSY:
            busy.append(f"{engine} ({cells[8]})")
    count = f"{over - len(far)} of {over} engines are within {NEAR} % of their bound"
    rest = f"; not: {', '.join(far)}" if far else ""
    return (
        f"{count}{rest}. {over - len(busy)} keep their slices at least {BUSY} % busy; the others "
        "are short or deep for so many slices, and start and end with few operations to choose "
        f"from: {', '.join(busy) or 'none'}."
    )


def ruler(head: str) -> str:
    """Return the line below the titles of a table."""
    return "|---" * (head.count("|") - 1) + "|"


def beside(case: Case, cost: Cost, luts: Luts) -> str:
    """Return the line that has a network as LUTs and on an engine."""
    ratio = MHZ * 1e6 / cost.throughput
    cells = [
        case.name,
        f"{luts.luts:,}",
        str(luts.depth),
        f"{luts.stages / MHZ:.3f}",
        f"{MHZ * 1e6:.2e}",
        luts.how,
        f"{cost.latency_ns / 1e3:.1f}",
        f"{cost.throughput:.2e}",
        str(cost.brams),
        f"{cost.luts:,}",
        f"{ratio:.1f}",
        f"{luts.luts / ratio / cost.slices:.1f}",
        case.published,
    ]
    return "| " + " | ".join(cells) + " |"


def document(
    lines: Sequence[str],
    compared: Sequence[str],
    notes: Sequence[str],
    args: argparse.Namespace,
    peak: float,
) -> str:
    """Return the page: command, how to read it, tables; `peak` is memory in GB."""
    shown = ["python -m benchmarks.dsp", *(["--peers DIR"] if args.peers else [])]
    shown += [f"--only {' '.join(args.only)}"] if args.only else []
    shown += ["--no-sat"] if args.no_sat else []
    shown += [f"--effort {args.effort} --most {args.most}"]
    if args.keep:
        shown[0] += " --keep DIR"
    head = [
        "# The DSP compiler, measured",
        "",
        "One run of",
        "",
        f"    {' '.join(shown)}",
        "",
        NOTES,
    ]
    head += [*([KEPT] if args.keep else []), *wrap(summary(lines), 100), "", REMAINS]
    tail = ["", BESIDE_NOTES, *compared, "", PUBLISHED_NOTES] if len(compared) > 2 else []
    return "\n".join([*head, *lines, "", *notes, "", f"Peak memory {peak:.1f} GB.", *tail, ""])
