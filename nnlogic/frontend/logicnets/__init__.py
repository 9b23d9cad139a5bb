"""Checkpoints of LogicNets."""

from nnlogic.frontend.logicnets.format import FORMAT

__all__ = ["FORMAT"]
