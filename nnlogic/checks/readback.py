"""Read a file of logic the way its users will: with ABC or yosys, not with nnlogic's readers."""

from __future__ import annotations

import re
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


def exdc_apart(data: bytes) -> tuple[bytes, bytes]:
    """Take a BLIF file with ``.exdc`` apart: its network, and its don't-cares as another model.

    Both have the names of the model and its ports. ABC's own reading of such files is not steady.
    """
    header: list[bytes] = []
    network: list[bytes] = []
    free: list[bytes] = []
    driven: set[bytes] = set()
    inside = False
    for line in re.sub(rb"#[^\n]*", b"", data).replace(b"\\\n", b" ").split(b"\n"):
        words = line.split()
        word = words[0] if words else b""
        if word == b".exdc":
            inside = True
        elif word == b".end":
            if not inside or network:
                break
            inside = False
        elif word in (b".model", b".inputs", b".outputs"):
            header += [] if inside else [line]
        elif words:
            (free if inside else network).append(line)
            driven |= {words[-1]} if inside and word == b".names" else set()
    ports = [line.split() for line in header]
    if not any(words[0] == b".model" for words in ports):
        header.insert(0, b".model m")  # without one ABC falls
    outputs = [name for words in ports if words[0] == b".outputs" for name in words[1:]]
    free += [b".names " + name for name in outputs if name not in driven]
    first, second = (b"\n".join([*header, *part, b".end", b""]) for part in (network, free))
    return first, second
