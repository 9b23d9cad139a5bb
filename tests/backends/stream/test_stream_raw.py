"""Raw words at the entry of a stream: thresholds in logic, once for all positions."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import U2, digits_net, sliding_net
from helpers_lint import lint

from nnlogic.backends.stream import section as stream_section
from nnlogic.backends.stream.frames import frames_of
from nnlogic.core.archive import frozen
from nnlogic.core.progress import SILENT
from nnlogic.job.package import ports_of
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.quantizer import InputQuantizer
from nnlogic.run.compile_run import compile
from nnlogic.sim.stream.run import run_stream_bench

QUICK = {"effort": "fast", "jobs": 1}


def quantized(net, *thresholds):
    """The network with these thresholds, channel by channel."""
    rows = [frozen(np.array(t), np.float32) for t in thresholds]
    many = tuple(rows[i % len(rows)] for i in range(len(net.inputs)))
    return replace(net, quantizer=InputQuantizer(many))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    net, folder = quantized(digits_net(2, fmt=U2), [40, 90, 200]), tmp_path_factory.mktemp("raw")
    net.save(folder / "net.safetensors")
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (40, len(net.inputs))).astype(np.float32)
    np.savez(folder / "rows.npz", X=pixels, y=rng.integers(0, 4, 40))
    return compile(
        folder / "net.safetensors", folder / "run", backend="stream", raw="uint8",
        rows=folder / "rows.npz", **QUICK,
    )  # fmt: skip


def test_pixels_come_in_and_codes_are_stored(run):
    checks = {c.title: c for rung in run.report.ladder for c in rung.checks}
    assert checks["input quantizer = encoder"].how == "exhaustive"
    assert checks["kernel of codes, Verilog"].how == "proved"
    rows = {a.stage: a.percent for a in run.report.accuracy}
    assert rows["raw words"] == rows["quantized"] is not None
    assert sum(row.n for row in run.report.classes) == 40
    pins = {pin.name: pin for pin in run.report.pins}
    assert pins["s_axis_tdata"].bits == 8
    assert "uint8" in pins["s_axis_tdata"].carries
    encoder, conv1 = stream_section.of(run.report).layers[:2]
    assert (encoder.line_bits, conv1.line_bits) == (0, 2 * 8 * 2)  # rows of codes, not of pixels
    assert (
        "channel by channel from its lowest bit: uint8"
        in (run.path / "rtl" / "digits_stream.v").read_text()
    )
    luts = {row.part: row.luts for row in run.report.resources}
    assert luts["encoder"] > 0
    assert luts["total"] == sum(n for part, n in luts.items() if part != "total")
    assert "read by 3 comparators with constants, the same at all 64" in run.report.network.encoder
    timing = run.report.timing
    assert (timing.fmax_source, timing.rate_mhz) == ("estimate", timing.estimate_mhz)
    assert timing.samples_per_second == pytest.approx(1e6 * timing.rate_mhz / 64, rel=1e-3)


def test_checkers_of_style_have_nothing_to_say(run, tmp_path):
    files = [Path(shutil.copy(f, tmp_path)) for f in sorted((run.path / "rtl").glob("*.v"))]
    assert lint(tmp_path, files, "digits_stream") == []


def test_the_stream_is_packaged_as_its_verilog_says(run):
    ports = dict(ports_of((run.path / "rtl" / "digits_stream.v").read_text()))["digits_stream"]
    assert {(p.name, p.direction, p.width) for p in ports} >= {
        ("s_axis_tdata", "input", 8), ("s_axis_tlast", "input", 1), ("m_axis_tuser", "output", 1),
    }  # fmt: skip
    xml = (run.path / "ip" / "component.xml").read_text()
    assert all(f"<ipxact:name>{p.name}</ipxact:name>" in xml for p in ports)
    assert f"every 64 clocks, {run.report.timing.latency_cycles} clocks later" in xml
    assert (run.path / "ip" / "digits_stream.vho").exists()
    kernel = run.path / "segments" / "digits_0_codes_kernel0"
    assert not (kernel / "ip").exists()


def test_verilog_on_pixels_gives_what_the_network_on_codes_gives(run, tmp_path):
    whole = frames_of(run, SILENT)
    coded = QuantNet.load(run.ir_path("coded"))
    pixels = np.random.default_rng(1).integers(0, 256, (10, len(coded.inputs)))
    result = run_stream_bench(
        whole.design, whole.files(), tmp_path, codes=pixels,
        expected=coded.evaluate(coded.encode(pixels)), simulator="icarus",
        tests=("stream_times", "stream_frames"),
    )  # fmt: skip
    assert [t for t in result.tests if not t.passed] == []
    assert result.measured["latency"] == run.report.timing.latency_cycles


def test_samples_of_a_stream_without_end(tmp_path):
    net = quantized(sliding_net(), [-0.5, 0.25, 0.75], [0, 1, 2])
    net.save(tmp_path / "net.safetensors")
    run = compile(
        tmp_path / "net.safetensors", tmp_path / "run", continuous=True, raw="q2.6,c1=int4",
        **QUICK,
    )  # fmt: skip
    checks = {c.title: c.verdict for rung in run.report.ladder for c in rung.checks}
    assert checks["input quantizer = encoder"] == "pass"
    assert checks["whole sequence, cycle model"] == "pass"
    assert run.report.status == "compiled"
