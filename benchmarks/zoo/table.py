"""The page of the zoo."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.zoo.row import LEVELS_PER_STAGE, Row

DATASETS = {
    "jets": "Jets (simulated set; never to be compared with accuracies on the published set)",
    "mnist": "MNIST",
    "nid": "NID (UNSW-NB15, own split of 82,332 rows; not comparable with published figures)",
}
HEAD = f"""\
# The zoo: accuracy and hardware of trained networks

Made by `python -m benchmarks.zoo --data DIR` from the checkpoints in `zoo/` and `zoo/peers/`.

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
- *s*: seconds of the LUT6 compile, proofs included.

"""
PEERS = """\
# Retrained peers

Other kinds of networks, trained on the same rows and compiled by the same flow.

"""


def page(zoo: Sequence[Row], peers: Sequence[Row], notes: str) -> str:
    """Return the whole page as Markdown."""
    return HEAD + _tables(zoo) + PEERS + _tables(peers) + notes


def _tables(rows: Sequence[Row]) -> str:
    out = []
    known = [*DATASETS, *sorted({r.dataset for r in rows} - set(DATASETS))]
    for dataset in known:
        own = [r for r in rows if r.dataset == dataset]
        if own:
            out.append(f"## {DATASETS.get(dataset, dataset)}\n\n{_table(own)}\n")
    return "\n".join(out) + "\n"


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


def front(rows: Sequence[Row]) -> list[Row]:
    """Return the rows no other row beats in both test accuracy and LUTs."""
    out: list[Row] = []
    for row in sorted(rows, key=lambda r: (r.luts["total"], -r.test)):
        if not out or row.test > out[-1].test:
            out.append(row)
    return out
