"""Record outputs of small models by other runtimes: python tests/frontend/record_onnx.py

Needs ``pip install onnxruntime qonnx``; the tests read only what stands in ``data/onnx``. Models
with the quantizers of QONNX are run by its executor, others by onnxruntime; a softmax is left out.
"""

from pathlib import Path

import numpy as np
import onnx
import onnx_models
import onnxruntime
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

OUT = Path(__file__).parent / "data" / "onnx"


def main():
    """Write models, and rows and outputs that belong to them."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = (np.random.default_rng(1).integers(-40, 40, (300, 4)) / 16).astype(np.float32)
    out = {"rows": rows}
    model = onnx_models.dense(softmax=False)
    onnx.save(model, OUT / "dense.onnx")
    wrapper, end = ModelWrapper(model).transform(InferShapes()), model.graph.output[0].name
    out["dense"] = np.concatenate([execute_onnx(wrapper, {"x": r[None]})[end] for r in rows])
    model = onnx_models.qcdq()
    onnx.save(model, OUT / "qcdq.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    out["qcdq"] = np.concatenate([session.run(None, {"x": r[None]})[0] for r in rows])
    np.savez_compressed(OUT / "outputs.npz", **out)


if __name__ == "__main__":
    main()
