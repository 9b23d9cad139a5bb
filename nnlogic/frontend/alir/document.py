"""Files of alkaid (versions 2 to 4) and da4ml as programs of one kind."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem
from nnlogic.core.limits import ENTRIES, FEATURES, NEURONS, TEXT, parse_json
from nnlogic.frontend.alir.program import (
    ADD,
    ADD_CONST,
    BINARY,
    CONST,
    CUT,
    INPUT,
    LOOKUP,
    MUX,
    SHAPES,
    SUB,
    SUM,
    UNARY,
    Interval,
    Lookup,
    Op,
    Program,
)  # fmt: skip
from nnlogic.frontend.alir.records import (
    MOST_EXPONENT,
    Wrong,
    as_integer,
    as_interval,
    as_shift,
    record0,
    record2,
    record3,
)  # fmt: skip

FIX = "write the file again with the program's save()"


def read_programs(path: Path) -> list[Program]:
    """Return the program in a file, or the stages of a pipeline.

    Raises
    ------
    CheckpointError
        All problems are listed.
    """
    try:
        found = parse_json(unpacked(path))
    except (OSError, ValueError, zlib.error) as error:
        raise CheckpointError(
            "cannot read the JSON file", where=str(path), why=str(error), fix=FIX
        ) from error
    problems: list[Problem] = []
    try:
        models, record = _models(found)
        programs = [_program(model, record, problems) for model in models]
    except Wrong as error:
        why = str(error)
        raise CheckpointError("no ALIR program", where=str(path), why=why, fix=FIX) from error
    for i, (one, after) in enumerate(itertools.pairwise(programs)):
        if len(one.outputs) != len(after.shifts):
            why = f"{len(one.outputs)} outputs, {len(after.shifts)} inputs of the next one"
            problems.append(Problem(f"stage {i}", why))
    if problems:
        raise CheckpointError("no ALIR program", where=str(path), problems=problems, fix=FIX)
    return programs


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, which may be packed by gzip.

    Raises
    ------
    ValueError
        It is longer than `nnlogic.core.limits.TEXT`, or cut short.
    """
    data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    packed = zlib.decompressobj(31)
    out = packed.decompress(data, TEXT.value + 1)
    if why := TEXT.why(len(out)):
        raise ValueError(why)
    if not packed.eof:
        raise ValueError("the gzip stream is cut short")
    return out


Record = Callable[[Any, int], list[Op]]


def _models(found: Any) -> tuple[list[Any], Record]:
    """Return the programs as they stand in the file, and the reader of their operations."""
    if isinstance(found, dict):
        meta, version = found.get("meta"), found.get("spec_version")
        if meta not in ("ALIRModel", "DAISModel"):
            raise Wrong(f"meta is {str(meta)[:40]!r}, need 'ALIRModel'")
        records: dict[Any, Record] = {2: record2, 3: record3, 4: record3}
        if type(version) is not int or version not in records:
            raise Wrong(
                f"spec_version {str(version)[:40]!r} is none of {', '.join(map(str, records))}"
            )
        return [found.get("model")], records[version]
    if not isinstance(found, list):
        raise Wrong("neither an object nor a list")
    if len(found) == 1 and isinstance(found[0], list):
        if not found[0]:
            raise Wrong("a pipeline of no stages")
        return found[0], record0
    return [found], record0


