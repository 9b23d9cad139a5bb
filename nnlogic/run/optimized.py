"""Optimization of the assembled LogicNet, between assembling it and pipelining it."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.ir import LogicNet
from nnlogic.report.rows import Artifact
from nnlogic.job.directory import ir_path
from nnlogic.job.options import Options

STAGE = "assembled"
CHECK = "LogicNet = optimized LogicNet"
LAYERS = {"layer": "keep", "network": "merge"}


def optimize_logic(
    net: LogicNet, folder: Path, opts: Options, progress: Progress = SILENT
) -> tuple[LogicNet, Artifact]:
    """Save the network as assembled from its neurons, and optimize across them.

    Returns
    -------
    net : LogicNet
        Optimized inside layers or across them, as ``opts.optimize`` says.
    what : Artifact
        The saved one, which the proof against the tables goes through.
    """
    from nnlogic.logic.network.net import optimize_net

    net.save(ir_path(folder, STAGE))
    better = optimize_net(
        net,
        layers=LAYERS[opts.optimize],
        objective=opts.objective,
        effort=opts.effort,
        jobs=opts.jobs,
        progress=progress,
    )
    return better, Artifact(f"ir/{STAGE}.safetensors", "LogicNet before it was optimized as one")
