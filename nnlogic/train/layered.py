"""Training one network by its layers, epoch by epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.progress import Progress
from nnlogic.data import Dataset
from nnlogic.nn.checkpoint import load_network, save_checkpoint
from nnlogic.nn.network import Network
from nnlogic.nn.quantizers import fit_thresholds
from nnlogic.nn.stack import Stack
from nnlogic.quant.ir import QuantNet
from nnlogic.train.cost_loss import lut_penalty
from nnlogic.train.epochs import EpochSteps
from nnlogic.train.recipe import Recipe
from nnlogic.train.rows import TrainingRows
from nnlogic.train.supernet import inherit
from nnlogic.train.tasks import Regression, task_of
from nnlogic.train.teacher import GIVEN_FLOAT_IS, ONE_FLOAT_IS, Taught, teach
from nnlogic.train.twin import FLOAT_IS, train_float_twin

GOLDEN_ROWS = 1000
FITTED_ROWS = 20000
"""Training rows that layers are fitted to which are not trained."""


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
    if recipe.plain:
        return Network(
            recipe.architecture(features, classes),
            random_mask=recipe.pruning == "random",
            seed=recipe.seed,
            fan_in_limit=recipe.fan_in_limit,
        )
    return Stack(
        recipe.name,
        features,
        classes,
        (recipe.input_bits,) * len(features),
        recipe.layers,
        seed=recipe.seed,
        fan_in_limit=recipe.fan_in_limit,
    )


class LayeredTraining:
    """A `Trainable` of one member: the network of a recipe of layers.

    Parameters
    ----------
    recipe : Recipe
    dataset : Dataset
    device : torch.device

    Raises
    ------
    UsageError, TooWide, UnsupportedModel
        See `make_network`.
    """

    one_thread = True
    save_seconds: ClassVar[float] = 0.0
    members = 1

    def __init__(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> None:
        self.recipe, self.dataset, self.device = recipe, dataset, device
        self.task = task_of(recipe, dataset, *recipe.levels(len(dataset.outputs)))
        self.model = make_network(recipe, dataset.feature_names, dataset.outputs)
        self.model.quantities = self.task.quantities
        if isinstance(self.task, Regression):
            self.model.start_at(self.task.middle, self.task.spread)
        self.model.quantizer.set_thresholds(
            fit_thresholds(
                dataset.x_train,
                self.model.quantizer.bits,
                recipe.input_method,
                labels=None if dataset.targets else dataset.y_train,
            )
        )
        self.model.fit(dataset.x_train[:FITTED_ROWS])
        self.model.to(device)
        self.title, self.total = f"train {recipe.name}", recipe.epochs
        self.history: list[dict[str, Any]] = []
        self.teacher: Taught | None = None

    def begin_with(self, checkpoint: Path) -> None:
        """Take over the weights of a larger network.

        Raises
        ------
        UsageError
            This is not a network of linear sums, or no layer fits.
        """
        model = self.model
        taken = inherit(model, load_network(checkpoint)) if isinstance(model, Network) else 0
        if not taken:
            raise UsageError(
                "the network takes over no weights",
                where=str(checkpoint),
                why=f"no layer of {self.recipe.name} is of linear sums, and as wide there or wider",
            )

    def prepare(self, saved: Mapping[str, Any] | None, progress: Progress) -> None:
        """Train the teacher, encode the rows, and go on from a saved state if there is one."""
        recipe, dataset = self.recipe, self.dataset
        given = dataset.taught is not None
        if recipe.distill or (not recipe.plain and recipe.float_epochs and not given):
            self.teacher = teach(dataset, recipe, self.task, self.device, progress)

        def codes(x: NDArray) -> Tensor:
            return self.model.quantizer(torch.from_numpy(x).to(self.device)).to(torch.uint8)

        rows = TrainingRows(
            x=codes(dataset.x_train),
            y=self.task.wanted(dataset.y_train).to(self.device),
            x_val=codes(dataset.x_val),
            y_val=self.task.wanted(dataset.y_val).to(self.device),
            task=self.task,
            teacher=None if self.teacher is None else self.teacher.targets,
        )
        self.steps = EpochSteps(
            self.model,
            rows,
            recipe,
            epochs=recipe.epochs,
            outputs=lambda x: self.model.outputs(self.model.scores(x)),
            exact=self.model.exact_scores,
            prune=recipe.prunes,
            penalty=lut_penalty(self.model, recipe.lut_cost),
        )
        if saved is not None:
            self.history = list(saved["history"])
            self.steps.load_state(saved["loop"])

    @property
    def done(self) -> int:
        """Epochs done."""
        return self.steps.epoch

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or validation stopped improving."""
        return self.steps.finished

    @property
    def epochs(self) -> tuple[int, int]:
        """Epochs run, and the one whose weights were kept."""
        return self.steps.epoch, self.steps.best_epoch

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of a batch of training rows, given by their indices, with gradients."""
        return self.steps.loss(rows)

    def advance(self) -> str:
        """Train one epoch, and validate."""
        loss, merit = self.steps.run_epoch()
        self.history.append({"epoch": self.done, "loss": loss, "validation": merit})
        return f"loss {loss:.4f}, validation {self.task.in_words(merit)}"

    def state(self) -> dict[str, Any]:
        """Return all that `prepare` needs to go on; tensors and plain values only."""
        return {"history": self.history, "loop": self.steps.state()}

    def finish(self, progress: Progress) -> None:
        """Put the best weights back into the network."""
        self.steps.keep_best()

    def merits(self) -> NDArray[np.floating]:
        """Return how good the best weights are, exactly, on the validation rows."""
        return np.array([self.steps.best_merit])

    def best(self) -> int:
        """Return the only member."""
        return 0

    def quantnet(self, member: int) -> QuantNet:
        """Return the network as it is compiled."""
        return self.model.quantnet()

    def measure(self, progress: Progress) -> dict[str, Any]:
        """Return figures as torch runs the network and as it is compiled: one function."""
        data, task, net = self.dataset, self.task, self.quantnet(0)
        exact = self.model.evaluate(data.x_test)
        found = net.evaluate(net.encode(data.x_test))
        if not np.array_equal(found, exact):
            rows = int((found != exact).any(axis=1).sum())
            why = f"{rows} of {len(found)} test rows differ"
            raise Different("torch and the QuantNet made from it differ", where=net.name, why=why)
        table = task.exact(net, data.x_test), data.y_test
        parts = {"quantized": table, "table": table}
        parts["validation"] = task.exact(net, data.x_val), data.y_val
        if not isinstance(self.model, Network):
            parts["quantized"] = task.said(self.model.fake(data.x_test)), data.y_test
            parts["quantized, validation"] = task.said(self.model.fake(data.x_val)), data.y_val
            if self.teacher is not None and self.teacher.test is not None:
                parts["float"] = self.teacher.test, data.y_test
            if self.teacher is not None and self.teacher.validation is not None:
                parts["float, validation"] = self.teacher.validation, data.y_val
        elif self.recipe.float_epochs:
            said = train_float_twin(self.model, data, self.recipe, task, self.device, progress)
            parts["float"] = said, data.y_test
        return task.measured(parts)

    def facts(self) -> dict[str, Any]:
        """Return what the checkpoint says of its training."""
        kind = FLOAT_IS
        if not self.recipe.plain and self.teacher is not None:
            kind = ONE_FLOAT_IS if self.dataset.taught is None else GIVEN_FLOAT_IS
        return {
            "float_is": kind,
            "training": {"recipe": self.recipe.to_meta(), "best_epoch": self.steps.best_epoch},
        }

    def write(self, path: Path, info: Mapping[str, Any]) -> None:
        """Write the checkpoint with golden rows, and the history of the epochs beside it."""
        save_checkpoint(self.model, path, info=info, golden_rows=self.dataset.x_val[:GOLDEN_ROWS])
        history = json.dumps(self.history, indent=1).encode()
        write_bytes(path.parent / "history.json", history)
