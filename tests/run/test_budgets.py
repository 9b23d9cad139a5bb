"""Budgets of backends that are plain: missed ones say what would meet them."""

from types import SimpleNamespace

import pytest

from nnlogic.backends.lut.estimate import refuse_hopeless
from nnlogic.backends.lut.options import LutOptions
from nnlogic.backends.stream.estimate import refuse_hopeless as refuse_hopeless_stream
from nnlogic.backends.stream.options import StreamOptions
from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.frontend import load
from nnlogic.job.backend import backend_named
from nnlogic.job.budgets import LATENCY, LUTS, RATE, limit_problems, pipeline_fixes
from nnlogic.logic.build import minimize
from nnlogic.plan.predict import PREDICTED, predicted_luts, with_other_ways
from nnlogic.run import compile as compile_run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    path = tmp_path_factory.mktemp("net") / "toy.safetensors"
    make_net(4).save(path)
    return path


def missed(checkpoint, tmp_path, **options):
    with pytest.raises(TargetMissed) as caught:
        compile_run(checkpoint, tmp_path / "run", effort="fast", jobs=1, **options)
    assert not (tmp_path / "run").exists()
    assert caught.value.exit_code == 6
    return {p.where: p for p in caught.value.problems}


def test_a_pipeline_that_misses_says_what_would_do(checkpoint, tmp_path):
    found = missed(
        checkpoint, tmp_path, max_luts=20, max_latency=1.5, levels_per_stage=3,
        samples_per_second=2.2e8,
    )  # fmt: skip
    assert {w for w in found if not w.startswith("--backend ")} == {LUTS, LATENCY, RATE}
    assert "slices (fabric), about" in found["--backend mac"].why
    assert "--optimize network (as on the zoo:" in found[LUTS].fix
    assert "a network of fewer levels than" in found[LATENCY].fix
    assert "--levels-per-stage" in found[RATE].fix


def test_budgets_that_are_met_change_nothing(checkpoint, tmp_path):
    run = compile_run(
        checkpoint, tmp_path / "run", effort="fast", jobs=1, max_luts=5000, max_latency=1e3,
        stop_after="design",
    )  # fmt: skip
    assert run.report.config["max_luts"] == 5000
    assert run.status == "stopped"


def test_what_a_fix_promises_holds(make_net):
    target, opts = Target.default(), LutOptions(max_latency=1.0, samples_per_second=2.5e8)
    logic = minimize(make_net(4), effort="fast", jobs=1)
    depth = logic.stats()["depth"]
    for levels in range(1, depth + 1):
        design = build(logic, schedule=levels)
        assert design.latency == -(-depth // levels) + 1
    fix = pipeline_fixes(depth, target.delay, opts)[RATE]
    levels = int(fix.split()[1])
    period = target.delay.segment_ns(levels)
    assert 1e9 / period >= 2.5e8 > 1e9 / target.delay.segment_ns(levels + 1)
    latency = (-(-depth // levels) + 1) * period
    assert f"latency {latency:.4g} ns" in fix


def test_hopeless_budgets_are_refused_before_any_work(make_net):
    net, target = make_net(4, widths=(40, 20, 5), fan_in=5), Target.default()
    with pytest.raises(TargetMissed) as caught:
        refuse_hopeless(net, target, LutOptions(max_luts=10, samples_per_second=2e9))
    assert [p.where for p in caught.value.problems] == [RATE, LUTS]
    assert "predicted from the tables" in caught.value.problems[1].why
    refuse_hopeless(net, target, LutOptions(max_luts=100_000, samples_per_second=1e6))


def test_what_is_not_known_is_not_missed():
    opts = LutOptions(max_luts=1, max_latency=1.0, samples_per_second=1e12)
    assert limit_problems("it", opts) == []
    assert len(limit_problems("it", opts, luts=2, latency_ns=2.0, rate=1.0)) == 3


def test_sums_on_multipliers_are_held_to_budgets_too():
    from nnlogic.backends.mac.options import MacOptions
    from nnlogic.backends.mac.rows import check_limits
    from nnlogic.report.model import Report
    from nnlogic.report.rows import ResourceRow

    report = Report("x", "0").put(ResourceRow("total", "estimate", 500, 9))
    report = report.with_timing(latency_cycles=10)
    ctx = SimpleNamespace(opts=MacOptions(max_luts=400, max_latency=1.0), target=Target.default())
    with pytest.raises(TargetMissed) as caught:
        check_limits(report, ctx)
    assert [p.where for p in caught.value.problems] == [LUTS, LATENCY]
    ctx.opts = MacOptions(max_luts=600, max_latency=1e4, samples_per_second=1e6)
    check_limits(report, ctx)


def test_other_backends_say_what_they_would_take(make_net):
    net = make_net(4)
    error = TargetMissed("missed", where="xcup", problems=[Problem(LUTS, "too many")])
    opts = LutOptions(max_luts=5, target="xcup")
    lut = backend_named("lut")
    told = {
        p.where: p.why for p in with_other_ways(error, lut, net, {"max_luts": 5}, opts).problems
    }
    assert next(iter(told)) == LUTS
    assert "slice" in told["--backend dsp"]
    assert all(PREDICTED in why for where, why in told.items() if where != LUTS)
    # Windows it does not have are no stream, and who missed them is not asked again.
    assert not {"--backend stream", "--backend lut"} & set(told)
    assert with_other_ways(error, lut, net, {}, opts) is error


def test_a_stream_out_of_reach_is_refused_before_any_work():
    net, target = load("zoo/mnist_stream_s.safetensors"), Target.named("xcup")
    with pytest.raises(TargetMissed) as caught:
        refuse_hopeless_stream(net, target, StreamOptions(max_luts=50, max_latency=1000.0))
    found = {p.where: p for p in caught.value.problems}
    assert set(found) == {LUTS, LATENCY}
    assert "approximate" not in found[LUTS].fix
    assert "--positions-per-clock 2, 980 ns and more" in found[LATENCY].fix
    refuse_hopeless_stream(net, target, StreamOptions(max_luts=5000, max_latency=1e6))
    kernels = predicted_luts(net)
    assert predicted_luts(net, unrolled=True) > 10 * kernels
