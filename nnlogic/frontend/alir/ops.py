"""What the operations of a program make of values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.frontend.alir.graph import Graph, Value
from nnlogic.frontend.alir.program import (
    ADD,
    ADD_CONST,
    BINARY,
    CONST,
    CUT,
    INPUT,
    LOOKUP,
    MUL,
    MUX,
    NEG,
    RELU,
    SUB,
    SUM,
    UNARY,
    Interval,
    Op,
    Program,
)  # fmt: skip
from nnlogic.frontend.wiring import TABLE_BITS, Refusal

BITWISE: tuple[Callable[[IntArray, IntArray], IntArray], ...] = (
    np.bitwise_and, np.bitwise_or, np.bitwise_xor,
)  # fmt: skip


def shifted(x: Value, shift: int) -> Value:
    """Return a value times a power of two."""
    return Value(x.frac - shift, x.bias, x.terms)


def moved(raw: IntArray, shift: int) -> IntArray:
    """Return integers times a power of two, rounded down."""
    return raw << shift if shift >= 0 else raw >> min(-shift, 63)


def wrapped(raw: IntArray, to: Interval) -> IntArray:
    """Return integers as a fixed-point number of the interval's sign and width keeps them."""
    if not to.bits:
        return np.zeros_like(raw)
    return IntFormat(to.bits, to.signed).from_raw(raw & ((1 << to.bits) - 1))


def cut(graph: Graph, x: Value, to: Interval) -> Value:
    """Return a value with the bits of an interval: rounded down, and wrapped."""
    shift = to.frac - x.frac
    if not to.bits:
        return Value(to.frac)
    lo, hi = graph.range(x)
    fmt = IntFormat(to.bits, to.signed)
    if shift >= 0 and fmt.lo <= lo << shift and hi << shift <= fmt.hi:
        return Value(to.frac, x.bias << shift, tuple((n, w << shift) for n, w in x.terms))
    return graph.function([x], lambda raw: wrapped(moved(raw, shift), to), to.frac)


def apply(
    graph: Graph, op: Op, values: list[Value], inputs: list[Value], program: Program
) -> Value:
    """Return the value of an operation.

    Parameters
    ----------
    graph : Graph
        Gets the nodes.
    op : Op
    values : list of Value
        Of the operations before.
    inputs : list of Value
    program : Program

    Raises
    ------
    Refusal
        It cannot be compiled.
    """
    xs = [values[a] for a in op.args]
    code, data, out = op.code, op.data, op.out
    if code == INPUT:
        return cut(graph, shifted(inputs[data[0]], program.shifts[data[0]]), out)
    if code == CUT:
        return cut(graph, shifted(xs[0], data[0]), out)
    if code == RELU:
        return _relu(graph, xs[0], out)
    if code == MUX:
        condition = program.ops[op.args[2]].out
        return cut(graph, _chosen(graph, xs[2], condition, xs[0], shifted(xs[1], data[0])), out)
    if code == LOOKUP:
        read, table = program.ops[op.args[0]].out, program.tables[data[0]]
        return _agreed(_looked_up(graph, xs[0], read, table.values, table.frac), op)
    if code == UNARY:
        return _unary(graph, xs[0], program.ops[op.args[0]].out, op)
    if code == BINARY:
        return _agreed(_binary(graph, xs[0], shifted(xs[1], data[0]), BITWISE[data[1]]), op)
    if code == MUL:
        return _agreed(_product(graph, xs[0], xs[1]), op)
    return _settled(_sum(graph, op, xs), out)


def _sum(graph: Graph, op: Op, xs: list[Value]) -> Value:
    data = op.data
    if op.code == NEG:
        return graph.add([(xs[0], -1)])
    if op.code in (ADD, SUB):
        return graph.add([(xs[0], 1), (shifted(xs[1], data[0]), 1 if op.code == ADD else -1)])
    if op.code == SUM:
        signs, shifts = data[::2], data[1::2]
        parts = zip(xs, signs, shifts, strict=True)
        return graph.add([(shifted(x, s), 1 if plus else -1) for x, plus, s in parts])
    if op.code == ADD_CONST:
        return graph.add([(xs[0], 1), (Value(data[1], data[0]), 1)])
    if op.code == CONST:
        return graph.add([(Value(op.out.frac, data[0]), 1)])
    raise Refusal(f"operation code {op.code}")


def _settled(x: Value, out: Interval) -> Value:
    """Return a sum, which no step that is too coarse for it may round."""
    coarse = x.frac - out.frac
    if coarse <= 0 or not (x.bias or x.terms) or out.lo == out.hi == 0:
        return x
    parts = [x.bias, *(w for _, w in x.terms)]
    if any(p % (1 << coarse) for p in parts):
        raise Refusal(
            f"a sum in steps of 2^{-x.frac}, said to have steps of 2^{-out.frac}",
            "write the file again",
        )
    return Value(out.frac, x.bias >> coarse, tuple((n, w >> coarse) for n, w in x.terms))


def _agreed(x: Value, op: Op) -> Value:
    """Return a value whose step is what the operation's interval says, where it is not zero."""
    if x.frac != op.out.frac and (x.bias or x.terms):
        raise Refusal(
            f"gives steps of 2^{-x.frac}, said to have steps of 2^{-op.out.frac}",
            "write the file again",
        )
    return x


