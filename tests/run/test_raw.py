"""`--raw` and `--drop-unused`: the quantizer in the core, ports of what is read, and PyTorch."""

import json
import re

import numpy as np
import pytest

from nnlogic.backends.lut.stages import port_codes
from nnlogic.checks.faults import planted_faults
from nnlogic.core.errors import UsageError
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.unread import kept_text, read_bits
from nnlogic.frontend.native import write_native
from nnlogic.hw.stream_wrapper import StreamParameters
from nnlogic.job.backend import backend_named
from nnlogic.job.context import saved_context
from nnlogic.job.rows import read_saved
from nnlogic.job.runner import recheck
from nnlogic.job.stages.tables import load_simplified
from nnlogic.logic.ir import LogicNet
from nnlogic.model.architecture import Architecture
from nnlogic.model.assemble import expected_arrays
from nnlogic.model.layer import plain_layer
from nnlogic.nn.checkpoint import load_network
from nnlogic.quant.encoder import words_near_cuts
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import Check
from nnlogic.run import compile as compile_run
from nnlogic.sim.bulk import run_bulk

FORMATS = "q4.8,b=float32,d=int8"
ARCH = Architecture(
    "tiny", ("a", "b", "c", "d"), (2, 2, 2, 1), ("no", "yes", "other"),
    (plain_layer("fc", 6, 3, "signed_uniform", 2, 4), plain_layer("out", 3, 6, batch_norm=False)),
)  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    rng = np.random.default_rng(8)
    arrays = {name: rng.normal(size=shape) for name, shape in expected_arrays(ARCH).items()}
    for name, array in arrays.items():
        if name.endswith((".scale", ".var")):
            arrays[name] = np.abs(array) + 0.1
        if name.startswith("input."):
            arrays[name] = np.sort(array)
    path = tmp_path_factory.mktemp("net") / "tiny.safetensors"
    write_native(path, ARCH, {n: a.astype(np.float32) for n, a in arrays.items()}, info={})
    rows = rng.normal(size=(200, 4)).astype(np.float32)
    np.savez(path.parent / "rows.npz", X=rows, y=rng.integers(0, 3, 200))
    return path


