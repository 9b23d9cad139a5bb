"""Networks of lookup tables that torchlogix trained."""

from nnlogic.frontend.torchlogix.format import FORMAT

__all__ = ["FORMAT"]
