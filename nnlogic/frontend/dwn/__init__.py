"""Differentiable weightless networks."""

from nnlogic.frontend.dwn.format import FORMAT

__all__ = ["FORMAT"]
