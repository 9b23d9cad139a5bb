"""What Vivado gets for an engine: its attributes are legal, and its sources are only the engine."""

from __future__ import annotations

import re

import pytest

from nnlogic.backends.dsp.model.place import compile_ops, machine_for
from nnlogic.flows.targets import Target
from nnlogic.flows.vivado import write_vivado
from nnlogic.hw.dsp.verilog import write_engine
from tests.backends.dsp.dsp_graphs import random_graph

BIT, TWO, SOURCE = {0, 1}, {0, 1, 2}, {"DIRECT", "CASCADE"}
# Attributes of DSP48E1 and their values: UG479, "DSP48E1 Attributes".
SHARED = {
    **dict.fromkeys(("AREG", "BREG", "ACASCREG", "BCASCREG"), TWO),
    **dict.fromkeys(("ADREG", "ALUMODEREG", "CARRYINREG", "CARRYINSELREG", "CREG", "DREG"), BIT),
    **dict.fromkeys(("INMODEREG", "MREG", "OPMODEREG", "PREG"), BIT),
    **dict.fromkeys(("A_INPUT", "B_INPUT"), SOURCE),
    "USE_MULT": {"NONE", "MULTIPLY", "DYNAMIC"},
    "USE_SIMD": {"ONE48", "TWO24", "FOUR12"},
    "USE_PATTERN_DETECT": {"NO_PATDET", "PATDET"},
    "AUTORESET_PATDET": {"NO_RESET", "RESET_MATCH", "RESET_NOT_MATCH"},
    "SEL_MASK": {"MASK", "C", "ROUNDING_MODE1", "ROUNDING_MODE2"},
    "SEL_PATTERN": {"PATTERN", "C"},
    "MASK": range(1 << 48),
    "PATTERN": range(1 << 48),
}
LEGAL = {
    "DSP48E1": SHARED | {"USE_DPORT": {"TRUE", "FALSE"}},
    # UG579, "DSP48E2 Attributes".
    "DSP48E2": SHARED
    | {
        "AMULTSEL": {"A", "AD"},
        "BMULTSEL": {"B", "AD"},
        "PREADDINSEL": {"A", "B"},
        "AUTORESET_PRIORITY": {"RESET", "CEP"},
        "RND": range(1 << 48),
        "USE_WIDEXOR": {"TRUE", "FALSE"},
        "XORSIMD": {"XOR12", "XOR24_48_96"},
    },
}
KINDS = {"dsp48e1": ("DSP48E1", "xc7"), "dsp48e2": ("DSP48E2", "xcup")}


def cells(verilog: str, cell: str) -> list[dict[str, int | str]]:
    """Attributes of every instance of a cell."""
    found = []
    for block in re.findall(rf"\b{cell} #\(\s*(.*?)\n\s*\) ", verilog, re.DOTALL):
        values: dict[str, int | str] = {}
        for name, text in re.findall(r"\.(\w+)\((.*?)\)(?:,|$)", block, re.MULTILINE):
            number = re.fullmatch(r"\d+'s?([hdb])([0-9a-fA-F]+)", text)
            base = {"h": 16, "d": 10, "b": 2}
            values[name] = int(number[2], base[number[1]]) if number else text.strip('"')
        found.append(values)
    return found


def illegal(cell: str, values: dict[str, int | str]) -> list[str]:
    """What the user guide does not allow, for a slice used as a logic unit on A:B and C."""
    table = LEGAL[cell]
    out = [f"{n} is no attribute" for n in values if n not in table]
    out += [f"{n}={v!r}" for n, v in values.items() if n in table and v not in table[n]]
    for port in "AB":
        # Cascade registers: as many as input registers; with two, one or two.
        input_, cascade = values[f"{port}REG"], values[f"{port}CASCREG"]
        if cascade not in ({input_} if input_ != 2 else {1, 2}):
            out.append(f"{port}CASCREG={cascade} with {port}REG={input_}")
    if values["AREG"] != values["BREG"]:
        out.append("the halves of A:B arrive at different clocks")
    if values["USE_MULT"] == "NONE" and values["MREG"] != 0:
        out.append("MREG of a multiplier that is not used")
    if values["USE_MULT"] != "NONE" or values["USE_SIMD"] != "ONE48":
        out.append("logic modes need the multiplier off and one 48-bit unit")
    return out


@pytest.fixture(scope="module", params=sorted(KINDS))
def engine(request, tmp_path_factory):
    program = compile_ops(graph := random_graph(60), machine_for(graph, 3))
    folder = tmp_path_factory.mktemp("engine")
    return KINDS[request.param], write_engine(program, folder / "rtl", kind=request.param)


def test_attributes_are_legal_for_every_slice(engine):
    (cell, _), (verilog, _) = engine
    found = cells(verilog.read_text(), cell)
    assert found
    for values in found:
        assert set(values) == set(LEGAL[cell])
        assert illegal(cell, values) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("MREG", 1), ("AREG", 3), ("USE_SIMD", "TWO24"), ("USE_MULT", "YES"), ("BCASCREG", 0),
     ("USE_PREADD", 1), ("BREG", 2), ("MASK", 1 << 48)],
)  # fmt: skip
def test_the_table_sees_an_attribute_that_is_not_legal(engine, name, value):
    (cell, _), (verilog, _) = engine
    assert illegal(cell, cells(verilog.read_text(), cell)[0] | {name: value})


def test_the_script_has_part_clock_and_no_model(engine, tmp_path):
    (_, name), (verilog, model) = engine
    target = Target.named(name)
    script, constraints = write_vivado(
        [verilog], verilog.stem, target, tmp_path, 250.0, port="aclk"
    )
    text = script.read_text()
    [source] = re.findall(r"\[file join \$here \{(.*?)\}\]", text)
    assert (tmp_path / source).resolve() == verilog.resolve()
    assert model.name not in text
    assert f"-top {verilog.stem} -part {{{target.part}}} -mode" in text
    # The port is one of the engine's, and the script asks for the clock by its name.
    assert "create_clock -name clk -period 4.000 [get_ports aclk]" in constraints.read_text()
    assert re.search(r"\binput  wire +aclk,", verilog.read_text())
    assert "[get_clocks clk]" in text
    # A model of the cell among the sources would hide the real one.
    assert not re.search(r"^module DSP48", verilog.read_text(), re.MULTILINE)
