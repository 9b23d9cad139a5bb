"""Recipes as TOML text: what `load_recipe` reads back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from nnlogic.model.architecture import LayerSpec
from nnlogic.nn.spec import FamilySpec
from nnlogic.train.recipe import Recipe


def recipe_text(recipe: Recipe, comment: str = "") -> str:
    """Return a recipe as TOML.

    Parameters
    ----------
    recipe : Recipe
    comment : str
        First lines.
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    for field in dataclasses.fields(Recipe):
        value = getattr(recipe, field.name)
        if field.name != "layers" and value != field.default:
            lines.append(f"{field.name} = {_value(value)}")
    for spec in recipe.layers:
        lines += ["", "[[layers]]"]
        lines += [f"{key} = {_value(value)}" for key, value in _layer(spec).items()]
    return "\n".join(lines) + "\n"


def _layer(spec: LayerSpec | FamilySpec) -> dict[str, Any]:
    table = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
    options = table.pop("options", {})
    return {**table, **options}


def _value(value: Any) -> str:
    if isinstance(value, LayerSpec | FamilySpec):
        value = _layer(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    # JSON writes strings, numbers and booleans as TOML does.
    return json.dumps(value)
