import pickle

import numpy as np
import pytest

from nnlogic.core import errors
from nnlogic.core.archive import digest, frozen, read_archive, write_archive, write_bytes
from nnlogic.core.names import identifier, unique_identifiers


def test_message_lists_every_problem_with_its_fix():
    error = errors.UnsupportedModel(
        "two layers cannot be compiled to logic",
        where="jsc.pt",
        problems=[
            errors.Problem("act2", "torch.nn.GELU: no quantizer on its output", "use PACT(bits=2)"),
            errors.Problem("fc3", "fan-in 96 bits"),
        ],
    )
    assert str(error) == (
        "NL302 two layers cannot be compiled to logic  (jsc.pt)\n"
        "  act2  torch.nn.GELU: no quantizer on its output\n"
        "        fix: use PACT(bits=2)\n"
        "  fc3   fan-in 96 bits"
    )


def every_error():
    found, todo = [], [errors.NNLogicError]
    while todo:
        cls = todo.pop()
        found.append(cls)
        todo += cls.__subclasses__()
    return found


@pytest.mark.parametrize("cls", every_error(), ids=lambda c: c.__name__)
def test_errors_survive_the_way_between_processes(cls):
    error = cls("what", where="here", why="because", fix="so", problems=[errors.Problem("a", "b")])
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == str(error)


def test_codes_are_unique():
    codes = [cls.code for cls in every_error() if "code" in vars(cls)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("text", "name"),
    [("fc1/neuron3", "fc1_neuron3"), ("3d", "n_3d"), ("wire", "n_wire"), ("", "n"), ("é-x", "x")],
)
def test_identifiers(text, name):
    assert identifier(text) == name


def test_identifiers_never_collide():
    names = unique_identifiers(["a b", "a/b", "A_B", "clk"])
    assert names == ["a_b", "a_b_2", "A_B_3", "n_clk"]


def test_many_equal_names_are_numbered_at_once():
    # Searched from 2 for each, these would take minutes.
    names = unique_identifiers(["n_3", *["n", "N"] * 20_000])
    assert names[:6] == ["n_3", "n", "N_2", "n_4", "N_5", "n_6"]
    assert len({name.lower() for name in names}) == 40_001


def test_archive_round_trip_and_refusals(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays = {"w": np.arange(6).reshape(2, 3), "empty": np.zeros((0,), np.float32)}
    write_archive(path, "thing", 2, {"a": [1, "x"]}, arrays)
    version, meta, back = read_archive(path, "thing", (1, 2))
    assert (version, meta) == (2, {"a": [1, "x"]})
    assert (back["w"] == arrays["w"]).all()
    with pytest.raises(errors.CheckpointError, match="holds a thing"):
        read_archive(path, "other", (2,))
    with pytest.raises(errors.CheckpointError, match="version 2"):
        read_archive(path, "thing", (1,))
    with pytest.raises(errors.CheckpointError, match="no such file"):
        read_archive(tmp_path / "none", "thing", (1,))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(errors.CheckpointError, match="damaged"):
        read_archive(path, "thing", (2,))


def test_failed_write_leaves_nothing(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(OSError):
        write_bytes(target, b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_digest_tells_type_shape_and_content_apart():
    a = np.arange(4)
    same = [a, a.reshape(2, 2), a.astype(np.int32), np.array([0, 1, 2, 4]), "0123"]
    assert len({digest(x) for x in same}) == len(same)


def test_frozen_arrays_cannot_change():
    array = frozen([1, 2], np.int64)
    with pytest.raises(ValueError):
        array[0] = 5
