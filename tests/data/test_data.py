"""Data sets: split, local copies, fetching with checksums."""

import gzip
import hashlib
import json
import urllib.error

import numpy as np
import pytest

from nnlogic import data
from nnlogic.core.errors import InputError, UsageError
from nnlogic.data import arff, sources
from nnlogic.data import fetch as fetching


@pytest.fixture
def web(monkeypatch, tmp_path):
    """A web of our own: url -> bytes; counts what is asked for."""
    pages, asked = {}, []

    class Answer:
        def __init__(self, content):
            self.content = content

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def read(self):
            return self.content

    def urlopen(request, timeout):
        asked.append(request.full_url)
        if request.full_url not in pages:
            raise urllib.error.URLError("no such page")
        return Answer(pages[request.full_url])

    monkeypatch.setattr(fetching.urllib.request, "urlopen", urlopen)
    monkeypatch.setenv("NNLOGIC_CACHE", str(tmp_path / "cache"))
    return pages, asked


def md5(content):
    return hashlib.md5(content).hexdigest()


def test_digits_split_is_fixed_and_disjoint():
    one, two = data.load("digits"), data.load("digits")
    assert one.digest == two.digest
    np.testing.assert_array_equal(one.x_val, two.x_val)
    assert (len(one.x_train), len(one.x_val), len(one.x_test)) == (1294, 144, 359)
    assert one.x_train.dtype == np.float32
    assert one.class_names == tuple("0123456789")
    assert "CC BY 4.0" in one.provenance


def test_unknown_data_set_gets_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'mnist'"):
        data.load("mnits")


def local_jets(folder, **change):
    arrays = {
        "X_train": np.arange(40, dtype=np.float16).reshape(20, 2),
        "y_train": np.zeros(20, np.uint8),
        "X_test": np.ones((4, 2), np.float16),
        "y_test": np.ones(4, np.uint8),
        "feature_names": np.array(["a", "b"]),
        "class_names": np.array(["x", "y"]),
    }
    arrays.update(change)
    np.savez(folder / "jets16.npz", **{k: v for k, v in arrays.items() if v is not None})


def test_local_copy(tmp_path):
    local_jets(tmp_path)
    found = data.load("jets", tmp_path)
    assert found.feature_names == ("a", "b")
    assert (len(found.x_train), len(found.x_val), len(found.x_test)) == (18, 2, 4)
    rows = np.concatenate([found.x_train, found.x_val])
    assert sorted(rows[:, 0].tolist()) == list(range(0, 40, 2))


def test_local_copy_that_is_missing_damaged_or_incomplete(tmp_path):
    with pytest.raises(InputError, match="no local copy"):
        data.load("jets", tmp_path)
    local_jets(tmp_path, y_test=None)
    with pytest.raises(InputError, match="missing: y_test"):
        data.load("jets", tmp_path)
    local_jets(tmp_path, X_test=np.full((4, 2), np.nan))
    with pytest.raises(InputError, match="damaged"):
        data.load("jets", tmp_path)
    file = tmp_path / "jets16.npz"
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(InputError, match="cannot read"):
        data.load("jets", tmp_path)


ARFF = """@RELATION jets
@ATTRIBUTE zlogz REAL
@ATTRIBUTE mass REAL
@ATTRIBUTE class {g, q, t, w, z}

@DATA
"""


def test_jets_from_the_public_record(web):
    pages, asked = web
    rng = np.random.default_rng(0)
    lines = [f"{a},{b},{rng.choice(list('gqtwz'))}" for a, b in rng.normal(size=(50, 2))]
    content = (ARFF + "\n".join(lines) + "\n").encode()
    url = "https://www.openml.org/files/jets.arff"
    record = {"data_set_description": {"url": url, "md5_checksum": md5(content)}}
    pages[arff.RECORD.format(42468)] = json.dumps(record).encode()
    pages[url] = content
    found = data.load("jets")
    assert found.feature_names == ("zlogz", "mass")
    assert (len(found.x_train), len(found.x_val), len(found.x_test)) == (36, 4, 10)
    assert data.load("jets").digest == found.digest
    assert asked.count(url) == 1


