"""Stable printed forms of OpGraph and Program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.backends.dsp.model.ops import BY_OPCODE, BY_TABLE
from nnlogic.core.formats import Port
from nnlogic.core.inert import printed

if TYPE_CHECKING:
    from nnlogic.backends.dsp.model.ir import OpGraph, Program


def graph_text(graph: OpGraph) -> str:
    """Return one line per port and operation; operand x first."""
    names = _bit_names(graph.inputs) + [f"n{i}" for i in range(graph.n_ops)]
    lines = [f"OpGraph {graph.name} operations={graph.n_ops} depth={graph.depth}"]
    lines += [f"  input {port}" for port in graph.inputs]
    for i, (op, x, z) in enumerate(
        zip(graph.op.tolist(), graph.x.tolist(), graph.z.tolist(), strict=True)
    ):
        lines.append(f"    n{i} = {BY_TABLE[op].name} {names[x]} {names[z]}")
    at = 0
    for port in graph.outputs:
        signals = graph.output_signals[at : at + port.format.bits].tolist()
        at += port.format.bits
        lines.append(f"  output {port} = {', '.join(names[s] for s in signals)}")
    return printed(lines)


def program_text(program: Program) -> str:
    """Return one line per active slice and step: ``slice: row = operation bank[row] bank[row]``.

    ``!`` marks a result that is also an output word; ``-`` stands for no row.
    """
    lines = [
        f"Program {program.name} slices={program.slices} input_banks={program.input_banks} "
        f"contexts={program.contexts} latency={program.latency} steps={program.steps} "
        f"operations={program.n_ops} rows={program.rows} input_rows={program.input_rows}"
    ]
    for name, bank, row in zip(
        _bit_names(program.inputs),
        program.input_bank.tolist(),
        program.input_row.tolist(),
        strict=True,
    ):
        lines.append(f"  input {name} = {f'{bank}[{row}]' if bank >= 0 else '-'}")
    for step in range(program.steps):
        lines.append(f"  step {step}")
        for i in program.active[step].nonzero()[0].tolist():
            x, z = int(program.x_bank[step, i]), int(program.z_bank[step, i])
            row = int(program.write_row[step, i])
            lines.append(
                f"    {i}: {row if row >= 0 else '-'}{'!' if program.emit[step, i] else ''} = "
                f"{BY_OPCODE[int(program.opcode[step, i])].name} "
                f"{x}[{program.x_row[step, x]}] {z}[{program.z_row[step, z]}]"
            )
    for name, i, index in zip(
        _bit_names(program.outputs),
        program.output_slice.tolist(),
        program.output_index.tolist(),
        strict=True,
    ):
        lines.append(f"  output {name} = {i}!{index}")
    return printed(lines)


def _bit_names(ports: tuple[Port, ...]) -> list[str]:
    return [f"{p.name}[{b}]" for p in ports for b in range(p.format.bits)]
