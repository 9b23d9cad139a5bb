"""Write a HardwareDesign as Verilog: Amaranth to RTLIL, Yosys to Verilog, one readable file."""

from __future__ import annotations

import gc
import re
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from nnlogic.core.archive import write_bytes
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.header import header
from nnlogic.hw.lut.core import LogicCore
from nnlogic.hw.lut.fold import fold_temporaries
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.names import port_names
from nnlogic.hw.stream_wrapper import StreamParameters, StreamWrapper
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

TIMEOUT = 600.0


def write_verilog(
    design: HardwareDesign,
    folder: Path,
    *,
    primitives: LutCell | None = None,
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
    core = LogicCore(design, primitive=primitives, external=True)
    texts = _verilog_texts(design, core, progress)
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.v"
        write_bytes(path, text.encode())
        paths.append(path)
    return tuple(paths)


def _verilog_texts(design: HardwareDesign, core: LogicCore, progress: Progress) -> dict[str, str]:
    top, stream = design.name, f"{design.name}_stream"
    layers = {core.names.modules[i]: layer for i, layer in core.layers.items()}
    total = len(layers) + 2
    with (
        progress.step("write Verilog", total) as step,
        tempfile.TemporaryDirectory(prefix="nnlogic-rtl-") as scratch,
    ):
        work = Path(scratch)
        parts = [_rtlil(core, top)]
        step.advance(note=top)
        for name, layer in layers.items():
            parts.append(_rtlil(layer, name))
            step.advance(note=name)
        (work / "core.il").write_text("".join(parts))
        # Layers have no reset, and data registers no initial value: undefined until valid.
        unused = "".join(f"delete -port {name}/w:rst\n" for name in layers)
        core_job = f"read_rtlil core.il\n{unused}{CLEAN}setattr -unset init w:* w:valid %d\n"
        jobs = {top: core_job}
        if design.stream:
            wrapper = _rtlil(StreamWrapper(StreamParameters.of(design)), stream)
            (work / "stream.il").write_text(wrapper)
            jobs[stream] = f"read_rtlil stream.il\n{FLATTEN}{CLEAN}"
        script = "".join(
            f"{job}write_verilog -noattr {name}.v\ndesign -reset\n" for name, job in jobs.items()
        )
        (work / "write.ys").write_text(script)
        run_tool(
            find("yosys"),
            ["write.ys"],
            cwd=work,
            timeout=TIMEOUT,
            outputs=[work / f"{name}.v" for name in jobs],
            failure_phrases=("ERROR:",),
        )
        step.advance(note="Yosys")
        texts = {name: (work / f"{name}.v").read_text() for name in jobs}
    return {name: _head(design, name) + fold_temporaries(_body(t)) for name, t in texts.items()}


CLEAN = "proc -norom\nopt_clean -purge\n"
# The wrapper holds its FIFO; names of the wrapper win over those of the FIFO's ports.
FLATTEN = (
    "scratchpad -set flatten.separator _\nflatten\n"
    "rename -hide w:fifo_port$* w:fifo_clk w:fifo_rst w:fifo_w_en w:fifo_r_en w:fifo_r_data\n"
)


def _rtlil(component: Component, name: str) -> str:
    # Amaranth makes many objects that all live to the end; looking for garbage takes 40 % longer.
    enabled = gc.isenabled()
    gc.disable()
    try:
        return rtlil.convert(component, name=name, emit_src=False)
    finally:
        if enabled:
            gc.enable()


def _body(text: str) -> str:
    """Drop the first comment, which names the build of Yosys."""
    return re.sub(r"\A/\*.*?\*/\s*", "", text, flags=re.DOTALL)


def _head(design: HardwareDesign, module: str) -> str:
    about = _core_lines(design) if module == design.name else _stream_lines(design)
    return header(Identifier(module), [CommentText(line) for line in about])


def _core_lines(design: HardwareDesign) -> list[str]:
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
    rows = [(x_names[p.name], p) for p in design.inputs]
    rows += [(y_names[p.name], p) for p in design.outputs]
    width = max(len(name) for name, _ in rows)
    return lines + [f"{name:<{width}}  {p.format}  {p.name}" for name, p in rows]


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
    return lines