def test_arff_with_quotes_comments_and_the_class_first():
    text = (
        "% a comment\n@relation r\n@attribute class {'build wind', 'x,z', q}\n"
        "@attribute 'a b' numeric\n@attribute c integer\n@data\n"
        "'build wind',0.1,2\n% another, with, commas\n\n'x,z', 3e-2, 4\n"
    )
    names, rows, labels = arff.parse_arff(text, "here")
    assert names == ("a b", "c")
    np.testing.assert_array_equal(rows, np.array([[0.1, 2], [0.03, 4]], np.float32))
    assert labels.tolist() == ["build wind", "x,z"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@ATTRIBUTE a REAL\n@DATA\n1\n", "1 numeric and 0 other"),
        ("@ATTRIBUTE c {x}\n@DATA\nx\n", "0 numeric and 1 other"),
        ("@ATTRIBUTE a REAL\n@ATTRIBUTE c STRING\n@DATA\n1,x\n", "not understood"),
        ("@ATTRIBUTE a REAL\n@ATTRIBUTE d DATE 'yyyy'\n@ATTRIBUTE c {x}\n@DATA\n1,1999,x\n",
         "2 other columns, 1 of them nominal"),
        (ARFF + "1,2,g\n1,g\n", "damaged"),
        (ARFF + "1,2,g\n1,g,2,3\n", "damaged"),
        (ARFF + "1,2,g\n1,2,g,3\n", "rows differ in length: 1,2,g,3"),
        (ARFF + "1,2,x\n", "x value not in"),
        (ARFF + "1,?,g\n?,?,q\n", "3 of 4 values are missing"),
        (ARFF + "{0 1, 1 2, 2 g}\n", "damaged"),
        ("<html>maintenance</html>", "ends before its data"),
    ],
)  # fmt: skip
def test_arff_of_another_kind_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        arff.parse_arff(text, "here")


def test_a_record_that_is_not_understood(web):
    pages, _ = web
    pages[arff.RECORD.format(42468)] = b"<html>maintenance</html>"
    with pytest.raises(InputError, match="record is not understood"):
        data.load("jets")


def test_mnist_from_the_public_files(web, monkeypatch):
    pages, _ = web
    rng = np.random.default_rng(0)
    files = {}
    for name, count in (("train", 10), ("t10k", 5)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        head = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
        files[f"{name}-images"] = gzip.compress(head + images.tobytes())
        head = b"\0\0\x08\x01" + count.to_bytes(4, "big")
        files[f"{name}-labels"] = gzip.compress(head + labels.tobytes())
    monkeypatch.setattr(sources, "MNIST_FILES", {n: md5(c) for n, c in files.items()})
    pages.update({sources.MNIST_URL + n: c for n, c in files.items()})
    found = data.load("mnist")
    np.testing.assert_array_equal(found.y_test, labels)
    np.testing.assert_array_equal(found.x_test, images.reshape(5, 784))


def test_wrong_checksum_is_refused_and_not_cached(web, tmp_path):
    pages, _ = web
    pages["https://example.org/a.bin"] = b"tampered"
    with pytest.raises(InputError, match="not the one expected"):
        fetching.fetch("https://example.org/a.bin", md5(b"original"))
    assert not list((tmp_path / "cache").rglob("*a.bin"))


def test_a_damaged_cache_is_fetched_again(web):
    pages, asked = web
    url = "https://example.org/a.bin"
    pages[url] = b"original"
    path = fetching.fetch(url, md5(b"original"))
    path.write_bytes(b"half")
    assert fetching.fetch(url, md5(b"original")).read_bytes() == b"original"
    assert len(asked) == 2


def test_no_network_says_what_to_do(web):
    with pytest.raises(InputError, match="--data"):
        data.load("mnist")
