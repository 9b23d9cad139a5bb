"""`train`: a recipe in, a native checkpoint with measured accuracies out."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.lock import locked
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.predict.estimate import luts_by_role
from nnlogic.train.given_teacher import DISTILL, with_teacher
from nnlogic.train.layered import LayeredTraining
from nnlogic.train.population import PopulationTraining
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_data import load_dataset, of_itself
from nnlogic.train.recipe_file import AnyRecipe, load_recipe
from nnlogic.train.saved import load_state, save_state, writing
from nnlogic.train.trainable import Trainable

log = logging.getLogger("nnlogic.train")


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run gave.

    Attributes
    ----------
    checkpoint : Path
        Native checkpoint.
    accuracy : dict of str to float
        On test rows ``"float"`` (``info["float_is"]`` of the checkpoint says of what; absent when
        not trained), ``"quantized"`` (as torch runs it; of a stack the fake-quantized float
        graph) and ``"table"`` (exact, as compiled); on validation rows ``"validation"``, exact,
        by which the weights were chosen, and for a stack the other two, ``"float, validation"``
        and ``"quantized, validation"``. Empty of quantities.
    error : dict of str to dict
        Of quantities, by the same names and then by quantity, see
        `nnlogic.quant.quantity.error_figures`; in the units of the rows. Empty of classes.
    epochs : int
        Run, of the quantized network; 0 of a population, which counts steps.
    best_epoch : int
        Whose weights were kept.
    seconds : float
        Of this call.
    lut_estimate : dict of str to float
        Predicted LUT6 by role (``"encoder"``, ``"network"``, ``"output"``) and in ``"total"``.
    """

    checkpoint: Path
    accuracy: dict[str, float]
    error: dict[str, dict[str, dict[str, float]]]
    epochs: int
    best_epoch: int
    seconds: float
    lut_estimate: dict[str, float]


