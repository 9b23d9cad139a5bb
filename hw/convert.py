"""Amaranth components as Verilog: Amaranth to RTLIL, Yosys to Verilog."""

from __future__ import annotations

import re
from collections.abc import Mapping

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool


def component_verilog(
    component: Component, name: str, others: Mapping[str, Component] | None = None
) -> str:
    """Return Verilog of a component with `name` as its top module.

    One module per submodule, named after its place; and the modules it instantiates by name.
    """
    text = rtlil.convert(component, name=name, emit_src=False)
    for other, part in (others or {}).items():
        text += rtlil.convert(part, name=other, emit_src=False)
    text = re.sub(rf"\\{name}\.[\w.]+", lambda match: match[0].replace(".", "_"), text)
    script = (
        "read_rtlil design.il\n"
        # Operand memories hold nothing at first; only the program memory has contents.
        f"delete t:$meminit_v2 {name}_sequencer/t:$meminit_v2 %d\n"
        "proc -norom\nopt_clean -purge\n"
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
        return re.sub(r"\A/\*.*?\*/\s*", "", out.read_text(), flags=re.DOTALL)
