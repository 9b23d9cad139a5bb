from dataclasses import replace

import numpy as np
import pytest

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import INPUT, InputQuantizer, Linear, QuantNet
from nnlogic.report.describe import describe, lut_bound, network_of
from nnlogic.tables.build import tabulate


@pytest.mark.parametrize("inputs", range(6, 17))
def test_bound_of_lut6_is_the_formula_of_logicnets(inputs):
    assert 3 * lut_bound(inputs, 1) == 2 ** (inputs - 4) - (-1) ** inputs
    assert lut_bound(inputs, 3) == 3 * lut_bound(inputs, 1)


@pytest.mark.parametrize(
    ("inputs", "k", "luts"),
    # Two tables of one input less, and a multiplexer.
    [(0, 4, 0), (1, 4, 0), (2, 4, 1), (4, 4, 1), (5, 4, 3), (6, 4, 7), (7, 4, 15), (7, 5, 7)],
)
def test_bound_of_narrower_luts(inputs, k, luts):
    assert lut_bound(inputs, 1, k) == luts


def test_quant_and_table_descriptions_agree(make_net):
    net = make_net()
    left, right = describe(net), describe(tabulate(net))
    assert left.inputs == right.inputs
    assert left.outputs == right.outputs
    names = [layer.name for layer in net.layers]
    assert [layer.name for layer in left.layers] == names
    assert [layer.name for layer in right.layers] == names
    assert left.layers[0].fan_in_bits == 6
    # 6 neurons of 3 inputs of 2 bits: 6 bits in, 2 bits out.
    assert left.layers[0].bound == right.layers[0].bound == 12
    assert left.layers[-1].bound is None
    assert left.bound == sum(layer.bound for layer in left.layers[:-1])
    assert sum(left.widths.values()) == 14


def test_the_quantizer_outside_the_logic_is_stated(make_net):
    net = make_net()
    section = network_of(net)
    assert "15 float32 thresholds on 5 features" in section.encoder
    assert "not counted" in section.encoder
    assert [row.neurons for row in section.layers] == [6, 5, 3, 1]
    steps = [np.arange(1, 1 << p.format.bits).astype(np.float32) / 4 for p in net.inputs]
    wired = replace(net, quantizer=InputQuantizer(tuple(steps)))
    assert network_of(wired).encoder.startswith("from the wire: all 5 features")
    half = replace(net, quantizer=InputQuantizer((*net.quantizer.thresholds[:3], *steps[3:])))
    assert "2 others are wires" in network_of(half).encoder
    integers = QuantNet("n", net.inputs, net.layers, net.output_wires)
    assert network_of(integers).encoder.startswith("none")


def test_sums_and_wide_neurons_have_no_bound():
    ports = tuple(Port(f"x{i}", IntFormat(2)) for i in range(20))
    one = frozen(np.ones((1, 20)), np.int64)
    zero = frozen(np.zeros(1), np.int64)
    step = frozen([[30]], np.int64)
    wide = Linear("wide", (INPUT,), one, zero, step, (IntFormat(1),))
    total = Linear("total", (INPUT,), one, zero, None, (IntFormat(6),), "output")
    wires = ((Port("y", IntFormat(1)), "wide", 0), (Port("s", IntFormat(6)), "total", 0))
    net = QuantNet("wide", ports, (wide, total), wires)
    net.verify()
    found = describe(net)
    assert [layer.bound for layer in found.layers] == [None, None]
    assert found.bound is None
    assert [layer.fan_in_bits for layer in found.layers] == [40, 40]
    assert found.layers[1].kind == "linear sum"


def test_logic_layers_count_luts_not_inverters():
    from nnlogic.core.formats import LayerInfo

    net = LogicNet(
        name="n",
        k=2,
        inputs=(Port("a", IntFormat(2)),),
        outputs=(Port("y", IntFormat(1)),),
        fanins=frozen([[0, 1], [2, -1]], np.int32),
        tables=frozen([0b1000, 0b01], np.uint64),
        output_signals=(3,),
        origins=("fc1/neuron0/bit0", "fc1/neuron0/bit0"),
        node_layers=frozen([0, 0], np.int32),
        layers=(LayerInfo("fc1"),),
        cuts=frozen([], np.int32),
    )
    net.verify()
    [layer] = describe(net).layers
    assert (layer.name, layer.kind, layer.units) == ("fc1", "LUT2", 1)
