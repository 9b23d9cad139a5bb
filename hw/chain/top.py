"""The top module of a mixed design: segments one behind the other, each a stream of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import Cat, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.core.archive import write_bytes
from nnlogic.core.formats import Port
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier, unique_identifiers
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import Origin, header


@dataclass(frozen=True)
class ChainShape:
    """What the top module connects.

    Attributes
    ----------
    top : str
        Its name.
    streams : tuple of str
        Module of each segment, in order, with the ports of
        `nnlogic.hw.stream_wrapper.StreamWrapper`.
    widths : tuple of int
        Bits of a vector before the first segment, between them, and after the last.
    inputs, outputs : tuple of Port
    crossed : tuple of (int, int, int)
        For planted faults: boundary and two of its bits that are exchanged.
    """

    top: str
    streams: tuple[str, ...]
    widths: tuple[int, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    crossed: tuple[tuple[int, int, int], ...] = ()


def _bytes(width: int) -> int:
    return 8 * -(-width // 8)


class ChainTop(wiring.Component):
    """Segments in a row; ports as of the LUT backend's stream wrapper."""

    def __init__(self, shape: ChainShape) -> None:
        self.shape = shape
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(_bytes(shape.widths[0])),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(_bytes(shape.widths[-1])),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self.shape
        data, valid, ready = self.s_axis_tdata, self.s_axis_tvalid, self.s_axis_tready
        for number, stream in enumerate(shape.streams):
            width = shape.widths[number + 1]
            bits = [data[i] for i in range(shape.widths[number])]
            for boundary, a, b in shape.crossed:
                if boundary == number:
                    bits[a], bits[b] = bits[b], bits[a]
            last = number == len(shape.streams) - 1
            out = self.m_axis_tdata if last else Signal(_bytes(width), name=f"tdata{number}")
            out_valid = self.m_axis_tvalid if last else Signal(name=f"tvalid{number}")
            out_ready = self.m_axis_tready if last else Signal(name=f"tready{number}")
            m.submodules[f"segment{number}"] = Instance(
                stream,
                i_aclk=self.aclk,
                i_aresetn=self.aresetn,
                i_s_axis_tdata=Cat(*bits, Const(0, len(data) - len(bits))),
                i_s_axis_tvalid=valid,
                o_s_axis_tready=ready,
                o_m_axis_tdata=out,
                o_m_axis_tvalid=out_valid,
                i_m_axis_tready=out_ready,
            )
            data, valid, ready = out, out_valid, out_ready
        return m


def write_chain(
    shape: ChainShape, folder: Path, notes: Sequence[str] = (), origin: Origin | None = None
) -> Path:
    """Write ``<top>.v``, which instantiates the streams of the segments.

    Parameters
    ----------
    shape : ChainShape
    folder : Path
    notes : sequence of str
        Lines for the head of the file: what the segments are.
    origin : Origin, optional
        Told there too.

    Raises
    ------
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    text = component_verilog(ChainTop(shape), shape.top)
    lines = [*notes, "aresetn is synchronous and active low; it drops what is in flight"]
    for bus, prefix, ports in (
        ("s_axis_tdata", "x_", shape.inputs), ("m_axis_tdata", "y_", shape.outputs)
    ):  # fmt: skip
        lines += ["", f"{bus}, the rest is padding:"]
        at = 0
        names = unique_identifiers((p.name for p in ports), prefix)
        for port, name in zip(ports, names, strict=True):
            lines.append(f"  [{at + port.format.bits - 1}:{at}]  {name}")
            at += port.format.bits
    path = Path(folder) / f"{shape.top}.v"
    head = header(Identifier(shape.top), [CommentText(line) for line in lines], origin)
    write_bytes(path, (head + text).encode())
    return path
