"""Tables at points of the unit cube on a GPU: one kernel forward, one backward, by Triton.

What `nnlogic.nn.population.functional.multilinear` computes through eighteen intermediate values
per point stays in registers here; on a feature map, where a table has tens of thousands of points
per step, memory traffic is what training takes its time for.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from nnlogic.core.windows import Frame, Window

FORWARD_BLOCK, BACKWARD_BLOCK, BLOCKS_EACH, FOLD_BLOCK = 512, 128, 32, 512


@triton.jit
def _eight(a, b, c):  # type: ignore[no-untyped-def]
    """Return the minterms of three wires, `a` lowest."""
    na, nb, nc = 1 - a, 1 - b, 1 - c
    p, q, r, s = na * nb, a * nb, na * b, a * b
    return p * nc, q * nc, r * nc, s * nc, p * c, q * c, r * c, s * c


@triton.jit
def _dot(at, step: tl.constexpr, p0, p1, p2, p3, p4, p5, p6, p7):  # type: ignore[no-untyped-def]
    """Return eight table entries, `step` apart, weighted."""
    low = tl.load(at) * p0 + tl.load(at + step) * p1
    low += tl.load(at + 2 * step) * p2 + tl.load(at + 3 * step) * p3
    high = tl.load(at + 4 * step) * p4 + tl.load(at + 5 * step) * p5
    high += tl.load(at + 6 * step) * p6 + tl.load(at + 7 * step) * p7
    return low + high


@triton.jit
def _slopes(g0, g1, g2, g3, g4, g5, g6, g7, a, b, c):  # type: ignore[no-untyped-def]
    """Return the gradients of three wires from those of their minterms."""
    na, nb, nc = 1 - a, 1 - b, 1 - c
    to_a = ((g1 - g0) * nb + (g3 - g2) * b) * nc + ((g5 - g4) * nb + (g7 - g6) * b) * c
    to_b = ((g2 - g0) * na + (g3 - g1) * a) * nc + ((g6 - g4) * na + (g7 - g5) * a) * c
    to_c = ((g4 - g0) * na + (g5 - g1) * a) * nb + ((g6 - g2) * na + (g7 - g3) * a) * b
    return to_a, to_b, to_c


@triton.jit
def _factor(z, column, bit: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return wires (1, samples) or their complements, by a bit of the column (8 or more, 1)."""
    return tl.where(((column >> bit) & 1) != 0, z, 1 - z)


