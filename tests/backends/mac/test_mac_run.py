"""Runs of the mac backend: what is written, what is checked, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.backends.mac.rows import COUNT_CHECK, INTERPRETER_CHECK, PROOF_CHECK, VERILOG_FAULT
from nnlogic.backends.mac.verify import load_pair, plant_verilog_fault, verilog_fault_check
from nnlogic.core.errors import IRError, TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.progress import SILENT
from nnlogic.hw.mac.verilog import write_mac
from nnlogic.job.directory import Run
from nnlogic.job.rows import Rows, save_rows
from nnlogic.quant.ir import INPUT, Argmax, QuantNet
from nnlogic.run.compile_run import compile
from nnlogic.run.synth_run import synth
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from tests.backends.mac.helpers import linear_net


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    net = linear_net(4, inputs=6, neurons=4, bits=6, levels=2)
    path = tmp_path_factory.mktemp("net") / "sums.safetensors"
    net.save(path)
    return path


@pytest.fixture(scope="module")
def run(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return compile(source, folder, backend="mac", target="xc7", effort="fast", jobs=1)


def test_a_run_is_proved_and_says_what_it_takes(run):
    verdicts = {c.title: c for rung in run.report.ladder for c in rung.checks}
    for title in (PROOF_CHECK, INTERPRETER_CHECK, "LogicNet = Verilog, formally"):
        assert verdicts[title].verdict == "pass", title
    assert verdicts[PROOF_CHECK].how == "proved"
    pair, files = load_pair(run)
    assert run.report.timing.latency_cycles == pair.latency
    assert run.report.timing.initiation_interval == 1
    assert f"{pair.mac.slices} slices (dsp48e1)" in run.report.resource("total", "estimate").detail
    assert {f.name for f in files} == {
        "sums.v", "sums_mac.v", "sums_tail.v", "sums_stream.v", "dsp48_models.v"
    }  # fmt: skip
    assert not (run.path / "rtl" / "dsp48_models.v").exists()
    assert (run.path / "flows" / "vivado.tcl").exists()
    assert MacNet.load(run.ir_path("mac")).text() == (run.path / "ir" / "mac.txt").read_text()
    commands = [c.line for c in run.report.commands]
    assert any("--backend mac" in line for line in commands)


def test_synthesis_counts_the_slices(run):
    done = synth(run.path, pnr=False)
    pair, _ = load_pair(run)
    count = next(c for c in done.report.rung(6).checks if c.title == COUNT_CHECK)
    assert (count.verdict, count.detail) == (
        "pass", f"{pair.mac.slices} DSP cells, {pair.mac.slices} slices"
    )  # fmt: skip
    total, chains, tail = (
        done.report.resource(part, "synth")
        for part in ("total", "multiply-accumulate", "tail and valid chain")
    )
    assert total.luts == chains.luts + tail.luts
    assert total.ffs == chains.ffs + tail.ffs
    with pytest.raises(UsageError, match="dsp48e1 cells, which ecp5 does not have"):
        synth(run.path, target="ecp5")


def test_budgets_and_options_are_held(source, tmp_path):
    with pytest.raises(TargetMissed, match="more than 1"):
        compile(source, tmp_path / "a", backend="mac", target="xc7", max_dsps=1)
    with pytest.raises(UsageError, match="the mac backend does not use it"):
        compile(source, tmp_path / "b", backend="mac", target="xc7", dsps=4)
    assert not list(tmp_path.iterdir())


def test_a_network_without_sums_first_is_refused(tmp_path):
    ports = linear_net().inputs
    best = IntFormat(3)
    layer = Argmax("class", (INPUT,), (best,))
    net = QuantNet("best", ports, (layer,), ((Port("class", best), "class", 0),))
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(UnsupportedModel, match="linear layer"):
        compile(tmp_path / "net.safetensors", tmp_path / "run", backend="mac", target="xc7")


def test_a_run_of_another_backend_is_not_gone_on_from(source, run, tmp_path):
    other = compile(source, tmp_path / "lut", arith="auto", effort="fast", jobs=1,
                    stop_after="quant")  # fmt: skip
    with pytest.raises(UsageError, match="cannot go on from this run"):
        compile(other.path, tmp_path / "c", backend="mac", target="xc7", start_from="tables")


CASES = [("dsp48e2", "add", 6), ("dsp48e1", "multiply", 1), ("fabric", "add", 6)]
CASES += [("fabric", "multiply", 6), ("fabric", "add", 1), ("fabric", "multiply", 1)]


@pytest.mark.parametrize(("kind", "style", "inputs"), CASES)
def test_a_fault_can_be_planted_in_every_kind_of_core(tmp_path, kind, style, inputs):
    net = linear_net(2, inputs=inputs, neurons=1, bits=3, sparse=0.0, weight_bits=3)
    mac = compile_mac(net, kind, style=style).mac
    core, *model = write_mac(mac, tmp_path)
    text, where = plant_verilog_fault(core.read_text())
    assert where.startswith("line ")
    assert text != core.read_text()
    core.write_text(text)
    args = ["-g2005", "-t", "null", core.name, *(f.name for f in model)]
    run_tool(find("iverilog"), args, cwd=tmp_path, timeout=60)


def test_verilog_without_slices_takes_no_fault():
    with pytest.raises(IRError, match="no cascade"):
        plant_verilog_fault("module empty; endmodule")


def test_no_fault_is_planted_where_none_can_show(tmp_path):
    (tmp_path / "sim").mkdir()
    rows = Rows(np.arange(4)[:, None], None, "four rows")
    save_rows(rows, np.full((4, 1), 3), tmp_path / "sim" / "rows.npz")
    check = verilog_fault_check(Run(tmp_path, None), None, (), SILENT)
    assert (check.title, check.verdict) == (VERILOG_FAULT, "not run")
    assert "same for all of 4 rows" in check.detail


def test_the_report_says_where_ports_lie(run):
    net = QuantNet.load(run.ir_path("quant"))
    for way, ports in (("input", net.inputs), ("output", net.outputs)):
        pins = [pin for pin in run.report.pins if pin.way == way]
        assert [pin.bits for pin in pins] == [p.format.bits for p in ports]
        assert [pin.low for pin in pins] == [
            sum(p.format.bits for p in ports[:i]) for i in range(len(ports))
        ]
