"""What cannot be streamed, and what is said about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import SAME, U1, conv, digits_net, network, tables

from nnlogic.backends.stream.model.cut import cut, rates
from nnlogic.backends.stream.model.memory import blocks, choose, lut_memory_luts
from nnlogic.backends.stream.options import StreamOptions
from nnlogic.backends.stream.plan import planned_cut
from nnlogic.core.errors import TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.formats import Port
from nnlogic.core.names import identifier
from nnlogic.core.windows import Frame, Window
from nnlogic.flows.targets import Target
from nnlogic.quant.ir import INPUT, QuantNet, Windowed
from nnlogic.run.compile_run import compile

NAME = identifier("digits")
ECP5, XC7 = Target.named("ecp5"), Target.named("xc7")


def test_a_network_without_windows_is_refused(tmp_path):
    rng = np.random.default_rng(1)
    ports = tuple(Port(f"x{i}", U1) for i in range(6))
    layer = tables(rng, "fc", INPUT, (U1,) * 6, 2, 3)
    net = QuantNet("plain", ports, (layer,), tuple((Port(f"y{i}", U1), "fc", i) for i in (0, 1)))
    net.save(tmp_path / "plain.safetensors")
    with pytest.raises(UnsupportedModel, match="Enumerated has no windows") as caught:
        compile(tmp_path / "plain.safetensors", tmp_path / "run", backend="stream")
    assert "--backend lut" in caught.value.text()
    assert caught.value.exit_code == 3
    assert not (tmp_path / "run").exists()


def test_layers_that_read_what_has_passed_are_named():
    net = digits_net()
    dense = net.layers[3]
    old = replace(dense, sources=("conv1",), x_formats=net.layers[0].formats[:1] * 384)
    with pytest.raises(UnsupportedModel, match="reads conv1, which has passed") as caught:
        cut(replace(net, layers=(*net.layers[:3], old, *net.layers[4:])), NAME, 1)
    assert [p.where for p in caught.value.problems] == ["dense"]


def test_kernels_of_single_positions_are_refused():
    rng = np.random.default_rng(1)
    frame = Frame(1, 1, 4)
    one = conv(rng, "own", INPUT, frame, U1, 2, size=(1, 2), padding=(0, 0, 1, 0), fan_in=2)
    own = Windowed("own", (INPUT,), frame, one.window, one.kernels * 4, shared=False)
    net = network([own], frame, U1, [(Port(f"y{i}", U1), "own", i) for i in range(8)])
    with pytest.raises(UnsupportedModel, match="each of its 4 positions has a kernel of its own"):
        cut(net, NAME, 1)
    gone = replace(digits_net(), output_wires=((Port("y", U1), "conv1", 3),))
    with pytest.raises(UnsupportedModel, match="conv1 has passed when the result is known"):
        cut(gone, NAME, 1)


@pytest.mark.parametrize(
    ("lanes", "said"),
    [(3, "rows of 8 are not whole beats of 3"), (16, "rows of 8"), (8, None), (4, None)],
)
def test_rates_that_do_not_fit_say_which_do(lanes, said):
    net = digits_net()
    assert rates(net) == [1, 2, 4, 8]
    if said is None:
        assert cut(net, NAME, lanes).scans[0].lanes == lanes
        return
    with pytest.raises(UsageError, match=said) as caught:
        cut(net, NAME, lanes)
    assert "--positions-per-clock 1 or 2 or 4 or 8" in caught.value.text()


def test_padding_that_makes_more_than_comes_in_is_refused():
    rng = np.random.default_rng(1)
    frame = Frame(1, 4, 4)
    layer = conv(rng, "wide", INPUT, frame, U1, 2, padding=(2, 2, 2, 2))
    outputs = [(Port(f"y{i}", U1), "wide", i) for i in range(len(layer.formats))]
    net = network([layer], frame, U1, outputs)
    with pytest.raises(UsageError, match="more go out than come in") as caught:
        cut(net, NAME, 1)
    assert "--backend lut" in caught.value.text()


def test_a_rate_that_is_asked_for_chooses_positions():
    net = digits_net()
    slow = StreamOptions(samples_per_second=1e6, clock=100.0)
    assert planned_cut(net, slow, ECP5).scans[0].lanes == 1
    fast = StreamOptions(samples_per_second=6e6, clock=100.0)
    assert planned_cut(net, fast, ECP5).scans[0].lanes == 4
    with pytest.raises(TargetMissed, match="7,500,000 fewer than 20,000,000") as caught:
        planned_cut(net, StreamOptions(samples_per_second=2e7, clock=100.0), ECP5)
    assert "--clock 160" in caught.value.text()
    with pytest.raises(TargetMissed) as caught:
        planned_cut(net, StreamOptions(samples_per_second=2e9, clock=100.0), ECP5)
    assert caught.value.fix == "--backend lut"
    one = StreamOptions(samples_per_second=6e6, clock=100.0, positions_per_clock=1)
    with pytest.raises(TargetMissed, match="--positions-per-clock 4"):
        planned_cut(net, one, ECP5)


def test_lines_larger_than_the_part_are_refused():
    rng = np.random.default_rng(1)
    frame = Frame(64, 8, 4096)
    layer = conv(rng, "huge", INPUT, frame, U1, 2, size=(7, 3), padding=(3, 3, 1, 1), fan_in=6)
    one = layer.kernels[0].layers[0]
    wires = tuple((c, c + 64, c + 128, c + 1000, c + 1100, c + 1200) for c in range(64))
    one = replace(one, inputs=wires, tables=one.tables[:1] * 64, formats=(U1,) * 64)
    layer = replace(layer, kernels=(replace(layer.kernels[0], layers=(one,)),))
    outputs = [(Port(f"y{i}", U1), "huge", i) for i in range(len(layer.formats))]
    ports = tuple(Port(f"p{i}", U1) for i in range(frame.wires))
    net = QuantNet("huge", ports, (layer,), tuple(outputs))
    tiny = replace(XC7, dsp=replace(XC7.dsp, brams=4))
    assert planned_cut(net, StreamOptions(), XC7)
    with pytest.raises(TargetMissed, match="do not fit the block memories") as caught:
        planned_cut(net, StreamOptions(), tiny)
    assert "more than 4" in caught.value.text()
    assert "bits" in caught.value.problems[0].why


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stream": False}, "frames come and go as streams"),
        ({"mode": "approximate"}, "observed windows"),
        ({"max_dsps": 3}, "no DSP slices"),
        ({"stop_after": "logic"}, "compiled as a whole"),
        ({"positions_per_clock": 0}, "at least 1"),
        ({"line_buffers": "paper"}, "not one of"),
        ({"samples_per_second": -1.0}, "more than 0"),
    ],
)
def test_options_that_do_not_fit(given, said):
    with pytest.raises(UsageError, match=said):
        StreamOptions(**given)


def test_lines_are_made_of_what_is_cheapest():
    cells = ECP5.memory_luts
    assert choose(8, 2, cells, True) == "registers"
    assert choose(8, 28, cells, True) == "lut"
    assert choose(200, 28, cells, True) == "block"
    assert choose(200, 28, cells, False) == "lut"
    assert choose(40, 28, {}, True) == "block"
    assert choose(4, 28, {}, True) == "registers"
    assert lut_memory_luts(6, 32, {"RAM32M": 4}) == 4
    assert lut_memory_luts(6, 33, {"RAM32M": 4}) > 8
    assert lut_memory_luts(6, 33, {}) is None
    assert blocks(36, 512) == 1
    assert blocks(37, 512) == 2
    assert blocks(9, 2048) == 1
    assert blocks(1, 16384) == 1


def test_windows_and_frames_that_disagree_say_so():
    frame = Frame(1, 2, 2)
    scan = Window((5, 5), (1, 1), SAME).problems(frame)
    assert any("larger than the frame" in why for why in scan)
