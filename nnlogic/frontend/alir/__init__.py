"""Dataflow programs of HGQ, da4ml and alkaid, as JSON."""

from nnlogic.frontend.alir.format import FORMAT

__all__ = ["FORMAT"]
