"""Every network of a small space, trained briefly once: what all searches look up."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch

from nnlogic import data
from nnlogic.core.progress import SILENT
from nnlogic.predict.cost import cost_model
from nnlogic.predict.estimate import estimate_luts
from nnlogic.train.layered import LayeredTraining
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_file import load_layered_recipe
from nnlogic.train.search_seeds import Seeds, sensitivity_seeds
from nnlogic.train.search_space import SearchSpace

Point = Mapping[str, int]
SPACES: dict[str, dict[str, tuple[int, ...]]] = {
    "jets_small": {
        "enc.bits": (1, 2), "enc.width": (12, 24, 36), "fc1.bits": (1, 2), "fc1.fan_in": (2, 3, 4),
        "fc1.width": (15, 30, 45), "score.fan_in": (2, 3, 4),
    },
    "digits": {
        "fc1.fan_in": (3, 4), "fc1.width": (24, 48, 72),
        "fc2.fan_in": (4, 6, 8), "fc2.width": (16, 32, 48), "fc3.fan_in": (4, 6, 8),
    },
}  # fmt: skip
SHORT = {
    "jets_small": {"epochs": 3, "epoch_rows": 12_288, "batch": 512},
    "digits": {"epochs": 12, "batch": 64},
}
ROWS, VALIDATION_ROWS = 24_576, 8192


@dataclass
class Grid:
    """The networks of a recipe's space and what each gave, kept in a file of JSON lines."""

    name: str
    file: Path
    data_dir: Path

    def __post_init__(self) -> None:
        """Take up what is known."""
        recipe = load_layered_recipe(self.name)
        self.recipe = dataclasses.replace(recipe, float_epochs=0, **SHORT[self.name])
        self.space = SearchSpace(self.recipe, SPACES[self.name])
        whole = data.load(recipe.dataset, self.data_dir)
        self.dataset = dataclasses.replace(
            whole, x_train=whole.x_train[:ROWS], y_train=whole.y_train[:ROWS],
            x_val=whole.x_val[:VALIDATION_ROWS], y_val=whole.y_val[:VALIDATION_ROWS],
        )  # fmt: skip
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        self.known = {self.key(row["params"]): row["values"] for row in map(json.loads, lines)}

    def key(self, params: Point) -> tuple[int, ...]:
        """Return a point as a tuple."""
        return tuple(params[name] for name in self.space.choices)

    def points(self) -> list[dict[str, int]]:
        """Return all points whose neurons are narrow enough."""
        choices = self.space.choices
        found = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
        return [point for point in found if self.space.fits(point)]

    def fill(self) -> None:
        """Train what is not known."""
        for point in self.points():
            self.values(point)

    def values(self, params: Point) -> tuple[float, float]:
        """Return accuracy on validation rows, and LUT6 predicted from the trained tables."""
        key = self.key(params)
        if key not in self.known:
            run = self.train(self.space.recipe(params))
            luts = sum(estimate_luts(run.quantnet(0)).values())
            self.known[key] = float(run.merits()[0]), luts
            with self.file.open("a") as file:
                file.write(json.dumps({"params": dict(params), "values": self.known[key]}) + "\n")
        accuracy, luts = self.known[key]
        return accuracy, luts

    def train(self, recipe: Recipe) -> LayeredTraining:
        """Train a network."""
        torch.manual_seed(recipe.seed)
        run = LayeredTraining(recipe, self.dataset, torch.device("cpu"))
        run.prepare(None, SILENT)
        while not run.finished:
            run.advance()
        run.finish(SILENT)
        return run

    def seeds(self) -> Seeds:
        """Return what integer programming allocates from sensitivities of the recipe's network."""
        run = self.train(self.recipe)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "base.safetensors"
            run.write(path, run.facts())
            return sensitivity_seeds(self.space, path, self.dataset, cost_model())


def area(values: np.ndarray, corner: tuple[float, float, float]) -> float:
    """Return the area under the front of some networks, over log2 of LUT6.

    Parameters
    ----------
    values : float array, shape (networks, 2)
        Accuracy and LUT6.
    corner : (accuracy, fewest LUT6, most LUT6)
        What does not reach this accuracy adds nothing.
    """
    least, few, most = corner
    area, best, reached = 0.0, 0.0, np.log2(most)
    for accuracy, luts in sorted(values.tolist(), key=lambda v: (v[1], -v[0])):
        if accuracy - least <= best:
            continue
        room = max(0.0, reached - max(np.log2(luts), np.log2(few)))
        area += room * (accuracy - least - best)
        best = accuracy - least
    return area / (np.log2(most) - np.log2(few))
