"""Mixed designs as a user runs them: plan, compile, verify, report, and what is refused."""

from dataclasses import replace

import pytest

from nnlogic.backends.chain import section as mixed_section
from nnlogic.backends.chain.choice import Planner
from nnlogic.backends.chain.model import Chain, Segment
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.chain.rows import LANES_FAULT, ORDER_FAULT, WIRES_FAULT
from nnlogic.backends.dsp import section as dsp_section
from nnlogic.core.errors import TargetMissed, UsageError
from nnlogic.hw.dsp.vectors import TurnShape
from nnlogic.job.backend import backend_named
from nnlogic.quant.ir import QuantNet
from nnlogic.report.html import render_html
from nnlogic.report.model import Report
from nnlogic.run import compile as compile_run
from nnlogic.run import verify

OPTIONS = {"target": "xc7", "effort": "fast", "jobs": 1}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("net")
    make_net(4, widths=(4, 3), features=4).save(folder / "toy.safetensors")
    return folder / "toy.safetensors"


@pytest.fixture(scope="module")
def run(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "run"
    layers = len(QuantNet.load(checkpoint).layers)
    plan = ",".join(["dsp", *["lut"] * (layers - 1)])
    return compile_run(checkpoint, out, plan=plan, dsps=1, **OPTIONS)


def checks(report, rung):
    return {c.title: c for c in report.rung(rung).checks}


def test_each_segment_is_a_run_and_the_chain_has_all_their_verilog(run):
    chain = Chain.load(run.ir_path("chain"))
    assert [s.kind for s in chain.segments] == ["dsp", "lut"]
    for segment in chain.segments:
        own = Report.load(run.path / segment.folder)
        assert own.status == "compiled"
        assert (dsp_section.of(own) is not None) == (segment.kind == "dsp")
    names = {f.name for f in (run.path / "rtl").glob("*.v")}
    assert names == {
        "toy_s0.v", "toy_s0_stream.v", "toy_s1.v", "toy_s1_stream.v", "toy_stream.v",
    }  # fmt: skip
    head = (run.path / "rtl" / "toy_stream.v").read_text()
    assert "segment 0 (dsp)" in head
    for artifact in run.report.artifacts:
        assert (run.path / artifact.path).exists(), artifact.path
    script = (run.path / "flows" / "vivado.tcl").read_text()
    assert script.count(".v}]") == len(names)
    assert all(f"../rtl/{name}}}" in script for name in names)
    assert "-top toy_stream " in script
    assert "[get_ports aclk]" in (run.path / "flows" / "timing.xdc").read_text()


def test_the_report_adds_the_segments_up(run):
    mixed = mixed_section.of(run.report)
    engine, logic = mixed.segments
    assert (engine.dsps, logic.dsps, mixed.dsps) == (1, 0, 1)
    assert mixed.luts == engine.luts + engine.turn_luts + logic.luts
    assert mixed.latency_cycles == engine.latency_cycles + logic.latency_cycles
    assert mixed.slowest == 0
    per_vector = engine.interval_cycles / engine.group
    assert mixed.throughput == pytest.approx(mixed.clock_mhz * 1e6 / per_vector, rel=1e-4)
    assert mixed.clock_mhz == min(engine.clock_mhz, logic.clock_mhz)
    assert run.report.resource("total", "estimate").luts == mixed.luts
    again = Report.loads(run.report.dumps())
    assert again == run.report
    page = render_html(run.report)
    assert "Mixed design" in page
    assert "corner turns" in page
    assert "--plan dsp," in run.report.commands[0].line


def test_rungs_are_those_of_the_segments_and_of_the_chain(run):
    report = run.report
    assert checks(report, 2)["layers and wires"].how == "proved"
    assert checks(report, 3)["segment 0 (dsp), logic"].verdict == "pass"
    assert checks(report, 4)["segment 1 (lut), design"].verdict == "pass"
    assert report.rung(5).verdict == "not run"
    assert report.rung(0).verdict == "not run"


def test_verify_simulates_the_chain_and_sees_planted_faults(run):
    done = verify(run.path, simulators=("icarus",))
    report = done.report
    chain = checks(report, 5)["cocotb on icarus"]
    assert chain.verdict == "pass", chain.detail
    assert checks(report, 5)["segment 0 (dsp), Verilog"].verdict == "not run"  # no Verilator
    for title in (LANES_FAULT, WIRES_FAULT, ORDER_FAULT):
        assert checks(report, 0)[title].verdict == "pass", title
    mixed = mixed_section.of(report)
    assert 0 < mixed.simulated_latency <= mixed.latency_cycles
    assert 0 < mixed.simulated_interval <= mixed.interval_cycles
    assert mixed.simulated_latency > 0.8 * mixed.latency_cycles


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"plan": "lut,dsp", "dsps": 1}, UsageError, "2 entries for"),
        ({"plan": "lut,tpu"}, UsageError, "'tpu': not one of lut, dsp, mac"),
        ({"backend": "mixed"}, UsageError, "needs to know the backend of each layer"),
        ({"plan": "lut", "backend": "dsp", "dsps": 1}, UsageError, "does not use it"),
        ({"plan": "lut", "stop_after": "logic"}, UsageError, "compiled as a whole"),
        ({"plan": "lut", "stream": False}, UsageError, "their streams"),
        ({"plan": "lut", "mode": "approximate"}, UsageError, "approximate"),
        ({"plan": "dsp,lut,lut", "dsps": 1, "target": "ice40"}, UsageError, "no DSP logic units"),
        ({"plan": "dsp,lut,lut", "dsps": 1, "max_luts": 5}, TargetMissed, "more than 5"),
        ({"plan": "dsp,lut,dsp", "max_dsps": 1}, TargetMissed, "more than 1"),
    ],
)
def test_what_cannot_be_built_is_refused_and_nothing_written(
    checkpoint, tmp_path, options, error, text
):
    with pytest.raises(error, match=text):
        compile_run(checkpoint, tmp_path / "r", **{**OPTIONS, **options})
    assert not list(tmp_path.iterdir())


