"""Planted faults in programs: opcode, address and schedule, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from nnlogic.backends.dsp.checks.program import prove_program
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.ops import BY_OPCODE
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray

TRIES = 200


def planted_program_faults(
    graph: OpGraph, program: Program, *, codes: IntArray, seed: int = 0
) -> Iterator[tuple[str, Verdict]]:
    """Plant each kind of fault where `codes` show it, and run the checks that must catch it.

    Yields
    ------
    title : str
        Kinds for which a program has no place are left out: one row needs no address.
    verdict : Verdict
        `equal` says whether both the interpreter and the proof caught the fault.

    Raises
    ------
    IRError
        No fault of a kind shows on these rows.
    """
    good = graph.evaluate(codes)
    rng = np.random.default_rng(seed)
    for title, plant in FAULTS.items():
        start, places = time.monotonic(), 0
        for _ in range(TRIES):
            planted = plant(program, rng)
            if planted is None:
                continue
            places += 1
            wrong, where = planted
            if (wrong.evaluate(codes) != good).any():
                break
        else:
            if not places:
                continue
            raise IRError(
                f"no {title} shows on these rows", where=program.name, why=f"{TRIES} tried"
            )
        verdict = prove_program(graph, wrong)
        found = Verdict(
            "planted fault", "what the checks say", not verdict.equal, verdict.how,
            detail=verdict.detail, where=where,
        )  # fmt: skip
        yield title, found.timed(start)


Planted = tuple[Program, str] | None


def flip_opcode(program: Program, rng: np.random.Generator) -> Planted:
    """Replace the opcode of one active slice by another legal one."""
    step, i = _active(program, rng)
    opcode = np.array(program.opcode)
    opcode[step, i] = rng.choice([c for c in sorted(BY_OPCODE) if c != opcode[step, i]])
    return replace(program, opcode=frozen(opcode, np.uint8)), f"step {step}, slice {i}"


def flip_address(program: Program, rng: np.random.Generator) -> Planted:
    """Flip one bit of a row that is read; None when there is no such row."""
    step, i = _active(program, rng)
    bank = int(program.x_bank[step, i])
    height = program.rows if bank < program.slices else program.input_rows
    rows = np.array(program.x_row)
    rows[step, bank] ^= 1 << int(rng.integers(max(1, (height - 1).bit_length())))
    if rows[step, bank] >= height:
        return None
    wrong = replace(program, x_row=frozen(rows, np.int32))
    return wrong, f"step {step}, row of port X of bank {bank}"


def swap_steps(program: Program, rng: np.random.Generator) -> Planted:
    """Exchange a step with one of the next few; None at the end."""
    step = int(rng.integers(program.steps))
    other = step + int(rng.integers(1, 4))
    if other >= program.steps:
        return None
    order = np.arange(program.steps)
    order[[step, other]] = other, step
    moved: dict[str, Any] = {
        name: frozen(getattr(program, name)[order], getattr(program, name).dtype)
        for name in ("opcode", "x_bank", "z_bank", "x_row", "z_row", "write_row", "emit")
    }
    return replace(program, **moved), f"steps {step} and {other} exchanged"


FAULTS: dict[str, Callable[[Program, np.random.Generator], Planted]] = {
    "fault in an opcode": flip_opcode,
    "fault in an address": flip_address,
    "fault in the schedule": swap_steps,
}


def _active(program: Program, rng: np.random.Generator) -> tuple[int, int]:
    places = np.argwhere(program.active)
    step, i = places[rng.integers(len(places))].tolist()
    return step, i
