"""ONNX models: quantizers of QONNX and QCDQ, what other runtimes gave, what is refused."""

import json
import random
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx_models
import pytest
from onnx import TensorProto, helper
from onnx_models import Builder, save

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.onnx import check_onnx
from nnlogic.cli.main import main
from nnlogic.core.errors import (
    CheckpointError,
    NNLogicError,
    NotQuantized,
    ToolNotFound,
    UnsupportedModel,
    UsageError,
)
from nnlogic.frontend import recognize
from nnlogic.quant.ir import Windowed

DATA = Path(__file__).parent / "data" / "onnx"


@pytest.mark.parametrize("name", ["dense", "qcdq"])
def test_outputs_are_those_of_another_runtime(name):
    recorded = np.load(DATA / "outputs.npz")
    net = nnlogic.load(DATA / f"{name}.onnx", read="decision=none")
    got = net.evaluate(net.encode(recorded["rows"]))
    step = [m["step"] for m in net.info["outputs"]]
    assert np.array_equal(got * step, recorded[name])
    best = nnlogic.load(DATA / f"{name}.onnx")
    classes = best.evaluate(best.encode(recorded["rows"]))[:, 0]
    assert np.array_equal(classes, recorded[name].argmax(axis=1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("make", [onnx_models.dense, onnx_models.qcdq])
def test_the_first_rung_runs_the_file(tmp_path, make, seed):
    path = save(make(seed), tmp_path / "m.onnx")
    for decision in ("argmax", "none"):
        net = nnlogic.load(path, read={"decision": decision})
        verdict = first_rung(net).check(net, path, 60)()
        assert (verdict.equal, verdict.how) == (True, "sampled n=512"), verdict


@pytest.mark.parametrize("name", ["signed", "narrow", "rounding_mode", "epsilon"])
def test_attributes_that_a_file_leaves_out(tmp_path, name):
    model = onnx_models.dense()
    for node in model.graph.node:
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
    net = nnlogic.load(save(model, tmp_path / "m.onnx"), read="decision=none")
    assert check_onnx(net, tmp_path / "m.onnx").equal


def test_zero_is_no_attribute_left_out(tmp_path):
    b = Builder((1, 4))
    scale, others = b.constant([1.0] * 4), [b.constant([v] * 4) for v in (0.0, 0.0, 1e-6)]
    y = b.node("BatchNormalization", b.quant("x", 0.001, 4), scale, *others, epsilon=0.0)
    path = save(b.model(b.quant(y, 0.5, 4), (1, 4)), tmp_path / "m.onnx")
    net = nnlogic.load(path, read="decision=none")
    assert check_onnx(net, path).equal


@pytest.mark.parametrize("make", [onnx_models.dense, onnx_models.qcdq])
def test_a_changed_weight_is_found(tmp_path, make):
    net = nnlogic.load(save(make(), tmp_path / "m.onnx"), read="decision=none")
    changed = make()
    for tensor in changed.graph.initializer:
        if len(tensor.dims) == 2:
            values = onnx.numpy_helper.to_array(tensor).copy()
            values.flat[0] = -values.flat[0] or 1
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    verdict = check_onnx(net, save(changed, tmp_path / "m.onnx"))
    assert not verdict.equal
    assert "rows differ" in verdict.detail


@pytest.mark.parametrize(
    "options",
    [{}, {"channels": 2}, {"tail": "mean"}, {"seed": 3, "channels": 3, "size": 7}],
    ids=["plain", "channels", "mean", "odd size"],
)
def test_convolutions_become_windows(tmp_path, options):
    path = save(onnx_models.images(**options), tmp_path / "m.onnx")
    for decision in ("argmax", "none"):
        net = nnlogic.load(path, read={"decision": decision})
        assert sum(isinstance(layer, Windowed) for layer in net.layers) >= 3
        verdict = check_onnx(net, path)
        assert verdict.equal, verdict


def map_layer(make, shape=(1, 2, 5, 4)):
    """What a test makes of a map of codes, and a quantizer behind it."""
    b = Builder(shape)
    y = b.quant("x", 0.5, 3)
    return b.model(b.node("Flatten", make(b, y)), (1, 1))


MAPS = {
    "groups": lambda b, y: b.quant(b.node("Conv", y, b.weight(4, 1, 2, 2), group=2), 1.0, 3),
    "stride": lambda b, y: b.quant(
        b.node("Conv", y, b.weight(2, 2, 3, 2), strides=[2, 1], dilations=[1, 2]), 1.0, 3
    ),
    "same": lambda b, y: b.quant(
        b.node("Conv", y, b.weight(2, 2, 3, 3), auto_pad="SAME_UPPER"), 1.0, 3
    ),
    "twice": lambda b, y: (lambda c: b.node(
        "Concat", b.quant(c, 1.0, 2), b.quant(b.node("Relu", c), 0.5, 3, signed=0), axis=1
    ))(b.node("Conv", y, b.weight(2, 2, 2, 2))),
    "residual": lambda b, y: b.quant(b.node(
        "Add", y, b.quant(b.node("Conv", y, b.weight(2, 2, 3, 3), pads=[1, 1, 1, 1]), 0.5, 3)
    ), 1.0, 3),
    "max of a falling function": lambda b, y: b.node(
        "MaxPool", b.node("Neg", b.node("Abs", y)), kernel_shape=[2, 3], strides=[1, 1],
        pads=[1, 1, 1, 1],
    ),
    "max of other scales": lambda b, y: b.node(
        "MaxPool", b.quant(y, [[[[0.5]], [[1.0]]]], 2), kernel_shape=[2, 2]
    ),
    "average": lambda b, y: b.quant(
        b.node("AveragePool", y, kernel_shape=[3, 3], strides=[2, 1]), 0.5, 3
    ),
    "average with padding": lambda b, y: b.quant(b.node(
        "AveragePool", y, kernel_shape=[2, 2], pads=[1, 0, 1, 0], count_include_pad=1
    ), 0.25, 4),
    "mean": lambda b, y: b.quant(b.node("ReduceMean", y, axes=[2, 3], keepdims=0), 0.25, 4),
    "channels last": lambda b, y: b.quant(b.node(
        "Conv", b.node("Transpose", b.node("Transpose", y, perm=[0, 2, 3, 1]), perm=[0, 3, 1, 2]),
        b.weight(3, 2, 1, 1),
    ), 1.0, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_maps(tmp_path, name):
    path = save(map_layer(MAPS[name]), tmp_path / "m.onnx")
    verdict = check_onnx(nnlogic.load(path, read="decision=none"), path)
    assert verdict.equal, verdict


def test_one_dimension(tmp_path):
    def make(b, y):
        y = b.quant(b.node("Conv", y, b.weight(3, 2, 3), pads=[1, 1], strides=[2]), 1.0, 3)
        y = b.node("MaxPool", y, kernel_shape=[2])
        return b.quant(b.node("AveragePool", y, kernel_shape=[2]), 0.5, 3)

    path = save(map_layer(make, (1, 2, 9)), tmp_path / "m.onnx")
    verdict = check_onnx(nnlogic.load(path, read="decision=none"), path)
    assert verdict.equal, verdict


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda b, y: b.quant(b.node("Conv", b.bipolar(y), b.weight(2, 2, 3, 3),
                                     pads=[1, 1, 1, 1]), 1.0, 2), "padding by zero"),
        (lambda b, y: b.quant(b.node("Conv", y, b.weight(2, 2, 2, 2), pads=[0, 0, 1, 1]), 1.0, 2),
         "not the same on both sides"),
        (lambda b, y: b.node("MaxPool", y, kernel_shape=[2, 2], ceil_mode=1), "rounds sizes up"),
        (lambda b, y: b.quant(b.node("AveragePool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                              1.0, 2), "leaves the padding out"),
        (lambda b, y: b.quant(b.node("Conv", y, b.weight(2, 3, 2, 2)), 1.0, 2), "do not fit"),
        (lambda b, y: b.quant(b.node("Conv", y, b.weight(2, 2, 9, 9)), 1.0, 2), "do not fit"),
    ],
)  # fmt: skip
def test_windows_that_are_refused(tmp_path, make, why):
    path = save(map_layer(make), tmp_path / "m.onnx")
    with pytest.raises(UnsupportedModel, match=why):
        nnlogic.load(path, read="decision=none")


def test_a_convolution_compiles_with_a_proof(tmp_path, capsys):
    b = Builder((1, 1, 3, 3))
    y = b.bipolar(b.node("Conv", b.bipolar("x"), b.weight(2, 1, 2, 2, spread=1)))
    y = b.node("MatMul", b.node("Flatten", y), b.weight(8, 2, spread=1))
    path = save(b.model(y, (1, 2)), tmp_path / "m.onnx")
    assert main(["compile", str(path), "-o", str(tmp_path / "run"), "--effort", "fast"]) == 0
    ladder = json.loads((tmp_path / "run" / "report.json").read_text())["ladder"]
    assert ladder[1]["checks"][0]["title"] == "ONNX graph = QuantNet"
    assert [rung["verdict"] for rung in ladder[1:4]] == ["pass"] * 3
    capsys.readouterr()


def one_layer(*make, shape=(1, 3)):
    """A layer of integers on codes of four bits, and what the test adds behind it."""
    b = Builder(shape)
    y = b.quant("x", 0.5, 4)
    y = b.node("MatMul", y, b.weight(3, 3))
    for add in make:
        y = add(b, y)
    return b.model(y)


LAYERS = {
    "up": lambda b, y: b.quant(y, 0.5, 3, mode="UP"),
    "half up": lambda b, y: b.quant(y, 0.5, 3, mode="HALF_UP"),
    "half down": lambda b, y: b.quant(y, 0.5, 3, mode="HALF_DOWN"),
    "floor": lambda b, y: b.quant(y, 0.5, 3, mode="FLOOR"),
    "ceil": lambda b, y: b.quant(y, 0.5, 3, mode="CEIL"),
    "to zero": lambda b, y: b.quant(y, 0.5, 3, mode="ROUND_TO_ZERO"),
    "narrow unsigned": lambda b, y: b.quant(y, 0.5, 2, signed=0, narrow=1),
    "zero point": lambda b, y: b.quant(y, 0.5, 3, signed=0, zero=2.0),
    "one bit": lambda b, y: b.quant(y, 0.5, 1),
    "channels": lambda b, y: b.quant(y, [[0.5, 1.0, 0.25]], 3),
    "widths": lambda b, y: b.quant(y, 0.5, [[2, 3, 4]]),
    "trunc": lambda b, y: b.node(
        "Trunc", y, *(b.constant(v) for v in (0.125, 0.0, 8.0, 5.0)), domain=b.domain
    ),
    "clip": lambda b, y: b.node("Clip", b.node("Round", y), b.constant(-1.0), b.constant(2.0)),
    "sign": lambda b, y: b.node("Sign", y),
    "mul": lambda b, y: b.node("Floor", b.node("Mul", y, b.constant([[-0.5, 0.25, 2.0]]))),
    "div": lambda b, y: b.node("Ceil", b.node("Div", y, b.constant(3.0))),
    "power": lambda b, y: b.node(
        "Round", b.node("Div", y, b.node("Pow", b.constant([2.0]), b.constant(0.5)))
    ),
    "max": lambda b, y: b.node("Max", b.node("Round", y), b.constant(0.0)),
    "abs": lambda b, y: b.quant(b.node("Abs", y), 0.5, 3, signed=0),
    "residual": lambda b, y: b.node(
        "Add", b.quant(y, 0.5, 3), b.quant(b.node("Neg", y), 0.25, 3)
    ),
    "concat": lambda b, y: b.node(
        "Slice", b.node("Concat", b.quant(y, 0.5, 3), b.quant(y, 1.0, 2), axis=1),
        b.constant([1], np.int64), b.constant([4], np.int64), b.constant([1], np.int64),
    ),
    "gather": lambda b, y: b.node(
        "Gather", b.quant(y, 0.5, 3), b.constant([2, 0, 1], np.int64), axis=1
    ),
    "reshape": lambda b, y: b.node("Flatten", b.node(
        "Unsqueeze", b.quant(y, 0.5, 3), b.constant([2], np.int64)
    )),
    "shape": lambda b, y: b.node("Reshape", b.quant(y, 0.5, 3), b.node("Concat", b.node(
        "Unsqueeze", b.node("Gather", b.node("Shape", y), b.constant(0, np.int64)),
        b.constant([0], np.int64),
    ), b.constant([-1], np.int64), axis=0)),
    "compare": lambda b, y: b.node("Cast", b.node("Greater", y, b.constant(0.25)), to=1),
    "per axis": lambda b, y: b.node(
        "QuantizeLinear", y, b.constant([0.5, 1.0, 0.25]), b.constant([1, 0, 2], np.uint8), axis=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_operations(tmp_path, name):
    path = save(one_layer(LAYERS[name]), tmp_path / "m.onnx")
    net = nnlogic.load(path, read="decision=none")
    verdict = check_onnx(net, path)
    assert verdict.equal, verdict


def test_codes_as_inputs(tmp_path):
    b = Builder((1, 3))
    y = b.node("MatMul", "x", b.weight(3, 3))
    path = save(b.model(b.quant(y, 0.5, 3)), tmp_path / "m.onnx")
    with pytest.raises(NotQuantized):
        nnlogic.load(path)
    for inputs in ("i4", "q2.2", "u3", "bipolar"):
        net = nnlogic.load(path, read={"inputs": inputs})
        assert check_onnx(net, path).equal
    with pytest.raises(UsageError):
        nnlogic.load(path, read="inputs=float")
    with pytest.raises(UsageError):
        nnlogic.load(path, read="decision=vote")


@pytest.mark.parametrize("end", ["ArgMax", "TopK"])
def test_a_class_that_the_model_names_itself(tmp_path, end):
    b = Builder((1, 4))
    y = b.node("MatMul", b.quant("x", 0.5, 3), b.weight(4, 3))
    if end == "ArgMax":
        y = b.node("ArgMax", y, axis=1)
    else:
        b.nodes.append(helper.make_node("TopK", [y, b.constant([1], np.int64)], ["v", "i"]))
        y = "i"
    model = b.model(y, (1, 1))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    path = save(model, tmp_path / "m.onnx")
    net = nnlogic.load(path)
    assert net.outputs[0].name == "class"
    assert check_onnx(net, path).equal


def test_what_cannot_be_compiled_is_listed(tmp_path):
    b = Builder((1, 3))
    y = b.node("MatMul", b.quant("x", 0.5, 3), b.weight(3, 3))
    first = b.quant(b.node("Sigmoid", y), 0.5, 3)
    second = b.quant(b.node("LeakyRelu", y, alpha=0.1), 0.5, 3)
    third = b.quant(b.node("Clip", y, b.constant(0.0), b.constant(1.0), more=3), 0.5, 3)
    path = save(b.model(b.node("Add", b.node("Add", first, second), third)), tmp_path / "m.onnx")
    with pytest.raises(UnsupportedModel) as error:
        nnlogic.load(path)
    text = str(error.value)
    assert "3 operations cannot be compiled" in text
    assert "(Sigmoid)" in text
    assert "(LeakyRelu)" in text
    assert "attributes that are not known: more" in text


def external(model):
    tensor = model.graph.initializer[-1]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def huge(model):
    model.graph.initializer[-1].dims[:] = [1 << 30, 1 << 30]


def short(model):
    model.graph.initializer[3].raw_data = model.graph.initializer[3].raw_data[:-1]


def texts(model):
    model.graph.initializer[0].data_type = TensorProto.STRING
    model.graph.initializer[0].raw_data = b""
    model.graph.initializer[0].string_data.append(b"x")


def nothing(model):
    del model.graph.node[:]


def subgraph(model):
    inner = helper.make_graph([], "g", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def infinite(model):
    values = np.array([np.inf], np.float32)
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(values, model.graph.initializer[0].name)
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (external, "stands in another file"), (huge, "limit"), (short, "cannot be read"),
        (texts, "type object"), (nothing, "no nodes"), (subgraph, "is a graph"),
        (infinite, "NaN or infinity"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named(tmp_path, change, what, capsys):
    model = onnx_models.dense()
    change(model)
    path = save(model, tmp_path / "m.onnx")
    with pytest.raises(CheckpointError) as error:
        nnlogic.load(path)
    assert what in str(error.value)
    assert str(path) in str(error.value)
    assert main(["inspect", str(path)]) == 3
    capsys.readouterr()


def test_shapes_and_inputs_that_do_not_fit(tmp_path):
    model = onnx_models.dense()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    with pytest.raises(UnsupportedModel, match="do not fit"):
        nnlogic.load(save(model, tmp_path / "m.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 0
    with pytest.raises(UnsupportedModel, match="no model of one batch"):
        nnlogic.load(save(model, tmp_path / "m.onnx"))


@pytest.mark.parametrize("make", [onnx_models.dense, onnx_models.qcdq])
def test_mutated_files_are_refused_or_mean_something(tmp_path, make):
    data = make().SerializeToString()
    rng, refused = random.Random(7), []
    path = tmp_path / "m.onnx"
    for _ in range(80):
        changed = bytearray(data)
        if rng.random() < 0.2:
            changed = changed[: rng.randrange(20, len(changed))]
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        path.write_bytes(bytes(changed))
        try:
            net = nnlogic.load(path)
        except NNLogicError as error:
            refused.append(str(error))
        else:
            net.verify()
    assert refused
    assert all(str(path) in text for text in refused)


def test_without_the_package_the_way_to_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ToolNotFound, match=r"nnlogic\[onnx\]"):
        nnlogic.load(DATA / "dense.onnx")


def test_recognized_by_its_content(tmp_path):
    path = tmp_path / "net"
    path.write_bytes((DATA / "dense.onnx").read_bytes())
    assert recognize(path).name == "onnx"
