"""`train`: a recipe in, a native checkpoint with measured accuracies out."""

from __future__ import annotations

import dataclasses
import json
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
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.nn.checkpoint import save_checkpoint
from nnlogic.nn.network import Network
from nnlogic.nn.quantizers import fit_thresholds
from nnlogic.nn.stack import Stack
from nnlogic.quant.ir import QuantNet
from nnlogic.train.cost_loss import lut_penalty
from nnlogic.train.estimate import luts_by_role
from nnlogic.train.loop import Loop, Rows
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_file import load_recipe
from nnlogic.train.saved import load_state, save_state, writing
from nnlogic.train.teach import FLOAT_IS as TEACHER_IS
from nnlogic.train.teach import Teacher, teach
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
        On test rows ``"float"`` (``info["float_is"]`` of the checkpoint says of what; absent when
        not trained), ``"quantized"`` (as torch runs it; of a stack the fake-quantized float
        graph) and ``"table"`` (exact, as compiled); on validation rows ``"validation"``, exact,
        by which the weights were chosen, and for a stack the other two, ``"float, validation"``
        and ``"quantized, validation"``.
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
    epochs: int
    best_epoch: int
    seconds: float
    lut_estimate: dict[str, float]


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
    if isinstance(recipe, str | Path):
        recipe = load_recipe(recipe)
    if not isinstance(recipe, Recipe):
        # Imported here: a population ends in this module's result.
        from nnlogic.train.population import train_population

        return train_population(
            recipe, out=out, data_dir=data_dir, seed=seed, resume=resume, progress=progress
        )
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
    network = make_network(recipe, dataset.feature_names, dataset.class_names)
    network.quantizer.set_thresholds(
        fit_thresholds(dataset.x_train, network.quantizer.bits, recipe.input_method)
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)
    identity = json.dumps([recipe.to_meta(), dataset.digest], sort_keys=True)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    teacher = None
    if recipe.distill or (not recipe.plain and recipe.float_epochs):
        teacher = teach(dataset, recipe, device, progress)
    loop = _quantized_loop(network, dataset, recipe, device, teacher)
    history: list[dict[str, Any]] = []
    if resume and state_file.exists():
        saved = load_state(state_file, identity, device)
        history = list(saved["history"])
        loop.load_state(saved["loop"])
    with progress.step(f"train {recipe.name}", recipe.epochs) as step:
        step.advance(loop.epoch, "resumed" if loop.epoch else "")
        while not loop.finished:
            loss, accuracy = loop.run_epoch()
            history.append({"epoch": loop.epoch, "loss": loss, "validation": accuracy})
            with writing(folder):
                save_state(state_file, identity, {"history": history, "loop": loop.state()})
            step.advance(1, f"loss {loss:.4f}, validation {100 * accuracy:.2f} %")
    loop.keep_best()
    accuracies, net = _measure(network, dataset)
    accuracies["validation"] = loop.best_accuracy
    float_is = FLOAT_IS
    if isinstance(network, Network):
        if recipe.float_epochs:
            accuracies["float"] = train_float_twin(network, dataset, recipe, device, progress)
    elif teacher is not None:
        float_is = TEACHER_IS
        accuracies |= {"float": teacher.test, "float, validation": teacher.validation}
    estimate = luts_by_role(net)
    info = {
        "dataset": {
            "name": dataset.name,
            "digest": dataset.digest,
            "provenance": dataset.provenance,
            "test_rows": len(dataset.y_test),
        },
        "accuracy": accuracies,
        "float_is": float_is,
        "lut_estimate": estimate,
        "training": {"recipe": recipe.to_meta(), "best_epoch": loop.best_epoch},
    }
    with writing(folder):
        save_checkpoint(network, target, info=info, golden_rows=dataset.x_val[:GOLDEN_ROWS])
        write_bytes(folder / "history.json", json.dumps(history, indent=1).encode())
    seconds = time.monotonic() - start
    return TrainResult(target, accuracies, loop.epoch, loop.best_epoch, seconds, estimate)


def make_network(recipe: Recipe, features: tuple[str, ...], classes: tuple[str, ...]) -> Stack:
    """Return the untrained network of a recipe, its input thresholds not fitted yet.

    Raises
    ------
    UsageError
        The layers do not fit together.
    TooWide
        A neuron would read more bits than the recipe allows.
    UnsupportedModel
        A family cannot read what the layer before it gives.
    """
    if not recipe.plain:
        return Stack(
            recipe.name,
            features,
            classes,
            (recipe.input_bits,) * len(features),
            recipe.layers,
            seed=recipe.seed,
            fan_in_limit=recipe.fan_in_limit,
        )
    return Network(
        recipe.architecture(features, classes),
        random_mask=recipe.pruning == "random",
        seed=recipe.seed,
        fan_in_limit=recipe.fan_in_limit,
    )


def _measure(network: Stack, dataset: Dataset) -> tuple[dict[str, float], QuantNet]:
    # Accuracies as torch runs the network and as it is compiled; these must be one function.
    net = network.quantnet()
    table = net.evaluate(net.encode(dataset.x_test))
    exact = network.evaluate(dataset.x_test)
    if not np.array_equal(table, exact):
        rows = int((table != exact).any(axis=1).sum())
        why = f"{rows} of {len(table)} test rows differ"
        raise Different("torch and the QuantNet made from it differ", where=net.name, why=why)
    right = float(np.mean(table[:, -1] == dataset.y_test))
    if isinstance(network, Network):
        return {"quantized": right, "table": right}, net
    return {
        "quantized": network.fake_accuracy(dataset.x_test, dataset.y_test),
        "table": right,
        "quantized, validation": network.fake_accuracy(dataset.x_val, dataset.y_val),
    }, net


def _quantized_loop(
    network: Stack,
    dataset: Dataset,
    recipe: Recipe,
    device: torch.device,
    teacher: Teacher | None,
) -> Loop:
    def codes(x: np.ndarray) -> Tensor:
        return network.quantizer(torch.from_numpy(x).to(device)).to(torch.uint8)

    rows = Rows(
        codes(dataset.x_train),
        torch.from_numpy(dataset.y_train).to(device),
        codes(dataset.x_val),
        torch.from_numpy(dataset.y_val).to(device),
        None if teacher is None else teacher.targets,
    )
    return Loop(
        network,
        rows,
        recipe,
        epochs=recipe.epochs,
        score=network.scores,
        predict=lambda x: network.evaluate_codes(x)[:, -1],
        prune=recipe.prunes,
        penalty=lut_penalty(network, recipe.lut_cost),
    )
