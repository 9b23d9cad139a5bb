"""An engine with several kernels in cocotb: equal to the interpreters, and faults are seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnlogic.backends.dsp.checks.kernels import CHAIN_FAULTS, plant_chain
from nnlogic.backends.dsp.model.cut import cut_kernels
from nnlogic.core import bits
from nnlogic.hw.dsp.commands import command_bits
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.host import host_schedule, write_host
from nnlogic.hw.dsp.verilog import write_kernels
from nnlogic.sim.cocotb_run import run_cocotb
from nnlogic.sim.dsp.kernels_run import KERNEL_TESTS, bench_config, chain_kernels, run_kernels
from nnlogic.sim.dsp.run import bench_top
from nnlogic.sim.dsp.vectors import output_beats, output_codes
from tests.backends.dsp.helpers import random_graph

GROUPS = 2


def chain_of(contexts=2, words=14, n_ops=44):
    graph = random_graph(12, n_ops, seed=3)
    cut = cut_kernels(graph, 2, contexts=contexts, program_steps=words, input_banks=2)
    assert len(cut.chain.programs) > 1
    return graph, cut


def engine(folder, chain, graph, most, kind="dsp48e1", groups=GROUPS):
    """Files, and a host with a fault of each kind."""
    codes = bits.random_codes(graph.inputs, groups * chain.vectors - 7, seed=3)
    files = write_kernels(chain.name, chain.programs, folder, most=most, kind=kind)
    write_host(chain, folder / "host.json", most=most)
    faults = {}
    for title, load in (*((t, None) for t in CHAIN_FAULTS), ("fault in an opcode", True)):
        wrong, _ = plant_chain(title, chain, codes)
        faults[title] = folder / f"{title}.json"
        write_host(wrong, faults[title], most=most, load=load)
    expected = graph.evaluate(codes)
    return files, chain_kernels(
        chain, folder / "host.json", folder, most=most, codes=codes, expected=expected,
        faults=faults,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("simulator", "kind", "resident"), [("icarus", "dsp48e1", False), ("verilator", "fabric", True)]
)
def test_engine_and_host_equal_the_graph(tmp_path, simulator, kind, resident):
    graph, cut = chain_of()
    most = 1000 if resident else cut.memory_words
    files, kernels = engine(tmp_path, cut.chain, graph, most, kind)
    repeats = 2 if simulator == "icarus" else 1
    found = run_kernels(kernels, files, tmp_path / "sim", simulator=simulator, repeats=repeats)
    assert {t.name for t in found.tests} == {*KERNEL_TESTS}
    assert not found.failed, found.tests
    assert found.visits == found.promised
    assert {*found.faults} == {*kernels.faults}
    assert all("expected" in said for said in found.faults.values())


CONTROL = (
    "commander.to_enter", "commander.to_leave", "commander.to_load",
    "input_free.count", "input_full.count", "output_free.count", "output_full.count",
    "loader.row", "loader.buffer", "sequencer.running",
    "unloader.filling", "unloader.reading", "unloader.credits", "unloader.emitted0",
)  # fmt: skip


def spare_resets(path: Path, registers: tuple[str, ...]) -> None:
    """Make the reset of each register depend on a bit of the bench, in their order."""
    text = path.read_text()
    for number, register in enumerate(registers):
        module, name = register.split(".")
        whole = rf"^module random_{module} \(.*?^endmodule"
        body = re.search(whole, text, re.DOTALL | re.MULTILINE)
        old = f"if (rst) {name} <="
        assert old in body[0], register
        new = f"if (rst & ~nnlogic_bench_top.keep[{number}]) {name} <="
        text = text.replace(body[0], body[0].replace(old, new))
    path.write_text(text)


def test_a_reset_that_spares_a_control_register_is_seen(tmp_path, monkeypatch):
    # More groups than buffers, and outputs that do not fit the queue behind them.
    graph, cut = chain_of(contexts=1, words=30, n_ops=60)
    (path, model), kernels = engine(tmp_path, cut.chain, graph, cut.memory_words, groups=5)
    spare_resets(path, CONTROL)
    shape = EngineShape.of_all(cut.chain.programs, cut.memory_words)
    top = bench_top("random", 48 * shape.input_banks, 48 * len(shape.emitters), command_bits(shape))
    keep = f"  reg [{len(CONTROL) - 1}:0] keep = 0;\n"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    done = run_cocotb(
        [path, model], top.replace("  random engine", keep + "  random engine"), tmp_path / "sim",
        module="reset_bench", names=("spared_registers_are_noticed",),
        config=bench_config(kernels, shape), simulator="icarus", seed=1, timeout=600,
    )  # fmt: skip
    assert all(t.passed for t in done.tests), done.tests
    said = done.measured["faults"]
    assert len(said) == len(CONTROL)
    assert not [name for i, name in enumerate(CONTROL) if not said[str(i)]]


def test_the_schedule_names_every_word_once():
    _, cut = chain_of()
    plan = host_schedule(cut.chain, most=cut.memory_words)
    made = [word for kernel in plan["kernels"] for *_, word in kernel["makes"]]
    inputs = [word for words in plan["inputs"].values() for word in words]
    assert sorted(inputs + made) == list(range(plan["words"]))
    known = {*inputs}
    for kernel in plan["kernels"]:
        assert {word for *_, word in kernel["reads"]} <= known
        known |= {word for *_, word in kernel["makes"]}
    assert [w for words in plan["outputs"].values() for w in words] == (
        cut.chain.output_words.tolist()
    )
    assert all(len(k["packet"]) == 1 + p.steps for k, p in zip(
        plan["kernels"], cut.chain.programs, strict=True))  # fmt: skip


def test_beats_out_can_be_read_back():
    _, cut = chain_of()
    program = cut.chain.programs[-1]
    shape = EngineShape.of_all(cut.chain.programs, 1000)
    codes = bits.random_codes(program.outputs, 100, seed=1)
    beats, _ = output_beats(program, codes, shape.emitters)
    assert (output_codes(program, beats, 100, shape.emitters) == codes).all()
