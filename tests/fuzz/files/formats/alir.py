"""Programs of alkaid and da4ml."""

from __future__ import annotations

import json
from pathlib import Path

from ..format import Format, Maker
from ..kit import JSON, files, reading

DATA = Path(__file__).parents[3] / "frontend/data/alir"


def _program(inputs: int = 1, records: int = 1, table: int = 2, interval: object = None) -> bytes:
    made = [[[], -1, [0], interval or [0.0, 1.0, 1.0], 0, 0]]
    made += [[[i], 0, [0], [0.0, 1.0, 1.0], 0, 0] for i in range(records)]
    spec = {"hash": "", "inp_width": 1, "out_qint": {"min": 0, "max": 1, "step": 1}}
    tables = [{"spec": spec, "table": [0] * table}]
    model = [[inputs, 1], [0] * min(inputs, 10), [0], [0], [False], made, 1, 1, tables]
    return json.dumps({"model": model, "meta": "ALIRModel", "spec_version": 4}).encode()


def _doubled() -> bytes:
    """A value that is added to itself until it has a thousand bits."""
    made: list[object] = [[[], -1, [0], [0.0, 1.0, 1.0], 0, 0]]
    made += [[[i, i], 0, [40], [0.0, 1.0, 1.0], 0, 0] for i in range(1000)]
    made += [[[i, i], 7, [], [0.0, 1.0, 1.0], 0, 0] for i in range(1000, 1010)]
    model = [[1, 1], [0], [1010], [0], [False], made, 1, 1]
    return json.dumps({"model": model, "meta": "ALIRModel", "spec_version": 4}).encode()


ABSURD: tuple[Maker, ...] = (
    lambda _: _program(inputs=10**12),
    lambda _: _program(records=400_000),
    lambda _: _program(table=3_000_000),
    lambda _: _program(interval=[0.0, 2.0**60, 2.0**-60]),
    lambda _: _program(interval=[-(2.0**52), 2.0**52, 1.0]),
    lambda _: _program(interval=[-1e308, 1e308, 5e-324]),
    lambda _: _doubled(),
)
FORMATS = (
    Format(
        "alir", "f.json", files(*(DATA / f"{n}.json" for n in ("alkaid", "da4ml", "pipeline"))),
        reading("f.json"), JSON, ABSURD,
    ),
)  # fmt: skip
