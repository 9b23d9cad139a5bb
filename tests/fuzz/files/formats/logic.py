"""Files of logic for `minimize`, and patterns for its care sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import texts
from ..commands import command
from ..format import Format, Maker, Mutation
from ..kit import EFFORT, contents
from ..values import HUGE

PLA = b""".i 4
.o 3
.ilb a b c d
.ob x y z
.type fd
.p 4
1-0- 100
0110 -11
--11 010
1111 0-1
.e
"""
BLIF = b""".model top
.inputs a b c
.outputs x y
.names a b n1
11 1
.names n1 c x
1- 1
-1 1
.names a c y
01 1
10 1
.end
"""
AAG = b"aag 5 3 0 2 2\n2\n4\n6\n8\n11\n8 2 4\n10 9 6\ni0 a\no0 x\nc\nmade by hand\n"
TRUTH = b"# two outputs\n0110-001\n1110100-\n"
PATTERNS = b"0101\n1100\n0011\n1111\n"


def aig() -> bytes:
    """Return the binary form of `AAG`."""
    deltas = bytes([8 - 4, 4 - 2, 10 - 9, 9 - 6])
    return b"aig 5 3 0 2 2\n8\n11\n" + deltas + b"i0 a\no0 x\nc\nmade by hand\n"


ABSURD_PLA: tuple[Maker, ...] = tuple(
    lambda _, head=head: head
    for head in (
        b".i %d\n.o 1\n.e\n" % HUGE,
        b".i 4\n.o %d\n.e\n" % HUGE,
        b".i 1000000\n.o 1\n.e\n",
        b".i 30\n.o 1\n%s 1\n.e\n" % (b"1" * 30),
        b".i 4\n.o 1\n" + b"1-0- 1\n" * 300_000 + b".e\n",
    )
)
ABSURD_AIG: tuple[Maker, ...] = (
    lambda _: b"aig %d %d 0 1 0\n0\n" % (HUGE, HUGE),
    lambda _: b"aig %d 0 0 0 %d\n" % (HUGE, HUGE),
    lambda _: b"aig 1 1 0 %d 0\n0\n" % HUGE,
    lambda _: b"aig 200000 1 0 1 199999\n400000\n" + b"\x02\x01" * 199_999,
)
ABSURD_AAG: tuple[Maker, ...] = (
    lambda _: b"aag %d %d 0 1 0\n0\n" % (HUGE, HUGE),
    lambda _: b"aag %d 0 0 0 %d\n" % (HUGE, HUGE),
    lambda _: b"aag %d 1 0 1 0\n2\n2\n" % HUGE,
)


def _blif(inputs: int, more: str) -> bytes:
    names = " ".join(f"i{n}" for n in range(inputs))
    return f".model m\n.inputs {names}\n.outputs x\n{more}.end\n".encode()


ABSURD_BLIF: tuple[Maker, ...] = (
    lambda _: _blif(
        10_000, f".names {' '.join(f'i{n}' for n in range(10_000))} x\n{'1' * 10_000} 1\n"
    ),
    lambda _: _blif(
        100_000, f".names {' '.join(f'i{n}' for n in range(100_000))} x\n{'1' * 100_000} 1\n"
    ),
    lambda _: _blif(
        1,
        ".names i0 n0\n1 1\n"
        + "".join(f".names n{n} n{n + 1}\n1 1\n" for n in range(30_000))
        + ".names n30000 x\n1 1\n",
    ),
    lambda _: _blif(1, ".names i0 x\n" + "1 1\n" * 500_000),
    lambda _: _blif(
        30,
        f".names {' '.join(f'i{n}' for n in range(30))} x\n"
        + "".join(f"{n:030b} 1\n" for n in range(2000)),
    ),
)
ABSURD_TRUTH: tuple[Maker, ...] = (
    lambda _: b"01" * (1 << 22) + b"\n",
    lambda _: b"01\n" * 200_000,
    lambda _: (b"01" * (1 << 15) + b"\n") * 1100,
)


ABSURD_PATTERNS: tuple[Maker, ...] = (
    lambda _: b"1" * 1_000_000 + b"\n",
    lambda _: b"0101\n" * 500_000,
)


def _logic(
    suffix: str, content: bytes, whole: Sequence[Maker], more: Sequence[Mutation] = ()
) -> Format:
    file = f"f{suffix}"
    commands = (command(f"minimize {file} -o out.blif {EFFORT}"),)
    return Format(suffix[1:], file, contents(content), commands, (*texts.TEXT, *more), whole)


def _patterns() -> Format:
    def around(made: Path, case: Path) -> None:
        (case / "f.pla").write_bytes(PLA)

    commands = (command(f"minimize f.pla -o out.blif --care p.txt {EFFORT}", 2),)
    right = contents(PATTERNS)
    return Format("patterns", "p.txt", right, commands, texts.TEXT, ABSURD_PATTERNS, around)


FORMATS = (
    _logic(".pla", PLA, ABSURD_PLA),
    _logic(".blif", BLIF, ABSURD_BLIF),
    _logic(".aag", AAG, ABSURD_AAG),
    _logic(".aig", aig(), ABSURD_AIG, texts.RAW),
    _logic(".truth", TRUTH, ABSURD_TRUTH),
    _patterns(),
)
