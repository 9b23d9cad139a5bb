"""Models of ONNX and QONNX."""

from __future__ import annotations

from pathlib import Path

from .. import texts
from ..format import Format
from ..kit import files, reading

DATA = Path(__file__).parents[3] / "frontend/data/onnx"
FORMATS = (
    Format("onnx", "f.onnx", files(*sorted(DATA.glob("*.onnx"))), reading("f.onnx"), texts.RAW),
)