@triton.jit
def _forward(tables, z, out, samples, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    table = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < samples
    first = z + table * 6 * samples + at
    z0 = tl.load(first, inside, 0.0).to(tl.float32)
    z1 = tl.load(first + samples, inside, 0.0).to(tl.float32)
    z2 = tl.load(first + 2 * samples, inside, 0.0).to(tl.float32)
    z3 = tl.load(first + 3 * samples, inside, 0.0).to(tl.float32)
    z4 = tl.load(first + 4 * samples, inside, 0.0).to(tl.float32)
    z5 = tl.load(first + 5 * samples, inside, 0.0).to(tl.float32)
    p0, p1, p2, p3, p4, p5, p6, p7 = _eight(z0, z1, z2)
    q0, q1, q2, q3, q4, q5, q6, q7 = _eight(z3, z4, z5)
    row = tables + table * 64
    value = _dot(row, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q0
    value += _dot(row + 8, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q1
    value += _dot(row + 16, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q2
    value += _dot(row + 24, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q3
    value += _dot(row + 32, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q4
    value += _dot(row + 40, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q5
    value += _dot(row + 48, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q6
    value += _dot(row + 56, 1, p0, p1, p2, p3, p4, p5, p6, p7) * q7
    tl.store(out + table * samples + at, value.to(out.dtype.element_ty), inside)


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    tables, z, grad, to_tables, to_z, samples, smooth,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr,
):  # fmt: skip
    table = tl.program_id(0).to(tl.int64)
    row = tables + table * 64
    # A matrix unit takes sixteen rows and columns; the upper eight are zero.
    high, low = tl.arange(0, 16)[:, None], tl.arange(0, 16)[:, None]
    total = tl.zeros((16, 16), dtype=tl.float32)
    shift = 0.5 - 0.5 * smooth
    for block in range(BLOCKS):
        at = (tl.program_id(1) * BLOCKS + block) * BLOCK + tl.arange(0, BLOCK)
        inside = at < samples
        first = table * 6 * samples + at
        z0 = tl.load(z + first, inside, 0.0).to(tl.float32) * smooth + shift
        z1 = tl.load(z + first + samples, inside, 0.0).to(tl.float32) * smooth + shift
        z2 = tl.load(z + first + 2 * samples, inside, 0.0).to(tl.float32) * smooth + shift
        z3 = tl.load(z + first + 3 * samples, inside, 0.0).to(tl.float32) * smooth + shift
        z4 = tl.load(z + first + 4 * samples, inside, 0.0).to(tl.float32) * smooth + shift
        z5 = tl.load(z + first + 5 * samples, inside, 0.0).to(tl.float32) * smooth + shift
        g = tl.load(grad + table * samples + at, inside, 0.0).to(tl.float32)
        p0, p1, p2, p3, p4, p5, p6, p7 = _eight(z0, z1, z2)
        q0, q1, q2, q3, q4, q5, q6, q7 = _eight(z3, z4, z5)
        d0 = _dot(row, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d1 = _dot(row + 1, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d2 = _dot(row + 2, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d3 = _dot(row + 3, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d4 = _dot(row + 4, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d5 = _dot(row + 5, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d6 = _dot(row + 6, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        d7 = _dot(row + 7, 8, q0, q1, q2, q3, q4, q5, q6, q7)
        to_0, to_1, to_2 = _slopes(d0, d1, d2, d3, d4, d5, d6, d7, z0, z1, z2)
        d0 = _dot(row, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d1 = _dot(row + 8, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d2 = _dot(row + 16, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d3 = _dot(row + 24, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d4 = _dot(row + 32, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d5 = _dot(row + 40, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d6 = _dot(row + 48, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        d7 = _dot(row + 56, 1, p0, p1, p2, p3, p4, p5, p6, p7)
        to_3, to_4, to_5 = _slopes(d0, d1, d2, d3, d4, d5, d6, d7, z3, z4, z5)
        kind = to_z.dtype.element_ty
        g_near = g * smooth
        tl.store(to_z + first, (g_near * to_0).to(kind), inside)
        tl.store(to_z + first + samples, (g_near * to_1).to(kind), inside)
        tl.store(to_z + first + 2 * samples, (g_near * to_2).to(kind), inside)
        tl.store(to_z + first + 3 * samples, (g_near * to_3).to(kind), inside)
        tl.store(to_z + first + 4 * samples, (g_near * to_4).to(kind), inside)
        tl.store(to_z + first + 5 * samples, (g_near * to_5).to(kind), inside)
        left = _factor(z3[None, :], high, 0) * _factor(z4[None, :], high, 1)
        left = left * _factor(z5[None, :], high, 2) * g[None, :]
        right = _factor(z0[None, :], low, 0) * _factor(z1[None, :], low, 1)
        right = right * _factor(z2[None, :], low, 2)
        left = tl.where(high < 8, left, 0.0)
        total += tl.dot(left, tl.trans(right))
    column = tl.arange(0, 16)[None, :]
    place = to_tables + table * 64 + 8 * high + column
    tl.atomic_add(place, total, (high < 8) & (column < 8))


@triton.jit
def _fold(  # type: ignore[no-untyped-def]
    columns, out, channels, height, width, high, wide, samples, top, left,
    ROWS: tl.constexpr, ACROSS: tl.constexpr, DOWN_BY: tl.constexpr,
    ACROSS_BY: tl.constexpr, DOWN_EACH: tl.constexpr, ACROSS_EACH: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    # An argument that is 1 is a constant without a type: the program's number carries the width.
    number = tl.program_id(0).to(tl.int64)
    member, channel = number // channels, number % channels
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    sample, place = at % samples, at // samples
    row, column = place // width + top, place % width + left
    positions = high * wide * samples
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    for tap in tl.static_range(ROWS * ACROSS):
        down = row - (tap // ACROSS) * DOWN_EACH
        across = column - (tap % ACROSS) * ACROSS_EACH
        inside = (down >= 0) & (down < high * DOWN_BY) & (across >= 0) & (across < wide * ACROSS_BY)
        inside = inside & (down % DOWN_BY == 0) & (across % ACROSS_BY == 0)
        inside = inside & (place < height * width)
        line = columns + ((member * ROWS * ACROSS + tap) * channels + channel) * positions
        offset = ((down // DOWN_BY) * wide + across // ACROSS_BY) * samples + sample
        total += tl.load(line + offset, inside, 0.0).to(tl.float32)
    whole = number * height * width * samples
    tl.store(out + whole + at, total.to(out.dtype.element_ty), place < height * width)


def fold(columns: Tensor, frame: Frame, window: Window) -> Tensor:
    """Return the gradient of a map from that of its windows, see `unfold`.

    Parameters
    ----------
    columns : Tensor, shape (members, taps * channels, positions, samples)
    frame : Frame
        Of the map.
    window : Window

    Returns
    -------
    Tensor, shape (members, channels, height, width, samples)
    """
    members, samples = columns.shape[0], columns.shape[-1]
    (high, wide), (top, _, left, _) = window.output(frame), window.padding
    shape = (members, frame.channels, frame.height, frame.width, samples)
    out = torch.empty(shape, dtype=columns.dtype, device=columns.device)
    grid = (members * frame.channels, triton.cdiv(frame.positions * samples, FOLD_BLOCK))
    _fold[grid](
        columns.contiguous(), out, frame.channels, frame.height, frame.width, high, wide,
        samples, top, left, *window.size, *window.stride, *window.dilation, BLOCK=FOLD_BLOCK,
    )  # fmt: skip
    return out


class _Values(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, entries: Tensor, slopes: Tensor, z: Tensor, smooth: float) -> Tensor:
        z, entries, slopes = z.contiguous(), entries.contiguous(), slopes.contiguous()
        members, n, _, samples = z.shape
        out = torch.empty((members, n, samples), dtype=z.dtype, device=z.device)
        grid = (members * n, triton.cdiv(samples, FORWARD_BLOCK))
        _forward[grid](entries, z, out, samples, BLOCK=FORWARD_BLOCK)
        ctx.save_for_backward(slopes, z)
        ctx.smooth = smooth
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, Tensor, None]:
        slopes, z = ctx.saved_tensors
        members, n, _, samples = z.shape
        to_tables, to_z = torch.zeros_like(slopes), torch.empty_like(z)
        each = BACKWARD_BLOCK * BLOCKS_EACH
        blocks = min(BLOCKS_EACH, triton.cdiv(samples, BACKWARD_BLOCK))
        grid = (members * n, triton.cdiv(samples, each))
        _backward[grid](
            slopes, z, grads[0].contiguous(), to_tables, to_z, samples, ctx.smooth,
            BLOCK=BACKWARD_BLOCK, BLOCKS=blocks,
        )  # fmt: skip
        return None, to_tables, to_z, None


def table_values(entries: Tensor, slopes: Tensor, z: Tensor, smooth: float) -> Tensor:
    """Interpolate 64-entry tables, with the gradient of other tables nearer to the middle.

    Parameters
    ----------
    entries : float32 Tensor, shape (members, n, 64)
        What is interpolated; gets no gradient.
    slopes : float32 Tensor, shape (members, n, 64)
        What the gradient is that of, at points moved towards the middle of the unit cube.
    z : Tensor, shape (members, n, 6, samples)
        float32 or bfloat16.
    smooth : float
        How near to the corner; 1 for the points themselves.

    Returns
    -------
    Tensor, shape (members, n, samples)
    """
    out: Tensor = _Values.apply(entries, slopes, z, smooth)  # type: ignore[no-untyped-call]
    return out
