"""The page of the zoo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.zoo import equal
from benchmarks.zoo.row import LEVELS_PER_STAGE, TOO_LARGE, Row
from benchmarks.zoo.stream import StreamRow
from benchmarks.zoo.stream import table as stream_table

OURS, FAMILIES, PEERS = "zoo", "families", "peers"
GROUPS = {OURS: "", FAMILIES: "families", PEERS: "peers"}
"""Parts of the page, and their folders below the zoo's."""

DATASETS = {
    "jets": "Jets (simulated set; never to be compared with accuracies on the published set)",
    "mnist": "MNIST",
    "nid": "NID (UNSW-NB15, own split of 82,332 rows; not comparable with published figures)",
}
HEAD = f"""\
# The zoo: accuracy and hardware of trained networks

Made by `python -m benchmarks.zoo --data DIR` from the checkpoints in `zoo/`, `zoo/families/` and
`zoo/peers/`.

- *test*: the compiled network, simulated on the whole test split; *val*: what training recorded on
  the validation rows all choices were made on.
- LUT6 are nodes of two or more inputs after optimization across layers, from input codes to class:
  encoder, network, output logic (votes, sums, argmax), total. Nothing is left out of the total; a
  node that serves two roles counts for the one it was made for.
- *depth*: LUT6 levels from input codes to class.
- *proofs*: rungs of the ladder and how they were passed. 1: recorded outputs of the trained model;
  2: QuantNet = tables; 3: tables = logic; 4: logic = pipelined design; 5: design = Verilog;
  6: Verilog = netlist (ecp5).
- ecp5: mapped again to LUT4s, a register every {LEVELS_PER_STAGE} levels, Yosys and nextpnr.
  `-`: not run.
- *s*: seconds of the LUT6 compile on one core, proofs included; other work ran beside some.

"""
TITLES = {
    OURS: "",
    FAMILIES: """\
# Families on equal terms

One network of each kind of neuron on the same rows: same teacher, epochs, rows per epoch and
optimizer, one seed, widths set by hand for 200 to 500 estimated LUT6. Recipes are
`nnlogic/train/recipes/jets_FAMILY.toml`; `nnlogic train jets_FAMILY` takes 2 to 8 minutes on a CPU.
They show a family without a population of members and without refinement.

""",
    PEERS: """\
# Retrained peers

Other kinds of networks, trained on the same rows and compiled by the same flow. `if` LUT6: as their
authors count, each table mapped by itself.

""",
}
EQUAL = """\
# Peers at equal LUTs

Computed from the rows above. *Our frontier* are the networks of the zoo and the families that no
other of ours beats in both; between them accuracy is taken as linear in the logarithm of LUT6, and
it is not extended to smaller networks than our smallest. Beyond our largest it stays level.

"""


@dataclass
class Zoo:
    """Rows of the page.

    Attributes
    ----------
    rows : dict of str to list of Row
        By part of the page.
    streams : list of StreamRow
    missing : list of str
        Checkpoints that were not measured.
    """

    rows: dict[str, list[Row]] = field(default_factory=lambda: {group: [] for group in GROUPS})
    streams: list[StreamRow] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, group: str, name: str, row: Row | StreamRow | None) -> None:
        """Add the row of a checkpoint, None if it was not measured."""
        if row is None:
            self.missing.append(name)
        elif isinstance(row, StreamRow):
            self.streams.append(row)
        else:
            self.rows[group].append(row)

    def not_run(self) -> str:
        """Return what the page must say of columns and rows that are not there."""
        rows = [*(row for group in self.rows.values() for row in group), *self.streams]
        texts = {
            "Not measured": self.missing,
            "ecp5 columns not run": [row.name for row in rows if not row.ecp5],
            "Too large for the ecp5 device (LFE5U-85F)": [
                row.name for row in rows if row.ecp5 == TOO_LARGE
            ],
        }
        lines = [
            f"{text}: {', '.join(f'`{n}`' for n in names)}."
            for text, names in texts.items()
            if names
        ]
        return "".join(f"{line}\n\n" for line in lines)


def page(zoo: Zoo, notes: str) -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD, zoo.not_run()]
    for group, rows in zoo.rows.items():
        if rows:
            parts.append(TITLES[group] + _tables(rows))
        if group == OURS and zoo.streams:
            parts.append(stream_table(zoo.streams))
    ours = zoo.rows[OURS] + zoo.rows[FAMILIES]
    compared = [_equal(dataset, zoo.rows[PEERS], ours) for dataset in DATASETS]
    if any(compared):
        parts += [EQUAL, *compared]
    return "".join(parts) + notes


def _equal(dataset: str, peers: Sequence[Row], ours: Sequence[Row]) -> str:
    mine, theirs = ([r for r in rows if r.dataset == dataset] for rows in (ours, peers))
    if not mine or not theirs:
        return ""
    return f"## {DATASETS[dataset]}\n\n{equal.table(theirs, mine)}\n"


def _tables(rows: Sequence[Row]) -> str:
    out = []
    known = [*DATASETS, *sorted({r.dataset for r in rows} - set(DATASETS))]
    for dataset in known:
        own = [r for r in rows if r.dataset == dataset]
        if own:
            out.append(f"## {DATASETS.get(dataset, dataset)}\n\n{_table(own)}\n")
    return "".join(out)


def _table(rows: Sequence[Row]) -> str:
    plain = any(r.plain is not None for r in rows)
    head = ["network", "family", "test %", "val %", "encoder", "network", "output", "**LUT6**"]
    head += ["`if` LUT6"] * plain + [
        "depth",
        "ecp5 LUT4",
        "FF",
        "Fmax MHz",
        "cycles",
        "s",
        "proofs",
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in sorted(rows, key=lambda r: (r.luts["total"], r.name)):
        cells = [
            row.name,
            row.family,
            f"{row.test:.2f}",
            "-" if row.validation is None else f"{row.validation:.2f}",
            *(str(row.luts[k]) for k in ("encoder", "network", "output")),
            f"**{row.luts['total']}**",
            *([_or_dash(row.plain)] if plain else []),
            str(row.depth),
            _or_dash(row.luts4),
            _or_dash(row.ffs),
            _or_dash(row.fmax),
            _or_dash(row.latency_cycles),
            f"{row.seconds:.0f}",
            "; ".join(f"{rung} {how}" for rung, how in sorted(row.proofs.items())),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _or_dash(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}"
