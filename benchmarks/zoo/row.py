"""One row of the zoo's table: compile a checkpoint and simulate it on the whole test split."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import nnlogic
from nnlogic import data
from nnlogic.core.errors import InputError, TargetMissed
from nnlogic.core.formats import ROLES
from nnlogic.job.facts import layer_luts
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.run.synth_run import synth

LEVELS_PER_STAGE = 4
NETLIST_RUNG = "6"
OBJECTIVE = "area"
LARGE = 250
"""Networks of more neurons, those of the encoder aside, are compiled layer by layer: optimizing
across layers takes hours, or is not proved within the time an external program has."""
PLACED, TOO_LARGE = "placed", "too large"


@dataclass(frozen=True)
class Settings:
    """How rows are measured.

    Attributes
    ----------
    effort, optimize : str
        As for `nnlogic.compile`.
    data_dir : Path or None
    """

    effort: str
    optimize: str
    data_dir: Path | None

    def key(self, path: Path) -> str:
        """Return what a stored row must have been made from."""
        content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        return f"{content} {OBJECTIVE} {self.effort} {self.optimize}"

    def options(self, net: QuantNet, jobs: int) -> dict[str, Any]:
        """Return the arguments of `nnlogic.compile`."""
        inner = sum(len(layer.formats) for layer in net.layers if layer.role != "encoder")
        return {
            "arith": "auto",
            "objective": OBJECTIVE,
            "effort": self.effort,
            "optimize": self.optimize if inner <= LARGE else "none",
            "jobs": jobs,
            "force": True,
            "stream": False,
            "levels_per_stage": LEVELS_PER_STAGE,
        }


@dataclass(frozen=True)
class Row:
    """Figures of one network.

    Attributes
    ----------
    name, dataset, family : str
    validation : float or None
        Percent, as training recorded it.
    test : float
        Percent, of the compiled network on all test rows.
    test_rows : int
    luts : dict of str to int
        LUT6 by role; ``total``.
    depth : int
        LUT6 levels from input codes to class.
    proofs : dict of str to str
        Rung of the ladder to how it was passed.
    seconds : float
        Of the LUT6 compile run, proofs included.
    ecp5 : str
        ``"placed"``, ``"too large"`` for the device, or empty: not run.
    luts4, ffs : int or None
    fmax : float or None
        MHz, placed and routed.
    latency_cycles : int or None
    plain : int or None
        LUT6 of the plain flow, see `benchmarks.zoo.peers`.
    key : str
        See `Settings.key`.
    """

    name: str
    dataset: str
    family: str
    validation: float | None
    test: float
    test_rows: int
    luts: dict[str, int]
    depth: int
    proofs: dict[str, str]
    seconds: float
    ecp5: str = ""
    luts4: int | None = None
    ffs: int | None = None
    fmax: float | None = None
    latency_cycles: int | None = None
    plain: int | None = None
    key: str = ""

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Row:
        """Read what `save` wrote."""
        return Row(**json.loads(path.read_text(encoding="utf-8")))


def measure(path: Path, out: Path, settings: Settings, jobs: int) -> Row:
    """Return the row of a checkpoint, compiling it below `out`.

    Raises
    ------
    InputError
        The checkpoint names no data set, or another version of it.
    """
    net = nnlogic.load(path)
    rows = rows_of(net, path, settings.data_dir)
    run = nnlogic.compile(
        path, out / f"{path.stem}-lut6", target="xcup", **settings.options(net, jobs)
    )
    logic = LogicNet.load(run.ir_path("logic"))
    column = net.class_output
    if column is None:
        raise InputError("the network has no class output", where=str(path))
    found = logic.evaluate(net.encode(rows.x_test))[:, column]
    by_layer = layer_luts(logic)
    luts = dict.fromkeys(ROLES, 0)
    for number, layer in enumerate(logic.layers):
        luts[layer.role] += by_layer.get(number, 0)
    luts["total"] = logic.stats()["luts"]
    recorded = net.info.get("accuracy", {})
    return Row(
        name=path.stem,
        dataset=rows.name,
        family=_family(net),
        validation=100 * recorded["validation"] if "validation" in recorded else None,
        test=float(100 * np.mean(found == rows.y_test)),
        test_rows=len(rows.y_test),
        luts=luts,
        depth=logic.stats()["depth"],
        proofs=proofs_of(run.report),
        seconds=float(run.report.seconds or 0.0),
        key=settings.key(path),
    )


def _family(net: QuantNet) -> str:
    if "family" in net.info:
        return str(net.info["family"])
    layers = net.info.get("training", {}).get("recipe", {}).get("layers", ())
    if not all(isinstance(layer, dict) for layer in layers) or not layers:
        return "LUT-native"
    names = dict.fromkeys(str(layer.get("family", "linear")) for layer in layers)
    return ", ".join(names)


def rows_of(net: QuantNet, path: Path, data_dir: Path | None) -> data.Dataset:
    """Return the data that a checkpoint was trained on.

    Raises
    ------
    InputError
        It names none, or another version.
    """
    recorded = net.info.get("dataset")
    if not isinstance(recorded, dict) or "name" not in recorded:
        raise InputError("the checkpoint does not say what it was trained on", where=str(path))
    rows = data.load(recorded["name"], data_dir)
    if recorded.get("digest") != rows.digest:
        raise InputError(
            "not the data the checkpoint was trained on",
            where=str(path),
            why=f"digest {rows.digest}, recorded {recorded.get('digest')}",
        )
    return rows


def proofs_of(report: Report) -> dict[str, str]:
    """Return the rungs of a report that ran, and how they were passed."""
    # A rung counts by its parts that ran; the simulations of rung 5 belong to `nnlogic verify`.
    out = {}
    for rung in report.ladder:
        ran = [c for c in rung.checks if c.verdict != "not run"]
        if ran:
            bad = any(c.verdict == "fail" for c in ran)
            out[str(rung.number)] = "FAILED" if bad else " and ".join(sorted({c.how for c in ran}))
    return out


def with_ecp5(row: Row, path: Path, out: Path, settings: Settings, jobs: int) -> Row:
    """Return the row with its ecp5 columns: compiled for LUT4s, synthesized, placed and routed."""
    options = settings.options(nnlogic.load(path), jobs)
    run = nnlogic.compile(path, out / f"{path.stem}-ecp5", target="ecp5", **options)
    try:
        run = synth(run.path)
    except TargetMissed:
        return replace(row, ecp5=TOO_LARGE, latency_cycles=run.report.timing.latency_cycles)
    placed = next(r for r in run.report.resources if r.source == "pnr" and r.part == "total")
    timing, proofs = run.report.timing, proofs_of(run.report)
    return replace(
        row,
        proofs=row.proofs | {k: v for k, v in proofs.items() if k == NETLIST_RUNG},
        ecp5=PLACED,
        luts4=placed.luts,
        ffs=placed.ffs,
        fmax=timing.fmax_mhz,
        latency_cycles=timing.latency_cycles,
    )
