import re

from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import given, settings

from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import RESERVED
from nnlogic.design.build import build
from nnlogic.hw.names import name_design, port_names


def every_name(names):
    taps = [n for row in names.taps for n in row]
    return [*names.inputs, *names.outputs, *names.input_registers, *taps, *names.instances.values()]


@settings(max_examples=60, deadline=None)
@given(logic_nets())
def test_names_are_unique_legal_and_one_per_register(net):
    design = build(net, schedule=1)
    names = name_design(design)
    flat = every_name(names)
    assert len({n.lower() for n in flat}) == len(flat)
    assert all(re.fullmatch(r"[A-Za-z_]\w*", n) and n not in RESERVED for n in flat)
    assert [len(row) - 1 for row in names.taps] == design.signal_registers.tolist()
    modules = list(names.modules.values())
    assert all(m.startswith("toy_") for m in modules)
    assert not {"toy", "toy_stream"} & set(modules)
    assert len(set(modules)) == len(modules)


def test_names_tell_where_a_signal_comes_from():
    names = name_design(build(layered_net(), schedule="layer"))
    assert names.taps[0][0] == "x_f0_bit0"
    assert names.taps[-1] == ("fc2_neuron47", "fc2_neuron47_r1")
    assert list(names.modules.values()) == ["toy_fc0", "toy_fc1", "toy_fc2"]


def test_port_names_that_would_collide():
    net = logic_net([], inputs=(1, 1, 1), outputs=[[0], [1]])
    ports = tuple(Port(n, IntFormat(1)) for n in ("a b", "a-b", "clk"))
    design = build(_with_inputs(net, ports))
    x_names, y_names = port_names(design)
    assert list(x_names.values()) == ["x_a_b", "x_a_b_2", "x_n_clk"]
    assert list(y_names) == ["o0", "o1"]


def _with_inputs(net, ports):
    from dataclasses import replace

    return replace(net, inputs=ports)
