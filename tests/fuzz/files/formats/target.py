"""Targets of users."""

from __future__ import annotations

from pathlib import Path

from ..commands import command
from ..format import Format, Maker
from ..kit import NET, TABLES, TOML, beside, files
from ..values import DEEP

TARGETS = Path(__file__).parents[4] / "examples/extending/target"
ABSURD: tuple[Maker, ...] = (
    lambda _: b"a = " + b"[" * DEEP + b"]" * DEEP,
    lambda _: b"[" + b"target." * 5000 + b"x]",
    lambda _: b"".join(b"[target.t%d]\n" % i for i in range(20_000)),
)

FORMATS = (
    Format(
        "target", "t.toml", files(*sorted(TARGETS.glob("*.toml"))),
        (command(f"compile {NET} {TABLES} --target t.toml", 2),), TOML, ABSURD, beside(NET),
    ),
)  # fmt: skip