def train(
    recipe: AnyRecipe | str | Path,
    *,
    out: Path | str,
    data_dir: Path | str | None = None,
    seed: int | None = None,
    device: str | None = None,
    dataset: Dataset | None = None,
    teacher: Path | str | None = None,
    start: Path | str | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainResult:
    """Train a recipe and write the native checkpoint of its best network.

    Weights, and of a population the member, are chosen on validation rows taken from the training
    rows; the test rows are used once, at the end. State is saved along the way, so an interrupted
    run can go on.

    Parameters
    ----------
    recipe : Recipe, PopulationRecipe, name or path
        See `nnlogic.train.load_recipe`.
    out : Path
        Folder for ``NAME.safetensors`` and the state of the run; of a network of layers
        ``history.json``, too.
    data_dir : Path, optional
        Folder with local copies of the data sets.
    seed : int, optional
        Instead of the recipe's.
    device : str, optional
        A torch device; a GPU when there is one.
    dataset : Dataset, optional
        Rows that are here already, instead of the recipe's.
    teacher : Path, optional
        Predictions or a model to learn from, see `nnlogic.train.given_teacher`; a recipe that does
        not distil gets ``distill = 0.7``.
    start : Path, optional
        Checkpoint of a larger network of linear sums, whose weights this one begins with, see
        `nnlogic.train.supernet.inherit`.
    resume : bool
        Go on with the run in `out`.
    progress : Progress

    Raises
    ------
    UsageError
        Unknown recipe, keys or values; another command works in `out`; it already holds a run
        and `resume` is off, or another run and it is on; or the training diverged.
    CheckpointError
        The saved state cannot be read.
    InputError
        The data cannot be had.
    TooWide
        A neuron would read more bits than the recipe allows.
    """
    began = time.monotonic()
    named = ""
    if isinstance(recipe, str | Path):
        named, recipe = str(recipe), load_recipe(recipe)
    if seed is not None:
        recipe = dataclasses.replace(recipe, seed=seed)
    if teacher is not None:
        share = recipe.distill or DISTILL
        recipe = dataclasses.replace(recipe, teacher=str(teacher), distill=share)
    folder = Path(out)
    target = folder / f"{recipe.name}.safetensors"
    state_file = folder / recipe.state_name
    _refuse_used(folder, resume, target, state_file)
    if dataset is None:
        with progress.step(f"load {recipe.dataset}"):
            try:
                dataset = load_dataset(recipe, None if data_dir is None else Path(data_dir))
            except UsageError as error:
                raise error.at(named) from error
    elif recipe.teacher:
        dataset = with_teacher(dataset, Path(recipe.teacher))
    if recipe.task == "autoencoder":
        dataset = of_itself(dataset)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if isinstance(recipe, PopulationRecipe):
        recipe = _at(place, recipe)
    try:
        training = training_of(recipe, dataset, place)
    except (UsageError, UnsupportedModel) as error:
        raise error.at(", ".join(dict.fromkeys(filter(None, (named, error.where))))) from error
    if start is not None:
        training.begin_with(Path(start))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    identity = json.dumps([recipe.to_meta(), dataset.digest], sort_keys=True)
    count = 1 if training.one_thread else torch.get_num_threads()
    with locked(folder, folder), threads(count):
        # Another command may have come and gone since.
        _refuse_used(folder, resume, target, state_file)
        saved = load_state(state_file, identity, place) if resume and state_file.exists() else None
        training.prepare(saved, progress)
        _run(training, state_file, identity, progress)
        training.finish(progress)
        figures = training.measure(progress)
        estimate = luts_by_role(training.quantnet(training.best()))
        info = {
            "dataset": {
                "name": dataset.name,
                "digest": dataset.digest,
                "provenance": dataset.provenance,
                "test_rows": len(dataset.y_test),
            },
            **figures,
            "lut_estimate": estimate,
            **training.facts(),
        }
        with writing(folder):
            training.write(target, info)
    return TrainResult(
        target, figures.get("accuracy", {}), figures.get("error", {}), *training.epochs,
        time.monotonic() - began, estimate,
    )  # fmt: skip


def _refuse_used(folder: Path, resume: bool, *files: Path) -> None:
    if not resume and any(file.exists() for file in files):
        raise UsageError(
            "the folder already holds a training run",
            where=str(folder),
            fix="resume it (--resume), or choose another folder (-o)",
        )


def _at(place: torch.device, recipe: PopulationRecipe) -> PopulationRecipe:
    """Return the recipe as it is trained at a place; log where that is less."""
    if place.type != "cpu":
        return recipe.on_gpu()
    mine = recipe.on_cpu()
    if (mine.steps, mine.batch) != (recipe.steps, recipe.batch):
        log.warning(
            "no GPU: %s steps of %s rows for a CPU, not %s of %s; the network will be less "
            "accurate (the recipe's cpu_steps and cpu_batch)",
            mine.steps, mine.batch, recipe.steps, recipe.batch,
        )  # fmt: skip
    return mine


def training_of(recipe: AnyRecipe, dataset: Dataset, device: torch.device) -> Trainable:
    """Return the training of a recipe, not prepared yet.

    Raises
    ------
    UsageError
        Recipe and data set do not fit together.
    TooWide
        A neuron would read more bits than the recipe allows.
    """
    if isinstance(recipe, Recipe):
        return LayeredTraining(recipe, dataset, device)
    return PopulationTraining(recipe, dataset, device)


def _run(training: Trainable, state_file: Path, identity: str, progress: Progress) -> None:
    with progress.step(training.title, total=training.total) as step:
        step.advance(training.done, "resumed" if training.done else "")
        saved_at = time.monotonic()
        while not training.finished:
            before = training.done
            note = training.advance()
            if training.finished or time.monotonic() - saved_at >= training.save_seconds:
                with writing(state_file.parent):
                    save_state(state_file, identity, training.state())
                saved_at = time.monotonic()
            step.advance(training.done - before, note)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use that many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
