"""EDIF 2 0 0: the network as LUT cells of the run's target, for tools that take netlists alone."""

from __future__ import annotations

import numpy as np

from nnlogic.checks.specification import check_equal
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import FormatError, UsageError
from nnlogic.core.inert import EdifText
from nnlogic.export import Export, Subject, Written
from nnlogic.export.edif_read import read_edif
from nnlogic.hw.lut_cell import LutCell
from nnlogic.logic.cone import Cone, table_bits

HEAD = """\
(edif {name}
  (edifVersion 2 0 0)
  (edifLevel 0)
  (keywordMap (keywordLevel 0))
{comments}  (library cells
    (edifLevel 0)
    (technology (numberDefinition))
{cells}  )
  (library work
    (edifLevel 0)
    (technology (numberDefinition))
    (cell {name} (cellType GENERIC)
      (view netlist (viewType NETLIST)
        (interface
{ports}        )
        (contents
"""
TAIL = """\
        )
      )
    )
  )
  (design {name} (cellRef {name} (libraryRef work)))
)
"""


def write(subject: Subject, suffix: str) -> Written:
    """Return the network as cells, a net for each signal.

    Raises
    ------
    UsageError
        A LUT has more inputs than the target's cells; or there is no target.
    """
    cell, cone = _cell(subject), subject.cone
    cell.check_width(max(1, cone.widest))
    ins, outs = ([legal(n) for n in names] for names in subject.bit_names())
    nets: list[list[str]] = [[f"(portRef {name})"] for name in ins]
    nets += [[] for _ in cone.tables]
    instances, used = [], set()
    for node, (fanins, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        kind = cell.cells[max(1, len(fanins)) - 1]
        pins = pins_of(cell, kind)
        used.add(kind)
        # A cell of more pins than inputs has the first signal on the rest, which change nothing.
        rest = 1 << pins - len(fanins)
        bits = np.tile(table_bits(table, len(fanins)), rest)
        value = int("".join(map(str, bits[::-1].tolist())), 2)
        reads = [*fanins, *[fanins[0] if fanins else 0] * (pins - len(fanins))]
        nets[cone.n_inputs + node].append(f"(portRef {cell.output} (instanceRef n{node}))")
        for pin, signal in zip(cell.inputs, reads, strict=False):
            nets[signal].append(f"(portRef {pin} (instanceRef n{node}))")
        init = f"{len(bits)}'h{value:0{-(-len(bits) // 4)}X}"
        instances.append(
            f"(instance n{node} (viewRef netlist (cellRef {kind} (libraryRef cells)))\n"
            f'            (property {cell.parameter} (string "{init}")))'
        )
    for name, signal in zip(outs, cone.outputs, strict=True):
        nets[signal].append(f"(portRef {name})")
    text = _text(subject, cone, cell, sorted(used), (ins, outs), instances, nets)
    return Written(text.encode(), {"LUT": len(instances), "nets": sum(len(n) > 1 for n in nets)})


def legal(name: str) -> str:
    """Return an identifier of EDIF: it begins with a letter, or with ``&`` and anything."""
    return name if name[0].isalpha() else f"&{name}"


def pins_of(cell: LutCell, kind: str) -> int:
    """Return the input pins of a cell."""
    return max(n for n, name in enumerate(cell.cells, 1) if name == kind)


def _text(
    subject: Subject,
    cone: Cone,
    cell: LutCell,
    used: list[str],
    ends: tuple[list[str], list[str]],
    instances: list[str],
    nets: list[list[str]],
) -> str:
    cells = ""
    for kind in used:
        names = [(pin, "INPUT") for pin in cell.inputs[: pins_of(cell, kind)]]
        names.append((cell.output, "OUTPUT"))
        ports = " ".join(f"(port {name} (direction {way}))" for name, way in names)
        cells += (
            f"    (cell {kind} (cellType GENERIC) (view netlist (viewType NETLIST)\n"
            f"      (interface {ports})))\n"
        )
    ways = zip(ends, ("INPUT", "OUTPUT"), strict=True)
    ports = "".join(
        f"          (port {name} (direction {way}))\n" for names, way in ways for name in names
    )
    comments = "".join(f'  (comment "{EdifText(line)}")\n' for line in subject.remarks)
    head = HEAD.format(name=legal(subject.name), comments=comments, cells=cells, ports=ports)
    body = "".join(f"          {line}\n" for line in instances)
    for signal, joined in enumerate(nets):
        if len(joined) > 1:
            body += f"          (net s{signal} (joined {' '.join(joined)}))\n"
    return head + body + TAIL.format(name=legal(subject.name))


def check(subject: Subject, data: bytes, suffix: str) -> tuple[Verdict, ...]:
    """Compare the netlist, read by a reader of its own, with the network."""
    title = "EDIF as read back"
    names = tuple(tuple(map(legal, side)) for side in subject.bit_names())
    try:
        read, found = read_edif(data.decode("ascii"), _cell(subject))
    except (FormatError, UnicodeDecodeError) as error:
        why = error.why if isinstance(error, FormatError) else str(error)
        return (Verdict("network", title, False, "exhaustive", why, "netlist"),)
    if found != names:
        detail = "ports are named otherwise, or in another order"
        return (Verdict("network", title, False, "exhaustive", detail, "ports"),)
    return (check_equal("network", title, subject.cone, read, 600),)


def _cell(subject: Subject) -> LutCell:
    if subject.cell is None:
        why = "an EDIF netlist is of cells of a device family"
        raise UsageError("no target is known", why=why, fix="compile with --target")
    return subject.cell


EXPORT = Export((".edif", ".edf"), "EDIF netlist of the target's LUT cells", write, check)
