"""A shell of shift registers, so that a core with any number of ports fits any package.

The shell adds one flip-flop per input bit, and one flip-flop and one LUT per output bit: inputs
come from a shift register, outputs are folded into another by exclusive or, so that every bit
matters at `so` and no net of the shell reaches far. Every path of the core runs from register to
register, and the shell's own paths have one LUT level at most. `so` is a signature: equal
stimuli give equal signatures on the device and in simulation.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.core.errors import UsageError
from nnlogic.core.inert import YosysWord
from nnlogic.core.names import Identifier
from nnlogic.flows.synth import NetPort

HARNESS = "harness"
CONTROL = ("clk", "rst", "in_valid", "out_valid")


def harness_verilog(top: Identifier, ports: Sequence[NetPort]) -> str:
    """Return Verilog of the shell, with the core declared as a black box.

    Parameters
    ----------
    top : Identifier
        Name of the core module.
    ports : sequence of NetPort
        All ports of the core: `CONTROL`, and any number of data inputs and outputs.

    Raises
    ------
    UsageError
        The core lacks a control port.
    """
    missing = set(CONTROL) - {port.name for port in ports}
    if missing:
        raise UsageError(
            f"{top} cannot be placed and routed in the harness",
            why=f"it has no port {', '.join(sorted(missing))}",
            fix="pass the core, not the stream wrapper",
        )
    data = [port for port in ports if port.name not in CONTROL]
    ins = [port for port in data if port.direction == "input"]
    outs = [port for port in data if port.direction == "output"]
    n_in, n_out = sum(p.width for p in ins), sum(p.width for p in outs)
    declared = ", ".join(f"{p.direction} [{p.width - 1}:0] {p.name}" for p in ports)
    pins = [f".{name}({name})" for name in CONTROL]
    pins += _slices(ins, "x") + _slices(outs, "y")
    connected = ",\n    ".join(pins)
    return f"""(* blackbox *)
module {top} ({declared});
endmodule

module {HARNESS} (input clk, input rst, input in_valid, input si, output out_valid, output so);
  reg [{n_in - 1}:0] x;
  wire [{n_out - 1}:0] y;
  reg [{n_out - 1}:0] folded;
  {top} core (
    {connected}
  );
  always @(posedge clk) x <= {{x, si}};
  always @(posedge clk) folded <= {{folded, 1'b0}} ^ y;
  assign so = folded[{n_out - 1}];
endmodule
"""


def harness_script(verilog: str, top: Identifier, synth: str, netlist: str) -> str:
    """Return the yosys script that joins the shell with the core's synthesized netlist.

    The core's netlist goes in as it was counted: only the shell is synthesized here.

    Parameters
    ----------
    verilog : str
        File of the shell.
    top : Identifier
        Name of the core module.
    synth : str
        Synthesis command, without the top module.
    netlist : str
        JSON netlist of the core.
    """
    return "\n".join(
        [
            f"read_verilog {YosysWord(verilog)}",
            f"{synth} -top {HARNESS}",
            f"delete ={top}",
            f"read_json {YosysWord(netlist)}",
            f"hierarchy -check -top {HARNESS}",
            "flatten",
            "opt_clean",
            "tee -q -o harness.stat.json stat -json",
            f"select ={HARNESS}",
            "write_json -selected harness.json",
            "",
        ]
    )


def _slices(ports: Sequence[NetPort], bus: str) -> list[str]:
    out, at = [], 0
    for port in ports:
        out.append(f".{port.name}({bus}[{at + port.width - 1}:{at}])")
        at += port.width
    return out
