"""A network cut into kernels, as a user runs it: compile, verify, synth, and what is refused."""

import json

import numpy as np
import pytest

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp import stages as dsp_stages
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.rows import ENGINE_FAULT
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Different, TargetMissed, UsageError
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.run import compile as compile_run
from nnlogic.run import synth, verify

OPTIONS = {"backend": "dsp", "dsps": 2, "target": "xc7", "effort": "fast", "jobs": 1}
WORDS = 10


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("net")
    make_net(4, widths=(4, 3), features=4).save(folder / "toy.safetensors")
    return folder / "toy.safetensors"


@pytest.fixture(scope="module")
def run(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "run"
    return compile_run(checkpoint, out, kernels="auto", program_words=WORDS, **OPTIONS)


def test_compile_writes_kernels_their_engine_and_the_hosts_schedule(run, checkpoint):
    chain = KernelChain.load(run.ir_path("kernels"))
    codes = np.load(run.path / "sim" / "rows.npz")["codes"]
    assert (chain.evaluate(codes) == QuantNet.load(checkpoint).evaluate(codes)).all()
    assert len(chain.programs) > 1
    assert max(p.steps for p in chain.programs) <= WORDS
    assert sorted(f.name for f in (run.path / "rtl").iterdir()) == ["toy.v", "toy_host.json"]
    text = (run.path / "rtl" / "toy.v").read_text()
    assert "p_axis_tdata" in text
    assert "kernel 1" in text
    plan = json.loads((run.path / "rtl" / "toy_host.json").read_text())
    assert len(plan["kernels"]) == len(chain.programs)
    for artifact in run.report.artifacts:
        assert (run.path / artifact.path).exists(), artifact.path


def test_the_report_tells_kernels_words_and_cycles(run):
    dsp = dsp_section.of(run.report)
    chain = KernelChain.load(run.ir_path("kernels"))
    assert (dsp.kernels, dsp.steps, dsp.traffic_words) == (
        len(chain.programs), chain.steps, chain.traffic,
    )  # fmt: skip
    assert dsp.loaded_words == chain.steps
    assert dsp.interval_cycles == sum(p.interval for p in chain.programs)
    assert dsp.latency_cycles == dsp.pass_cycles + dsp.interval_cycles
    assert dsp.steps >= dsp.bound
    assert dsp_section.of(Report.load(run.path / "report.json")) == dsp
    assert f"--kernels auto --program-words {WORDS}" in run.report.commands[0].line
    assert {c.verdict for c in run.report.rung(4).checks} == {"pass"}


def test_verify_climbs_the_ladder_and_sees_planted_faults(run):
    report = verify(run.path, simulators=("icarus",)).report
    assert report.status == "verified"
    caught = {c.title: c.verdict for c in report.rung(0).checks}
    assert {*caught.values()} == {"pass"}
    wanted = ("the order of kernels", "a kept word")
    assert all(f"fault in {w}{s}" in caught for w in wanted for s in ("", ", simulation"))
    assert ENGINE_FAULT in caught


def test_synth_counts_the_engine(run):
    report = synth(run.path, pnr=False).report
    assert dsp_section.of(report).measured_dsps == 2
    assert {c.title: c.verdict for c in report.rung(6).checks}["DSP cells in the netlist"] == "pass"


def test_a_wrong_word_between_kernels_fails_the_run(checkpoint, tmp_path, monkeypatch):
    real = dsp_stages.choose_kernels

    def spoiled(*args):
        point = real(*args)
        chain = point.cut.chain
        source = np.array(chain.sources[-1])
        source[0] = 0 if source[0] else 1
        object.__setattr__(chain, "sources", (*chain.sources[:-1], frozen(source, np.int32)))
        return point

    monkeypatch.setattr(dsp_stages, "choose_kernels", spoiled)
    with pytest.raises(Different, match="operations = program"):
        compile_run(checkpoint, tmp_path / "r", kernels="auto", program_words=WORDS, **OPTIONS)


def test_one_program_that_fits_is_no_chain(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", kernels="auto", stop_after="design", **OPTIONS)
    assert dsp_section.of(run.report).kernels == 1
    assert run.ir_path("program").exists()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"program_words": WORDS}, TargetMissed, "--kernels auto"),
        ({"program_words": WORDS, "kernels": 2}, TargetMissed, "more than allowed"),
        ({"bank_rows": 8}, UsageError, "--bank-rows"),
        ({"kernels": "some"}, UsageError, "neither auto nor a number"),
        ({"kernels": 0}, UsageError, "neither auto nor a number"),
        ({"kernels": "auto", "backend": "auto"}, UsageError, "--backend dsp"),
        ({"kernels": 3, "backend": "lut", "dsps": None}, UsageError, "--backend dsp"),
        (
            {"program_words": WORDS, "kernels": "auto", "max_latency": 1.0},
            TargetMissed,
            "--max-latency",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    checkpoint, tmp_path, options, error, text
):
    with pytest.raises(error, match=text):
        compile_run(checkpoint, tmp_path / "r", **{**OPTIONS, **options})
    assert not list(tmp_path.iterdir())
