"""Recipes of all kinds as TOML: one reader, and what writes what it reads back."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.limits import parse_toml
from nnlogic.model.keys import key_problems, keys_of, type_problems
from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.model.window import WindowSpec
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_data import found_from

Table = Mapping[str, Any]
AnyRecipe = Recipe | PopulationRecipe
LAYERS, OPTIONS, WINDOWS = "layers", "options", "windows"
SHAPE = "shape"
POPULATION = (SHAPE, "widths")
"""Keys that make a recipe one of a population."""


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with nnlogic."""
    folder = resources.files("nnlogic.train") / "recipes"
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def load_recipe(source: str | Path) -> AnyRecipe:
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
        table = parse_toml(text)
    except ValueError as error:
        raise UsageError("recipe is not TOML", where=str(source), why=str(error)) from error
    return found_from(parse_recipe(table, str(source)), path.parent)


def load_layered_recipe(source: str | Path) -> Recipe:
    """Read a recipe of layers, as `load_recipe` does.

    Raises
    ------
    UsageError
        As `load_recipe`; or the recipe is one of a population.
    """
    recipe = load_recipe(source)
    if not isinstance(recipe, Recipe):
        raise UsageError(
            "a recipe of layers is needed",
            where=str(source),
            why=f"it describes a population of shape {recipe.shape!r}",
            fix="give one with [[layers]]",
        )
    return recipe


def parse_recipe(table: Table, where: str) -> AnyRecipe:
    """Return the recipe a TOML table describes.

    A table with the key ``shape`` or ``widths`` describes a population, any other one a network by
    its layers, the tables ``[[layers]]``.

    Raises
    ------
    UsageError
        With all problems found.
    """
    kind: type[AnyRecipe] = PopulationRecipe if any(key in table for key in POPULATION) else Recipe
    known = keys_of(kind)
    values: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in table.items() if k != LAYERS
    }
    problems = key_problems("recipe", table, known) + type_problems("recipe", values, known)
    if LAYERS in table:
        values[LAYERS] = _layers(table[LAYERS], problems)
    if WINDOWS in table:
        values[WINDOWS] = _windows(table[WINDOWS], problems)
    if not problems:
        recipe = kind(**values)
        problems = recipe.problems()
    if problems:
        raise UsageError("recipe not understood", where=where, problems=problems)
    return recipe


def _layers(tables: Any, problems: list[Problem]) -> tuple[LayerSpec, ...]:
    if not isinstance(tables, list) or not all(isinstance(item, dict) for item in tables):
        problems.append(Problem(LAYERS, "must be tables", "write each as [[layers]]"))
        return ()
    parse = _family_layer if any("family" in item for item in tables) else _plain_layer
    specs = [parse(item, i, problems) for i, item in enumerate(tables)]
    return tuple(spec for spec in specs if spec is not None)


def _windows(tables: Any, problems: list[Problem]) -> tuple[WindowSpec, ...]:
    if not isinstance(tables, list | tuple) or not all(isinstance(item, dict) for item in tables):
        problems.append(Problem(WINDOWS, "must be tables", "write each as [[windows]]"))
        return ()
    known, out = keys_of(WindowSpec), []
    for i, item in enumerate(tables):
        place = f"window {i}"
        found = key_problems(place, item, known) + type_problems(place, item, known)
        for key in known:
            values = item.get(key, ())
            if not found and not all(type(value) is int for value in values):
                found.append(Problem(place, f"{key} is {values!r}, need whole numbers"))
        problems += found
        if not found:
            out.append(WindowSpec(**{key: tuple(value) for key, value in item.items()}))
    return tuple(out)


def _plain_layer(item: Table, number: int, problems: list[Problem]) -> LayerSpec | None:
    place = str(item.get("name", f"layer {number}"))
    known = keys_of(plain_layer)
    found = key_problems(place, item, known) + type_problems(place, item, known)
    problems += found
    return None if found else plain_layer(**item)


def _family_layer(item: Table, number: int, problems: list[Problem]) -> LayerSpec | None:
    # What every family has, and the rest as options, which the family itself knows.
    place = str(item.get("name", f"layer {number}"))
    shared = {key: taker for key, taker in keys_of(LayerSpec).items() if key != OPTIONS}
    common = {key: value for key, value in item.items() if key in shared}
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in item.items()
        if key not in shared
    }
    found = key_problems(place, common, shared) + type_problems(place, common, shared)
    inner = options.get(LAYERS, ())
    if not isinstance(inner, tuple) or not all(isinstance(part, dict) for part in inner):
        found.append(Problem(place, "layers must be tables", "write each as [[layers.layers]]"))
        inner = ()
    if inner:
        parts = [_family_layer(part, i, found) for i, part in enumerate(inner)]
        options[LAYERS] = tuple(part for part in parts if part is not None)
    problems += found
    return None if found else LayerSpec(**common, options=options)


def recipe_text(recipe: AnyRecipe, comment: str = "") -> str:
    """Return a recipe as TOML.

    Parameters
    ----------
    recipe : Recipe or PopulationRecipe
    comment : str
        First lines.
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if field.name not in (LAYERS, WINDOWS) and (value != field.default or field.name == SHAPE):
            lines.append(f"{field.name} = {_value(value)}")
    for key in (WINDOWS, LAYERS):
        for spec in getattr(recipe, key, ()):
            lines += ["", f"[[{key}]]"]
            lines += [f"{name} = {_value(value)}" for name, value in spec.to_table().items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, LayerSpec):
        value = value.to_table()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    # JSON writes strings, numbers and booleans as TOML does.
    return json.dumps(value)
