"""Boosted trees in the JSON of conifer."""

from nnlogic.frontend.conifer.format import FORMAT

__all__ = ["FORMAT"]
