"""What a run of the LUT backend says in the report."""

from __future__ import annotations

from nnlogic.report.rows import RUNG_TITLES

DESIGN_CHECK = "LogicNet = HardwareDesign"
FORMAL_CHECK = "LogicNet = Verilog, formally"
BULK_CHECK = "bulk vectors, compiled model"
NETLIST_CHECK = "Verilog = netlist"
SIMULATED = ("cocotb on verilator", "cocotb on icarus")
FAULTS = (
    "fault in a table", "fault in the logic", "fault in the Verilog, proof",
    "fault in the Verilog, simulation",
)  # fmt: skip
RUNGS = {
    0: (RUNG_TITLES[0], FAULTS),
    4: (RUNG_TITLES[4], (DESIGN_CHECK,)),
    5: (RUNG_TITLES[5], (FORMAL_CHECK, BULK_CHECK, *SIMULATED)),
    6: (RUNG_TITLES[6], (NETLIST_CHECK,)),
}
