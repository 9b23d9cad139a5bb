"""Optimization of whole K-LUT networks, across neurons and across layers."""

from nnlogic.logic.network.net import optimize_net
from nnlogic.logic.network.optimize import optimize

__all__ = ["optimize", "optimize_net"]
