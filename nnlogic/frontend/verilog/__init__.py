"""LogicNets-family Verilog: networks published as tables."""

from nnlogic.frontend.verilog.format import FORMAT

__all__ = ["FORMAT"]
