"""Networks of lookup tables in the files of other tools."""

from collections.abc import Callable

from nnlogic.frontend.foreign.kind import TRAIN, Kind
from nnlogic.frontend.look import Look

RETRAIN = f"give the Verilog its tool writes, if that is tables and registers; or {TRAIN}"

TABLES = "give the Verilog that its tools write: its tables are read"


def _polylut(file: Look) -> bool:
    names = file.tensor_texts
    layers = any(n.startswith("module_list.") and n.endswith(".fc.weight") for n in names)
    quantized = any("tensor_quant.scaling_impl" in n for n in names)
    return layers and quantized and not any("mask" in n.rpartition(".")[2] for n in names)


def _ends(*ends: str) -> Callable[[Look], bool]:
    """Whether a torch file has tensors of all of these names."""
    return lambda file: all(any(n.endswith(end) for n in file.tensor_texts) for end in ends)


KINDS = (
    Kind("a checkpoint of PolyLUT, which does not save which inputs its neurons read", TABLES,
         look=_polylut, inside=True),
    Kind("a checkpoint of NeuraLUT, which does not save the widths of its codes", TABLES,
         look=_ends("imask"), inside=True),
    Kind("a checkpoint of LLNN, which does not save which inputs its tables read", TABLES,
         look=_ends(".w", ".w_comp"), inside=True),
    Kind("a model of da4ml", RETRAIN, suffixes=(".dais",),
         look=lambda file: {"shape", "inp_shifts", "out_idxs"} <= file.keys),
    Kind("a configuration of hls4ml", RETRAIN,
         look=lambda file: {"HLSConfig"} <= file.keys or "HLSConfig:" in file.text),
)  # fmt: skip
