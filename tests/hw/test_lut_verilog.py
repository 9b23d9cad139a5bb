import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from device_cells import CELLS
from helpers_lint import lint
from helpers_logic import layered_net, logic_net, logic_nets, reference
from hypothesis import given, settings
from rtl_bench import run_core, word

from nnlogic.core.bits import random_codes
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

GOLDEN = Path(__file__).parent / "golden"


def tiny():
    nodes = [([0, 1], 6), ([4, 2], 8), ([5, 4, 3], 0xCA), ([6], 1)]
    return logic_net(nodes, layers=[0, 0, 1, 1], outputs=[[6, 7]], origins=ORIGINS)


ORIGINS = ["fc1/neuron0", "fc1/neuron0/bit0", "fc2/neuron0/bit0", "fc2/neuron0/bit1"]


def simulate(design, folder, *, rows=60, **options):
    """Assert that the Verilog computes what the network does, on time, and says when."""
    files = write_verilog(design, folder, **options.get("write", {}))
    codes = random_codes(design.inputs, rows, seed=5)
    extra = options.get("cells", ())
    sent, seen = run_core(design, [*files[:1], *extra], folder, codes)
    assert len(sent) == rows
    assert [v for v, _, _ in seen] == ["1"] * rows
    assert [cycle - design.latency for _, cycle, _ in seen] == sent
    want = reference(design.logic, codes)
    assert [int(y, 16) for _, _, y in seen] == [word(row, design.outputs) for row in want]


@pytest.mark.parametrize("schedule", ["layer", 1, 3])
@pytest.mark.parametrize("register", [True, False])
def test_simulates_like_the_network(tmp_path, schedule, register):
    net = layered_net(inner=12)
    simulate(build(net, schedule=schedule, input_register=register, name="toy"), tmp_path)


def test_the_bench_sees_one_wrong_bit(tmp_path):
    design = build(tiny(), name="toy", stream=False)
    (file,) = write_verilog(design, tmp_path)
    text = file.read_text()
    assert "fc1_neuron0 = x_f0_bit0 ^ x_f0_bit1" in text
    file.write_text(text.replace("x_f0_bit0 ^ x_f0_bit1", "x_f0_bit0 | x_f0_bit1"))
    codes = random_codes(design.inputs, 60, seed=5)
    _, seen = run_core(design, [file], tmp_path, codes)
    want = [word(row, design.outputs) for row in reference(design.logic, codes)]
    assert [int(y, 16) for _, _, y in seen] != want


@settings(max_examples=12, deadline=None)
@given(logic_nets())
def test_odd_networks_simulate_like_the_network(tmp_path_factory, net):
    simulate(build(net, schedule=1, stream=False), tmp_path_factory.mktemp("odd"))


@pytest.mark.parametrize("schedule", ["layer", 1, 2])
def test_registers_are_those_of_the_design(tmp_path, schedule):
    design = build(layered_net(inner=12), schedule=schedule, stream=False)
    write_verilog(design, tmp_path)
    script = (
        f"read_verilog {design.name}.v\nhierarchy -top {design.name}\nproc -norom\nflatten\n"
        "simplemap\ntee -o stat.json stat -json\n"
    )
    (tmp_path / "stat.ys").write_text(script)
    run_tool(find("yosys"), ["stat.ys"], cwd=tmp_path, timeout=60)
    cells = json.loads((tmp_path / "stat.json").read_text())["design"]["num_cells_by_type"]
    flops = sum(n for cell, n in cells.items() if "FF" in cell)
    assert flops == design.registers + design.latency


def partly_read():
    """A network that reads one bit of a port, none of another, and gives a bit it reads."""
    nodes = [([0, 3], 8), ([5], 1), ([6, 0], 6), ([6, 5], 0xC)]
    return logic_net(nodes, inputs=(1, 2, 2), layers=[0, 0, 1, 1], outputs=[[7, 6], [8]])


NETS = {"layers": layered_net, "tiny": tiny, "partly read": partly_read}


@pytest.mark.parametrize("primitives", [None, "xc7"])
@pytest.mark.parametrize("schedule", ["layer", 1])
@pytest.mark.parametrize("net", list(NETS))
def test_checkers_of_style_have_nothing_to_say(tmp_path, net, schedule, primitives):
    cell = Target.named(primitives).lut_cell if primitives else None
    design = build(NETS[net](), schedule=schedule, name="toy")
    files = write_verilog(design, tmp_path, primitives=cell)
    if cell:
        models = tmp_path / "cells.v"
        models.write_text("// verilator lint_off DECLFILENAME\n" + CELLS[primitives])
        files = (*files, models)
    assert lint(tmp_path, files, "toy_stream") == []
    lines = "".join(f.read_text() for f in files).splitlines()
    assert max(map(len, lines)) <= 120
    assert not re.search(r"\b_\d+_\b", "\n".join(lines))


def test_the_checkers_of_style_see_a_wire_that_nothing_reads(tmp_path):
    files = write_verilog(build(tiny(), name="toy"), tmp_path)
    text = files[0].read_text()
    files[0].write_text(text.replace("endmodule", "  wire left = clk;\nendmodule", 1))
    assert any("UNUSEDSIGNAL" in line for line in lint(tmp_path, files, "toy_stream"))


@pytest.mark.parametrize(("schedule", "name"), [("layer", "layer"), (1, "levels1")])
def test_golden_text(tmp_path, schedule, name):
    files = write_verilog(build(tiny(), schedule=schedule, name="toy"), tmp_path)
    text = "".join(path.read_text() for path in files)
    file = GOLDEN / f"tiny_{name}.v"
    if os.environ.get("NNLOGIC_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_same_design_same_text_without_paths(tmp_path):
    design = build(layered_net(), schedule=1)
    texts = []
    for name in ("a", "b"):
        files = write_verilog(design, tmp_path / name)
        texts.append([path.read_bytes() for path in files])
        assert [p.name for p in files] == ["toy.v", "toy_stream.v"]
    assert texts[0] == texts[1]
    assert str(tmp_path).encode() not in b"".join(texts[0])


def test_only_the_valid_chain_has_reset_and_initial_value(tmp_path):
    path, *rest = write_verilog(build(layered_net(), stream=False), tmp_path)
    assert not rest
    lines = path.read_text().splitlines()
    at = lines.index("  initial begin")
    assert lines[at : at + 3] == ["  initial begin", "    valid = 4'h0;", "  end"]
    assert lines.count("  initial begin") == 1
    assert [line.strip() for line in lines if "rst)" in line] == ["if (rst) valid <= 4'h0;"]


def test_every_node_keeps_its_name(tmp_path):
    design = build(layered_net(), stream=False)
    text = write_verilog(design, tmp_path)[0].read_text()
    deep = np.flatnonzero(design.logic.fan_in_counts > 1)
    assert all(f"wire {design.logic.origins[i].replace('/', '_')} =" in text for i in deep)