@pytest.fixture
def planner(checkpoint):
    from nnlogic.flows.targets import Target
    from nnlogic.logic.build import minimize
    from nnlogic.tables.build import tabulate

    net = QuantNet.load(checkpoint)
    tables = tabulate(net)
    logic, pairs = (minimize(tables, k=k, effort="fast", jobs=1) for k in (6, 2))
    names = tuple(layer.name for layer in net.layers)
    plan = ",".join("lut" for _ in names)
    options = ChainOptions(target="xc7", plan=plan, max_dsps=2, max_luts=5000)
    return Planner(names, logic, pairs, Target.named("xc7"), options)


def test_plans_are_compared_by_what_they_take(planner):
    plans = set(planner.plans())
    n = len(planner.layers)
    assert len(plans) == 2**n - 2
    found = planner.candidates()
    assert not found[0].missed
    speeds = [c.design.throughput for c in found if not c.missed]
    assert speeds == sorted(speeds, reverse=True)
    assert all(c.design.dsps <= 2 for c in found if not c.missed)
    assert all(c.design.dsps > 2 or c.design.luts > 5000 for c in found if c.missed)


def test_auto_takes_a_mix_where_it_is_the_fastest_in_the_budgets(
    checkpoint, tmp_path, monkeypatch, planner
):
    """On so small a network any engine is larger than the LUTs it saves: pretend it is not."""
    monkeypatch.setattr(TurnShape, "luts", 0)
    monkeypatch.setattr("nnlogic.backends.dsp.model.cost.Cost.luts", 1)
    for user in ("segments", "choice"):
        monkeypatch.setattr(f"nnlogic.backends.chain.{user}.stream_luts", lambda width: 0)
    whole = sum(planner.luts.values())
    run = compile_run(
        checkpoint, tmp_path / "r", backend="auto", clock=200.0, max_luts=whole // 2, max_dsps=1,
        **OPTIONS,
    )  # fmt: skip
    mixed = mixed_section.of(run.report)
    assert mixed is not None
    assert "by --backend auto" in mixed.choice
    assert [b.option for b in mixed.budgets] == ["--max-luts", "--max-dsps"]
    assert all(b.met for b in mixed.budgets)
    assert not run.ir_path("tables").exists()


def test_multiply_accumulate_chains_are_segments_too(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", plan="mac,mac,lut", **OPTIONS)
    mixed = mixed_section.of(run.report)
    assert [s.kind for s in mixed.segments] == ["mac", "mac", "lut"]
    assert all(s.dsps > 0 for s in mixed.segments[:2])
    assert (mixed.group, mixed.interval_cycles) == (1, 1)
    top = (run.path / "rtl" / "toy_stream.v").read_text()
    assert "toy_s1_stream" in top


def test_segments_know_their_folder():
    segment = Segment(1, "dsp", 2, 4, 8)
    assert segment.folder == "segments/1_dsp"
    assert replace(segment, kind="lut").title() == "segment 1 (lut)"


def test_a_run_whose_plan_was_chosen_before_plans_were_recorded_has_options(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", plan="mac,mac,lut", **OPTIONS)
    config = {**run.report.config, "plan": None, "backend": "auto"}
    opts = backend_named("chain").saved_options(config, run.path)
    assert [kind for kind, _ in opts.entries] == ["mac", "mac", "lut"]


def test_the_report_says_where_ports_lie(run):
    net = QuantNet.load(run.ir_path("quant"))
    for way, ports in (("input", net.inputs), ("output", net.outputs)):
        pins = [pin for pin in run.report.pins if pin.way == way]
        assert [pin.bits for pin in pins] == [p.format.bits for p in ports]
        assert [pin.low for pin in pins] == [
            sum(p.format.bits for p in ports[:i]) for i in range(len(ports))
        ]
