"""A table of a user becomes a trained network within a budget of LUTs, compiled and proved."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import UsageError
from nnlogic.core.lock import locked
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.flows.targets import Target
from nnlogic.job.directory import Run
from nnlogic.quant.quantity import error_figures
from nnlogic.report.plots import scatter_file
from nnlogic.report.sections import Scatter, ScatterPoint
from nnlogic.run.compile_run import compile
from nnlogic.run.trained import compiled_luts
from nnlogic.train.budget import DEFAULT, Pace, Tried, rates, within_budget
from nnlogic.train.map_shapes import map_shapes
from nnlogic.train.recipe_data import as_seen_from
from nnlogic.train.recipe_file import recipe_text
from nnlogic.train.saved import writing
from nnlogic.train.shapes import first_shapes, in_words

RUN, TRIED, PLOT, TEST = "run", "candidates.json", "candidates.svg", "test"


@dataclass(frozen=True)
class Candidate:
    """A network that was tried.

    Attributes
    ----------
    shape : str
        In words.
    steps : int
        Of training.
    luts : int
        LUT6, encoder and output logic included.
    validation, balanced : float
        On validation rows, see `nnlogic.train.budget.rates`.
    chosen : bool
    """

    shape: str
    steps: int
    luts: int
    validation: float
    balanced: float
    chosen: bool


@dataclass(frozen=True)
class Fitted:
    """What came of a table.

    Attributes
    ----------
    checkpoint, recipe, plot : Path
    run : Path
        The run directory.
    luts, budget : int
        LUT6 of the run, and those that were wanted.
    accuracy : dict of str to float
        ``"test"``, ``"test, balanced"``, ``"validation"``, ``"validation, balanced"``, and
        ``"most common class"``: what always saying that class would give on test rows. Of
        quantities the same without the last, see `nnlogic.train.budget.rates`; and
    error : dict of str to dict
        ``"test"``, ``"validation"`` and ``"always the mean"`` (of training rows, on test rows), by
        quantity, see `nnlogic.quant.quantity.error_figures`; empty of classes.
    rows : dict of str to int
        ``"train"``, ``"validation"``, ``"test"``.
    notices : tuple of str
        What was left out of the table, and what to beware of.
    candidates : tuple of Candidate
    seconds : float
    """

    checkpoint: Path
    recipe: Path
    plot: Path
    run: Path
    luts: int
    budget: int
    accuracy: dict[str, float]
    error: dict[str, dict[str, dict[str, float]]]
    rows: dict[str, int]
    notices: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    seconds: float


def fit_table(
    data: Dataset,
    source: Mapping[str, Any],
    out: Path,
    *,
    luts: int = 200,
    pace: Pace = DEFAULT,
    method: str = "fixed",
    balance: float = 0.0,
    loss: str = "squared",
    quantile: float = 0.5,
    seed: int = 0,
    effort: str = "fast",
    jobs: int | None = None,
    shape: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> Fitted:
    """Train networks on a table, keep the best within a budget, and compile it with proofs.

    Parameters
    ----------
    data : Dataset
        From `nnlogic.data.own.load_own`.
    source : mapping
        Keys of the recipe that say where the rows come from (``dataset``, ``label``, ...).
    out : Path
        Folder that gets the checkpoint, its recipe, the run, the test rows and the candidates.
    luts : int
        Most LUT6, encoder and output logic included.
    pace, method, balance, loss, quantile, seed
        See `nnlogic.train.budget` and `nnlogic.train.shapes.first_shapes`.
    effort : str
        Of compiling, candidates too.
    jobs : int, optional
        Processes for that.
    shape : tuple of int
        Where the columns of the table are a map, its shape, see `nnlogic.data.maps.parse_shape`:
        networks on its windows, whose positions stream in one after another.
    progress : Progress

    Raises
    ------
    UsageError
        The folder holds something, or cannot be written to.
    """
    start = time.monotonic()
    refuse_used(out)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    if shape:
        shapes = map_shapes(
            data, luts, shape, balance=balance, loss=loss, quantile=quantile, seed=seed
        )
    else:
        shapes = first_shapes(
            data, luts, method=method, balance=balance, loss=loss, quantile=quantile, seed=seed
        )
    with locked(out, out), tempfile.TemporaryDirectory(dir=out, prefix=".trying-") as folder:
        chosen, tried = within_budget(
            data, luts, shapes, out=Path(folder), pace=pace, progress=progress,
            count=lambda path: compiled_luts(path, effort, jobs, progress)["total"],
        )  # fmt: skip
        checkpoint = out / f"{data.name}.safetensors"
        with writing(out):
            shutil.copyfile(chosen.result.checkpoint, checkpoint)
    run = _write(data, source, chosen, tried, luts, out, checkpoint, effort, jobs, progress)
    found = run.report.funnel_total.luts
    return Fitted(
        checkpoint, out / f"{data.name}.toml", out / PLOT, out / RUN,
        chosen.luts if found is None else found, luts,
        _figures(data, chosen), _errors(data, chosen),
        {"train": len(data.y_train), "validation": len(data.y_val), "test": len(data.y_test)},
        (*data.notices, *_warnings(data, balance)), _candidates(data, tried, chosen),
        time.monotonic() - start,
    )  # fmt: skip


def refuse_used(out: Path) -> None:
    """Refuse a folder that holds something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fix = "choose another folder (-o), or delete it"
        raise UsageError("the folder is not empty", where=str(out), fix=fix)


