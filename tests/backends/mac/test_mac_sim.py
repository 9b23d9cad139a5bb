"""Multiply-accumulate cores in simulation: Verilog = interpreter, and faults that must show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.core import bits
from nnlogic.design.build import build
from nnlogic.hw.mac.verilog import MacPair, write_mac, write_mac_pair
from nnlogic.logic.build import minimize
from nnlogic.sim.cocotb_run import CORE_TESTS, STREAM_TESTS, run_regression
from nnlogic.tables.build import tabulate
from tests.backends.mac.helpers import linear_net


class Bare:
    """A MacNet's core alone, without a wrapper."""

    def __init__(self, mac):
        self.name, self.inputs, self.outputs, self.latency = (
            mac.name, mac.inputs, mac.outputs, mac.latency
        )  # fmt: skip
        self.stream = False


def stimuli(net):
    low, high = ([getattr(p.format, end) for p in net.inputs] for end in ("lo", "hi"))
    return np.concatenate([bits.random_codes(net.inputs, 60, seed=4), [low, high, low]])


PARAMS = [("dsp48e1", "add"), ("dsp48e2", "multiply"), ("fabric", "add"), ("fabric", "multiply")]


@pytest.fixture(scope="module", params=PARAMS, ids="-".join)
def core(request, tmp_path_factory):
    net = linear_net(2, inputs=5, neurons=3, bits=3, signed=True, sparse=0.1)
    kind, style = request.param
    mac = compile_mac(net, kind, column=3 if style == "multiply" else 2, style=style).mac
    assert any(s.addend == "hop" for c in mac.chains for s in c.slices)
    return net, mac, write_mac(mac, tmp_path_factory.mktemp("rtl"))


def test_verilog_is_what_the_interpreter_says(core, tmp_path):
    net, mac, files = core
    codes = stimuli(net)
    result = run_regression(
        Bare(mac), files, tmp_path, simulator="icarus", codes=codes, expected=mac.evaluate(codes)
    )
    assert {t.name for t in result.tests} == set(CORE_TESTS)
    assert result.failed == 0, result.tests
    assert result.measured_latency == mac.latency
    assert result.measured_interval == 1


def test_a_pair_with_its_stream_passes_on_verilator(tmp_path):
    net = linear_net(5, inputs=4, neurons=2, bits=2, levels=2)
    plan = compile_mac(net)
    design = build(
        minimize(tabulate(plan.tail), jobs=1, effort="fast", cache_dir=False),
        name="sums_tail", input_register=False, stream=False,
    )  # fmt: skip
    pair = MacPair("sums", replace(plan.mac, name="sums_mac"), design)
    files = write_mac_pair(pair, tmp_path / "rtl")
    codes = stimuli(net)
    result = run_regression(
        pair, files, tmp_path / "sim", simulator="verilator", codes=codes,
        expected=net.evaluate(codes),
    )  # fmt: skip
    assert {t.name for t in result.tests} == {*CORE_TESTS, *STREAM_TESTS}
    assert result.failed == 0, result.tests
    assert result.measured_latency == pair.latency


FAULTS = {
    "sign": (".ALUMODE(4'h3)", ".ALUMODE(4'h0)"),
    "word on C": (".OPMODE(7'h1f)", ".OPMODE(7'h13)"),
    "weight": (".A(30'h", ".A(30'h1 ^ 30'h"),
    "delay": (".BREG(32'd2)", ".BREG(32'd1)"),
    "opmode": (".OPMODE(7'h15)", ".OPMODE(7'h05)"),
    "cascade": (".PCIN(chain0_slice0_pcout)", ".PCIN(48'h0)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_the_verilog_show(tmp_path, fault):
    net = linear_net(2, inputs=3, neurons=2, bits=3, sparse=0.0)
    style = "add" if fault in ("sign", "word on C") else "multiply"
    mac = compile_mac(net, style=style).mac
    core, model = write_mac(mac, tmp_path)
    old, new = FAULTS[fault]
    text = core.read_text()
    assert old in text, text
    text = text.replace(old, new, -1 if fault == "word on C" else 1)
    if fault == "delay":
        text = text.replace(".BCASCREG(32'd2)", ".BCASCREG(32'd1)", 1)
    core.write_text(text)
    codes = stimuli(net)
    result = run_regression(
        Bare(mac), (core, model), tmp_path / "sim", simulator="icarus", codes=codes,
        expected=mac.evaluate(codes),
    )  # fmt: skip
    assert "core_rows" in {t.name for t in result.tests if not t.passed}
