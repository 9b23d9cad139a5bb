"""Verilog of the LogicNets family: the top file, and one of those beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.helpers_verilog import random_family

from .. import texts
from ..format import Format, Maker
from ..kit import contents, reading
from ..values import DEEP, HUGE


@cache
def verilog() -> dict[str, str]:
    """Return the files of a small network of tables."""
    return random_family(sizes=(2, 1), features=3).files()


CLOCKED = "input clk, input rst"


def _chain_of_modules(count: int) -> bytes:
    ports = "input [5:0] M0, output [1:0] M1"
    lines = [f"module logicnet (input [5:0] M0, {CLOCKED}, output [1:0] M2);"]
    lines += ["m0 a (.M0(M0), .M1(M2));", "endmodule"]
    for n in range(count):
        lines += [f"module m{n} ({ports});", f"m{n + 1} a (.M0(M0), .M1(M1));", "endmodule"]
    lines += [f"module m{count} ({ports});", "assign M1 = M0[1:0];", "endmodule\n"]
    return "\n".join(lines).encode()


def _expression(text: str, width: int = 6) -> bytes:
    bus = f"[{width - 1}:0]"
    head = f"module logicnet (input {bus} M0, {CLOCKED}, output {bus} M2);\n"
    return f"{head}assign M2 = {text};\nendmodule\n".encode()


ABSURD: tuple[Maker, ...] = (
    lambda _: _chain_of_modules(3000),
    lambda _: _expression("(" * DEEP + "M0" + ")" * DEEP),
    lambda _: _expression("~" * DEEP + "M0"),
    lambda _: _expression(" & ".join(["M0"] * DEEP)),
    lambda _: _expression("{" * 5000 + "M0" + "}" * 5000),
    lambda _: _expression("M0", 1_000_000),
    lambda _: _expression("M0", HUGE),
    lambda _: _expression(f"M0[{HUGE}]"),
    lambda _: _expression(f"{{{HUGE}{{M0}}}}"),
    lambda _: _expression(f"{HUGE}'d1"),
    lambda _: _expression("6'b" + "1" * 1_000_000),
)


def _verilog(name: str, broken: str, whole: Sequence[Maker] = ()) -> Format:
    """One of several files."""

    def around(made: Path, case: Path) -> None:
        for file, text in verilog().items():
            (case / file).write_text(text)

    right = contents(verilog()[broken].encode())
    return Format(name, broken, right, reading("logicnet.v"), texts.TEXT, whole, around)


FORMATS = (
    _verilog("verilog", "logicnet.v", ABSURD),
    _verilog("verilog-neuron", "layer0_N0.v"),
)
