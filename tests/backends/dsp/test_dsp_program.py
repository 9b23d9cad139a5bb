"""Programs: equal to their graph on any machine, within their bounds, and checked for legality."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.dsp.model.emit import assemble
from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.machine import Machine, bounds
from nnlogic.backends.dsp.model.ops import AND, IDLE, NAND, XOR
from nnlogic.backends.dsp.model.place import compile_ops, contexts_for, machine_for
from nnlogic.backends.dsp.model.schedule import ORDERS, list_schedule
from nnlogic.core.archive import frozen
from nnlogic.core.errors import InputError, IRError, TargetMissed, UsageError
from tests.backends.dsp.dsp_graphs import all_codes, naive, op_graph, op_graphs, random_graph


@st.composite
def machines(draw) -> Machine:
    slices = draw(st.integers(1, 9))
    return Machine(
        slices,
        input_banks=draw(st.integers(1, 4)),
        output_slices=draw(st.integers(1, slices)),
        contexts=draw(st.integers(1, 8)),
        latency=draw(st.integers(2, 8)),
    )


@given(op_graphs(), machines(), st.sampled_from(ORDERS))
@settings(max_examples=150, deadline=None)
def test_programs_compute_their_graph_on_any_machine(graph, machine, order):
    schedule = list_schedule(graph, machine, order)
    program = assemble(graph, machine, schedule)
    codes = all_codes(graph)
    assert np.array_equal(program.evaluate(codes), naive(graph, codes))
    assert program.n_ops == graph.n_ops
    assert program.steps >= schedule.bounds.steps
    emitting = np.flatnonzero(program.emit.any(axis=0))
    assert emitting.max() < machine.output_slices


@given(op_graphs(max_ops=60), machines())
@settings(max_examples=60, deadline=None)
def test_no_bank_has_more_rows_than_values_alive_at_once(graph, machine):
    program = assemble(graph, machine, list_schedule(graph, machine, "slack"))
    alive = np.zeros((machine.slices, program.steps + 1), int)
    # Rows are counted from the program itself: from the write to the last read of each value.
    for i in range(machine.slices):
        for row in range(program.rows):
            writes = np.flatnonzero(program.write_row[:, i] == row).tolist()
            reads = [
                s for s in range(program.steps) if row in (program.x_row[s, i], program.z_row[s, i])
            ]
            for at, start in enumerate(writes):
                end = writes[at + 1] if at + 1 < len(writes) else program.steps
                last = max(s for s in reads if start < s < end + machine.delay)
                alive[i, start : last + 1] += 1
    assert program.rows <= alive.max(initial=0)


def test_wide_graphs_come_close_to_the_bound():
    graph = random_graph(4000, n_in=24, reach=400)
    for slices in (4, 8, 16, 32):
        program = compile_ops(graph, machine := machine_for(graph, slices))
        assert program.steps <= 1.06 * bounds(graph, machine).steps
        assert program.utilization > 0.9


def test_contexts_hide_the_pipeline():
    graph = random_graph(600, reach=12, n_in=6)
    alone = compile_ops(graph, machine_for(graph, 8, contexts=1))
    together = compile_ops(graph, machine_for(graph, 8, contexts=6))
    assert alone.interval > 2 * together.interval / together.contexts
    assert contexts_for(graph, 8) == 6
    assert contexts_for(graph, 1) < 6


def test_bounds_by_hand():
    chain = op_graph([(NAND, 0, 1), (NAND, 3, 2), (NAND, 4, 2)])
    found = bounds(chain, Machine(2, latency=6))
    assert (found.work, found.depth, found.path, found.ports, found.load) == (2, 13, 13, 2, 3)
    assert found.steps == 13
    assert found.reason == "depth"
    assert found.text().startswith("at least 13 steps (depth): work 2")
    program = compile_ops(chain, Machine(2, latency=6))
    assert program.steps == 13
    assert program.cycles == 18
    wide = op_graph([(XOR, i % 4, 4 + i % 3) for i in range(40)], inputs=(3, 3, 1))
    found = bounds(wide, Machine(4, input_banks=1, output_slices=4))
    assert found.work == 10
    assert found.reason == "work"


def test_interval_counts_loading():
    graph = op_graph([(AND, i, i + 1) for i in range(0, 40, 2)], inputs=(1,) * 40)
    program = compile_ops(graph, Machine(20, input_banks=1, output_slices=20))
    assert program.input_rows == 40
    assert program.interval == 40 >= program.steps


@pytest.fixture(scope="module")
def small():
    graph = random_graph(60, n_in=8, reach=20)
    return graph, compile_ops(graph, Machine(4, input_banks=2, output_slices=2, contexts=2))


def test_a_program_survives_its_file(small, tmp_path):
    _, program = small
    program.save(tmp_path / "p.dsp")
    again = Program.load(tmp_path / "p.dsp")
    assert again.text() == program.text()
    assert again.stats() == program.stats()


def test_text_of_a_program():
    graph = op_graph([(AND, 0, 1), (NAND, 3, 3)], outputs=[4])
    program = compile_ops(graph, Machine(1, latency=3))
    assert program.text().splitlines() == [
        "Program toy slices=1 input_banks=1 contexts=1 latency=3 steps=4 operations=2 rows=1 "
        "input_rows=2",
        "  input x0[0] = 1[0]",
        "  input x0[1] = 1[1]",
        "  input x1[0] = -",
        "  step 0",
        "    0: 0 = and 1[0] 1[1]",
        "  step 1",
        "  step 2",
        "  step 3",
        "    0: -! = nand 0[0] 0[0]",
        "  output y0[0] = 0!0",
    ]
    assert (program.opcode[1:3] == IDLE).all()


def changed(program, name, index, value) -> Program:
    array = np.array(getattr(program, name))
    array[index] = value
    return replace(program, **{name: frozen(array, array.dtype)})


def refused(program, message):
    with pytest.raises(IRError, match=message):
        program.verify()


def test_verify_names_what_is_illegal(small):
    _, program = small
    step, i = np.argwhere(program.active)[7].tolist()
    bank = int(program.x_bank[step, i])
    refused(changed(program, "opcode", (step, i), 0b00000), "opcode 00000 is illegal")
    refused(changed(program, "opcode", (step, i), 200), "opcode is 200")
    refused(changed(program, "x_bank", (step, i), program.banks), "x_bank is 6")
    refused(changed(program, "x_row", (step, bank), -1), "which does not read")
    refused(changed(program, "z_row", (step, 0), program.rows), "z_row is")
    refused(changed(program, "write_row", (step, i), program.rows), "write_row is")
    refused(changed(program, "input_bank", 0, 0), "input bit 0  its bank or row does not exist")
    place = (program.input_bank[1], program.input_row[1])
    shared = changed(changed(program, "input_bank", 0, place[0]), "input_row", 0, place[1])
    refused(shared, "two bits share a row")
    refused(changed(program, "output_index", 0, 99), "emits no output word 99")
    refused(changed(program, "emit", slice(None), False), "emits no output word")
    refused(replace(program, latency=1), "latency  1, must be at least 2")
    refused(replace(program, emit=program.emit[1:]), "emit  shape")


def test_verify_catches_bad_schedules(small):
    _, program = small
    refused(replace(program, latency=program.latency + 8), "is not ready|has written yet")
    late = {
        name: frozen(np.roll(getattr(program, name), 1, axis=0), getattr(program, name).dtype)
        for name in ("opcode", "x_bank", "z_bank", "write_row", "emit")
    }
    refused(replace(program, **late), "does not read|for nobody")


def tiny(write_rows, x_rows, latency=3, contexts=1) -> Program:
    """One slice that copies: rows written and read (None: idle) step by step; row -1: input."""
    steps = len(write_rows)
    base = compile_ops(op_graph([(AND, 0, 0)], inputs=(1,)), Machine(1, latency=latency))
    bank = np.array([[1 if r == -1 else 0] for r in x_rows], np.int16)
    row = np.full((steps, 2), -1, np.int32)
    for s, r in enumerate(x_rows):
        if r is not None:
            row[s, bank[s, 0]] = max(r, 0)
    write = np.array([[-1 if w is None else w] for w in write_rows], np.int32)
    emit = np.zeros((steps, 1), bool)
    emit[-1] = True
    bank[[r is None for r in x_rows]] = 0
    return replace(
        base,
        contexts=contexts,
        rows=2,
        opcode=frozen(np.full((steps, 1), base.opcode[0, 0]), np.uint8),
        x_bank=frozen(bank, np.int16),
        z_bank=frozen(bank, np.int16),
        x_row=frozen(row, np.int32),
        z_row=frozen(row, np.int32),
        write_row=frozen(write, np.int32),
        emit=frozen(emit, np.bool_),
    )


def test_verify_on_hand_written_programs():
    tiny([0, None, None, None], [-1, None, None, 0]).verify()
    refused(tiny([0, None, None], [-1, None, 0]), "value of step 0 is not ready")
    refused(tiny([0, None, None, None], [-1, None, None, 1]), "nothing has written yet")
    refused(tiny([0, None, None, None, 1, None], [-1, None, None, None, -1, 0]), "never read")
    # The value of step 0 is overwritten by that of step 1 before step 4 reads it.
    refused(tiny([0, 0, None, None, None], [-1, -1, None, None, 0]), "overwrites row 0")
    # Step 3 reads row 0 while the result of step 1 is being written: latency 3, cycle 1 + 3 - 1.
    rows = ([0, None, None, None, 0, 1, None, None, None], [-1, None, None, 0, -1, -1, 0, 0, 1])
    refused(tiny(*rows), "in the cycle in which the result of step 4 is written")
    # With two contexts the same steps are two cycles apart, and step 2 reads in time.
    tiny([0, None, None], [-1, None, 0], contexts=2).verify()


def test_machines_that_cannot_be_built_are_refused():
    with pytest.raises(UsageError) as error:
        Machine(0, contexts=0, latency=1)
    assert [p.where for p in error.value.problems] == [
        "slices", "contexts", "latency", "output_slices",
    ]  # fmt: skip


def test_a_memory_too_small_says_by_how_much():
    graph = random_graph(400, n_in=20, reach=100)
    with pytest.raises(TargetMissed) as error:
        compile_ops(graph, Machine(2, contexts=1, bank_rows=16, output_slices=2))
    [slices, inputs] = error.value.problems
    assert "values alive at once (1 contexts)" in slices.why
    assert "more than the 16 words of a bank" in slices.why
    assert "sub-kernels" in slices.fix
    assert "36 rows of two input buffers" in inputs.why
    assert "about 3 input banks" in inputs.fix


def test_memory_is_respected_when_it_just_fits():
    graph = random_graph(400, n_in=10, reach=60)
    free = compile_ops(graph, Machine(4, output_slices=4))
    for rows in range(free.rows, 2 * free.rows, 3):
        try:
            program = compile_ops(graph, Machine(4, output_slices=4, bank_rows=rows))
        except TargetMissed:
            continue
        assert program.rows <= rows
        return
    pytest.fail("no memory was large enough")


def test_a_program_too_long_says_what_would_do():
    graph = random_graph(400)
    with pytest.raises(TargetMissed, match="more than the program memory's 64") as error:
        compile_ops(graph, Machine(2, output_slices=2, program_steps=64))
    assert "slices, a program memory of" in error.value.fix


def test_wrong_inputs_are_refused(small):
    graph, program = small
    for stage in (graph, program):
        with pytest.raises(InputError, match=r"need \(8, words\)"):
            stage.evaluate_words(np.zeros((3, 1), np.uint64))
