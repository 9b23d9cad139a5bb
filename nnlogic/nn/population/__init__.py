"""Populations: many members of one shape, trained at once, along a leading axis of tensors."""

from nnlogic.nn.population.export import to_quantnet
from nnlogic.nn.population.luts import LutPopulation
from nnlogic.nn.population.parts import LutNetwork, Part
from nnlogic.nn.population.sums import SumPopulation

__all__ = ["LutNetwork", "LutPopulation", "Part", "SumPopulation", "to_quantnet"]
