"""`train_population`: a LUT-native recipe in, the checkpoint of its best member out."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

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
from nnlogic.train.lut_job import BURST, Job
from nnlogic.train.lut_pool import make_pool, make_teacher
from nnlogic.train.lut_recipe import LutRecipe, load_lut_recipe
from nnlogic.train.trainer import GOLDEN_ROWS, TrainResult

TEACHER_IS = "the float teacher the recipe distils from"


def train_population(
    recipe: LutRecipe | Path | str,
    *,
    out: Path | str,
    data_dir: Path | str | None = None,
    seed: int | None = None,
    device: str | None = None,
    progress: Progress = SILENT,
) -> TrainResult:
    """Train a population and write its best member, by validation rows, as a checkpoint.

    Parameters
    ----------
    recipe : LutRecipe or path
    out : Path
        Folder for ``NAME.safetensors``.
    data_dir : Path, optional
        Folder with local copies of the data sets.
    seed : int, optional
        Instead of the recipe's.
    device : str, optional
        A torch device; a GPU when there is one.
    progress : Progress

    Raises
    ------
    UsageError
        The recipe is not understood, or `out` already holds its checkpoint.
    InputError
        The data cannot be had.
    """
    start = time.monotonic()
    if not isinstance(recipe, LutRecipe):
        recipe = load_lut_recipe(Path(recipe))
    if seed is not None:
        recipe = dataclasses.replace(recipe, seed=seed)
    target = Path(out) / f"{recipe.name}.safetensors"
    if target.exists():
        raise UsageError(
            "the folder already holds a training run",
            where=str(target),
            fix="name another folder (-o), or remove the file",
        )
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with progress.step(f"load {recipe.dataset}"):
        rows = data.load(recipe.dataset, None if data_dir is None else Path(data_dir))
    teacher, accuracy = None, {}
    if recipe.distill:
        teacher = make_teacher(rows, device, progress)
        accuracy["float"] = _accuracy_of(teacher, rows, device)
    with progress.step("rows on the device"):
        pool, thresholds = make_pool(rows, recipe, teacher, device)
    job = Job(recipe, pool)
    job.capture()
    with progress.step(f"train {recipe.name} on {device}", total=recipe.steps) as step:
        while not job.finished:
            before = job.done
            job.run(BURST)
            step.advance(job.done - before, f"loss {float(job.loss):.4f}")
    members = job.accuracies()
    best = int(members.argmax())
    info = {
        "dataset": {
            "name": rows.name,
            "digest": rows.digest,
            "provenance": rows.provenance,
            "test_rows": len(rows.y_test),
        },
        "training": {"recipe": recipe.to_meta(), "member": best, "steps": job.done},
        "float_is": TEACHER_IS,
    }
    net = network_of(job.model.network(best), recipe, rows, thresholds)
    accuracy |= {"validation": float(members[best]), "table": accuracy_on_test(net, rows)}
    info["accuracy"] = {**accuracy, "quantized": accuracy["table"]}
    golden = golden_rows(job, best, net, rows)
    Path(out).mkdir(parents=True, exist_ok=True)
    write_quantized(target, dataclasses.replace(net, info={**net.info, **info}), golden=golden)
    seconds = time.monotonic() - start
    return TrainResult(target, accuracy, job.done, job.done, seconds, {})


def network_of(
    network: LutNetwork, recipe: LutRecipe, rows: Dataset, thresholds: list[Tensor]
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


@torch.no_grad()
def _accuracy_of(teacher: torch.nn.Module, rows: Dataset, device: str) -> float:
    x = torch.from_numpy(rows.x_test).to(device)
    guess = torch.cat([teacher(part).argmax(1) for part in x.split(20_000)]).cpu().numpy()
    return float(np.mean(guess == rows.y_test))
