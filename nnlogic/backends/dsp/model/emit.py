"""From a schedule to the words of a Program."""

from __future__ import annotations

import numpy as np

from nnlogic.backends.dsp.model.allocate import rows_of_inputs, rows_of_results
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.ops import IDLE, OPCODE_OF_TABLE, swapped
from nnlogic.backends.dsp.model.schedule import Schedule
from nnlogic.core.archive import frozen

SWAPPED = frozen([swapped(t) for t in range(16)], np.uint8)


def assemble(graph: OpGraph, machine: Machine, schedule: Schedule) -> Program:
    """Return the Program of a complete schedule, rows allocated; verified."""
    n_in, steps = graph.n_inputs, schedule.steps
    row, rows = rows_of_results(graph, machine, schedule)
    input_row, input_rows = rows_of_inputs(machine, schedule)
    bank = np.concatenate([schedule.input_bank, schedule.slice])
    place = np.concatenate([input_row, row])
    at = (schedule.step, schedule.slice)
    flip = schedule.flipped
    operand_x = np.where(flip, graph.z, graph.x)
    operand_z = np.where(flip, graph.x, graph.z)

    opcode = np.full((steps, machine.slices), IDLE, np.uint8)
    opcode[at] = OPCODE_OF_TABLE[np.where(flip, SWAPPED[graph.op], graph.op)]
    selects, port_rows = [], []
    for operand in (operand_x, operand_z):
        select = np.zeros((steps, machine.slices), np.int16)
        select[at] = bank[operand]
        port = np.full((steps, machine.banks), -1, np.int32)
        port[schedule.step, bank[operand]] = place[operand]
        selects.append(select)
        port_rows.append(port)
    write_row = np.full((steps, machine.slices), -1, np.int32)
    write_row[at] = row
    emitted = np.unique(graph.output_signals) - n_in
    emit = np.zeros((steps, machine.slices), np.bool_)
    emit[schedule.step[emitted], schedule.slice[emitted]] = True
    index = emit.cumsum(axis=0) - 1
    drivers = graph.output_signals - n_in
    program = Program(
        name=graph.name,
        inputs=graph.inputs,
        outputs=graph.outputs,
        slices=machine.slices,
        input_banks=machine.input_banks,
        contexts=machine.contexts,
        latency=machine.latency,
        rows=int(rows),
        input_rows=int(input_rows),
        opcode=frozen(opcode, np.uint8),
        x_bank=frozen(selects[0], np.int16),
        z_bank=frozen(selects[1], np.int16),
        x_row=frozen(port_rows[0], np.int32),
        z_row=frozen(port_rows[1], np.int32),
        write_row=frozen(write_row, np.int32),
        emit=frozen(emit, np.bool_),
        input_bank=frozen(schedule.input_bank, np.int32),
        input_row=frozen(input_row, np.int32),
        output_slice=frozen(schedule.slice[drivers], np.int32),
        output_index=frozen(index[schedule.step[drivers], schedule.slice[drivers]], np.int32),
    )
    program.verify()
    return program