def _program(model: Any, record: Record, problems: list[Problem]) -> Program:
    if not isinstance(model, list) or len(model) not in (8, 9):
        raise Wrong("the model is no list of 8 or 9 parts")
    shape, shifts, at, out_shifts, negative, records, *_ = model
    tables = (model[8] if len(model) == 9 else None) or []
    if not all(isinstance(part, list) for part in model[:6]) or not isinstance(tables, list):
        raise Wrong("shape, shifts, outputs, operations and tables must be lists")
    inputs, outputs = (as_integer(n, 0, 1 << 40, "shape") for n in (*shape, 0, 0)[:2])
    if len(shape) != 2 or len(shifts) != inputs:
        raise Wrong(f"shape {str(shape)[:40]} for {len(shifts)} inputs")
    if not outputs or not len(at) == len(out_shifts) == len(negative) == outputs:
        raise Wrong(f"shape {str(shape)[:40]} for {len(at)} outputs")
    entries = sum(len(t["table"]) for t in tables if isinstance(t, dict) and _is_list(t))
    problems += FEATURES.problems("inputs", inputs) + NEURONS.problems("operations", len(records))
    problems += ENTRIES.problems("tables", entries) + NEURONS.problems("outputs", outputs)
    if problems:
        return Program((), (), (), ())
    made, place = _ops(records, record, problems)
    lookups = [_attempt(_lookup, (t,), f"table {i}", problems) for i, t in enumerate(tables)]
    for i, op in enumerate(made):
        for why in _op_problems(i, op, made, inputs, lookups):
            problems.append(Problem(f"operation {i}", why))
    ends = []
    for i, (slot, shift, neg) in enumerate(zip(at, out_shifts, negative, strict=True)):
        if type(slot) is not int or not -1 <= slot < len(place) or neg not in (0, 1):
            problems.append(Problem(f"output {i}", f"value {str(slot)[:20]} of {len(place)}"))
        else:
            exponent = _attempt(as_shift, (shift,), f"output {i}", problems)
            ends.append((place[slot] if slot >= 0 else -1, exponent or 0, bool(neg)))
    moved = [_attempt(as_shift, (s,), f"input {i}", problems) for i, s in enumerate(shifts)]
    good = tuple(t for t in lookups if t is not None)
    return Program(tuple(s or 0 for s in moved), tuple(ends), tuple(made), good)


def _is_list(table: dict[str, Any]) -> bool:
    return isinstance(table.get("table"), list)


def _attempt(read: Callable[..., Any], args: Sequence[Any], where: str, out: list[Problem]) -> Any:
    try:
        return read(*args)
    except Wrong as error:
        out.append(Problem(where, str(error)))
        return None


def _ops(records: list[Any], record: Record, problems: list[Problem]) -> tuple[list[Op], list[int]]:
    """Return operations, and the number of each record's value among them."""
    made: list[Op] = []
    place: list[int] = []
    for i, item in enumerate(records):
        ops = _attempt(record, (item, i), f"operation {i}", problems)
        for op in ops or [Op(CONST, (), (0,), Interval(0, 0, 0))]:
            # Values are numbered as in the file; -1 is the one just made.
            args = tuple(place[a] if a >= 0 else len(made) - 1 for a in op.args)
            made.append(Op(op.code, args, op.data, op.out))
        place.append(len(made) - 1)
    return made, place


def _lookup(found: Any) -> Lookup:
    if not isinstance(found, dict) or not isinstance(found.get("spec"), dict):
        raise Wrong("has no spec")
    interval = as_interval(found["spec"].get("out_qint"))
    values = found.get("table")
    if not isinstance(values, list) or not values or not all(type(v) is int for v in values):
        raise Wrong("has no list of integers")
    half = 1 << (interval.bits - interval.signed)
    if min(values) < (-half if interval.signed else 0) or max(values) >= half:
        raise Wrong(f"holds {min(values)} to {max(values)}, which its interval does not")
    return Lookup(frozen(values, np.int64), interval.frac)


def _op_problems(
    number: int, op: Op, ops: list[Op], inputs: int, tables: list[Lookup | None]
) -> list[str]:
    """Return what is wrong with an operation."""
    if op.code == SUM:
        right = len(op.args) >= 1 and len(op.data) == 2 * len(op.args)
    elif op.code in SHAPES:
        right = (len(op.args), len(op.data)) == SHAPES[op.code]
    else:
        return [f"operation code {op.code} is not known"]
    if not right:
        return [f"code {op.code} reads {len(op.args)} values and {len(op.data)} numbers"]
    shifts = {ADD: op.data, SUB: op.data, CUT: op.data, MUX: op.data, BINARY: op.data[:1],
              ADD_CONST: op.data[1:], SUM: op.data[1::2]}  # fmt: skip
    if any(abs(s) > MOST_EXPONENT for s in shifts.get(op.code, ())):
        return [f"a shift of {max(shifts[op.code], key=abs)}"]
    if op.code == INPUT and not 0 <= op.data[0] < inputs:
        return [f"input {op.data[0]} of {inputs}"]
    if op.code in (UNARY, BINARY) and op.data[-1] not in (0, 1, 2):
        return [f"a bitwise function {op.data[-1]}"]
    if op.code == LOOKUP:
        if not 0 <= op.data[0] < len(tables):
            return [f"table {op.data[0]} of {len(tables)}"]
        table, read = tables[op.data[0]], ops[op.args[0]].out
        if table is not None and len(table.values) != read.hi - read.lo + 1:
            return [
                f"table {op.data[0]} has {len(table.values)} entries for {read.hi - read.lo + 1}"
            ]
    return []
