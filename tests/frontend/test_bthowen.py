"""Networks of Bloom filters: hashes, counts, thermometers and ties as the peer has them."""

import contextlib
import lzma
import pickle
from pathlib import Path

import numpy as np
import pytest
from bloom import filled, model, packed, predict, save
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.bthowen import check_bthowen
from nnlogic.cli.main import main
from nnlogic.core.errors import CheckpointError, UnsupportedModel, UsageError

SHAPES = {
    "one hash": {"hashes": 1},
    "tables": {},
    "padded": {"reads": 4, "pad": 2},
    "hashes": {"features": 5, "levels": 3, "reads": 15, "hashes": 3, "entries": 16},
    "hashes, padded": {"features": 7, "levels": 3, "reads": 14, "pad": 7, "entries": 32},
    "wide": {"features": 8, "levels": 5, "reads": 40, "hashes": 2, "entries": 8, "classes": 2},
}


def random_bits(net, count=200, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((count, len(net.inputs))) < rng.random((count, 1))).astype(np.int64)


@pytest.mark.parametrize("name", SHAPES)
def test_the_network_is_the_model(tmp_path, name):
    for seed in range(3):
        content = model(seed, **SHAPES[name])
        path = save(tmp_path, content)
        net = nnlogic.load(path)
        bits = random_bits(net, seed=seed)
        assert net.evaluate(bits)[:, 0].tolist() == [predict(content, row) for row in bits]
        verdict = first_rung(net).check(net, path, 60)()
        assert (verdict.equal, verdict.how) == (True, "sampled n=2048"), verdict.detail


def test_compiles(tmp_path):
    net = nnlogic.load(save(tmp_path, model(1, **SHAPES["hashes"])))
    tables = nnlogic.tabulate(net, arith="auto")
    assert nnlogic.check(net, tables).equal
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_thermometers_are_those_of_the_training_rows(tmp_path_factory, seed, levels):
    """Bit for bit with the peer's formula, on the thresholds' neighbours too."""
    folder = tmp_path_factory.mktemp("bloom")
    content = model(seed, features=4, levels=levels, reads=2)
    rng = np.random.default_rng(seed)
    train = rng.normal(rng.normal(0, 30, 4), [1e-3, 1, 50, 0], (40, 4))
    np.save(folder / "train.npy", train)
    path = save(folder, content)
    net = nnlogic.load(path, read={"train": str(folder / "train.npy")})
    thresholds = [
        train.mean(axis=0) + norm.ppf((k + 1) / (levels + 1)) * train.std(axis=0)
        for k in range(levels)
    ]
    near = np.float32(thresholds)
    rows = np.concatenate(
        [near, np.nextafter(near, -np.inf), np.nextafter(near, np.inf), np.float32(train)]
    ).astype(np.float32)
    bits = np.concatenate([rows.astype(np.float64) >= t for t in thresholds], axis=1).astype(int)
    expected = [predict(content, row) for row in bits]
    assert net.evaluate(net.encode(rows))[:, 0].tolist() == expected
    assert first_rung(net).check(net, path, 60)().equal


def test_training_rows_of_every_kind_of_file(tmp_path):
    path = save(tmp_path, model())
    rows = np.random.default_rng(0).normal(size=(20, 3))
    np.save(tmp_path / "a.npy", rows)
    np.savez(tmp_path / "b.npz", y=np.zeros(20), X_train=rows)
    np.savetxt(tmp_path / "c.csv", rows, delimiter=",")
    np.savetxt(tmp_path / "d.csv", rows, delimiter=",", header="a,b,c", comments="")
    found = []
    for name in ("a.npy", "b.npz", "c.csv", "d.csv"):
        net = nnlogic.load(path, read={"train": str(tmp_path / name)})
        found.append([t.tolist() for t in net.quantizer.thresholds])
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b,c\n",
        b"a,b\n1,2\n",
        b"1,2,3\n1,2,x\n",
        b"1,2\n3,4\n",
        b"1,2,nan\n",
        b"\xff\xfe\0",
        b"1,2\n1,2,3\n",
    ],
)
def test_training_rows_that_cannot_be_are_refused(tmp_path, content):
    path = save(tmp_path, model())
    (tmp_path / "train.csv").write_bytes(content)
    with pytest.raises(UsageError, match=r"train\.csv"):
        nnlogic.load(path, read={"train": str(tmp_path / "train.csv")})
    with pytest.raises(UsageError, match="missing"):
        nnlogic.load(path, read={"train": str(tmp_path / "missing.npy")})


def test_counts_are_bleached(tmp_path):
    content = model(5, counts=9)
    for discriminator in content["model"].discriminators:
        for bloom in discriminator.filters:
            bloom.bleach[...] = 4
    path = save(tmp_path, content)
    net = nnlogic.load(path)
    bits = random_bits(net)
    classes = [predict(content, row) for row in bits]
    assert net.evaluate(bits)[:, 0].tolist() == classes
    for discriminator in content["model"].discriminators:
        for bloom in discriminator.filters:
            bloom.bleach[...] = 7
    other = nnlogic.load(path, read="bleach=7")
    assert other.evaluate(bits)[:, 0].tolist() == [predict(content, row) for row in bits] != classes
    assert first_rung(other).check(other, path, 60)().equal
    for wrong in ("bleach=0", "bleach=x", "bleach=-1"):
        with pytest.raises(UsageError):
            nnlogic.load(path, read=wrong)


