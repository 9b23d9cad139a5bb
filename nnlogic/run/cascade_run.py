"""Two networks in one core: a small one answers, and a large one where the small is not sure."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic import __version__
from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import Bools
from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier, identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.frontend import load
from nnlogic.hw.cascade import Cascade, CascadeParameters
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import header
from nnlogic.hw.names import port_names
from nnlogic.hw.stream_wrapper import StreamParameters
from nnlogic.job.directory import Run
from nnlogic.job.rows import Rows, load_rows
from nnlogic.quant.confidence import SURE, margins, scoring, with_confidence
from nnlogic.quant.ir import QuantNet
from nnlogic.run.compile_run import compile
from nnlogic.sim.cascade import Measured, simulate_cascade
from nnlogic.sim.harness import row_words

RESULT = "cascade.json"
LOSS = 0.1


@dataclass(frozen=True)
class Choice:
    """When the small network is sure, and what follows on the rows that decided it.

    Attributes
    ----------
    margin : int
        Steps of the scores by which the largest has to be ahead.
    rows : int
    asked : float
        Share of rows for which the large network is asked.
    small, large, cascade : float or None
        Shares of rows with the right class; None without labels.
    """

    margin: int
    rows: int
    asked: float
    small: float | None
    large: float | None
    cascade: float | None


@dataclass(frozen=True)
class Cascaded:
    """A cascade that was compiled.

    Attributes
    ----------
    path : Path
        Its folder: ``small`` and ``large`` are runs, ``rtl`` has the core's Verilog.
    name : str
        Of the top module.
    chosen, tested : Choice
        On the rows that decided the margin, and on others; the same where none were given.
    k : int
        Inputs of a LUT of the target.
    luts : dict of str to int
        Of the logic of each network; that of the small one with the comparison of its scores.
    latency : dict of str to int
        Clocks from transfer in to transfer out of an empty core, ``"sure"`` and ``"asked"``.
    measured : tuple of Measured
        By simulation of the Verilog with the rows of `tested`.
    """

    path: Path
    name: str
    chosen: Choice
    tested: Choice
    k: int
    luts: dict[str, int]
    latency: dict[str, int]
    measured: tuple[Measured, ...]


def cascade(
    small: Path | str,
    large: Path | str,
    out: Path | str,
    *,
    rows: Any,
    label: str | None = None,
    test: Any = None,
    asked: float | None = None,
    loss: float | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Cascaded:
    """Compile two networks into one core with one stream in and one out.

    Parameters
    ----------
    small, large : path
        Files that `nnlogic.load` reads, of the same inputs and classes.
    out : path
        A folder, made here.
    rows : path or array
        Rows that decide the margin: not those the cascade is tested on.
    label : str, optional
        Name of the labels, in both.
    test : path or array, optional
        Rows for accuracy and simulation; `rows` by default.
    asked : float, optional
        The most rows, as a share, for which the large network may be asked.
    loss : float, optional
        The most points of accuracy the cascade may lose against the large network, on `rows`; the
        least margin within it is taken. Without either bound it is `LOSS`.
    progress : Progress
    **options
        For `nnlogic.compile`, of both networks.

    Raises
    ------
    UsageError
        The networks do not fit together, no margin meets the bounds, or `out` exists.
    Different
        A proof or the simulation failed; nothing is left behind.
    """
    out = Path(out)
    if out.exists():
        raise UsageError("the folder exists", where=str(out), fix="choose another one (-o)")
    nets = _pair(load(Path(small)), load(Path(large)))
    decide = load_rows(nets[0], rows, label)
    unseen = decide if test is None else load_rows(nets[0], test, label)
    chosen = _chosen(nets, decide, asked, loss)
    tested = _figures(nets, unseen, chosen.margin)
    asking = with_confidence(nets[0], chosen.margin)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        work = Path(folder) / "made"
        runs = [
            compile(net, work / kind, progress=progress, **options)
            for kind, net in (("small", asking), ("large", nets[1]))
        ]
        name, files, parameters = _write(runs, work, nets)
        with progress.step("simulate the cascade"):
            measured = simulate_cascade(
                name,
                files,
                row_words(unseen.codes, nets[0].inputs),
                _expected(nets, unseen.codes, chosen.margin, parameters.width),
                input_bytes=parameters.small.input_bytes,
                output_bytes=parameters.output_bytes,
                timeout=options.get("tool_timeout"),
            )
        latency = {"sure": parameters.sure_latency, "asked": parameters.asked_latency}
        logic = {run.path.name: _design(run).logic for run in runs}
        luts = {kind: int(net.stats()["luts"]) for kind, net in logic.items()}
        k = max(net.k for net in logic.values())
        found = Cascaded(out, name, chosen, tested, k, luts, latency, measured)
        data = asdict(found) | {"path": out.name, "nnlogic": __version__}
        write_bytes(work / RESULT, (json.dumps(data, indent=1) + "\n").encode())
        os.rename(work, out)
    return found


def _pair(small: QuantNet, large: QuantNet) -> tuple[QuantNet, QuantNet]:
    problems = []
    if [p.name for p in small.inputs] != [p.name for p in large.inputs]:
        problems.append(Problem("inputs", "the features differ"))
    elif small.inputs != large.inputs:
        problems.append(Problem("inputs", "codes of the features differ in bits",
                                "train both with the same input_bits"))  # fmt: skip
    elif not _same_codes(small, large):
        problems.append(Problem("inputs", "the same values get different codes",
                                "train both with the same input_method and rows"))  # fmt: skip
    for net in (small, large):
        scoring(net)
    names = [net.info.get("class_names") for net in (small, large)]
    ends = [net.outputs[net.class_output or 0].format for net in (small, large)]
    if names[0] != names[1] or ends[0] != ends[1]:
        problems.append(Problem("classes", f"{names[0]} and {names[1]}"))
    if problems:
        raise UsageError("the networks do not make a cascade", problems=problems)
    return replace(small, name=f"{small.name}_small"), replace(large, name=f"{large.name}_large")


def _same_codes(small: QuantNet, large: QuantNet) -> bool:
    a, b = small.quantizer, large.quantizer
    if a is None or b is None:
        return a is b
    pairs = zip(a.thresholds, b.thresholds, strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def _classes(net: QuantNet, codes: IntArray) -> IntArray:
    out: IntArray = net.evaluate(codes)[:, net.class_output or 0]
    return out


def _figures(nets: Sequence[QuantNet], rows: Rows, margin: int) -> Choice:
    unsure = margins(nets[0], rows.codes) < margin
    right = _right(nets, rows)
    if right is None:
        return Choice(margin, len(unsure), float(unsure.mean()), None, None, None)
    small, large = right
    both = np.where(unsure, large, small)
    shares = (float(part.mean()) for part in (small, large, both))
    return Choice(margin, len(unsure), float(unsure.mean()), *shares)


def _right(nets: Sequence[QuantNet], rows: Rows) -> tuple[Bools, Bools] | None:
    if rows.labels is None:
        return None
    small, large = (_classes(net, rows.codes) == rows.labels for net in nets)
    return small, large


def _chosen(
    nets: Sequence[QuantNet], rows: Rows, asked: float | None, loss: float | None
) -> Choice:
    right = _right(nets, rows)
    if right is None and asked is None:
        raise UsageError(
            "nothing to choose the margin by", where=rows.what, why="the rows have no labels",
            fix="--label NAME, or --asked SHARE",
        )  # fmt: skip
    ahead = margins(nets[0], rows.codes)
    tried = [int(m) for m in np.unique(np.concatenate([[1], ahead + 1]))]
    found = [_figures(nets, rows, m) for m in tried]
    within = [c for c in found if asked is None or c.asked <= asked]
    if asked is not None and loss is None and within:
        return within[-1]
    most = LOSS if loss is None else loss
    good = [c for c in within if 100 * ((c.large or 0) - (c.cascade or 0)) <= most]
    if not good:
        why = f"of {len(tried)} margins none has at most "
        bounds = [] if asked is None else [f"{100 * asked:g} % of the rows asked"]
        bounds += [] if right is None else [f"{most:g} points lost"]
        raise UsageError("no margin meets the bounds", where=rows.what,
                         why=why + " and ".join(bounds), fix="allow more of either")  # fmt: skip
    return good[0]


def _expected(nets: Sequence[QuantNet], codes: IntArray, margin: int, width: int) -> list[int]:
    # From the scores, not from the output ``sure``: the layers that make it are checked with it.
    unsure = margins(nets[0], codes) < margin
    classes = np.where(unsure, _classes(nets[1], codes), _classes(nets[0], codes))
    return [int(c) | int(u) << width for c, u in zip(classes, unsure, strict=True)]


def _design(run: Run) -> HardwareDesign:
    return HardwareDesign.load(run.ir_path("design"))


def _write(
    runs: Sequence[Run], work: Path, nets: Sequence[QuantNet]
) -> tuple[str, tuple[Path, ...], CascadeParameters]:
    designs = [_design(run) for run in runs]
    outputs = port_names(designs[0])[1]
    place = nets[0].class_output or 0
    parameters = CascadeParameters(
        StreamParameters.of(designs[0]),
        StreamParameters.of(designs[1]),
        outputs[nets[0].outputs[place].name],
        outputs[SURE],
    )
    name = identifier(f"{nets[1].name.removesuffix('_large')}_cascade")
    text = component_verilog(Cascade(parameters), name, flatten=True)
    about = [
        "a small network answers; where it is not sure, a large one does",
        f"m_axis_tdata: class in {parameters.width} bits, above it whether the large one answered",
        f"latency {parameters.sure_latency} or {parameters.asked_latency} clocks when empty",
    ]
    (work / "rtl").mkdir()
    files = []
    for run, design in zip(runs, designs, strict=True):
        core = f"{design.name}.v"
        files.append(work / "rtl" / core)
        write_bytes(files[-1], (run.path / "rtl" / core).read_bytes())
    files.append(work / "rtl" / f"{name}.v")
    head = header(Identifier(name), [CommentText(line) for line in about], None)
    write_bytes(files[-1], (head + text).encode())
    return name, tuple(files), parameters
