"""`train_population`: a LUT-native recipe in, the checkpoint of its best member out."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnlogic import data
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.frontend.native import write_quantized
from nnlogic.nn.lut import LutNetwork, to_quantnet
from nnlogic.quant.ir import QuantNet
from nnlogic.train.estimate import luts_by_role
from nnlogic.train.lut_job import BURST, Job
from nnlogic.train.lut_pool import kept_teacher, make_pool, untrained_teacher
from nnlogic.train.population_recipe import PopulationRecipe, check_classes
from nnlogic.train.recipe_file import load_recipe
from nnlogic.train.refine import refine
from nnlogic.train.saved import load_state, save_state, writing
from nnlogic.train.teacher import Ensemble
from nnlogic.train.trainer import GOLDEN_ROWS, STATE, TrainResult

TEACHER_IS = "the float teacher the recipe distils from"
FAMILY = {"sums": "sums of tables", "luts": "LUT-native"}
SAVE_SECONDS = 120.0


def train_population(
    recipe: PopulationRecipe | Path | str,
    *,
    out: Path | str,
    data_dir: Path | str | None = None,
    seed: int | None = None,
    device: str | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainResult:
    """Train a population and write its best member, by validation rows, as a checkpoint.

    State is saved every few minutes, so an interrupted run can go on.

    Parameters
    ----------
    recipe : PopulationRecipe or path
    out : Path
        Folder for ``NAME.safetensors`` and the state of the run, ``NAME.state.pt``.
    data_dir : Path, optional
        Folder with local copies of the data sets.
    seed : int, optional
        Instead of the recipe's.
    device : str, optional
        A torch device; a GPU when there is one.
    resume : bool
        Go on with the run in `out`.
    progress : Progress

    Raises
    ------
    UsageError
        The recipe is not understood; or `out` already holds its run and `resume` is off, or
        another run and it is on.
    CheckpointError
        The saved state cannot be read.
    InputError
        The data cannot be had.
    """
    start = time.monotonic()
    if not isinstance(recipe, PopulationRecipe):
        loaded = load_recipe(recipe)
        assert isinstance(loaded, PopulationRecipe)
        recipe = loaded
    if seed is not None:
        recipe = dataclasses.replace(recipe, seed=seed)
    folder = Path(out)
    target, kept = folder / f"{recipe.name}.safetensors", folder / f"{recipe.name}.{STATE}"
    if not resume and (target.exists() or kept.exists()):
        raise UsageError(
            "the folder already holds a training run",
            where=str(target),
            fix="resume it (--resume), or choose another folder (-o)",
        )
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with progress.step(f"load {recipe.dataset}"):
        rows = data.load(recipe.dataset, None if data_dir is None else Path(data_dir))
    check_classes(recipe, len(rows.class_names))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    identity = json.dumps([recipe.to_meta(), rows.digest], sort_keys=True)
    saved = load_state(kept, identity, device) if resume and kept.exists() else {}
    teacher, accuracy = None, {}
    if recipe.distill:
        teacher = _teacher(rows, device, saved, progress)
        accuracy["float"] = _accuracy_of(teacher, rows, device)
    with progress.step("rows on the device"):
        pool, thresholds = make_pool(rows, recipe, teacher, device)
    job = Job(recipe, pool)
    if saved:
        job.load_state(saved["job"])
    job.capture()

    def save() -> None:
        state = {"teacher": {} if teacher is None else teacher.state_dict(), "job": job.state()}
        with writing(folder):
            save_state(kept, identity, state)

    with progress.step(f"train {recipe.name} on {device}", total=recipe.steps) as step:
        step.advance(job.done, "resumed" if job.done else "")
        last = time.monotonic()
        while not job.finished:
            before = job.done
            job.run(BURST)
            job.wait()
            if job.finished or time.monotonic() - last >= SAVE_SECONDS:
                save()
                last = time.monotonic()
            step.advance(job.done - before, f"loss {float(job.loss):.4f}")
    if recipe.refine_steps:
        with progress.step(f"refine {recipe.name}", total=recipe.refine_steps) as step:
            refine(job, step.advance)
    members = job.accuracies()
    best = int(job.ranking().argmax())
    info = {
        "dataset": {
            "name": rows.name,
            "digest": rows.digest,
            "provenance": rows.provenance,
            "test_rows": len(rows.y_test),
        },
        "training": {"recipe": recipe.to_meta(), "member": best, "steps": job.done},
        "float_is": TEACHER_IS,
        "family": FAMILY[recipe.shape],
    }
    net = network_of(job.model.network(best), recipe, rows, thresholds)
    accuracy |= {"validation": float(members[best]), "table": accuracy_on_test(net, rows)}
    accuracy["quantized"] = accuracy["table"]
    estimate = luts_by_role(net)
    info |= {"accuracy": accuracy, "lut_estimate": estimate}
    golden = golden_rows(job, best, net, rows)
    with writing(folder):
        write_quantized(target, dataclasses.replace(net, info={**net.info, **info}), golden=golden)
    seconds = time.monotonic() - start
    return TrainResult(target, accuracy, 0, 0, seconds, estimate)


def network_of(
    network: LutNetwork, recipe: PopulationRecipe, rows: Dataset, thresholds: list[Tensor]
) -> QuantNet:
    """Return the QuantNet of a trained network."""
    return to_quantnet(
        network,
        name=recipe.name,
        features=rows.feature_names,
        classes=rows.class_names,
        thresholds=[t.numpy() for t in thresholds],
        input_bits=recipe.input_bits,
    )


def accuracy_on_test(net: QuantNet, rows: Dataset) -> float:
    """Return the exact accuracy on the test rows."""
    guess = net.evaluate(net.encode(rows.x_test))[:, -1]
    return float(np.mean(guess == rows.y_test))


def golden_rows(
    job: Job, member: int, net: QuantNet, rows: Dataset
) -> tuple[np.ndarray, np.ndarray]:
    """Return validation rows and what torch gives for them, scores at the QuantNet's offset."""
    x = rows.x_val[:GOLDEN_ROWS]
    scores = job.model.hard_scores(job.pool.codes_val[: len(x)])[member]
    return x, with_offset(scores.round().long().cpu().numpy(), net, x)


def with_offset(scores: np.ndarray, net: QuantNet, x: np.ndarray) -> np.ndarray:
    """Return scores and class as the network's ports have them.

    The QuantNet adds one constant to all scores, to keep them unsigned; it is read off its first
    row, and every other row still has to agree.
    """
    shift = net.evaluate(net.encode(x[:1]))[0, 0] - scores[0, 0]
    return np.concatenate([scores + shift, scores.argmax(1)[:, None]], axis=1)


def _teacher(rows: Dataset, device: str, saved: Mapping[str, Any], progress: Progress) -> Ensemble:
    if not saved:
        return kept_teacher(rows, device, progress)
    teacher = untrained_teacher(rows, torch.from_numpy(rows.x_train))
    teacher.load_state_dict(saved["teacher"])
    return teacher.to(device).eval()


@torch.no_grad()
def _accuracy_of(teacher: torch.nn.Module, rows: Dataset, device: str) -> float:
    x = torch.from_numpy(rows.x_test).to(device)
    guess = torch.cat([teacher(part).argmax(1) for part in x.split(20_000)]).cpu().numpy()
    return float(np.mean(guess == rows.y_test))
