"""Recipes and the trainer."""

from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_file import load_recipe, recipe_names
from nnlogic.train.trainer import TrainResult, train

__all__ = [
    "PopulationRecipe",
    "Recipe",
    "TrainResult",
    "load_recipe",
    "recipe_names",
    "train",
]
