"""Recipes: all a training run depends on, as data."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.model.architecture import FAN_IN_BITS, Architecture, LayerSpec, key_problems
from nnlogic.nn.families import shrinks, spec_problems
from nnlogic.nn.spec import FamilySpec

PRUNING = ("gradual", "random")
INPUT_METHODS = ("quantile", "uniform")
UNUSED = {"epoch_rows": 0, "distill": 0.0, "temperature": 1.0, "lut_cost": 0.0}
"""Ingredients of a recipe that do nothing at these values."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run.

    Attributes
    ----------
    name : str
        Of the network.
    dataset : str
        A name `nnlogic.data.load` knows.
    layers : tuple of LayerSpec, or of FamilySpec
        The last one has one neuron per class. A recipe that names a `family` anywhere makes a
        `nnlogic.nn.Stack`, any other one a `nnlogic.nn.Network`.
    input_bits : int
        Bits of every input code.
    input_method : str
        ``"quantile"`` or ``"uniform"``, see `nnlogic.nn.fit_thresholds`.
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
    seed : int
    """

    name: str
    dataset: str
    layers: tuple[LayerSpec, ...] | tuple[FamilySpec, ...]
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
    seed: int = 0

    @property
    def family_specs(self) -> tuple[FamilySpec, ...]:
        """The layers of a stack; empty for a network of plain linear layers."""
        return tuple(spec for spec in self.layers if isinstance(spec, FamilySpec))

    @property
    def prunes(self) -> bool:
        """Whether connections are cut while training."""
        specs = self.family_specs
        if specs:
            return any(spec.connect == "pruned" for spec in specs)
        return self.pruning == "gradual"

    def problems(self) -> list[Problem]:
        """Return what is wrong with the values; the layers are checked with the architecture."""
        out = []
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
        if self.distill and not self.float_epochs:
            out.append(Problem("float_epochs", "0, but distill needs a trained teacher"))
        if not 0 < self.temperature <= 100:
            out.append(Problem("temperature", f"{self.temperature}, need above 0, to 100"))
        if self.lut_cost and self.family_specs and not shrinks(self.family_specs):
            names = ", ".join(dict.fromkeys(spec.family for spec in self.family_specs))
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
        return out

    def architecture(self, features: tuple[str, ...], classes: tuple[str, ...]) -> Architecture:
        """Return the network for a data set's features and classes.

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
            layers=tuple(spec for spec in self.layers if isinstance(spec, LayerSpec)),
        )
        problems = arch.problems()
        if problems:
            raise UsageError("recipe contradicts itself", where=self.name, problems=problems)
        return arch

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form; ingredients that are not used are left out."""
        meta = asdict(self)
        return {key: meta[key] for key in meta if meta[key] != UNUSED.get(key)}


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with nnlogic."""
    folder = resources.files("nnlogic.train") / "recipes"
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe: one that comes with nnlogic by name, or a TOML file by path.

    Raises
    ------
    UsageError
        No such recipe; or keys it does not know, or values that make no sense, all listed.
    """
    path = Path(source)
    if str(source) in recipe_names():
        text = (resources.files("nnlogic.train") / "recipes" / f"{source}.toml").read_text("utf-8")
    elif path.suffix == ".toml":
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("cannot read the recipe", where=str(path), why=str(error)) from error
    else:
        close = difflib.get_close_matches(str(source), recipe_names(), 1)
        raise UsageError(
            "no such recipe",
            why=f"{str(source)!r}, known are {', '.join(recipe_names())}, or a .toml file",
            fix=f"did you mean {close[0]!r}?" if close else "",
        )
    try:
        return parse_recipe(tomllib.loads(text), str(source))
    except tomllib.TOMLDecodeError as error:
        raise UsageError("recipe is not TOML", where=str(source), why=str(error)) from error


def parse_recipe(table: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe a TOML table describes; layers are the tables ``[[layers]]``.

    Raises
    ------
    UsageError
        With all problems found.
    """
    layers = table.get("layers", [])
    problems = key_problems("recipe", table, Recipe, _with_default(Recipe))
    problems += _type_problems("recipe", table, Recipe)
    if not isinstance(layers, list) or not all(isinstance(item, dict) for item in layers):
        problems.append(Problem("layers", "must be tables", "write each as [[layers]]"))
        layers = []
    parse = _family_spec if any("family" in item for item in layers) else _layer_spec
    specs = [parse(item, i, problems) for i, item in enumerate(layers)]
    made = tuple(spec for spec in specs if spec is not None)
    if len(made) == len(layers) and not problems:
        recipe = Recipe(**{**table, "layers": made})
        problems = recipe.problems()
        for spec in made:
            if isinstance(spec, LayerSpec):
                problems += [Problem(spec.name, why) for why in spec.problems()]
            else:
                problems += spec_problems(spec)
    if problems:
        raise UsageError("recipe not understood", where=where, problems=problems)
    return recipe


def _layer_spec(item: Mapping[str, Any], number: int, problems: list[Problem]) -> LayerSpec | None:
    place = str(item.get("name", f"layer {number}"))
    found = key_problems(place, item, LayerSpec, _with_default(LayerSpec))
    found += _type_problems(place, item, LayerSpec)
    problems += found
    return None if found else LayerSpec(**item)


def _family_spec(
    item: Mapping[str, Any], number: int, problems: list[Problem]
) -> FamilySpec | None:
    # What every family has, and the rest as options, which the family itself knows.
    place = str(item.get("name", f"layer {number}"))
    shared = {f.name for f in fields(FamilySpec)} - {"options"}
    common = {key: value for key, value in item.items() if key in shared}
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in item.items()
        if key not in shared
    }
    found = key_problems(place, common, FamilySpec, _with_default(FamilySpec))
    found += _type_problems(place, common, FamilySpec)
    inner = options.get("layers", ())
    if not isinstance(inner, tuple) or not all(isinstance(part, dict) for part in inner):
        found.append(Problem(place, "layers must be tables", "write each as [[layers.layers]]"))
        inner = ()
    if inner:
        parts = [_family_spec(part, i, found) for i, part in enumerate(inner)]
        options["layers"] = tuple(part for part in parts if part is not None)
    problems += found
    return None if found else FamilySpec(**common, options=options)


def _with_default(cls: type) -> set[str]:
    return {
        f.name for f in fields(cls) if f.default is not MISSING or f.default_factory is not MISSING
    }


def _type_problems(where: str, table: Mapping[str, Any], cls: type) -> list[Problem]:
    # Annotations are strings here; only these four plain types come from TOML.
    accepted = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
    out = []
    for f in fields(cls):
        types = accepted.get(str(f.type))
        if f.name not in table or types is None:
            continue
        value = table[f.name]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            out.append(Problem(where, f"{f.name} is {value!r}, need {f.type}"))
    return out
