"""Read a file of logic the way its users will: with ABC or yosys, not with nnlogic's readers."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import FormatError, ToolFailed
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.blif import read_blif
from nnlogic.tools.abc import run_abc
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

ABC_COMMANDS = {".blif": "read_blif", ".aig": "read_aiger"}
YOSYS_COMMANDS = {
    ".v": "read_verilog in.v\nhierarchy -check -auto-top\nproc\nflatten\nsimplemap",
    # ABC reads the binary kind only.
    ".aag": "read_aiger in.aag",
}


@dataclass(frozen=True)
class Reading:
    """A network of two-input gates, the names of its ports, and the tool that read it."""

    tool: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cone: Cone


def read_by_tool(data: bytes, suffix: str, *, timeout: float = 600) -> Reading:
    """Read ``.blif`` and ``.aig`` with ABC, ``.v`` and ``.aag`` with yosys.

    Raises
    ------
    ToolNotFound, ToolFailed
        The tool is missing or refuses the file.
    """
    with scratch("read") as cwd:
        out = cwd / "out.blif"
        (cwd / f"in{suffix}").write_bytes(data)
        if suffix in YOSYS_COMMANDS:
            tool = "yosys"
            ending = "opt_clean\ncheck -assert\nwrite_blif out.blif\n"
            (cwd / "read.ys").write_text(f"{YOSYS_COMMANDS[suffix]}\n{ending}")
            run_tool(
                find(tool),
                ["read.ys"],
                cwd=cwd,
                timeout=timeout,
                outputs=(out,),
                failure_phrases=("ERROR:",),
            )
        else:
            tool = "abc"
            script = f"{ABC_COMMANDS[suffix]} in{suffix}; strash; write_blif out.blif"
            run_abc(script, cwd=cwd, outputs=(out,), timeout=timeout)
        try:
            spec = read_blif(out.read_bytes(), f"what {tool} wrote")
        except FormatError as error:
            why = "; ".join(p.why for p in error.problems)
            raise ToolFailed("a tool wrote no network", where=tool, why=why) from error
    if not isinstance(spec.content, Cone):
        raise ToolFailed("a tool wrote no network", where=tool)
    return Reading(tool, spec.inputs, spec.outputs, spec.content)
