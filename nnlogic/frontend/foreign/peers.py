"""Networks of lookup tables in the files of other tools."""

from nnlogic.frontend.foreign.kind import TRAIN, Kind

RETRAIN = f"give the Verilog its tool writes, if that is tables and registers; or {TRAIN}"

KINDS = (
    Kind("a model of alkaid (ALIR)", RETRAIN,
         look=lambda file: "meta" in file.keys and "ALIRModel" in file.text),
    Kind("a model of da4ml", RETRAIN, suffixes=(".dais",),
         look=lambda file: {"shape", "inp_shifts", "out_idxs"} <= file.keys),
    Kind("a configuration of hls4ml", RETRAIN,
         look=lambda file: {"HLSConfig"} <= file.keys or "HLSConfig:" in file.text),
)  # fmt: skip
