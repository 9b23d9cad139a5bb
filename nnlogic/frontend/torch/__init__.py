"""Torch files, which hold weights and sometimes code."""

from nnlogic.frontend.torch.format import FORMAT

__all__ = ["FORMAT"]
