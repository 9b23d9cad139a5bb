"""The backends, as data: how each is asked for, and what of its run computes the outputs.

This list is the one place to edit when a backend is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.backends.stream.model.cycles import run_frames
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.core.errors import TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet

from .reference import Net

Draw = Callable[[st.SearchStrategy], Any]
Outputs = Iterator[tuple[str, IntArray]]


@dataclass(frozen=True)
class Backend:
    """A way to compile a network.

    Attributes
    ----------
    options : callable
        Draws the options that ask for it.
    refusals : tuple of exception types
        With which it may refuse a network or options that are legal elsewhere.
    stages : tuple of str
        From which of them a run can go on.
    first : str
        Kind of first layer that it is made for; empty where any will do.
    """

    options: Callable[[Draw], Net]
    refusals: tuple[type[Exception], ...] = ()
    stages: tuple[str, ...] = ("quant", "tables", "logic", "design")
    first: str = ""


ENGINES = st.sampled_from(("xcup", "ecp5", "xc7"))
"""Targets that engines are made for; ecp5 asks how many slices."""


def _lut(draw: Draw) -> Net:
    return {"stream": draw(st.booleans())}


def _mac(draw: Draw) -> Net:
    return {"backend": "mac", "stream": draw(st.booleans())}


def _dsp(draw: Draw) -> Net:
    out: Net = {"backend": "dsp", "target": draw(ENGINES)}
    style = draw(st.sampled_from(("free", "dsps", "kernels", "tight")))
    if style == "dsps" or out["target"] == "ecp5":
        out["dsps"] = draw(st.integers(1, 6))
    if style == "kernels":
        out["kernels"] = draw(st.sampled_from(("auto", 2, 3)))
    if style in ("kernels", "tight"):
        out["program_words"] = draw(st.sampled_from((16, 32, 64, 256)))
        out["bank_rows"] = draw(st.sampled_from((16, 32, 64)))
    return out


def _stream(draw: Draw) -> Net:
    return {
        "backend": "stream",
        "positions_per_clock": draw(st.sampled_from((1, 1, 1, 1, 2, 3))),
        "line_buffers": draw(st.sampled_from(("auto", "registers", "lut", "block"))),
    }


def _mixed(draw: Draw) -> Net:
    kinds = st.sampled_from(("lut", "mac", "dsp", "lut"))
    plan = draw(st.lists(kinds, min_size=1, max_size=6))
    return {"plan": plan, "target": draw(ENGINES), **({"dsps": 4} if "dsp" in plan else {})}


def _auto(draw: Draw) -> Net:
    out: Net = {"backend": "auto", "max_luts": draw(st.sampled_from((1, 4, 16, 500)))}
    if draw(st.booleans()):
        out["max_dsps"] = draw(st.sampled_from((1, 8, 64)))
    if draw(st.booleans()):
        out["max_latency"] = draw(st.sampled_from((50.0, 5000.0)))
    return out


REFUSED = (UsageError, UnsupportedModel, TargetMissed)
BACKENDS = {
    "lut": Backend(_lut, (TargetMissed,), ("quant", "tables", "logic", "design", "rtl")),
    "dsp": Backend(_dsp, REFUSED),
    "mac": Backend(_mac, REFUSED, (), first="Linear"),
    "stream": Backend(_stream, REFUSED, (), first="Windowed"),
    "mixed": Backend(_mixed, REFUSED, (), first="Linear"),
    "auto": Backend(_auto, REFUSED, ()),
}


def fitted(options: Net, layers: int) -> Net:
    """Return options for a network of so many layers: a plan is repeated as often as it needs."""
    if "plan" not in options:
        return options
    plan = options["plan"]
    return {**options, "plan": ",".join(plan[i % len(plan)] for i in range(max(1, layers)))}


def compiled_outputs(run: Path, codes: IntArray) -> Outputs:
    """Yield what the stages of a run that compute from its inputs to its outputs give.

    Parameters
    ----------
    run : Path
        A run directory of any backend; what it holds says which.
    codes : int array, shape (samples, inputs)
    """
    found = {path.stem: path for path in (run / "ir").glob("*.safetensors")}
    yield "quant", QuantNet.load(found["quant"]).evaluate(codes)
    whole = codes
    parts = sorted(run.glob("segments/*/ir/design.safetensors"))
    if parts and "chain" not in found:
        cores = {file.parts[-3]: HardwareDesign.load(file).logic for file in parts}
        yield "stream", run_frames(StreamDesign.load(found["design"]), cores, codes)
        return
    if "chain" in found:
        for part in sorted(run.glob("segments/*/"), key=lambda p: int(p.name.split("_")[0])):
            *_, (_, whole) = compiled_outputs(part, whole)
        yield "chain of segments", whole
        return
    if "mac" in found:
        whole = MacNet.load(found["mac"]).evaluate(codes)
        yield "tail", QuantNet.load(found["tail"]).evaluate(whole)
    for stage, kind in STAGES:
        if stage in found:
            yield stage, kind.load(found[stage]).evaluate(whole)


STAGES: Sequence[tuple[str, Any]] = (
    ("tables", TableNet),
    ("simplified", TableNet),
    ("assembled", LogicNet),
    ("logic", LogicNet),
    ("design", HardwareDesign),
    ("ops", OpGraph),
    ("program", Program),
    ("kernels", KernelChain),
)


def kept_texts(run: Path) -> dict[str, str]:
    """Return the printed stages and the Verilog of a run, by name, without what made them."""
    files = [*(run / "ir").glob("*.txt"), *(run / "rtl").glob("*.v")]
    return {
        file.name: "".join(
            line for line in file.read_text().splitlines(True) if not line.startswith("//")
        )
        for file in files
    }


def equal_rows(got: IntArray, want: IntArray) -> str:
    """Return the first difference of outputs, or an empty string."""
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    wrong = np.argwhere(got != want)
    if not len(wrong):
        return ""
    row, port = (int(v) for v in wrong[0])
    rows = len(np.unique(wrong[:, 0]))
    return (
        f"row {row}, output {port}: {got[row, port]}, expected {want[row, port]} "
        f"({rows} of {len(want)} rows)"
    )
