"""OpGraph: rules, files, text, and building one from a LogicNet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.dsp.model.build import DIRECT, SCRIPTS, build_ops
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.lower import lower
from nnlogic.backends.dsp.model.ops import AND, NAND, XOR
from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, IRError, UsageError
from nnlogic.logic.cone import ConeBuilder
from nnlogic.logic.rewrite import cone_of
from tests.backends.dsp.dsp_graphs import all_codes, naive, op_graph, op_graphs, random_graph
from tests.helpers_logic import layered_net, logic_net, logic_nets


@given(op_graphs())
@settings(max_examples=40, deadline=None)
def test_evaluation_is_that_of_the_slow_one(graph):
    graph.verify()
    codes = all_codes(graph)
    assert np.array_equal(graph.evaluate(codes), naive(graph, codes))


def test_a_graph_survives_its_file(tmp_path):
    graph = random_graph(50)
    graph.save(tmp_path / "g.ops")
    again = OpGraph.load(tmp_path / "g.ops")
    assert again.text() == graph.text()


def test_a_file_of_something_else_is_refused(tmp_path):
    random_graph(5).save(tmp_path / "g.ops")
    from nnlogic.backends.dsp.model.ir import Program

    with pytest.raises(CheckpointError, match="holds a OpGraph"):
        Program.load(tmp_path / "g.ops")


def test_text_names_operations_and_ports():
    graph = op_graph([(AND, 0, 2), (NAND, 3, 3)], inputs=(2, 1))
    assert graph.text().splitlines() == [
        "OpGraph toy operations=2 depth=2",
        "  input x0:u2",
        "  input x1:u1",
        "    n0 = and x0[0] x1[0]",
        "    n1 = nand n0 n0",
        "  output y0:u1 = n1",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"op": [10, XOR]}, "n0  table 10 is no operation"),
        ({"op": [40, XOR]}, "table 40"),
        ({"x": [0, 4]}, "n1  reads a signal that is not defined"),
        ({"z": [-1, 3]}, "n0  reads a signal that is not defined"),
        ({"x": [0, 0], "z": [1, 1]}, "n0  drives nothing"),
        ({"output_signals": [9]}, "does not exist"),
        ({"output_signals": [1]}, "without an operation"),
        ({"output_signals": [4, 4]}, "do not match the ports"),
        ({"x": [0]}, r"operands  \(1,\)"),
    ],
)
def test_broken_graphs_are_refused(change, message):
    parts = {"op": [AND, XOR], "x": [0, 3], "z": [1, 2], "output_signals": [4], **change}
    good = op_graph([(AND, 0, 1), (XOR, 3, 2)])
    kinds = {name: getattr(good, name).dtype for name in parts}
    arrays = {name: frozen(value, kinds[name]) for name, value in parts.items()}
    graph = OpGraph("bad", good.inputs, good.outputs, **arrays)
    with pytest.raises(IRError, match=message):
        graph.verify()


@given(logic_nets(max_nodes=10, k=2))
@settings(max_examples=60, deadline=None)
def test_lowering_absorbs_inverters_buffers_and_constants(net):
    graph = lower(cone_of(net), net.name, net.inputs, net.outputs)
    graph.verify()
    codes = all_codes(net)
    assert np.array_equal(graph.evaluate(codes), net.evaluate(codes))
    copies = int((graph.x == graph.z).sum())
    assert graph.n_ops - copies <= net.stats()["luts"]
    assert copies <= len(net.output_signals)


def test_lowering_chooses_the_phase_the_outputs_want():
    # nor as an inverted or: one operation. Both phases of one gate: one more.
    net = logic_net([([0, 1], 0b1110), ([4], 0b01)], outputs=[[5]], k=2)
    assert lower(cone_of(net), "n", net.inputs, net.outputs).n_ops == 1
    net = logic_net([([0, 1], 0b1110), ([4], 0b01)], outputs=[[4], [5]], k=2)
    assert lower(cone_of(net), "n", net.inputs, net.outputs).n_ops == 2


def test_lowering_shares_complements():
    builder = ConeBuilder(2)
    a, b = builder.lut([0, 1], 0b1000), builder.lut([1, 0], 0b0111)
    cone = builder.cone([builder.lut([a, 0], 0b0110), builder.lut([b, 1], 0b0110)])
    net = logic_net([([0], 0b10)], inputs=(1, 1), outputs=[[0], [1]])
    assert lower(cone, "n", net.inputs, net.outputs[:2]).n_ops == 3


def test_lowering_refuses_wide_nodes():
    net = logic_net([([0, 1, 2], 0b10010110)])
    with pytest.raises(IRError, match="widest node 3"):
        lower(cone_of(net), "n", net.inputs, net.outputs)


@given(logic_nets(max_nodes=8), st.sampled_from(["fast", "normal"]))
@settings(max_examples=8, deadline=None)
def test_built_graphs_equal_their_network(net, effort):
    graph = build_ops(net, effort=effort)
    codes = all_codes(net)
    assert np.array_equal(graph.evaluate(codes), net.evaluate(codes))


def test_effort_lowers_the_count():
    net = layered_net(3, layers=4, width=10, inner=10)
    counts = [build_ops(net, effort=e).n_ops for e in ("fast", "normal", "high")]
    assert counts[0] > counts[1] >= counts[2]


def test_a_script_that_runs_out_of_time_is_left_out(monkeypatch):
    from nnlogic.backends.dsp.model import build
    from nnlogic.core.errors import ToolTimeout

    real = build.mapped

    def slow(cone, script, timeout):
        if script in SCRIPTS:
            raise ToolTimeout("too slow")
        return real(cone, script, timeout)

    net = layered_net(1)
    fast = build_ops(net, effort="fast")
    monkeypatch.setattr(build, "mapped", slow)
    assert build_ops(net, effort="normal").text() == fast.text()
    assert DIRECT.most > 1_000_000


def test_a_wrong_result_of_the_tool_is_noticed(monkeypatch):
    from nnlogic.backends.dsp.model import build
    from nnlogic.core.errors import Different

    net = logic_net([([0, 1], 0b1000)], outputs=[[4]])
    other = cone_of(logic_net([([0, 1], 0b1110)], outputs=[[4]]))
    monkeypatch.setattr(build, "mapped", lambda cone, script, timeout: other)
    with pytest.raises(Different, match="of 4096 random rows"):
        build_ops(net)


def test_unknown_effort_is_refused():
    with pytest.raises(UsageError, match="extreme"):
        build_ops(layered_net(1), effort="extreme")
