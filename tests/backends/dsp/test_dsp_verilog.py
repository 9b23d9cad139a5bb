"""Engine text: instruction words, legal DSP cells, what synthesis counts, refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyosys
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from nnlogic.backends.dsp.flow import synthesize_engine
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core.errors import UsageError
from nnlogic.flows.memories import memory_target
from nnlogic.flows.targets import Target
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.dsp.crossbar import choose
from nnlogic.hw.dsp.encode import EngineShape, instruction_words
from nnlogic.hw.dsp.slice import LogicSlice
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from tests.backends.dsp.helpers import random_program

SHARE = Path(pyosys.__file__).with_name("share") / "xilinx"


def test_instruction_words_hold_the_program():
    program = random_program(slices=3, contexts=2, input_banks=2)
    shape = EngineShape.of(program)
    words = instruction_words(program)
    assert len(words) == program.steps
    assert max(words).bit_length() <= shape.word_bits

    def column(name):
        field = shape.fields[name]
        return np.array([word >> field.at & ((1 << field.width) - 1) for word in words])

    for i in range(program.slices):
        writes = program.write_row[:, i] >= 0
        assert np.array_equal(column(f"opcode{i}"), program.opcode[:, i])
        assert np.array_equal(column(f"x_bank{i}"), program.x_bank[:, i])
        assert np.array_equal(column(f"z_bank{i}"), program.z_bank[:, i])
        assert np.array_equal(column(f"write{i}"), writes)
        assert np.array_equal(column(f"write_row{i}")[writes], program.write_row[writes, i])
        assert np.array_equal(column(f"emit{i}"), program.emit[:, i])
    for b in range(program.banks):
        for port, rows in (("x", program.x_row[:, b]), ("z", program.z_row[:, b])):
            assert np.array_equal(column(f"{port}_row{b}")[rows >= 0], rows[rows >= 0])
    ends = sorted((f.at, f.at + f.width) for f in shape.fields.values())
    assert all(end == at for (_, end), (at, _) in pairwise(ends))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 9, 17, 18, 33])
def test_the_crossbar_chooses_every_source(count):
    m = Module()
    select = Signal((count - 1).bit_length() or 1)
    sources = [Signal(LANES, name=f"s{i}", init=1000 + i) for i in range(count)]
    out = Signal(LANES)
    m.d.comb += out.eq(choose(m, "part", select, sources))

    async def bench(context):
        for i in range(count):
            context.set(select, i)
            await context.delay(1e-9)
            assert context.get(out) == 1000 + i

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


def declared(cell: str) -> tuple[set[str], set[str], set[str]]:
    """Parameters, inputs and outputs of a cell as Yosys declares it."""
    text = "".join(SHARE.joinpath(f).read_text() for f in ("cells_sim.v", "cells_xtra.v"))
    body = re.search(rf"^module {cell}\s*\(.*?^endmodule", text, re.DOTALL | re.MULTILINE)[0]
    body = re.sub(r"//.*|\(\*.*?\*\)|\[[^\]]*\]", "", body)
    parameters = set(re.findall(r"parameter\s+(?:integer\s+)?(\w+)", body))
    inputs = set(re.findall(r"\binput\s+(?:signed\s+)?(\w+)", body))
    outputs = set(re.findall(r"\boutput\s+(?:reg\s+)?(?:signed\s+)?(\w+)", body))
    return parameters, inputs, outputs


@pytest.mark.parametrize("kind", ["dsp48e1", "dsp48e2"])
def test_every_port_is_tied_and_every_parameter_exists(kind):
    cell = kind.upper()
    text = component_verilog(LogicSlice(kind), "slice")
    instance = re.search(rf"{cell} #\((.*?)\) dsp \((.*?)\);", text, re.DOTALL)
    set_parameters = set(re.findall(r"\.(\w+)\(", instance[1]))
    connected = set(re.findall(r"\.(\w+)\(", instance[2]))
    parameters, inputs, outputs = declared(cell)
    assert set_parameters <= parameters
    inversions = {p for p in parameters if p.startswith("IS_")}
    assert parameters - set_parameters == inversions
    assert connected & outputs == {"P"}
    assert connected - outputs == inputs


def test_synthesis_counts_the_slices(tmp_path):
    program = random_program(slices=2, contexts=1, n_ops=12)
    shape = EngineShape.of(program)
    files = write_engine(program, tmp_path)
    widths = LANES * shape.input_banks, LANES * len(shape.emitters)
    result, found = synthesize_engine(
        files[:1], "random", widths, Target.named("xc7"), tmp_path / "synth"
    )
    assert found.dsps == 2
    # Two operand multiplexers of 48 bits for each slice, three banks to choose from.
    assert found.luts - found.memory_luts >= 2 * 2 * LANES
    assert found.memory_luts == sum(
        Target.named("xc7").memory_luts.get(c, 0) * n for c, n in found.cells.items()
    )
    assert found.memory_luts > 0
    assert result.modules["random_slice0"].dsps == 1
    assert "-nobram" not in result.command


def test_synthesis_keeps_the_slice_of_the_newer_generation(tmp_path):
    (tmp_path / "slice.v").write_text(component_verilog(LogicSlice("dsp48e2"), "slice"))
    script = "read_verilog slice.v\nsynth_xilinx -family xcup -noiopad -noclkbuf -top slice\n"
    script += "select -assert-count 1 t:DSP48E2\nselect -assert-none t:LUT* t:FD*\n"
    (tmp_path / "synth.ys").write_text(script)
    run_tool(find("yosys"), ["synth.ys"], cwd=tmp_path, timeout=120, failure_phrases=("ERROR:",))


def test_engine_target_keeps_the_rest():
    target = Target.named("ecp5")
    engine = memory_target(target)
    assert "-nodsp" in engine.yosys
    assert engine.kind_of("TRELLIS_DPR16X4") == "luts"
    assert engine.kind_of("DP16KD") == "brams"
    assert engine.pnr == target.pnr


def test_the_text_is_the_same_every_time(tmp_path):
    program = random_program(slices=2, contexts=1, n_ops=12)
    texts = [write_engine(program, tmp_path / n)[0].read_text() for n in ("a", "b")]
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0]
    modules = re.findall(r"^module (\w+)", texts[0], re.MULTILINE)
    assert modules
    assert all(name.startswith("random") for name in modules)
    lines = [line for line in texts[0].splitlines() if line.startswith("//")]
    assert "//   a[0] = (0, 0)" in lines or "//   a[0] = (0, 1)" in lines


def test_what_no_engine_can_execute_is_refused(tmp_path):
    program = random_program(slices=2, contexts=1, n_ops=12)
    for changed, why in (
        (replace(program, latency=3), "latency is 3"),
        (replace(program, emit=np.zeros_like(program.emit)), "emits no outputs"),
        (replace(program, input_rows=0), "reads no inputs"),
    ):
        with pytest.raises(UsageError, match=why):
            write_engine(changed, tmp_path / "out")
    with pytest.raises(UsageError, match="no slice called"):
        write_engine(program, tmp_path / "out", kind="dsp58")
    assert not (tmp_path / "out").exists()