@pytest.mark.parametrize("change", ["data", "masks", "order"])
@pytest.mark.parametrize("name", ["tables", "hashes"])
def test_a_changed_model_is_found(tmp_path, name, change):
    """One entry, hash value or wire of the file differs from what was compiled."""
    content = model(2, **SHAPES[name])
    path = save(tmp_path, content)
    net = nnlogic.load(path)
    wisard = content["model"]
    bloom = wisard.discriminators[1].filters[0]
    if change == "data":
        seen = [int(np.bitwise_xor.reduce(bloom.hash_values * b, axis=1)[0]) for b in (0, 1)]
        bloom.data[seen] ^= 1
    elif change == "masks":
        bloom.hash_values = bloom.hash_values.copy()
        bloom.hash_values[:, 0] ^= 1
    else:
        wisard.input_order = np.roll(wisard.input_order, 1)
    assert check_bthowen(net, path).equal
    assert not check_bthowen(net, save(tmp_path, content)).equal


def test_other_thresholds_are_found(tmp_path):
    np.save(tmp_path / "train.npy", np.random.default_rng(0).normal(size=(20, 3)))
    path = save(tmp_path, model())
    net = nnlogic.load(path, read={"train": str(tmp_path / "train.npy")})
    net.info["mean"][1] += 1e-6
    assert not check_bthowen(net, path).equal


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_of_every_protocol(tmp_path, protocol):
    content = model()
    net = nnlogic.load(save(tmp_path, content, "m.pickle", protocol))
    bits = random_bits(net)
    assert net.evaluate(bits)[:, 0].tolist() == [predict(content, row) for row in bits]


def first(content):
    return content["model"].discriminators[0].filters[0]


def put(content, **state):
    vars(first(content)).update(state)


BROKEN = {
    "no model": lambda c: c.pop("model"),
    "no info": lambda c: c.update(info=3),
    "features": lambda c: c["info"].update(num_inputs=4),
    "levels": lambda c: c["info"].update(bits_per_input=-1),
    "order": lambda c: vars(c["model"]).update(input_order=np.zeros(6, int)),
    "no order": lambda c: vars(c["model"]).pop("input_order"),
    "order of texts": lambda c: vars(c["model"]).update(input_order=np.array(list("abcdef"))),
    "pad": lambda c: vars(c["model"]).update(pad_zeros="a"),
    "one class": lambda c: vars(c["model"]).update(discriminators=[]),
    "a number for a class": lambda c: c["model"].discriminators.append(3),
    "filters": lambda c: c["model"].discriminators[0].filters.pop(),
    "entries": lambda c: put(c, data=np.zeros(7, int)),
    "data": lambda c: put(c, data=np.zeros(8)),
    "masks": lambda c: put(c, hash_values=np.full((2, 2), 8)),
    "negative": lambda c: put(c, hash_values=np.full((2, 2), -1)),
    "hashes": lambda c: put(c, hash_values=np.zeros((0, 2), int)),
    "shapes": lambda c: put(c, hash_values=np.zeros((1, 2), int)),
    "bleach": lambda c: put(c, bleach=1),
    "objects": lambda c: put(c, data=np.array([None] * 8)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    content = model()
    BROKEN[name](content)
    path = save(tmp_path, content)
    with pytest.raises(CheckpointError) as caught:
        nnlogic.load(path)
    assert caught.value.where == str(path)
    assert main(["inspect", str(path)]) == 3


def test_filters_that_are_too_wide(tmp_path):
    path = save(tmp_path, model(0, features=1, levels=73, reads=73, classes=2))
    with pytest.raises(UnsupportedModel, match="73 bits"):
        nnlogic.load(path)


class Touch:
    """A pickle that would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_of_a_hostile_file_is_run(tmp_path, protocol):
    content = model()
    put(content, data=Touch(tmp_path / "written"))
    path = save(tmp_path, content, protocol=protocol)
    with pytest.raises(CheckpointError, match="Path") as caught:
        nnlogic.load(path)
    assert "could run code" in caught.value.text()
    assert not (tmp_path / "written").exists()


def test_a_file_that_is_cut_or_changed_is_refused(tmp_path):
    data = packed(model(0, features=4, levels=3))
    whole = lzma.compress(data)
    rng = np.random.default_rng(0)
    for name, raw in (("m.pickle", data), ("m.pickle.lzma", whole)):
        path = tmp_path / name
        for _ in range(150):
            cut = bytearray(raw[: rng.integers(len(raw))]) if rng.random() < 0.4 else bytearray(raw)
            for _ in range(rng.integers(1, 4)):
                if len(cut):
                    cut[rng.integers(len(cut))] = rng.integers(256)
            path.write_bytes(cut)
            with contextlib.suppress(CheckpointError, UnsupportedModel):
                nnlogic.load(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NNLOGIC_MAX_UNPACKED", "100000")
    path = tmp_path / "m.pickle.lzma"
    path.write_bytes(lzma.compress(packed({**model(), "more": bytes(1 << 20)})))
    with pytest.raises(CheckpointError, match="too large"):
        nnlogic.load(path)


def test_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path, model())
    words = ["compile", "m.pickle.lzma", "-o", "run", "--effort", "fast", "--jobs", "1"]
    assert main([*words, "--stop-after", "logic"]) == 0


def test_one_class_of_the_peer_alone_is_no_network(tmp_path):
    path = tmp_path / "m.pickle"
    path.write_bytes(packed(filled(type(model()["model"]))))
    with pytest.raises(CheckpointError, match="incomplete"):
        nnlogic.load(path)
    path.write_bytes(pickle.dumps({"wisard.WiSARD": 1}))
    with pytest.raises(CheckpointError, match="Python pickle"):
        nnlogic.load(path)
