"""Write a HardwareDesign as Verilog: Amaranth to RTLIL, Yosys to Verilog, one readable file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import Origin, header
from nnlogic.hw.lines import ranges, several
from nnlogic.hw.lut.core import LogicCore
from nnlogic.hw.lut.layer import layer_text
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.names import VALID_CHAIN, port_names
from nnlogic.hw.stream_wrapper import StreamParameters, StreamWrapper


def write_verilog(
    design: HardwareDesign,
    folder: Path,
    *,
    primitives: LutCell | None = None,
    dual: bool = False,
    origin: Origin | None = None,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write ``<name>.v``, and ``<name>_stream.v`` when the design has a stream wrapper.

    The files are plain Verilog-2001, hold no paths or dates, and are the same for the same
    design. All module names start with the design's name.

    Parameters
    ----------
    design : HardwareDesign
    folder : Path
        Made when it does not exist.
    primitives : LutCell, optional
        Instantiate the LUT cells of a device (`Target.lut_cell`), so that a vendor tool keeps the
        mapping; the default is technology-neutral expressions.
    dual : bool
        Of these, put two functions of shared inputs into one where the device has such cells.
    origin : Origin, optional
        Told at the top of the files.
    progress : Progress

    Returns
    -------
    tuple of Path
        The files, core first.

    Raises
    ------
    UsageError
        The network is too wide for the LUT cells.
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    folder = Path(folder)
    if primitives is not None:
        primitives.check_width(design.logic.k)
    folder.mkdir(parents=True, exist_ok=True)
    texts = _verilog_texts(design, primitives, dual, origin, progress)
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.v"
        write_bytes(path, text.encode())
        paths.append(path)
    return tuple(paths)


def _verilog_texts(
    design: HardwareDesign,
    primitives: LutCell | None,
    dual: bool,
    origin: Origin | None,
    progress: Progress,
) -> dict[str, str]:
    top, stream = design.name, f"{design.name}_stream"
    core = LogicCore(design)
    with progress.step("write Verilog", len(core.plan.layers) + 1 + design.stream) as step:
        # Data registers have no initial value: undefined until valid.
        parts = [component_verilog(core, top, start=VALID_CHAIN, purge=False)]
        step.advance(note=top)
        for plan in core.plan.layers:
            parts.append(layer_text(design, plan, core.names, primitives, dual))
            step.advance(note=core.names.modules[plan.layer])
        texts = {top: several(parts)}
        if design.stream:
            wrapper = StreamWrapper(StreamParameters.of(design))
            texts[stream] = component_verilog(wrapper, stream, flatten=True)
            step.advance(note=stream)
    return {name: _head(design, name, origin) + text for name, text in texts.items()}


def _head(design: HardwareDesign, module: str, origin: Origin | None) -> str:
    notes = {} if origin is None else origin.notes
    about = _core_lines(design, notes) if module == design.name else _stream_lines(design)
    if origin is not None and origin.left_out:
        about += ["", f"not read, and without a port: {', '.join(origin.left_out)}"]
    return header(Identifier(module), [CommentText(line) for line in about], origin)


def _core_lines(design: HardwareDesign, notes: Mapping[str, str]) -> list[str]:
    stats = design.stats()
    x_names, y_names = port_names(design)
    lines = [
        f"{stats['luts']} LUTs of up to {design.logic.k} inputs, "
        f"{stats['registers']} data registers",
        f"latency {design.latency} cycles, one result per cycle",
        "",
        "clk        rising edge",
        "rst        synchronous, active high, clears the valid chain only",
        "in_valid   x_* hold a sample",
        "out_valid  y_* hold the result of a sample; y_* are undefined otherwise",
    ]
    rows = [(x_names[p.name], p, notes.get(p.name, "")) for p in design.inputs]
    rows += [(y_names[p.name], p, "") for p in design.outputs]
    width = max(len(name) for name, _, _ in rows)
    for name, port, note in rows:
        lines.append(f"{name:<{width}}  {port.format}  {port.name}" + (f", {note}" if note else ""))
    return lines + unread_lines(design)


def unread_lines(design: HardwareDesign) -> list[str]:
    """Say which input bits the network does not read."""
    x_names, _ = port_names(design)
    unread: list[str] = []
    at = 0
    for port in design.inputs:
        bits = [b for b in range(port.format.bits) if design.last_use[at + b] < 0]
        name = x_names[port.name]
        whole = len(bits) == port.format.bits
        unread += [name] if whole else [f"{name}{index}" for index in ranges(bits)]
        at += port.format.bits
    return ["", f"not read: {', '.join(unread)}"] if unread else []


def _stream_lines(design: HardwareDesign) -> list[str]:
    parameters = StreamParameters.of(design)
    lines = [
        f"AXI4-Stream wrapper around {design.name}, {parameters.depth} results in flight at most",
        "aresetn is synchronous and active low; it drops what is in flight",
    ]
    for bus, ports in (("s_axis_tdata", parameters.inputs), ("m_axis_tdata", parameters.outputs)):
        lines += ["", f"{bus}, the rest is padding:"]
        at = 0
        for name, width in ports:
            lines.append(f"  [{at + width - 1}:{at}]  {name}")
            at += width
    if parameters.sideband:
        names = ", ".join(name for name, _ in parameters.sideband)
        lines += ["", f"{names}: those of a result are those of its sample"]
    return lines
