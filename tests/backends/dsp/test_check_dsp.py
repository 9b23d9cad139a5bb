"""The DSP proofs, and faults that must break them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.dsp.checks.faults import FAULTS, planted_program_faults
from nnlogic.backends.dsp.checks.program import prove_ops, prove_program
from nnlogic.backends.dsp.model.build import build_ops
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.ops import BY_TABLE
from nnlogic.backends.dsp.model.place import compile_ops, machine_for
from nnlogic.core.archive import frozen
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import IRError
from tests.backends.dsp.dsp_graphs import op_graphs, random_graph
from tests.helpers_logic import layered_net, logic_nets


@given(logic_nets(max_nodes=8))
@settings(max_examples=6, deadline=None)
def test_network_graph_and_program_are_proved_equal(net):
    graph = build_ops(net, effort="fast")
    assert prove_ops(net, graph).equal
    verdict = prove_program(graph, compile_ops(graph, machine_for(graph, 3)))
    assert verdict.equal
    assert verdict.how == "proved"


def test_a_wrong_graph_is_disproved():
    net = layered_net(2)
    graph = build_ops(net, effort="fast")
    good = graph.evaluate(random_codes(net.inputs, 64))
    for i in range(graph.n_ops):
        op = np.array(graph.op)
        op[i] = next(t for t in sorted(BY_TABLE) if t != op[i])
        wrong = replace(graph, op=frozen(op, np.uint8))
        if (wrong.evaluate(random_codes(net.inputs, 64)) != good).any():
            assert not prove_ops(net, wrong).equal
            return
    pytest.fail("no wrong operation shows")


def test_other_ports_are_a_difference():
    net = layered_net(2)
    graph = build_ops(net, effort="fast")
    other = replace(graph, outputs=graph.outputs[1:])
    assert "ports differ" in prove_ops(net, other).detail
    program = compile_ops(graph, machine_for(graph, 2))
    assert "ports differ" in prove_program(other, program).detail


@given(op_graphs(max_ops=30), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_proof_and_interpreter_agree_on_every_fault(graph, seed):
    """A program the interpreter sees differ is never proved equal."""
    program = compile_ops(graph, Machine(3, input_banks=2, output_slices=3, contexts=2))
    assert prove_program(graph, program).equal
    rng = np.random.default_rng(seed)
    codes = random_codes(graph.inputs, 128)
    good = graph.evaluate(codes)
    for plant in FAULTS.values():
        planted = plant(program, rng)
        if planted is None:
            continue
        wrong, _ = planted
        if (wrong.evaluate(codes) != good).any():
            assert not prove_program(graph, wrong).equal


@pytest.mark.parametrize("contexts", [1, 4, 6])
def test_planted_faults_are_caught(contexts):
    graph = random_graph(300, n_in=10, reach=60)
    program = compile_ops(graph, machine_for(graph, 4, contexts=contexts))
    codes = random_codes(graph.inputs, 256)
    found = dict(planted_program_faults(graph, program, codes=codes))
    assert set(found) == set(FAULTS)
    assert all(v.equal and v.where for v in found.values())


def test_faults_that_never_show_are_an_error():
    graph = random_graph(20)
    program = compile_ops(graph, machine_for(graph, 2))
    with pytest.raises(IRError, match="shows on these rows"):
        list(planted_program_faults(graph, program, codes=np.zeros((0, 12), np.int64)))


def test_a_program_of_one_row_has_no_address_to_be_wrong():
    graph = random_graph(8, n_in=4)
    program = compile_ops(graph, Machine(8, input_banks=4, output_slices=8, contexts=6))
    assert (program.rows, program.input_rows) == (1, 1)
    codes = random_codes(graph.inputs, 256)
    found = dict(planted_program_faults(graph, program, codes=codes))
    assert set(found) == set(FAULTS) - {"fault in an address"}
    assert all(v.equal for v in found.values())