def _relu(graph: Graph, x: Value, out: Interval) -> Value:
    if out.signed:
        raise Refusal("a ReLU with negative values", "write the file again")
    lo, _ = graph.range(x)
    if lo >= 0:
        return cut(graph, x, out)
    shift = out.frac - x.frac
    return graph.function([x], lambda raw: wrapped(moved(np.maximum(raw, 0), shift), out), out.frac)


def _looked_up(graph: Graph, x: Value, read: Interval, table: IntArray, frac: int) -> Value:
    # Values outside of the interval have no entry: alkaid stops there, and never comes there.
    shift = read.frac - x.frac
    return graph.function(
        [x], lambda raw: table[np.clip(moved(raw, shift) - read.lo, 0, len(table) - 1)], frac
    )


def _chosen(graph: Graph, c: Value, condition: Interval, a: Value, b: Value) -> Value:
    """Return `a` where the top bit of the condition is set, `b` elsewhere."""
    frac = max(a.frac, b.frac)
    least = 0 if condition.signed else 1 << max(condition.bits - 1, 0)
    shift = condition.frac - c.frac

    def top(raw: IntArray) -> IntArray:
        scaled = moved(raw, shift)
        return (scaled < 0 if condition.signed else scaled >= least).astype(np.int64)

    def chosen(c_raw: IntArray, a_raw: IntArray, b_raw: IntArray) -> IntArray:
        found: IntArray = np.where(top(c_raw) > 0, a_raw << frac - a.frac, b_raw << frac - b.frac)
        return found

    try:
        return graph.function([c, a, b], chosen, frac)
    except Refusal:
        select = graph.function([c], top, 0)
        return _by_bits(graph, a, b, lambda x, y: graph.function([select, x, y], _selected, 0))


def _selected(s: IntArray, p: IntArray, q: IntArray) -> IntArray:
    out: IntArray = np.where(s > 0, p, q)
    return out


def _binary(graph: Graph, a: Value, b: Value, compute: Callable[..., IntArray]) -> Value:
    frac = max(a.frac, b.frac)
    try:
        return graph.function(
            [a, b], lambda x, y: compute(x << frac - a.frac, y << frac - b.frac), frac
        )
    except Refusal:
        return _by_bits(graph, a, b, lambda x, y: graph.function([x, y], compute, 0))


def _by_bits(graph: Graph, a: Value, b: Value, compute: Callable[[Value, Value], Value]) -> Value:
    """Return a bitwise function of two numbers in two's complement."""
    frac = max(a.frac, b.frac)
    a, b = (graph.add([(x, 1), (Value(frac), 1)]) for x in (a, b))
    ends = [*graph.range(a), *graph.range(b)]
    width = IntFormat.holding(min(ends), max(ends)).bits
    bits = [compute(_bit(graph, a, j), _bit(graph, b, j)) for j in range(width)]
    signs = [1] * (width - 1) + [-1 if min(ends) < 0 else 1]
    parts = [(bit, sign << j) for j, (bit, sign) in enumerate(zip(bits, signs, strict=True))]
    return shifted(graph.add(parts), -frac)


def _bit(graph: Graph, x: Value, j: int) -> Value:
    return graph.function([x], lambda raw: raw >> j & 1, 0)


def _product(graph: Graph, a: Value, b: Value) -> Value:
    frac = a.frac + b.frac
    for one, other in ((a, b), (b, a)):
        if not one.terms:
            return Value(frac, *_times(graph, other, one.bias))
    try:
        return graph.function([a, b], np.multiply, frac)
    except Refusal:
        pass
    a, b = sorted((graph.total(a), graph.total(b)), key=lambda x: graph.bits(x.nodes))
    lo, hi = graph.range(a)
    width = IntFormat.holding(lo, max(hi, 1)).bits
    if graph.bits(b.nodes) >= TABLE_BITS:
        raise Refusal(
            f"a product of {graph.bits(a.nodes)} and {graph.bits(b.nodes)} bits",
            "quantize the factors to fewer bits before",
        )
    parts = []
    for j in range(width):
        part = graph.function([_bit(graph, a, j), b], np.multiply, b.frac)
        negative = lo < 0 and j == width - 1
        parts.append((part, -(1 << j) if negative else 1 << j))
    return shifted(graph.add(parts), -a.frac)


def _times(graph: Graph, x: Value, factor: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    out = graph.add([(Value(0, x.bias, x.terms), factor)])
    return out.bias, out.terms


def _unary(graph: Graph, x: Value, read: Interval, op: Op) -> Value:
    """Return the complement of the bits of a number, or whether any, or all, are set."""
    if not read.bits:
        raise Refusal("bits of a number that is always 0", "leave the operation out")
    shift, ones = read.frac - x.frac, (1 << read.bits) - 1
    if op.data[0] == 0:
        flipped = (not read.signed and op.out.signed) or (
            read.signed and not op.out.signed and graph.range(x)[1] >= 0
        )
        if flipped or op.out.frac != read.frac:
            raise Refusal("a complement of another sign or step", "write the file again")
        top = Value(read.frac, -1 if read.signed else ones)
        return graph.add([(x, -1), (top, 1)])
    if op.out.frac != 0:
        raise Refusal(f"a bit that is said to have steps of 2^{-op.out.frac}", "write it again")
    if op.data[0] == 1:
        return graph.function([x], lambda raw: (raw != 0).astype(np.int64), 0)
    return graph.function([x], lambda raw: (moved(raw, shift) & ones == ones).astype(np.int64), 0)