@pytest.fixture(scope="module")
def run(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "run"
    rows = checkpoint.parent / "rows.npz"
    return compile_run(
        checkpoint, out, raw=FORMATS, rows=rows, drop_unused=True, effort="fast", jobs=1
    )


def loaded(run):
    return LogicNet.load(run.ir_path("logic")), HardwareDesign.load(run.ir_path("design"))


def test_the_encoder_is_counted_and_proved(run):
    checks = {c.title: c for rung in run.report.ladder for c in rung.checks}
    assert checks["input quantizer = encoder"].verdict == "pass"
    assert checks["input quantizer = encoder"].how == "exhaustive"
    assert checks["LogicNet = Verilog, formally"].verdict == "pass"
    luts = {row.part: row.luts for row in run.report.resources}
    assert luts["encoder"] > 0
    assert luts["total"] == luts["encoder"] + luts["network"] + luts["output"]
    assert "raw features as 2 q4.8" in run.report.network.encoder
    stages = [row.stage for row in run.report.accuracy]
    assert stages.index("quantized") < stages.index("raw words") < stages.index("tables")
    assert [w for w in run.report.warnings if "raw feature d as int8" in w] == []
    assert json.loads((run.path / "input" / "thresholds.json").read_text())["features"]


def test_ports_are_words(run):
    text = (run.path / "rtl" / "tiny.v").read_text()
    assert re.search(r"x_a +\S+ +a, q4\.8", text)
    assert re.search(r"x_b +\S+ +b, float32", text)
    logic = LogicNet.load(run.ir_path("logic"))
    assert [str(p.format) for p in logic.inputs] == ["i12", "u32", "i12", "i8"]


def test_what_is_not_read_has_no_port(run):
    logic, design = loaded(run)
    kept = read_bits(logic)
    text = (run.path / "rtl" / "tiny.v").read_text()
    assert "not read: " not in text
    assert sum(map(len, kept)) == design.logic.n_inputs < logic.n_inputs
    for port, bits in zip(logic.inputs, kept, strict=True):
        assert (f"bits {kept_text(bits)} of {port.format}" in text) == (
            0 < len(bits) < port.format.bits
        )
    stream = StreamParameters.of(design)
    assert 8 * stream.input_bytes < 8 + design.logic.n_inputs
    xml = (run.path / "ip" / "component.xml").read_text()
    assert f"<ipxact:left>{8 * stream.input_bytes - 1}</ipxact:left>" in xml
    checks = {c.title: c.verdict for rung in run.report.ladder for c in rung.checks}
    assert checks["LogicNet = LogicNet without unread bits"] == "pass"


def test_faults_are_planted_on_both_sides_of_the_ports(run, tmp_path):
    logic, design = loaded(run)
    files = [f for f in (run.path / "rtl").glob("*.v") if f.stem == design.name]
    rows, _ = read_saved(run.path / "sim" / "rows.npz", logic.inputs)
    found = planted_faults(
        load_simplified(run.path), design, files, tmp_path,
        codes=rows.codes, logic=logic, simulate=False,
    )  # fmt: skip
    assert [verdict.equal for _, verdict in found] == [True] * 3


def test_verilog_on_raw_words_gives_what_pytorch_gives(run, checkpoint):
    raw, design = QuantNet.load(run.ir_path("quant")), HardwareDesign.load(run.ir_path("design"))
    words = words_near_cuts(raw, 600, seed=9)
    words[:, 1] = raw.raw[1].encode(np.random.default_rng(1).normal(size=600))
    numbers = np.stack([w.decode(words[:, i]) for i, w in enumerate(raw.raw)], axis=1)
    files = [f for f in (run.path / "rtl").glob("*.v") if f.stem == design.name]
    logic = LogicNet.load(run.ir_path("logic"))
    codes = port_codes(logic, design, words)
    outputs = run_bulk(design, files, run.path / "sim" / "bulk", codes=codes)
    expected = load_network(checkpoint).eval().evaluate(numbers)
    assert np.array_equal(outputs, np.asarray(expected))
    assert len(np.unique(expected[:, -1])) > 1


def test_what_is_owed_is_checked_again_and_the_run_can_be_gone_on_from(run, tmp_path):
    before = run.report
    forgotten = before.with_check(2, Check("input quantizer = encoder"))
    opened = type(run)(run.path, forgotten)
    report = recheck(saved_context(backend_named("lut"), opened))
    again = next(c for c in report.rung(2).checks if c.title == "input quantizer = encoder")
    assert again.verdict == "pass"
    second = compile_run(run.path, tmp_path / "again", start_from="design", jobs=1)
    assert second.status == "compiled"
    assert second.report.config["raw"] == FORMATS
    with pytest.raises(UsageError, match="do not fit") as caught:
        compile_run(run.path, tmp_path / "other", start_from="design", raw="q4.12")
    assert "changes nothing from design on" in caught.value.text()


def test_words_go_through_an_engine_and_a_chain_and_not_into_slices(checkpoint, tmp_path):
    rows = checkpoint.parent / "rows.npz"
    engine = compile_run(
        checkpoint, tmp_path / "dsp", raw="q4.4", backend="dsp", dsps=1, rows=rows, effort="fast",
        jobs=1,
    )  # fmt: skip
    checks = {c.title: c.verdict for rung in engine.report.ladder for c in rung.checks}
    assert checks["input quantizer = encoder"] == "pass"
    assert [a.stage for a in engine.report.accuracy][1:3] == ["quantized", "raw words"]
    assert engine.report.rung(4).verdict == "pass"
    with pytest.raises(UsageError) as caught:
        compile_run(checkpoint, tmp_path / "no", raw="int8", backend="mac", target="xc7")
    assert "words are compared first" in caught.value.text()
    with pytest.raises(UsageError) as caught:
        compile_run(checkpoint, tmp_path / "no", raw="q4.4", plan="lut,mac", target="xc7")
    assert "codes, fc, out, argmax" in caught.value.text()
    with pytest.raises(UsageError) as caught:
        compile_run(checkpoint, tmp_path / "no", raw="int8,z=q4.4")
    assert "no feature 'z'" in caught.value.text()
