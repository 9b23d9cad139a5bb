"""Recipes and the trainer."""

from nnlogic.train.recipe import Recipe, load_recipe, recipe_names
from nnlogic.train.trainer import TrainResult, train

__all__ = ["Recipe", "TrainResult", "load_recipe", "recipe_names", "train"]
