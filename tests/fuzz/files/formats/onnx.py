"""Models of ONNX and QONNX."""

from __future__ import annotations

from pathlib import Path

from .. import texts
from ..commands import command
from ..format import Format
from ..kit import TABLES, files

DATA = Path(__file__).parents[3] / "frontend/data/onnx"
FORMATS = (
    Format(
        "onnx", "f.onnx", files(*sorted(DATA.glob("*.onnx"))),
        (command("inspect f.onnx"), command(f"compile f.onnx {TABLES} --arith auto")), texts.RAW,
    ),
)  # fmt: skip
