"""Proof of Verilog: each rule of the RTL contract broken once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hand_nets import write_by_hand
from helpers_logic import logic_net

from nnlogic.checks.formal import prove_netlist, prove_verilog
from nnlogic.checks.netlist import Netlist, StructureError
from nnlogic.core.errors import ToolFailed
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool


def test_good_verilog_is_proved(design, verilog):
    verdict = prove_verilog(design, [verilog])
    assert verdict.equal
    assert verdict.how == "proved"
    assert "4 registers on every path" in verdict.detail


@pytest.mark.parametrize(("segments", "input_register"), [(1, True), (1, False), (3, False)])
def test_other_schedules(logic, tmp_path, segments, input_register):
    where = logic.node_layers if segments == 3 else np.zeros_like(logic.node_layers)
    design = HardwareDesign("other", logic, where, segments, input_register)
    design.verify()
    assert prove_verilog(design, [write_by_hand(design, tmp_path)]).equal
    wrong = HardwareDesign("other", logic, where, segments, not input_register)
    verdict = prove_verilog(wrong, [tmp_path / "other.v"])
    assert not verdict.equal
    assert "wrong number of registers" in verdict.detail


BROKEN = {
    "reset on a data register": ("s0_1 <= s0_0;", "if (rst) s0_1 <= 0; else s0_1 <= s0_0;", "rst"),
    "asynchronous reset": (
        "always @(posedge clk) begin",
        "always @(posedge clk or posedge rst) if (rst) aux <= 0; else aux <= s0_0;\n"
        "always @(posedge clk) begin",
        "rising-edge",
    ),
    "enable": ("s0_1 <= s0_0;", "if (s1_0) s0_1 <= s0_0;", "feedback"),
    "gated by valid": ("s0_1 <= s0_0;", "s0_1 <= s0_0 & in_valid;", "in_valid"),
    "falling edge": ("posedge clk", "negedge clk", "rising-edge"),
    "two drivers": ("wire s0_0 =", "assign s9_0 = ~s1_0; wire s0_0 =", "two drivers"),
    "path without register": ("assign y_class[0] = ", "assign y_class[0] = s0_0 ^ ", "0 to 4"),
    "undriven": ("wire s0_0 =", "wire s0_0; wire lost =", "undriven"),
    "valid without reset": ("valid[1] <= !rst &&", "valid[1] <=", "previous and not rst"),
    "valid too early": ("assign out_valid = valid[3]", "assign out_valid = valid[2]", "chain"),
    "port too narrow": ("output [1:0] y_class", "output [0:0] y_class", "ports differ"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_verilog_is_refuted(design, verilog, tmp_path, name):
    old, new, says = BROKEN[name]
    text = verilog.read_text()
    assert old in text
    text = text.replace(old, new, 1)
    if name == "asynchronous reset":
        text = text.replace("s0_1 <= s0_0;", "").replace("reg s0_1;", "reg aux; wire s0_1 = aux;")
    broken = tmp_path / "tiny.v"
    broken.write_text(text)
    verdict = prove_verilog(design, [broken])
    assert not verdict.equal
    assert says in f"{verdict.where} {verdict.detail}"


def test_a_wrong_table_is_refuted_with_the_output(design, verilog, tmp_path):
    text = verilog.read_text()
    at = design.logic.n_inputs + design.logic.origins.index("class/neuron0/bit0")
    found = re.search(rf"t{at} = (\d+)'h([0-9a-f]+);", text)
    assert found
    flipped = text.replace(found[0], f"t{at} = ~{found[1]}'h{found[2]};")
    broken = tmp_path / "tiny.v"
    broken.write_text(flipped)
    verdict = prove_verilog(design, [broken])
    assert not verdict.equal
    assert verdict.where == "y_class[0]"


def test_unreadable_verilog_is_a_tool_failure(design, tmp_path):
    bad = tmp_path / "tiny.v"
    bad.write_text("module tiny(; endmodule")
    with pytest.raises(ToolFailed, match="syntax error"):
        prove_verilog(design, [bad])
    bad.write_text("module other; endmodule")
    verdict = prove_verilog(design, [bad])
    assert not verdict.equal
    assert "no such module" in f"{verdict.where} {verdict.detail}"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("ecp5", "synth_ecp5 -noabc9"),
        ("ice40", "synth_ice40"),
        ("xc7", "synth_xilinx -nosrl -noiopad"),
    ],
)
def test_synthesized_netlists_are_proved(design, verilog, tmp_path, name, command):
    out = tmp_path / "netlist.v"
    script = tmp_path / "synth.ys"
    script.write_text(
        f'read_verilog "{verilog}"\n{command} -top tiny\nwrite_verilog -noattr netlist.v\n'
    )
    run_tool(find("yosys"), [script], cwd=tmp_path, timeout=120, outputs=(out,))
    verdict = prove_netlist(design, [out], target=Target.named(name))
    assert verdict.equal, verdict.text()
    text = out.read_text()
    luts = r"(\.(?:LUT_INIT|INIT)\((?:4|8|16|32|64)'h)([0-9a-f]+)\)"
    found = list(re.finditer(luts, text))[-1]
    flipped = f"{found[1]}{int(found[2], 16) ^ 16 ** len(found[2]) - 1:x})"
    out.write_text(text[: found.start()] + flipped + text[found.end() :])
    assert not prove_netlist(design, [out], target=Target.named(name)).equal


def test_cells_with_two_outputs_are_proved(tmp_path):
    nodes = [([0, 1, 2, 3], 0x1EE8), ([1, 2, 4], 0x96), ([5, 6], 6), ([5, 6, 0], 0xE8)]
    design = build(logic_net(nodes, inputs=(5,), outputs=[[7, 8]]), name="tiny", stream=False)
    target = Target.named("xc7")
    files = write_verilog(design, tmp_path / "rtl", primitives=target.lut_cell, dual=True)
    result = synthesize(files, "tiny", target, tmp_path / "synth")
    assert result.luts == {"LUT6_2": 2}
    out = result.files["netlist_verilog"]
    assert prove_netlist(design, [out], target=target).equal
    text = out.read_text()
    pins = {".O5(": ".O6(", ".O6(": ".O5("}
    out.write_text(re.sub(r"\.O[56]\(", lambda pin: pins[pin[0]], text))
    assert not prove_netlist(design, [out], target=target).equal


def netlist(tmp_path, gates, names=None, **modules):
    """As yosys writes it: two blanks a level."""
    ports = {"y": {"direction": "output", "bits": [2]}, "a": {"direction": "input", "bits": [3]}}
    kinds = {"A": "input", "Y": "output"}
    module = {
        "attributes": {"src": "m.v:1.1-2.2"},
        "ports": ports,
        "cells": {
            name: {"hide_name": 0, "type": kind, "port_directions": kinds, "connections": pins}
            for name, kind, pins in gates
        },
        "netnames": {name: {"hide_name": hide, "bits": bits} for name, hide, bits in names or []},
    }
    path = Path(tmp_path / "m.json")
    path.write_text(json.dumps({"creator": "-", "modules": {**modules, "m": module}}, indent=2))
    return Netlist.read(path, "m")


@pytest.mark.parametrize("how", ["compact", "another module", "a cell in one line"])
def test_a_netlist_of_another_form_is_no_empty_one(tmp_path, how):
    netlist(tmp_path, [("$1", "$_NOT_", {"A": [3], "Y": [2]})])
    path = tmp_path / "m.json"
    text = path.read_text()
    if how == "compact":
        path.write_text(json.dumps(json.loads(text)))
    elif how == "a cell in one line":
        start, end = text.index('        "$1": {'), text.index('      "netnames"')
        cell = json.dumps(json.loads(text)["modules"]["m"]["cells"]["$1"])
        path.write_text(f'{text[:start]}        "$1": {cell}\n      }},\n{text[end:]}')
        assert json.loads(path.read_text()) == json.loads(text)
    with pytest.raises(ToolFailed, match="cannot be read"):
        Netlist.read(path, "x" if how == "another module" else "m")


def test_combinational_loop_is_an_error(tmp_path):
    net = netlist(tmp_path, [("c", "$_NOT_", {"A": [2], "Y": [2]})])
    with pytest.raises(StructureError, match="loop"):
        list(net.cone([2]))


def test_netlists_are_read_whatever_their_names_are(tmp_path):
    odd = ['a": {', "cells", "\\ }", '      "cells": {', "}, {"]
    cells = [(name, "$_NOT_", {"A": [3], "Y": [4 + i]}) for i, name in enumerate(odd)]
    names = [(name, i % 2, [4 + i]) for i, name in enumerate(odd)]
    other = {"attributes": {}, "ports": {"z": {"direction": "input", "bits": [9]}}, "cells": {}}
    net = netlist(tmp_path, cells, names, **{"cells": other})
    assert (net.inputs, net.outputs) == ({"a": (3,)}, {"y": (2,)})
    assert sorted(net.drivers) == [4, 5, 6, 7, 8]
    assert all(gate.fanins == (3,) for gate in net.drivers.values())
    assert net.names == {4 + i: f"{odd[i]}[0]" for i in (0, 2, 4)}


def test_second_drivers_and_other_cells_are_told(tmp_path):
    pins = {"A": [3], "Y": [2]}
    net = netlist(tmp_path, [("c", "$_NOT_", pins), ("d", "$_BUF_", pins)])
    assert (net.drivers, net.other) == ({}, {2: "second"})
    assert netlist(tmp_path, [("c", "$_DLATCH_P_", pins)]).other == {2: "$_DLATCH_P_"}
