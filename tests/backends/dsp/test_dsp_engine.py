"""The engine in cocotb: equal to the program interpreter, and faults are seen."""

from __future__ import annotations

import numpy as np
import pytest

from nnlogic.backends.dsp.checks.faults import flip_address, flip_opcode, swap_steps
from nnlogic.core import bits
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.hw.slices import MODELS
from nnlogic.sim.dsp.run import ENGINE_TESTS, run_engine
from nnlogic.sim.dsp.vectors import input_beats, output_beats
from tests.backends.dsp.helpers import random_program

GROUPS = 5


def rows(program, groups=GROUPS):
    """A few samples less than fill the groups."""
    return bits.random_codes(program.inputs, groups * program.vectors - 7, seed=3)


def regress(program, files, folder, simulator="icarus"):
    codes = rows(program)
    expected = program.evaluate(codes)
    return run_engine(program, files, folder, codes=codes, expected=expected, simulator=simulator)


MACHINES = [
    ("dsp48e1", "icarus", {"slices": 3, "contexts": 2, "latency": 6, "n_ops": 40}),
    ("dsp48e2", "icarus", {"slices": 4, "contexts": 7, "latency": 7, "input_banks": 2,
                           "output_slices": 3, "n_ops": 20}),
    # So short that two buffers would not do.
    ("fabric", "icarus", {"slices": 1, "contexts": 1, "latency": 4, "n_ops": 6}),
    ("dsp48e2", "verilator", {"slices": 2, "contexts": 2, "latency": 5, "n_ops": 20}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "simulator", "machine"), MACHINES)
def test_engine_equals_the_interpreter(tmp_path, kind, simulator, machine):
    program = random_program(**machine)
    files = write_engine(program, tmp_path, kind=kind)
    result = regress(program, files, tmp_path / "sim", simulator)
    assert {test.name for test in result.tests} == {*ENGINE_TESTS}
    assert (result.passed, result.failed) == (4, 0), result.tests
    assert result.interval == program.interval
    assert result.latency == EngineShape.of(program).turnaround
    assert result.simulator.startswith(simulator)
    assert result.samples == GROUPS * program.vectors - 7


@pytest.fixture(scope="module")
def small():
    return random_program(slices=2, contexts=1, n_ops=24)


@pytest.fixture(scope="module")
def written(small, tmp_path_factory):
    return write_engine(small, tmp_path_factory.mktemp("engine"))


PROGRAM_FAULTS = {"opcode": flip_opcode, "address": flip_address, "schedule": swap_steps}


@pytest.mark.parametrize("name", PROGRAM_FAULTS)
def test_faults_in_the_program_memory_are_seen(tmp_path, small, name):
    program = small
    codes = rows(program)
    rng = np.random.default_rng(5)
    planted = (PROGRAM_FAULTS[name](program, rng) for _ in range(200))
    wrong = next(
        item[0]
        for item in planted
        if item is not None and (item[0].evaluate(codes) != program.evaluate(codes)).any()
    )
    files = write_engine(wrong, tmp_path)
    result = regress(program, files, tmp_path / "sim")
    bad = {test.name: test.message for test in result.tests if not test.passed}
    assert "engine_full_rate" in bad
    assert "output beat" in bad["engine_full_rate"]


LATE = (
    "assign p = PREG ? p_q",
    "reg [47:0] late;\n  always @(posedge clk) late <= p_q;\n  assign p = PREG ? late",
)
ENGINE_FAULTS = {
    "other function": (MODELS, "result = xs & zs", "result = xs"),
    "late slice": (MODELS, *LATE),
    "always ready": ("random.v", "assign s_axis_tready = ", "assign s_axis_tready = 1'b1 | "),
    "reset ignored": ("random.v", "assign rst = ", "assign rst = 1'b0 & "),
}  # fmt: skip


@pytest.mark.parametrize("name", ENGINE_FAULTS)
def test_faults_in_the_circuit_are_seen(tmp_path, small, written, name):
    which, old, new = ENGINE_FAULTS[name]
    files = [tmp_path / path.name for path in written]
    for path, good in zip(files, written, strict=True):
        text = good.read_text()
        assert path.name != which or old in text, text[:3000]
        path.write_text(text.replace(old, new) if path.name == which else text)
    result = regress(small, files, tmp_path / "sim")
    bad = {test.name for test in result.tests if not test.passed}
    seen = ENGINE_TESTS[3:] if name == "reset ignored" else ENGINE_TESTS[:2]
    assert bad >= {*seen}


def test_beats_hold_lane_by_lane_what_the_ports_hold():
    program = random_program(slices=4, contexts=7, latency=7, input_banks=2, output_slices=3,
                             n_ops=40)  # fmt: skip
    codes = rows(program, 2)
    beats = input_beats(program, codes)
    assert len(beats) == 2 * program.contexts * program.input_rows
    sample = 48 * (program.contexts + 3) + 17  # group 1, context 3, lane 17
    wire = 0
    for port, code in zip(program.inputs, codes[sample], strict=True):
        for bit in range(port.format.bits):
            bank, row = program.input_bank[wire], program.input_row[wire]
            if bank >= 0:
                beat = beats[(program.contexts + 3) * program.input_rows + row]
                lane = beat >> 48 * int(bank - program.slices) + 17 & 1
                assert lane == code >> bit & 1
            wire += 1
    values, masks = output_beats(program, program.evaluate(codes))
    assert len(values) == len(masks) == 2 * program.contexts * program.output_rows
    assert all(value & ~mask == 0 for value, mask in zip(values, masks, strict=True))
    # The last batch lacks seven samples.
    assert masks[-1] >> 40 & 0xFF in (0, 1)


def test_the_model_comes_with_dsp_slices_only(tmp_path, small, written):
    names = [path.name for path in written]
    assert names == ["random.v", MODELS]
    assert [p.name for p in write_engine(small, tmp_path, kind="fabric")] == names[:1]
