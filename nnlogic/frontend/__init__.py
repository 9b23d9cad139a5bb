"""Files in, QuantNet out. An importer is one folder here, or an entry point of another package."""

from nnlogic.frontend.format import Confidence, Format, LoadOptions
from nnlogic.frontend.native import load_native, read_golden
from nnlogic.frontend.registry import formats, is_source, load, made_by, recognize

__all__ = [
    "Confidence",
    "Format",
    "LoadOptions",
    "formats",
    "is_source",
    "load",
    "load_native",
    "made_by",
    "read_golden",
    "recognize",
]
