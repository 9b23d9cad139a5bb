"""Verilog around the device under test, with fixed names whatever the ports are called.

Rows travel as one vector: port values concatenated LSB first, port 0 lowest, as on the stream
wrapper's ``tdata``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.core import bits
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.names import Identifier
from nnlogic.hw.names import Core, port_names
from nnlogic.hw.stream_wrapper import KEEP

TOP = "nnlogic_bench_top"


def bench_top(design: Core, *, stream: bool) -> str:
    """Return a top module that holds the core and, when asked, the stream wrapper beside it."""
    wx, wy = bits.total_bits(design.inputs), bits.total_bits(design.outputs)
    ports = [
        *_declare("input", ("clk", "rst", "in_valid")),
        f"input wire [{wx - 1}:0] x",
        "output wire out_valid",
        f"output wire [{wy - 1}:0] y",
    ]
    core = [f".{n}({n})" for n in ("clk", "rst", "in_valid", "out_valid")]
    x_names, y_names = port_names(design)
    core += slices(design.inputs, x_names, "x") + slices(design.outputs, y_names, "y")
    body = [f"  {Identifier(design.name)} core ({', '.join(core)});"]
    if stream:
        bx, by = 8 * -(-wx // 8), 8 * -(-wy // 8)
        ports += [
            *_declare("input", ("aclk", "aresetn", "s_axis_tvalid", "m_axis_tready")),
            f"input wire [{bx - 1}:0] s_axis_tdata",
            *_declare("output", ("s_axis_tready", "m_axis_tvalid")),
            f"output wire [{by - 1}:0] m_axis_tdata",
        ]
        names = ["aclk", "aresetn"] + [
            f"{side}_axis_{n}" for side in "sm" for n in ("tdata", "tvalid", "tready")
        ]
        beside, beside_ports, wires = _beside(design, bx // 8, by // 8)
        ports += beside_ports
        body += wires
        pins = ", ".join([*(f".{n}({n})" for n in names), *beside])
        body.append(f"  {Identifier(design.name)}_stream stream ({pins});")
    head = f"module {TOP} (\n  " + ",\n  ".join(ports) + "\n);"
    return "\n".join(["`timescale 1ns / 1ps", head, *body, "endmodule", ""])


def beside_bits(design: Core) -> int:
    """Return the bits that pass beside the data of a stream, one of them for ``tkeep``."""
    return sum(size for _, size in getattr(design, "sideband", ()))


def _beside(design: Core, bytes_in: int, bytes_out: int) -> tuple[list[str], list[str], list[str]]:
    """Return pins, ports and wires for `beside_bits`; of tkeep only the first byte may lack."""
    width, at = beside_bits(design), 0
    pins, wires = [], []
    for name, size in getattr(design, "sideband", ()):
        place = f"[{at + size - 1}:{at}]"
        if name == KEEP:
            wires.append(f"  wire [{bytes_out - 1}:0] kept;")
            wires.append(f"  assign m_axis_side{place} = &kept;")
            keep = f"{{{{{bytes_in}{{1'b1}}}} & ~{bytes_in}'d1}} | s_axis_side{place}"
            pins += [f".s_axis_{name}({keep})", f".m_axis_{name}(kept)"]
        else:
            pins += [f".s_axis_{name}(s_axis_side{place})", f".m_axis_{name}(m_axis_side{place})"]
        at += size
    if not width:
        return [], [], []
    ports = [f"input wire [{width - 1}:0] s_axis_side", f"output wire [{width - 1}:0] m_axis_side"]
    return pins, ports, wires


def slices(ports: Sequence[Port], names: dict[str, Identifier], vector: str) -> list[str]:
    """Return port connections to parts of a vector."""
    out, at = [], 0
    for port in ports:
        width = port.format.bits
        out.append(f".{names[port.name]}({vector}[{at + width - 1}:{at}])")
        at += width
    return out


def row_words(codes: IntArray, ports: Sequence[Port]) -> list[int]:
    """Return each row as one integer, port 0 in the lowest bits."""
    words = [0] * len(codes)
    at = 0
    for i, port in enumerate(ports):
        for row, raw in enumerate(port.format.to_raw(codes[:, i]).tolist()):
            words[row] |= raw << at
        at += port.format.bits
    return words


def check_rows(design: Core, codes: IntArray, expected: IntArray) -> tuple[IntArray, IntArray]:
    """Return inputs and expected outputs as int64, or raise InputError or UsageError."""
    codes = bits.check_codes(codes, design.inputs)
    expected = bits.check_codes(expected, design.outputs)
    if not len(codes) or len(codes) != len(expected):
        raise UsageError(
            "rows and expected outputs must come in pairs",
            why=f"{len(codes)} rows, {len(expected)} expected outputs",
        )
    return np.ascontiguousarray(codes), np.ascontiguousarray(expected)


def _declare(direction: str, names: Sequence[str]) -> list[str]:
    return [f"{direction} wire {name}" for name in names]