def _write(
    data: Dataset, source: Mapping[str, Any], chosen: Tried, tried: list[Tried], luts: int,
    out: Path, checkpoint: Path, effort: str, jobs: int | None, progress: Progress,
) -> Run:  # fmt: skip
    recipe = as_seen_from(dataclasses.replace(chosen.recipe, **source), out)
    what = "variance explained on validation rows" if data.targets else "of the validation rows"
    rate = rates(chosen.net, data.x_val, data.y_val)[bool(chosen.recipe.balance)]
    said = f"{100 * rate:.2f} % {what} at {chosen.luts} LUT6."
    candidates = _candidates(data, tried, chosen)
    listed = [dataclasses.asdict(c) for c in candidates]
    with writing(out):
        write_bytes(out / f"{data.name}.toml", recipe_text(recipe, said).encode())
        write_bytes(out / TRIED, json.dumps(listed, indent=1).encode())
        plot = _plot(candidates, data.name, luts, _GOODNESS[bool(data.targets)])
        write_bytes(out / PLOT, scatter_file(plot).encode())
        rows = _write_test(data, out)
    return compile(
        checkpoint,
        out / RUN,
        rows=rows,
        target=Target.default_vivado().name,  # a budget counts LUTs of six inputs
        # Each kernel once, as it was counted.
        positions_per_clock=1 if chosen.recipe.windows else None,
        effort=effort,
        jobs=jobs,
        progress=progress,
    )


def _write_test(data: Dataset, out: Path) -> Path:
    """Write the test rows, and return the file."""
    if data.targets:
        path = out / f"{TEST}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*data.feature_names, *data.targets])
            # A float32 as a float64 is written exactly.
            rows = zip(data.x_test.tolist(), data.y_test.tolist(), strict=True)
            writer.writerows([*x, *y] for x, y in rows)
        return path
    path = out / f"{TEST}.npz"
    names = {"feature_names": data.feature_names, "class_names": data.class_names}
    arrays: dict[str, Any] = {k: np.array(v, dtype=str) for k, v in names.items()}
    np.savez(path, X=data.x_test, y=data.y_test, **arrays)
    return path


def _candidates(data: Dataset, tried: list[Tried], chosen: Tried) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            in_words(t.recipe), t.recipe.steps, t.luts,
            *rates(t.net, data.x_val, data.y_val), t is chosen,
        )
        for t in tried
    )  # fmt: skip


def _figures(data: Dataset, chosen: Tried) -> dict[str, float]:
    test, balanced = rates(chosen.net, data.x_test, data.y_test)
    val, val_balanced = rates(chosen.net, data.x_val, data.y_val)
    out = {
        "test": test,
        "test, balanced": balanced,
        "validation": val,
        "validation, balanced": val_balanced,
    }
    if not data.targets:
        common = np.bincount(data.y_train).argmax()
        out["most common class"] = float((data.y_test == common).mean())
    return out


def _errors(data: Dataset, chosen: Tried) -> dict[str, dict[str, dict[str, float]]]:
    if not data.targets:
        return {}

    def found(x: NDArray) -> NDArray:
        return chosen.net.decode(chosen.net.evaluate(chosen.net.encode(x)))

    parts = {
        "test": (found(data.x_test), data.y_test),
        "validation": (found(data.x_val), data.y_val),
        "always the mean": (np.tile(data.y_train.mean(0), (len(data.y_test), 1)), data.y_test),
    }
    return {
        part: {n: error_figures(f[:, i], y[:, i]) for i, n in enumerate(data.targets)}
        for part, (f, y) in parts.items()
    }


SCARCE = 0.2
"""A class with less than this share of an even one is rare."""


def _warnings(data: Dataset, balance: float) -> tuple[str, ...]:
    if data.targets:
        return ()
    counts = np.bincount(data.y_train, minlength=len(data.class_names))
    even = len(data.y_train) / len(counts)
    rare = [n for n, c in zip(data.class_names, counts, strict=True) if c < SCARCE * even]
    if not rare or balance:
        return ()
    return (f"rare classes ({', '.join(rare[:8])}) hardly count: --balanced weighs classes alike",)


_GOODNESS = (
    ("of validation rows", "errors on validation rows, %"),
    ("of the variance", "variance on validation rows not explained, %"),
)
"""What a rate is a share of, and the axis of what is left; of classes and of quantities."""


def _plot(
    candidates: tuple[Candidate, ...], name: str, luts: int, words: tuple[str, str]
) -> Scatter:
    points = tuple(
        ScatterPoint(
            max(c.luts, 1), max(100 * (1 - c.validation), 0.01),
            f"{c.shape}: {c.luts} LUT6, {100 * c.validation:.2f} % {words[0]}",
            str(c.luts), c.luts <= luts, "chosen" if c.chosen else "",
        )
        for c in candidates
    )  # fmt: skip
    title = f"Candidates for {name} within {luts} LUT6 (filled), the chosen one ringed"
    return Scatter(title, "LUT6", words[1], points)
