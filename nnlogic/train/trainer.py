"""`train`: a recipe in, a native checkpoint with measured accuracies out."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnlogic import data
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.nn.checkpoint import save_checkpoint
from nnlogic.nn.network import Network
from nnlogic.nn.quantizers import fit_thresholds
from nnlogic.train.loop import Loop, Rows
from nnlogic.train.recipe import Recipe, load_recipe
from nnlogic.train.twin import FLOAT_IS, train_float_twin

GOLDEN_ROWS = 1000
STATE = "state.pt"


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run gave.

    Attributes
    ----------
    checkpoint : Path
        Native checkpoint.
    accuracy : dict of str to float
        ``"float"`` (`nnlogic.train.twin.FLOAT_IS`; absent when not trained) and ``"quantized"``,
        both on test rows, and ``"validation"``, by which the weights were chosen.
    epochs : int
        Run, of the quantized network.
    best_epoch : int
        Whose weights were kept.
    seconds : float
        Of this call.
    """

    checkpoint: Path
    accuracy: dict[str, float]
    epochs: int
    best_epoch: int
    seconds: float


def train(
    recipe: Recipe | str | Path,
    *,
    out: Path | str,
    data_dir: Path | str | None = None,
    seed: int | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainResult:
    """Train a network and write its native checkpoint.

    Weights are chosen on validation rows taken from the training rows; the test rows are used
    once, at the end. State is saved after every epoch, so an interrupted run can go on.

    Parameters
    ----------
    recipe : Recipe, name or path
        See `nnlogic.train.load_recipe`.
    out : Path
        Folder for ``NAME.safetensors``, ``history.json`` and the state of the run.
    data_dir : Path, optional
        Folder with local copies of the data sets.
    seed : int, optional
        Instead of the recipe's.
    resume : bool
        Go on with the run in `out`.
    progress : Progress

    Raises
    ------
    UsageError
        Unknown recipe, keys or values; `out` already holds a run and `resume` is off, or another
        run and it is on; or the training diverged.
    InputError
        The data cannot be had.
    TooWide
        A neuron would read more bits than the recipe allows.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    if seed is not None:
        recipe = dataclasses.replace(recipe, seed=seed)
    with _one_thread():
        return _train(recipe, Path(out), data_dir, resume, progress)


@contextmanager
def _one_thread() -> Iterator[None]:
    # Sums split over threads round differently: one thread gives the same weights on any number
    # of cores, and layers this small gain little from more.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(
    recipe: Recipe, folder: Path, data_dir: Path | str | None, resume: bool, progress: Progress
) -> TrainResult:
    start = time.monotonic()
    target = folder / f"{recipe.name}.safetensors"
    state_file = folder / STATE
    if not resume and (target.exists() or state_file.exists()):
        raise UsageError(
            "the folder already holds a training run",
            where=str(folder),
            fix="resume it (--resume), or choose another folder",
        )
    with progress.step(f"load {recipe.dataset}"):
        dataset = data.load(recipe.dataset, data_dir)
    network = Network(
        recipe.architecture(dataset.feature_names, dataset.class_names),
        random_mask=recipe.pruning == "random",
        seed=recipe.seed,
        fan_in_limit=recipe.fan_in_limit,
    )
    network.quantizer.set_thresholds(
        fit_thresholds(dataset.x_train, network.arch.input_bits, recipe.input_method)
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)
    identity = json.dumps([recipe.to_meta(), dataset.digest], sort_keys=True)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    loop, history = _quantized_loop(network, dataset, recipe, device), []
    if resume and state_file.exists():
        history = _load_state(state_file, loop, identity, device)
    with progress.step(f"train {recipe.name}", recipe.epochs) as step:
        step.advance(loop.epoch, "resumed" if loop.epoch else "")
        while not loop.finished:
            loss, accuracy = loop.run_epoch()
            history.append({"epoch": loop.epoch, "loss": loss, "validation": accuracy})
            with _writing(folder):
                _save_state(state_file, loop, identity, history)
            step.advance(1, f"loss {loss:.4f}, validation {100 * accuracy:.2f} %")
    loop.keep_best()
    result = network.evaluate(dataset.x_test)[:, -1]
    accuracies = {
        "quantized": float(np.mean(result == dataset.y_test)),
        "validation": loop.best_accuracy,
    }
    if recipe.float_epochs:
        accuracies["float"] = train_float_twin(network, dataset, recipe, device, progress)
    info = {
        "dataset": {
            "name": dataset.name,
            "digest": dataset.digest,
            "provenance": dataset.provenance,
            "test_rows": len(dataset.y_test),
        },
        "accuracy": accuracies,
        "float_is": FLOAT_IS,
        "training": {"recipe": recipe.to_meta(), "best_epoch": loop.best_epoch},
    }
    with _writing(folder):
        save_checkpoint(network, target, info=info, golden_rows=dataset.x_val[:GOLDEN_ROWS])
        write_bytes(folder / "history.json", json.dumps(history, indent=1).encode())
    seconds = time.monotonic() - start
    return TrainResult(target, accuracies, loop.epoch, loop.best_epoch, seconds)


def _quantized_loop(
    network: Network, dataset: Dataset, recipe: Recipe, device: torch.device
) -> Loop:
    def codes(x: np.ndarray) -> Tensor:
        return network.quantizer(torch.from_numpy(x).to(device)).to(torch.uint8)

    rows = Rows(
        codes(dataset.x_train),
        torch.from_numpy(dataset.y_train).to(device),
        codes(dataset.x_val),
        torch.from_numpy(dataset.y_val).to(device),
    )
    return Loop(
        network,
        rows,
        recipe,
        epochs=recipe.epochs,
        score=network.scores,
        predict=lambda x: network.evaluate_codes(x)[:, -1],
        prune=recipe.pruning == "gradual",
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            "cannot write the output",
            where=str(folder),
            why=str(error),
            fix="choose a folder you can write to, on a disk with room",
        ) from error


def _save_state(path: Path, loop: Loop, identity: str, history: list[dict[str, Any]]) -> None:
    buffer = io.BytesIO()
    torch.save({"identity": identity, "history": history, "loop": loop.state()}, buffer)
    write_bytes(path, buffer.getvalue())


def _load_state(
    path: Path, loop: Loop, identity: str, device: torch.device
) -> list[dict[str, Any]]:
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        saved, history, inner = state["identity"], state["history"], state["loop"]
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.PickleError) as error:
        raise CheckpointError(
            "the saved state of the run cannot be read",
            where=str(path),
            why=str(error).splitlines()[0],
            fix="delete the folder and train again",
        ) from error
    if saved != identity:
        raise UsageError(
            "cannot resume another run",
            where=str(path),
            why="its recipe, seed or data differ from the ones given now",
            fix="resume with the same ones, or choose another folder",
        )
    loop.load_state(inner)
    return list(history)
