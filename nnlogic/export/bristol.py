"""Bristol Fashion circuits: XOR, AND and INV gates for garbled circuits and other protocols."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.checks.specification import check_equal
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import FormatError
from nnlogic.core.formats import Port
from nnlogic.export import Export, Subject, Written
from nnlogic.export.bristol_read import read_bristol
from nnlogic.logic.xag import Xag, fewest_ands
from nnlogic.logic.xag.graph import AND, INV


def write(subject: Subject, suffix: str) -> Written:
    """Return the network as a circuit with few ANDs; one value for each port."""
    net = subject.net
    graph, outputs = fewest_ands(subject.cone)
    outputs = _apart(graph, outputs)
    live = graph.live(outputs)
    kinds = [graph.gates[i][0] for i in live]
    depth = max((graph.depth[s] for s in outputs), default=0)
    facts = {
        "AND": kinds.count(AND), "AND depth": depth, "gates": len(live),
        "LUT": net.stats()["luts"], "LUT levels": net.stats()["depth"],
    }  # fmt: skip
    return Written(_text(graph, outputs, live, net.inputs, net.outputs).encode(), facts)


def _apart(graph: Xag, outputs: Sequence[int]) -> tuple[int, ...]:
    """Return outputs, each with a gate of its own: in the format they are the last wires."""
    taken: set[int] = set()
    out = []
    for s in outputs:
        if s < graph.n_inputs or s in taken:
            for _ in range(2):
                graph.gates.append((INV, (s,)))
                graph.depth.append(graph.depth[s])
                graph.forms.append(graph.forms[s] ^ 1)
                s = graph.n_inputs + len(graph.gates) - 1
        taken.add(s)
        out.append(s)
    return tuple(out)


def _text(
    graph: Xag,
    outputs: tuple[int, ...],
    live: list[int],
    ins: tuple[Port, ...],
    outs: tuple[Port, ...],
) -> str:
    wires = {s: s for s in range(graph.n_inputs)}
    inner = [i + graph.n_inputs for i in live if i + graph.n_inputs not in set(outputs)]
    wires |= {s: graph.n_inputs + at for at, s in enumerate(inner)}
    wires |= {s: graph.n_inputs + len(inner) + at for at, s in enumerate(outputs)}
    lines = [f"{len(live)} {len(wires)}"]
    lines += [" ".join(map(str, (len(p), *(q.format.bits for q in p)))) for p in (ins, outs)]
    lines.append("")
    for i in live:
        kind, reads = graph.gates[i]
        numbers = [len(reads), 1, *(wires[s] for s in reads), wires[graph.n_inputs + i]]
        lines.append(f"{' '.join(map(str, numbers))} {kind}")
    return "\n".join([*lines, ""])


def check(subject: Subject, data: bytes, suffix: str) -> tuple[Verdict, ...]:
    """Compare a circuit, read by rules of its own, with the network."""
    title = "Bristol circuit as read back"
    net = subject.net
    widths = tuple(tuple(p.format.bits for p in ports) for ports in (net.inputs, net.outputs))
    try:
        read, found = read_bristol(data.decode())
    except FormatError as error:
        return (Verdict("network", title, False, "exhaustive", error.why, error.where),)
    if found != widths:
        detail = f"values of {found} bits in place of {widths}"
        return (Verdict("network", title, False, "exhaustive", detail, "ports"),)
    return (check_equal("network", title, subject.cone, read, 600),)


EXPORT = Export((".bristol",), "Bristol Fashion circuit with few ANDs", write, check)
