"""Training many members of one shape at once, and keeping the best."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import Progress
from nnlogic.data import Dataset
from nnlogic.frontend.native import write_quantized
from nnlogic.nn.population import LutNetwork, LutPopulation, SumPopulation, to_quantnet
from nnlogic.nn.population.wiring import needed
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.part import encoder_of
from nnlogic.train.descend import descend
from nnlogic.train.layered import GOLDEN_ROWS
from nnlogic.train.population_recipe import PopulationRecipe, check_fit
from nnlogic.train.population_rows import make_rows
from nnlogic.train.population_steps import BURST, PopulationSteps
from nnlogic.train.refine import refine
from nnlogic.train.tasks import Task, task_of
from nnlogic.train.teacher import (
    GIVEN_FLOAT_IS,
    KEPT_FLOAT_IS,
    Ensemble,
    kept_teacher,
    saved_teacher,
)

SMALL_STEP = 1024
"""Rows times members, and positions of the first map, up to which a step takes one thread."""
FAMILY = {"sums": "sums of tables", "luts": "LUT-native"}


class PopulationTraining:
    """A `Trainable` of many members: the population of a recipe with a ``shape``.

    Parameters
    ----------
    recipe : PopulationRecipe
    dataset : Dataset
    device : torch.device

    Raises
    ------
    UsageError
        The recipe does not fit features, classes or quantities of the data set.
    """

    save_seconds: ClassVar[float] = 120.0
    epochs = (0, 0)

    def __init__(self, recipe: PopulationRecipe, dataset: Dataset, device: torch.device) -> None:
        outputs = len(dataset.outputs)
        check_fit(recipe, len(dataset.feature_names), outputs)
        self.task = task_of(recipe, dataset, *recipe.levels(outputs))
        self.recipe, self.dataset, self.device = recipe, dataset, device
        self.title, self.total = f"train {recipe.name} on {device}", recipe.steps
        self.members = recipe.members
        self.teacher: Ensemble | None = None

    def begin_with(self, checkpoint: Path) -> None:
        """Refuse: members start differently.

        Raises
        ------
        UsageError
        """
        why = "members of a population start differently"
        raise UsageError("the network takes over no weights", where=str(checkpoint), why=why)

    def prepare(self, saved: Mapping[str, Any] | None, progress: Progress) -> None:
        """Make teacher and rows, record the step, and go on from a saved state if there is one."""
        recipe, dataset, device = self.recipe, self.dataset, self.device
        if dataset.taught is not None:
            pass  # somebody else's teacher has said already what it has to say
        elif recipe.distill and saved is not None:
            self.teacher = saved_teacher(saved["teacher"], dataset, self.task, device)
        elif recipe.distill:
            self.teacher = kept_teacher(dataset, self.task, device, progress)
        with progress.step("rows on the device"):
            rows, self.thresholds = make_rows(dataset, recipe, self.task, self.teacher, device)
        self.steps = PopulationSteps(recipe, rows)
        if saved is not None:
            self.steps.load_state(saved["job"])
        self.steps.capture()

    @property
    def one_thread(self) -> bool:
        """Whether a step is so small that more threads only wait for each other."""
        frame = self.recipe.first_frame
        positions = self.recipe.windows[0].between(frame).positions if frame is not None else 1
        return self.recipe.batch * self.recipe.members * positions <= SMALL_STEP

    @property
    def model(self) -> LutPopulation | SumPopulation:
        """All members."""
        return self.steps.model

    @property
    def done(self) -> int:
        """Steps done."""
        return self.steps.done

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.steps.finished

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of a batch of training rows, given by their indices, with gradients."""
        return self.steps.loss(rows)

    def advance(self) -> str:
        """Take a burst of steps."""
        self.steps.run(BURST)
        self.steps.wait()
        return f"loss {float(self.steps.loss_so_far):.4f}"

    def state(self) -> dict[str, Any]:
        """Return all that `prepare` needs to go on; tensors and plain values only."""
        teacher = {} if self.teacher is None else self.teacher.state_dict()
        return {"teacher": teacher, "job": self.steps.state()}

    def finish(self, progress: Progress) -> None:
        """Improve the tables at fixed bits or all else fixed, where the recipe says so."""
        if self.recipe.refine_steps:
            title = f"refine {self.recipe.name}"
            with progress.step(title, total=self.recipe.refine_steps) as step:
                refine(self.steps, step.advance)
        if self.recipe.descend:
            title = f"descend {self.recipe.name}"
            with progress.step(title, total=self.recipe.descend * self.members) as step:
                descend(self.steps, step.advance)
        # The rows for ranking are many, and there is nothing to choose.
        self.chosen = int(self.steps.ranking().argmax()) if self.members > 1 else 0

    def merits(self) -> NDArray[np.floating]:
        """Return how good every member is, exactly, on the validation rows."""
        return self.steps.merits()

    def best(self) -> int:
        """Return the member that ranked first at the end."""
        return self.chosen

    def quantnet(self, member: int) -> QuantNet:
        """Return a member as it is compiled."""
        network = self.model.network(member)
        return network_of(network, self.recipe, self.dataset, self.thresholds, self.task)

    def measure(self, progress: Progress) -> dict[str, Any]:
        """Return the figures of the best member; what torch runs is exact already."""
        data, task, net = self.dataset, self.task, self.quantnet(self.best())
        table = task.exact(net, data.x_test), data.y_test
        parts = {"validation": (task.exact(net, data.x_val), data.y_val)}
        parts |= {"table": table, "quantized": table}
        if self.teacher is not None:
            parts["float"] = task.said_by(self.teacher, data.x_test, self.device), data.y_test
        return task.measured(parts)

    def facts(self) -> dict[str, Any]:
        """Return what the checkpoint says of its training."""
        recipe = self.recipe
        return {
            "training": {"recipe": recipe.to_meta(), "member": self.best(), "steps": self.done},
            "float_is": KEPT_FLOAT_IS if self.dataset.taught is None else GIVEN_FLOAT_IS,
            "family": FAMILY[recipe.shape],
        }

    def write(self, path: Path, info: Mapping[str, Any]) -> None:
        """Write the checkpoint of the best member, with validation rows as golden ones."""
        best = self.best()
        net = self.quantnet(best)
        x = self.dataset.x_val[:GOLDEN_ROWS]
        found = self.model.hard_scores(self.steps.rows.x_val[: len(x)])[best]
        golden = x, with_offset(found.round().long().cpu().numpy(), net, x)
        net = dataclasses.replace(net, info={**net.info, **info})
        write_quantized(path, net, golden=golden)
        if self.recipe.latent_layer:
            encoder = encoder_of(net, self.recipe.latent_layer)
            beside = path.with_name(f"{path.stem}.encoder{path.suffix}")
            write_quantized(beside, encoder, golden=(x, self._latent(x)))

    def _latent(self, x: NDArray) -> NDArray[np.int64]:
        """Return the latent codes of raw rows, as torch computes them."""
        codes, best = self.steps.rows.x_val[: len(x)], self.best()
        found = self.model.hard_latent(codes, self.recipe.latent)[best].long().cpu().numpy()
        network = self.model.network(best)
        # Wires that nothing reads are dropped from the QuantNet; torch has them all.
        for part, kept in zip(network.parts, needed(network), strict=True):
            if part.name == self.recipe.latent_layer:
                found = found[:, kept]
        return found


def network_of(
    network: LutNetwork,
    recipe: PopulationRecipe,
    dataset: Dataset,
    thresholds: list[Tensor],
    task: Task,
) -> QuantNet:
    """Return the QuantNet of a trained network."""
    return to_quantnet(
        network,
        name=recipe.name,
        features=dataset.feature_names,
        classes=dataset.class_names,
        quantities=task.quantities,
        thresholds=[t.numpy() for t in thresholds],
        input_bits=recipe.input_bits,
    )


def with_offset(found: np.ndarray, net: QuantNet, x: np.ndarray) -> np.ndarray:
    """Return outputs as the network's ports have them; of scores the class follows.

    The QuantNet adds a constant to each output, the same to all scores, to keep them unsigned; it
    is read off its first row, and every other row still has to agree.
    """
    shift = net.evaluate(net.encode(x[:1]))[0, : found.shape[1]] - found[0]
    if net.quantities:
        return found + shift
    return np.concatenate([found + shift[0], found.argmax(1)[:, None]], axis=1)
