"""Networks of two-input gates that difflogic trained."""

from nnlogic.frontend.difflogic.format import FORMAT

__all__ = ["FORMAT"]
