"""Amaranth components as Verilog: Amaranth to RTLIL, Yosys to Verilog."""

from __future__ import annotations

import gc
import re
from collections.abc import Mapping

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from nnlogic.hw.tidy import tidy
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool


def component_verilog(
    component: Component,
    name: str,
    others: Mapping[str, Component] | None = None,
    flatten: bool = False,
    start: str = "*",
    purge: bool = True,
) -> str:
    """Return Verilog of a component with `name` as its top module, as an engineer writes it.

    One module per submodule, named after its place; and the modules it instantiates by name.

    Parameters
    ----------
    component : Component
    name : str
    others : mapping of str to Component, optional
        What it instantiates by name.
    flatten : bool
        Put the submodules into the top module.
    start : str
        Registers that have an initial value, as Yosys selects wires.
    purge : bool
        Drop names that mean the same as another; else signals of instances keep theirs.
    """
    tops = {name: component, **(others or {})}
    raw = yosys_verilog(tops, flatten=flatten, start=start, purge=purge)
    return tidy(raw, {module: tuple(part.signature.members) for module, part in tops.items()})


def yosys_verilog(
    tops: Mapping[str, Component], *, flatten: bool = False, start: str = "*", purge: bool = True
) -> str:
    """Return what Yosys writes for components by name, the top module first.

    Parameters
    ----------
    tops : mapping of str to Component
    flatten, start, purge
        As for `component_verilog`.
    """
    name = next(iter(tops))
    text = "".join(_rtlil(part, module) for module, part in tops.items())
    text = re.sub(rf"\\{name}\.[\w.]+", lambda match: match[0].replace(".", "_"), text)
    clean = f"opt_clean{' -purge' if purge else ''}\n"
    script = (
        "read_rtlil design.il\n"
        # Operand memories hold nothing at first; only the program memory has contents.
        f"delete t:$meminit_v2 {name}_sequencer/t:$meminit_v2 %d\n"
        f"proc -norom\n{FLATTEN if flatten else ''}{clean}"
        # Results of the width that is read.
        f"wreduce t:$add t:$sub t:$mux\nopt_expr\n{clean}"
        f"setattr -unset init w:* w:{start} %d\nsetattr -unset hdlname w:* m:*\n"
        "setattr -mod -unset top -unset generator *\nsetattr -unset full_case c:*\n"
        "write_verilog design.v\n"
    )
    with scratch("engine") as work:
        (work / "design.il").write_text(text)
        (work / "design.ys").write_text(script)
        out = work / "design.v"
        run_tool(
            find("yosys"),
            ["design.ys"],
            cwd=work,
            outputs=(out,),
            failure_phrases=("ERROR:",),
        )
        # The first comment names the build of Yosys.
        return re.sub(r"\A/\*.*?\*/\s*", "", out.read_text(), flags=re.DOTALL)


# Names of the top module win over those of the ports of its FIFO.
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
