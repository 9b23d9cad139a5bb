"""Streams without frames: what they mean, what they promise, and which faults are seen."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import digits_net, map_net, sliding_net

from nnlogic.backends.stream import section as stream_section
from nnlogic.backends.stream.checks.samples import (
    CHAIN,
    CONTINUOUS_FAULTS,
    check_samples,
    window_faults,
)
from nnlogic.backends.stream.continuous.rows import SAMPLES_CHECK
from nnlogic.backends.stream.continuous.sequence import samples_in
from nnlogic.backends.stream.model.continuous import ContinuousDesign, lengthened
from nnlogic.backends.stream.model.samples import results_of, run_samples
from nnlogic.backends.stream.rows import NETLIST_CHECK, NETLIST_FAULT, NETLIST_PARTS, TAGS_CHECK
from nnlogic.backends.stream.segments import load_cores
from nnlogic.core.errors import IRError, TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.progress import SILENT
from nnlogic.core.windows import Frame
from nnlogic.hw.stream.verilog import write_samples
from nnlogic.job.backend import chosen_backend
from nnlogic.quant.ir import QuantNet
from nnlogic.run.compile_run import compile
from nnlogic.run.synth_run import synth
from nnlogic.run.verify_run import verify
from nnlogic.sim.stream.samples import run_chains, run_samples_bench

QUICK = {"effort": "fast", "jobs": 1, "continuous": True}
SAMPLES = 400


def made(tmp_path_factory, net, **options):
    folder = tmp_path_factory.mktemp(net.name)
    net.save(folder / "net.safetensors")
    return compile(folder / "net.safetensors", folder / "run", **{**QUICK, **options})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made(tmp_path_factory, sliding_net(), target="xc7")


def bench(run, folder, files=None, **options):
    whole = samples_in(run, SILENT, SAMPLES)
    return whole.design, run_samples_bench(
        whole.design, files or whole.files(), folder, samples=whole.sent,
        expected=whole.expected, simulator="icarus", **options,
    )  # fmt: skip


def samples(design, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, (count, len(design.inputs)))


def logic(run, whole):
    return {name: core.logic for name, core in load_cores(run.path, whole.cut.parts).items()}


def longer(net, width):
    """The windowed layers of a network on a longer frame."""
    layers, frame = [], Frame(2, 1, width)
    for layer in net.layers[:2]:
        layers.append(replace(layer, frame=frame))
        frame = layers[-1].output
    return layers


def test_a_result_is_the_network_on_the_last_samples_wherever_they_stand(run):
    whole = samples_in(run, SILENT, SAMPLES)
    design, net = whole.design, QuantNet.load(run.ir_path("quant"))
    assert (design.reach.samples, design.reach.hop) == (39, 2)
    long = samples(design, SAMPLES)
    by_pieces = results_of(net, design, long)
    # The same from one long frame: maps of the whole sequence, then the last layers on each place.
    x = long.reshape(1, -1)
    for layer in longer(net, SAMPLES):
        x = layer.evaluate(x)
    positions = x.reshape(-1, 4)
    dense = next(part.net for part in whole.cut.parts if part.layer is None)
    at = np.arange(len(positions) - design.map.width + 1)[:, None] + np.arange(design.map.width)
    by_maps = dense.evaluate(positions[at].reshape(len(at), -1))
    assert np.array_equal(by_pieces, by_maps)
    assert np.array_equal(run_samples(design, logic(run, whole), long), by_pieces)
    assert len(by_pieces) == design.reach.results(SAMPLES)


def test_what_came_before_the_receptive_field_does_not_matter(run):
    whole = samples_in(run, SILENT, SAMPLES)
    reach, cores = whole.design.reach, logic(run, whole)
    one, other = samples(whole.design, SAMPLES, 1), samples(whole.design, SAMPLES, 2)
    cut = 100 * reach.hop
    other[cut:] = one[cut:]
    same = run_samples(whole.design, cores, one) == run_samples(whole.design, cores, other)
    assert same[cut // reach.hop :].all()
    assert not same[: cut // reach.hop].all()


def test_a_map_goes_out_position_by_position(tmp_path_factory, tmp_path):
    net = sliding_net(2, dense=False, stride=3)
    run = made(tmp_path_factory, net)
    design, result = bench(run, tmp_path / "bench")
    assert (design.reach.samples, design.reach.hop) == (9, 3)
    assert [t for t in result.tests if not t.passed] == []
    assert result.measured == {"latency": design.latency, "interval": 3, "first": 9}
    # Every position of a frame is the same function of what its window holds.
    x = samples(design, 40).reshape(1, -1)
    found = results_of(net, design, x.reshape(-1, 2))
    assert np.array_equal(found, net.evaluate(x).reshape(-1, 4))


def test_a_run_says_what_it_promises_and_verify_measures_it(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    done = verify(copy, simulators=("icarus",))
    checks = {c.title: c for rung in done.report.ladder for c in rung.checks}
    assert done.status == "verified"
    assert checks[SAMPLES_CHECK].verdict == "pass"
    assert {checks[title].verdict for title in CONTINUOUS_FAULTS} == {"pass"}
    assert checks[TAGS_CHECK].how == "exhaustive"
    facts = stream_section.of(done.report)
    assert (facts.reach, facts.interval_cycles) == (39, 2)
    assert facts.simulated_latency == facts.latency_cycles == done.report.timing.latency_cycles
    assert facts.simulated_interval == 2
    assert facts.frames_per_second == pytest.approx(1e6 * facts.clock_mhz / 2)
    assert "a result of the last 39 every 2 cycles" in str(done.report.to_json())


def test_synthesis_counts_parts_apart_and_simulates_the_netlist(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    done = synth(copy, pnr=False)
    rows = {r.part: r for r in done.report.resources if r.source == "synth"}
    assert set(rows) == {
        "kernels", "dense layers", "frame register", "window generators", "stream wrapper", "total"
    }  # fmt: skip
    assert rows["total"].luts == sum(r.luts for p, r in rows.items() if p != "total")
    checks = {c.title: c.verdict for c in done.report.rung(6).checks}
    assert checks == {NETLIST_PARTS: "pass", NETLIST_CHECK: "pass", NETLIST_FAULT: "pass"}


@pytest.mark.parametrize("title", CONTINUOUS_FAULTS)
def test_whole_sequences_and_tags_see_every_fault_of_a_window(run, tmp_path, title):
    whole = samples_in(run, SILENT, SAMPLES)
    module, shape = next((m, s) for t, m, s in window_faults(whole.design) if t == title)
    cores = load_cores(run.path, whole.cut.parts)
    wrong = write_samples(whole.design, cores, tmp_path / "rtl", shapes={module: shape})
    mine = {file.name: file for file in wrong}
    files = [mine.get(f.name, f) for f in whole.files()]
    _, result = bench(run, tmp_path / "bench", files, tests=("samples_all",))
    assert result.passed == 0
    assert run_chains(whole.design, files, tmp_path / "tags", modules=[module]).passed == 0


CONTROL_FAULTS = {
    "samples are taken without room": (
        "slides_stream.v", r"\bgo <= aresetn [^;]*;", "go <= 1'h1;",
        ("samples_blocked", "samples_back_pressure"),
    ),
    "reset leaves marks": (
        "slides.v", r"if \(rst\) marks <= 5'h00;\s*else ", "", ("samples_reset",),
    ),
    "reset leaves results": (
        "slides_stream.v", r"\.rst\(.*\)", ".rst(1'h0)", ("samples_reset",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROL_FAULTS)
def test_protocol_tests_see_faults_of_control(run, tmp_path, name):
    target, old, new, tests = CONTROL_FAULTS[name]
    files = []
    for file in sorted((run.path / "rtl").glob("slides*.v")):
        text = file.read_text()
        if file.name == target:
            text, count = re.subn(old, new, text)
            assert count > 0, text
        files.append(tmp_path / file.name)
        files[-1].write_text(text)
    _, result = bench(run, tmp_path / "bench", files, tests=tests)
    assert result.passed < len(tests)


def test_the_cycle_model_sees_a_chain_of_another_length(run):
    whole = samples_in(run, SILENT, SAMPLES)
    net, cores = QuantNet.load(run.ir_path("quant")), logic(run, whole)
    codes = samples(whole.design, 40 * 20).reshape(20, -1)
    assert check_samples(net, whole.design, cores, codes).equal
    first, *rest = whole.design.layers
    wrong = replace(first, window=replace(first.window, dilation=(1, 2)))
    layers = (wrong, *(lengthened(layer, layer.frame.width - 4) for layer in rest))
    verdict = check_samples(net, replace(whole.design, layers=layers), cores, codes)
    assert not verdict.equal
    assert CHAIN in CONTINUOUS_FAULTS
    swapped = dict(zip(cores, reversed(list(cores.values())), strict=True))
    assert "ports" in check_samples(net, whole.design, swapped, codes).detail


def refused(tmp_path, net, error, **options):
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(error) as caught:
        compile(tmp_path / "net.safetensors", tmp_path / "run", **{**QUICK, **options})
    assert not (tmp_path / "run").exists()
    return caught.value.text()


def test_what_needs_frames_is_refused_with_all_reasons(tmp_path):
    text = refused(tmp_path, digits_net(), UnsupportedModel)
    for layer in ("conv1", "pool1", "conv2"):
        assert layer in text
    assert "a map of 8 rows" in text
    text = refused(tmp_path, map_net(), UnsupportedModel)
    assert "pads 4 on the left and 0 on the right" in text
    assert "pads 1 on the left and 1 on the right" in text


def test_rates_and_lanes_that_cannot_be_are_refused(tmp_path):
    text = refused(tmp_path, sliding_net(), TargetMissed, samples_per_second=500e6, clock=200.0)
    assert "300,000,000 fewer than 500,000,000" in text
    assert "--clock 500" in text
    text = refused(tmp_path, sliding_net(), UsageError, positions_per_clock=2)
    assert "a sample per clock" in text
    refused(tmp_path, sliding_net(), UsageError, backend="dsp")


def test_the_option_implies_its_backend_and_its_default_does_not():
    assert chosen_backend({"continuous": True}) == "stream"
    assert chosen_backend({"continuous": False}) == "lut"


def test_a_design_that_breaks_its_rules_is_refused(run):
    design = ContinuousDesign.load(run.ir_path("design"))
    with pytest.raises(IRError, match="outputs"):
        replace(design, dense=None).verify()
    with pytest.raises(IRError, match="inputs"):
        replace(design, inputs=design.inputs[:1]).verify()
    padded = replace(
        design.layers[0], window=replace(design.layers[0].window, padding=(0, 0, 1, 0))
    )
    with pytest.raises(IRError, match="padding"):
        replace(design, layers=(padded, *design.layers[1:])).verify()
