"""Recipes of a network by its layers: all a training run depends on, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.limits import LAYERS
from nnlogic.model.architecture import FAN_IN_BITS, Architecture
from nnlogic.model.layer import PLAIN, LayerSpec
from nnlogic.nn.families import prunes, shrinks, spec_problems
from nnlogic.nn.quantizers.inputs import INPUT_METHODS
from nnlogic.train.recipe_data import data_meta, data_problems
from nnlogic.train.tasks import KEYS, task_problems

PRUNING = ("gradual", "random")
UNUSED = {"epoch_rows": 0, "distill": 0.0, "temperature": 1.0, "lut_cost": 0.0, **KEYS}
"""Ingredients of a recipe that do nothing at these values."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run.

    Attributes
    ----------
    name : str
        Of the network.
    dataset : str
        A name `nnlogic.data.load` knows, or the path of a table; in a file relative to it.
    layers : tuple of LayerSpec
        The last one has one neuron per class, or quantity. Plain ones
        (`nnlogic.model.layer.plain_layer`) make a `nnlogic.nn.Network`, those of families a
        `nnlogic.nn.Stack`.
    input_bits : int
        Bits of every input code.
    input_method : str
        ``"quantile"``, ``"uniform"`` or ``"fixed"``, see `nnlogic.nn.fit_thresholds`.
    fan_in_limit : int
        Most input bits of a neuron.
    pruning : str
        ``"gradual"``: start dense, cut small weights; ``"random"``: fixed connections, drawn at
        the start.
    prune_from, prune_to : float
        Part of the run over which ``"gradual"`` cuts.
    epochs, batch : int
    epoch_rows : int
        Training rows per epoch, drawn anew each time; 0 for all.
    float_epochs : int
        Epochs for the float twin of a network, or the float teacher of a stack, see
        `nnlogic.train.train`; 0 for none.
    distill, temperature : float
        Share of the loss that follows a float teacher's probabilities, and the temperature both
        are softened with; 0 for no teacher.
    learning_rate, weight_decay : float
        Of AdamW; the rate warms up over the first tenth and falls as a cosine.
    lut_cost : float
        What one predicted LUT6 adds to the loss, see `nnlogic.train.cost_loss.LutCost`; 0 for none.
    patience : int
        Stop after so many epochs without a better validation accuracy, once pruning is done;
        0 for never.
    task, loss, quantile, balance
        What is trained for, see `nnlogic.train.tasks`, and how far rare classes count as much as
        common ones, see `nnlogic.train.population_recipe.PopulationRecipe`.
    seed : int
    label, targets, test, drop, missing
        How a table is read, see `nnlogic.data.own.Choices`; `test` is a path, too.
    teacher : str
        Path of predictions or of a model to learn from, see `nnlogic.train.given_teacher`; without,
        `distill` trains one.
    """

    name: str
    dataset: str
    layers: tuple[LayerSpec, ...]
    input_bits: int = 3
    input_method: str = "quantile"
    fan_in_limit: int = FAN_IN_BITS
    pruning: str = "gradual"
    prune_from: float = 0.1
    prune_to: float = 0.6
    epochs: int = 40
    batch: int = 1024
    epoch_rows: int = 0
    float_epochs: int = 10
    distill: float = 0.0
    temperature: float = 1.0
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    lut_cost: float = 0.0
    patience: int = 0
    task: str = "classification"
    loss: str = "squared"
    quantile: float = 0.5
    balance: float = 0.0
    seed: int = 0
    label: str = ""
    targets: tuple[str, ...] = ()
    test: str = ""
    drop: tuple[str, ...] = ()
    missing: str = "refuse"
    teacher: str = ""

    @property
    def state_name(self) -> str:
        """File of the state of a run, in its folder."""
        return "state.pt"

    @property
    def plain(self) -> bool:
        """Whether no layer names a family: linear sums, kept as their float parameters."""
        return all(spec.family == PLAIN for spec in self.layers)

    @property
    def prunes(self) -> bool:
        """Whether connections are cut while training."""
        if self.plain:
            return self.pruning == "gradual"
        return prunes(self.layers)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the values, those of the layers included."""
        out = LAYERS.problems("layers", len(self.layers))
        for key, known in (("pruning", PRUNING), ("input_method", INPUT_METHODS)):
            value = getattr(self, key)
            if value not in known:
                out.append(Problem(key, f"{value!r}, known are {', '.join(known)}"))
        least = {"epochs": 1, "batch": 2, "float_epochs": 0, "patience": 0, "epoch_rows": 0}
        for key, bound in least.items():
            if getattr(self, key) < bound:
                out.append(Problem(key, f"{getattr(self, key)}, at least {bound}"))
        if not 0 <= self.distill <= 1:
            out.append(Problem("distill", f"{self.distill}, need 0 to 1"))
        if self.distill and not self.float_epochs and not self.teacher:
            out.append(Problem("float_epochs", "0, but distill needs a trained teacher"))
        if not 0 < self.temperature <= 100:
            out.append(Problem("temperature", f"{self.temperature}, need above 0, to 100"))
        if self.lut_cost and not self.plain and not shrinks(self.layers):
            names = ", ".join(dict.fromkeys(spec.family for spec in self.layers))
            why = f"{self.lut_cost}, but {names} cost the same whatever they learn"
            out.append(Problem("lut_cost", why, "leave it out, and choose the widths"))
        if not 1 <= self.input_bits <= 8:
            out.append(Problem("input_bits", f"{self.input_bits}, allowed 1 to 8"))
        if not 0 <= self.prune_from <= self.prune_to <= 1:
            why = f"{self.prune_from} to {self.prune_to}, need 0 <= prune_from <= prune_to <= 1"
            out.append(Problem("prune_from, prune_to", why))
        if not 0 < self.learning_rate < 10:
            out.append(Problem("learning_rate", f"{self.learning_rate}, need 0 to 10"))
        if not 0 <= self.lut_cost < 1:
            out.append(Problem("lut_cost", f"{self.lut_cost}, need 0 to 1"))
        if not 0 <= self.weight_decay < 1:
            out.append(Problem("weight_decay", f"{self.weight_decay}, need 0 to 1"))
        for spec in self.layers:
            if self.plain:
                out += [Problem(spec.name, why) for why in spec.problems()]
            else:
                out += spec_problems(spec)
        return out + task_problems(self) + data_problems(self)

    def levels(self, outputs: int) -> tuple[int, int]:
        """Return how many codes each of so many quantities has, and the lowest."""
        return 1 << (self.layers[-1].bits if self.layers else 1), 0

    def architecture(self, features: tuple[str, ...], classes: tuple[str, ...]) -> Architecture:
        """Return the network for a data set's features and classes, or quantities.

        Raises
        ------
        UsageError
            The layers do not fit together; all problems are listed.
        """
        arch = Architecture(
            name=self.name,
            features=features,
            input_bits=(self.input_bits,) * len(features),
            classes=classes,
            layers=self.layers,
        )
        problems = arch.problems()
        if problems:
            raise UsageError("recipe contradicts itself", where=self.name, problems=problems)
        return arch

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form; ingredients that are not used are left out."""
        meta = {**asdict(self), "layers": [spec.to_meta() for spec in self.layers]}
        return data_meta({key: meta[key] for key in meta if meta[key] != UNUSED.get(key)})
