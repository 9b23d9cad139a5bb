"""Native checkpoints: what is read, and what is refused with which words."""

import subprocess
import sys

import numpy as np
import pytest

from nnlogic.core.archive import write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend import load, load_native, read_golden
from nnlogic.frontend.native import write_native
from nnlogic.model.architecture import Architecture
from nnlogic.model.assemble import assemble, expected_arrays
from nnlogic.model.layer import plain_layer

ARCH = Architecture(
    "tiny",
    ("a", "b", "c"),
    (2, 1, 2),
    ("no", "yes"),
    (
        plain_layer("enc", 4, 1, "sign", 1, 4, role="encoder"),
        plain_layer("out", 2, 3, "signed_uniform", 3, 6, batch_norm=False),
    ),
)


def parameters(seed=0):
    rng = np.random.default_rng(seed)
    out = {name: rng.normal(size=shape) for name, shape in expected_arrays(ARCH).items()}
    for name in out:
        if name.endswith((".scale", ".var")):
            out[name] = np.abs(out[name]) + 0.1
        if name.startswith("input."):
            out[name] = np.sort(out[name])
    return {name: array.astype(np.float32) for name, array in out.items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def test_loads_a_verified_network(path):
    rows = np.zeros((2, 3), np.float32)
    write_native(path, ARCH, parameters(), info={"dataset": "x"}, golden=(rows, np.ones((2, 3))))
    net = load(path)
    assert [p.name for p in net.outputs] == ["score_no", "score_yes", "class"]
    assert [(i.name, i.role) for i in net.layer_infos] == [
        ("enc", "encoder"),
        ("out", "network"),
        ("argmax", "output"),
    ]
    assert net.info["class_names"] == ["no", "yes"]
    assert net.info["dataset"] == "x"
    x, y = read_golden(path)
    assert x.dtype == np.float32
    assert y.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_digest_follows_the_parameters_and_not_the_info(path):
    seen = []
    for seed, info in ((0, {}), (0, {"note": 1}), (1, {})):
        write_native(path, ARCH, parameters(seed), info=info)
        seen.append(load(path).info["digest"])
    assert seen[0] == seen[1] != seen[2]


def test_no_golden_rows(path):
    write_native(path, ARCH, parameters(), info={})
    assert read_golden(path) is None
    assert load(path).info["golden_rows"] == 0


def test_a_saved_quantnet_loads_too(path):
    net = assemble(ARCH, parameters(), {"k": 1})
    net.save(path)
    again = load(path)
    codes = np.array([[0, 0, 0], [3, 1, 3], [1, 0, 2]])
    np.testing.assert_array_equal(again.evaluate(codes), net.evaluate(codes))
    assert again.info == net.info == {"k": 1, "class_names": ["no", "yes"]}


def test_torch_is_not_imported(path):
    write_native(path, ARCH, parameters(), info={})
    code = (
        "import sys; from nnlogic.frontend import load; load(sys.argv[1]);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


def test_all_bad_arrays_are_listed(path):
    arrays = parameters()
    arrays["enc.weight"][0, 0] = np.nan
    arrays["out.bias"][:] = np.inf
    arrays["out.scale"][:] = 0
    arrays["enc.var"][1] = -1
    arrays["input.0"] = arrays["input.0"][::-1]
    arrays["enc.gamma"] = arrays["enc.gamma"][:2]
    arrays["extra"] = np.zeros(1, np.float32)
    del arrays["enc.beta"]
    write_native(path, ARCH, arrays, info={})
    with pytest.raises(CheckpointError) as caught:
        load(path)
    found = {p.where: p.why for p in caught.value.problems}
    assert found["enc.weight"] == "1 of 12 values are NaN or infinite"
    assert found["out.bias"] == "2 of 2 values are NaN or infinite"
    assert set(found) == {
        "enc.weight",
        "out.bias",
        "out.scale",
        "enc.var",
        "input.0",
        "enc.gamma",
        "enc.beta",
        "extra",
    }


def test_missing_input_encoder_is_refused_with_the_fix(path):
    arrays = {k: v for k, v in parameters().items() if not k.startswith("input.")}
    write_native(path, ARCH, arrays, info={})
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert [p.where for p in caught.value.problems] == ["input.0", "input.1", "input.2"]
    assert "save_checkpoint" in caught.value.problems[0].fix


def test_unknown_and_missing_attributes_are_errors(path):
    meta = ARCH.to_meta()
    meta["stride"] = 2
    meta["layers"][0]["fan_inn"] = meta["layers"][0].pop("fan_in")
    whole = {"architecture": meta, "info": {}}
    write_archive(path, "checkpoint", 1, whole, parameters())
    with pytest.raises(CheckpointError) as caught:
        load(path)
    text = str(caught.value)
    assert "unknown attribute 'stride'" in text
    assert "did you mean 'fan_in'?" in text
    assert "attribute 'fan_in' is missing" in text


def test_unknown_key_beside_the_architecture_is_an_error(path):
    whole = {"architecture": ARCH.to_meta(), "info": {}, "skip": []}
    write_archive(path, "checkpoint", 1, whole, parameters())
    with pytest.raises(CheckpointError, match="unknown attribute"):
        load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activation": "gelu"}, "'gelu', known are sign, pact, signed_uniform"),
        ({"bits": 2}, "a sign has 1"),
        ({"name": "argmax"}, "taken by the network itself"),
        ({"name": "a b"}, "not an identifier"),
        ({"weight_bits": 1}, "weight_bits 1, allowed 2 to 16"),
        ({"role": "output"}, "role 'output'"),
    ],
)
def test_values_that_make_no_sense_are_refused(path, change, words):
    meta = ARCH.to_meta()
    meta["layers"][0].update(change)
    write_archive(path, "checkpoint", 1, {"architecture": meta, "info": {}}, {})
    with pytest.raises(CheckpointError, match=words):
        load(path)


def test_wrong_number_of_classes_is_refused(path):
    meta = ARCH.to_meta()
    meta["classes"] = ["no", "yes", "maybe"]
    write_archive(path, "checkpoint", 1, {"architecture": meta, "info": {}}, {})
    with pytest.raises(CheckpointError, match="width 2 for 3 classes"):
        load(path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_file(path, keep):
    write_native(path, ARCH, parameters(), info={})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="truncated"):
        load(path)


def test_not_a_checkpoint(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"hello\0\1\2 this is no checkpoint at all")
    with pytest.raises(CheckpointError, match="37 bytes that begin with"):
        load(path)
    with pytest.raises(CheckpointError, match="no such file"):
        load(tmp_path / "missing.safetensors")
    with pytest.raises(CheckpointError, match="a folder"):
        load(tmp_path)


def test_safetensors_of_others_are_refused_with_the_reason(path):
    from safetensors.numpy import save_file

    save_file({"fc1.weight": np.zeros((2, 2), np.float32)}, path)
    with pytest.raises(CheckpointError, match="without nnlogic metadata"):
        load(path)
    with pytest.raises(CheckpointError, match="without nnlogic metadata"):
        load_native(path)
