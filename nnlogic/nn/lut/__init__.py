"""Populations of LUT-native networks: many members of one shape, trained at once."""

from nnlogic.nn.lut.export import to_quantnet
from nnlogic.nn.lut.network import LutPopulation
from nnlogic.nn.lut.parts import LutNetwork, Part
from nnlogic.nn.lut.sums import SumPopulation

__all__ = ["LutNetwork", "LutPopulation", "Part", "SumPopulation", "to_quantnet"]
