"""A network as straight-line code of three-input operations, and that code compiled."""

from nnlogic.logic.straight.c import Names, c_header
from nnlogic.logic.straight.native import Emulator, emulator
from nnlogic.logic.straight.parts import Code, straight
from nnlogic.logic.straight.ternary import ternary

__all__ = ["Code", "Emulator", "Names", "c_header", "emulator", "straight", "ternary"]
