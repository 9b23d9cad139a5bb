"""The cycle model: what it promises, and what it says of wrong geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import U1, conv, digits_net, map_net, network, sums_net

from nnlogic.backends.stream.checks.frames import check_cut, check_frames
from nnlogic.backends.stream.checks.sums import other_sums
from nnlogic.backends.stream.model.cut import cut
from nnlogic.backends.stream.model.cycles import StreamTiming, passed, run_frames
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.model.sums import by_rows
from nnlogic.backends.stream.options import StreamOptions
from nnlogic.backends.stream.plan import design_of
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import IRError
from nnlogic.core.formats import Port
from nnlogic.core.names import identifier
from nnlogic.core.windows import Frame
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import INPUT
from nnlogic.tables.build import tabulate

OPTIONS = StreamOptions()
TARGET = Target.named("ecp5")


def compiled(net, lanes=1):
    parts = cut(net, identifier(net.name), lanes)
    cores = {
        part.net.name: build(
            minimize(tabulate(part.net, arith="auto"), k=4, effort="fast", jobs=1),
            name=part.net.name, input_register=False, stream=False,
        )
        for part in parts.parts
    }  # fmt: skip
    return parts, design_of(parts, cores, OPTIONS, TARGET), cores


@pytest.fixture(
    scope="module", params=[("digits", 1), ("digits", 2), ("map", 1), ("map", 4), ("sums", 2)]
)
def streamed(request):
    kind, lanes = request.param
    net = {"digits": digits_net, "map": map_net, "sums": sums_net}[kind]()
    return net, *compiled(net, lanes)


def test_frames_are_those_of_the_network(streamed):
    net, parts, design, cores = streamed
    codes = random_codes(net.inputs, 40, seed=5)
    logic = {name: core.logic for name, core in cores.items()}
    np.testing.assert_array_equal(run_frames(design, logic, codes), net.evaluate(codes))
    assert check_frames(net, design, logic, codes).equal
    assert check_cut(net, parts, codes).equal


def test_the_design_goes_to_a_file_and_back(streamed, tmp_path):
    design = streamed[2]
    design.save(tmp_path / "design.safetensors")
    found = StreamDesign.load(tmp_path / "design.safetensors")
    assert found.text() == design.text()
    assert found.layers == design.layers
    assert found.dense == design.dense


@pytest.mark.parametrize("change", ["line", "padding", "stride", "reads"])
def test_wrong_geometry_is_seen(streamed, change):
    net, _, design, cores = streamed
    layer = design.layers[0]
    window = layer.window
    if change == "padding":
        wrong = replace(layer, padding=layer.padding ^ 1)
    elif change == "line":
        wrong = replace(layer, window=replace(window, dilation=(1, 2)))
    elif change == "stride":
        top, bottom, left, right = window.padding
        wrong = replace(layer, window=replace(window, padding=(top, bottom, left - 1, right + 1)))
    else:
        core = replace(layer.kernels[0], reads=layer.kernels[0].reads[::2])
        wrong = replace(layer, kernels=(core, *layer.kernels[1:]))
    design = replace(design, layers=(wrong, *design.layers[1:]))
    codes = random_codes(net.inputs, 64, seed=6)
    logic = {name: core.logic for name, core in cores.items()}
    try:
        assert not check_frames(net, design, logic, codes).equal
    except (ValueError, IndexError):
        assert change in ("line", "stride")  # windows no longer fit the maps


def test_dense_layers_that_read_other_wires_are_seen():
    net = digits_net()
    _, design, cores = compiled(net, 1)
    wrong = replace(design, dense=replace(design.dense, reads=design.dense.reads[::3]))
    logic = {name: core.logic for name, core in cores.items()}
    codes = random_codes(net.inputs, 64, seed=6)
    assert check_frames(net, design, logic, codes).equal
    assert not check_frames(net, wrong, logic, codes).equal


def test_a_cut_that_lost_something_is_seen():
    net = digits_net()
    parts, *_ = compiled(net)
    codes = random_codes(net.inputs, 16, seed=5)
    other = cut(digits_net(2), identifier(net.name), 1)
    assert not check_cut(net, other, codes).equal
    mixed = replace(parts, parts=(*other.parts[:1], *parts.parts[1:]))
    assert check_cut(net, mixed, codes).where == "conv1"
    assert check_cut(net, replace(parts, parts=parts.parts[:-1]), codes).where == "layers"


@pytest.mark.parametrize("how", ["sum", "average"])
def test_global_sums_keep_a_row_and_a_sum_a_row(how):
    net = sums_net(how)
    parts = cut(net, identifier(net.name), 1)
    names = [layer.name for layer in parts.layers]
    assert names == ["conv1", "total_rows", "total"]
    assert [str(layer.window) for layer in parts.layers[1:]] == [
        "1x6 stride 1x6", "4x1 stride 4x1"
    ]  # fmt: skip
    codes = random_codes(net.inputs, 40, seed=2)
    np.testing.assert_array_equal(parts.net.evaluate(codes), net.evaluate(codes))
    assert other_sums(net, parts.net) == ""
    assert check_cut(net, parts, codes).equal
    assert by_rows(parts.net).text() == parts.net.text()


@pytest.mark.parametrize(
    "change", ["row weight", "weight", "bias", "row bias", "threshold", "source", "window", "lost"]
)
def test_sums_by_rows_that_are_other_sums_are_seen(change):
    net = sums_net("average")
    split = by_rows(net)
    conv1, rows, rest = split.layers
    at = rows if change.startswith("row") or change == "window" else rest
    total = at.kernels[0].layers[0]
    if change == "source":
        wrong = (conv1, rows, replace(rest, sources=("conv1",)))
    elif change == "lost":
        wrong = (conv1, rest)
    else:
        if change == "window":
            made = replace(at, window=replace(at.window, dilation=(1, 1), padding=(0, 0, 1, 0)))
        else:
            weights = total.weights + np.eye(1, total.weights.shape[1], dtype=np.int64)
            changed = {
                "weight": {"weights": weights},
                "bias": {"bias": total.bias + 1},
                "threshold": {
                    "thresholds": None if total.thresholds is None else total.thresholds + 1
                },
            }[change.removeprefix("row ")]
            made = replace(
                at, kernels=(replace(at.kernels[0], layers=(replace(total, **changed),)),)
            )
        wrong = (conv1, made, rest) if at is rows else (conv1, rows, made)
    assert other_sums(net, replace(split, layers=wrong)) == "total"
    assert other_sums(net, replace(split, layers=(*split.layers, rest))) == "layers"


def test_times_follow_from_rates(streamed):
    _, _, design, _ = streamed
    timing = StreamTiming.of(design)
    assert timing.interval == design.beats
    assert timing.steady == timing.alone
    counts = passed(design)
    assert counts[0] == 0
    assert counts[-1] == design.output_beats
    assert counts == sorted(counts)


def test_parts_that_do_not_fit_are_refused():
    _, design, _ = compiled(digits_net())
    with pytest.raises(IRError, match="breaks its rules"):
        replace(design, layers=design.layers[1:]).verify()
    with pytest.raises(IRError, match="no layer has windows"):
        replace(design, layers=()).verify()
    wrong = replace(design.layers[0], buffer="paper")
    with pytest.raises(IRError, match="paper"):
        replace(design, layers=(wrong, *design.layers[1:])).verify()


def test_kernels_of_groups_and_other_codes():
    rng = np.random.default_rng(4)
    frame = Frame(4, 3, 6)
    layer = conv(rng, "grouped", INPUT, frame, U1, 4, groups=4, kernels=2, padding=(1, 1, 1, 1),
                 padding_code=1, fan_in=3)  # fmt: skip
    outputs = [(Port(f"y{i}", f), "grouped", i) for i, f in enumerate(layer.formats)]
    net = network([layer], frame, U1, outputs, "grouped")
    _, design, cores = compiled(net, 3)
    codes = random_codes(net.inputs, 20, seed=2)
    logic = {name: core.logic for name, core in cores.items()}
    np.testing.assert_array_equal(run_frames(design, logic, codes), net.evaluate(codes))
