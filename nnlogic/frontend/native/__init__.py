"""Native checkpoints and saved QuantNets: safetensors files that nnlogic wrote."""

from nnlogic.frontend.native.checkpoint import (
    GOLDEN_Y,
    load_native,
    load_quantized,
    read_golden,
    read_native,
    write_native,
    write_quantized,
)
from nnlogic.frontend.native.format import FORMAT

__all__ = [
    "FORMAT",
    "GOLDEN_Y",
    "load_native",
    "load_quantized",
    "read_golden",
    "read_native",
    "write_native",
    "write_quantized",
]
