"""What Yosys makes of `case` Verilog, one module per function."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.minimize.parts import Part, Score, Stopwatch, check_cone
from nnlogic.logic.cone import Cone
from nnlogic.tables.ir import Function
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

TIMEOUT = 600.0
XCUP = "synth_xilinx -family xcup -noiopad -noclkbuf"
ECP5 = "synth_ecp5 -noccu2 -nowidelut -noflatten"

MUX = 0xCA  # low, high, select
PINS = {
    **{f"LUT{n}": tuple(f"I{i}" for i in range(n)) for n in range(1, 7)},
    **dict.fromkeys(("MUXF7", "MUXF8", "MUXF9"), ("I0", "I1", "S")),
    "INV": ("I",),
}
ECP5_PINS = {"LUT4": ("A", "B", "C", "D"), "INV": ("A",)}


@dataclass(frozen=True)
class Yosys:
    """A synthesis command by LUT size."""

    name: str
    commands: dict[int, str]

    def run(self, parts: Sequence[Part], k: int) -> list[Score] | None:
        """Synthesize all functions in one run; the seconds are shared out evenly."""
        functions = [p for p in parts if isinstance(p, Function)]
        if len(functions) < len(parts) or k not in self.commands:
            return None
        with tempfile.TemporaryDirectory(prefix="nnlogic-yosys-") as name:
            folder = Path(name)
            (folder / "in.v").write_text(verilog(functions))
            script = [
                "read_verilog in.v",
                "hierarchy -top top",
                self.commands[k],
                "write_json out.json",
            ]
            (folder / "run.ys").write_text("\n".join([*script, ""]))
            with Stopwatch() as watch:
                out = folder / "out.json"
                run_tool(find("yosys"), ["run.ys"], cwd=folder, timeout=TIMEOUT, outputs=[out])
            modules = json.loads(out.read_text())["modules"]
        each = watch.seconds / len(functions)
        return [_score(modules[f"f{i}"], f, each) for i, f in enumerate(functions)]


def verilog(functions: Sequence[Function]) -> str:
    """Return one module with a `case` table per function, and a top that holds them all."""
    lines = []
    for number, function in enumerate(functions):
        lines += case_module(f"f{number}", function)
    lines.append("module top(" + ", ".join(_ports(functions)) + ");")
    lines += [f"  f{i} u{i}(.x(x{i}), .y(y{i}));" for i in range(len(functions))]
    return "\n".join([*lines, "endmodule", ""])


def case_module(name: str, function: Function) -> list[str]:
    """Return the lines of one table as LogicNets writes it, without attributes."""
    n, m = function.n_inputs, function.n_outputs
    columns = function.table().T
    rows = ("".join("01"[bit] for bit in reversed(column.tolist())) for column in columns)
    return [
        f"module {name}(input [{n - 1}:0] x, output reg [{m - 1}:0] y);",
        "  always @(x) case (x)",
        *(f"    {n}'b{i:0{n}b}: y = {m}'b{row};" for i, row in enumerate(rows)),
        "  endcase",
        "endmodule",
    ]


def _ports(functions: Sequence[Function]) -> Iterable[str]:
    for i, function in enumerate(functions):
        yield f"input [{function.n_inputs - 1}:0] x{i}"
        yield f"output [{function.n_outputs - 1}:0] y{i}"


def _score(module: dict[str, Any], function: Function, seconds: float) -> Score:
    cone, kinds = cone_of_module(module)
    muxes = [kind.startswith("MUXF") for kind in kinds]
    level = [0] * (cone.n_inputs + cone.n_nodes)
    for i, (fanin, mux) in enumerate(zip(cone.fanins, muxes, strict=True), cone.n_inputs):
        level[i] = max((level[s] for s in fanin), default=0) + (not mux and len(fanin) > 0)
    depth = max(level[s] for s in cone.outputs)
    luts = cone.luts - sum(muxes)
    return Score(luts, depth, seconds, check_cone(cone, function), sum(muxes))


def cone_of_module(module: dict[str, Any]) -> tuple[Cone, list[str]]:
    """Read mapped cells as a Cone with the cell type of each node; wide muxes are nodes too."""
    number: dict[object, int] = {bit: i for i, bit in enumerate(module["ports"]["x"]["bits"])}
    n_inputs = len(number)
    fanins: list[tuple[int, ...]] = [(), ()]
    tables, kinds = [0, 1], ["constant", "constant"]
    number |= {"0": n_inputs, "x": n_inputs, "1": n_inputs + 1}
    drivers = {}
    for cell in module["cells"].values():
        pins = ECP5_PINS if "Z" in cell["connections"] else PINS
        out = cell["connections"]["Z" if pins is ECP5_PINS else "O"][0]
        drivers[out] = (cell, [cell["connections"][p][0] for p in pins[cell["type"]]])

    def signal(net: object) -> int:
        if net not in number:
            cell, nets = drivers[net]
            fanin = tuple(signal(pin) for pin in nets)
            number[net] = n_inputs + len(fanins)
            fanins.append(fanin)
            tables.append(_table(cell))
            kinds.append(cell["type"])
        return number[net]

    outputs = tuple(signal(bit) for bit in module["ports"]["y"]["bits"])
    return Cone(n_inputs, tuple(fanins), tuple(tables), outputs), kinds


def _table(cell: dict[str, Any]) -> int:
    if cell["type"] == "INV":
        return 0b01
    if cell["type"].startswith("MUXF"):
        return MUX
    return int(cell["parameters"]["INIT"], 2)


DEFAULT = Yosys("Yosys, `case`", {6: f"{XCUP}", 4: ECP5})
NO_WIDE = Yosys("Yosys, `-nowidelut`", {6: f"{XCUP} -nowidelut"})
