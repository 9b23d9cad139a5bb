"""Recipes and the trainers."""

from nnlogic.train.lut_recipe import LutRecipe, is_population, load_lut_recipe
from nnlogic.train.population import train_population
from nnlogic.train.recipe import Recipe, load_recipe, recipe_names
from nnlogic.train.trainer import TrainResult, train

__all__ = [
    "LutRecipe",
    "Recipe",
    "TrainResult",
    "is_population",
    "load_lut_recipe",
    "load_recipe",
    "recipe_names",
    "train",
    "train_population",
]
