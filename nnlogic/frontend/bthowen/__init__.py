"""Weightless networks of Bloom filters."""

from nnlogic.frontend.bthowen.format import FORMAT

__all__ = ["FORMAT"]
