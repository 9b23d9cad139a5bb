"""Keras and TensorFlow."""

from nnlogic.frontend.foreign.kind import TRAIN, Kind
from nnlogic.frontend.look import Look


def _config(file: Look) -> bool:
    return {"class_name", "config"} <= file.keys or "modelTopology" in file.keys


KINDS = (
    Kind(
        "a Keras model",
        f"of HGQ: pip install alkaid, alkaid convert model.keras model.json; else {TRAIN}",
        suffixes=(".keras",),
        look=lambda file: {"config.json", "metadata.json"} <= set(file.members),
    ),
    Kind("the architecture of a Keras model, without weights", TRAIN, look=_config),
    Kind("an HDF5 file, as Keras writes", TRAIN, (b"\x89HDF\r\n\x1a\n",), (".h5", ".hdf5", ".hdf")),
    Kind(
        "a TensorFlow Lite model",
        TRAIN,
        look=lambda file: file.head[4:8] == b"TFL3",
        suffixes=(".tflite", ".lite"),
    ),
    Kind("a part of a TensorFlow model", TRAIN, suffixes=(".pb", ".ckpt", ".index")),
)
