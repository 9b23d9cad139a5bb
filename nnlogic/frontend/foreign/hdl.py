"""Hardware: other languages, netlists and what synthesis makes of them."""

import re

from nnlogic.frontend.foreign.kind import Kind

_VHDL = re.compile(
    r"^\s*(library\s+ieee\s*;|entity\s+\w+\s+is\b|architecture\s+\w+\s+of\b|package\s+\w+\s+is\b)",
    re.IGNORECASE | re.MULTILINE,
)
MINIMIZE = "nnlogic minimize reads it: nnlogic minimize FILE -o DIR"
VERILOG = "Verilog of tables and registers is read: write that, or convert it with GHDL and yosys"
SOURCE = "give the Verilog it was made from"

KINDS = (
    Kind(
        "VHDL",
        VERILOG,
        suffixes=(".vhd", ".vhdl"),
        look=lambda file: file.path.suffix not in (".v", ".sv")
        and _VHDL.search(file.text) is not None,
    ),
    Kind("logic in BLIF, no network", MINIMIZE, suffixes=(".blif",), general=1,
         look=lambda file: re.search(r"^\.(model|inputs|names)\b", file.text, re.M) is not None),
    Kind("logic in AIGER, no network", MINIMIZE, suffixes=(".aig", ".aag"), general=1,
         look=lambda file: re.match(rb"a[ai]g \d+ \d+ \d+ \d+ \d+", file.head) is not None),
    Kind("a truth table in PLA, no network", MINIMIZE, suffixes=(".pla",), general=1,
         look=lambda file: re.search(r"^\.i\s+\d+\s*$", file.text, re.M) is not None),
    Kind("truth tables, no network", MINIMIZE, suffixes=(".truth",)),
    Kind("a netlist of yosys in JSON", SOURCE,
         look=lambda file: {"creator", "modules"} <= file.keys),
    Kind("an EDIF netlist", SOURCE, suffixes=(".edif", ".edf", ".edn"),
         look=lambda file: file.text.lstrip().lower().startswith("(edif")),
    Kind("a Vivado checkpoint of a design", SOURCE, suffixes=(".dcp", ".xpr"),
         look=lambda file: "dcp.xml" in file.members),
    Kind("a bitstream", SOURCE, (b"\0\x09\x0f\xf0\x0f\xf0",), (".bit", ".svf", ".asc")),
    Kind("a waveform", SOURCE, (b"$date", b"$version", b"$timescale"), (".vcd", ".fst", ".ghw")),
    Kind("constraints or a script of a tool", SOURCE,
         suffixes=(".xdc", ".sdc", ".lpf", ".pcf", ".tcl", ".ys", ".qsf")),
    Kind("memory contents, without the network that reads them", SOURCE,
         suffixes=(".mem", ".mif", ".coe", ".hex")),
)  # fmt: skip
