"""Files of arrays: what numpy writes is read, what a header only claims is not believed."""

import io
import resource
import struct
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.arrays import LEAST_ENTRIES, MAGIC, ArrayError, ArrayFile, read_npy


def npy(header, data=b"", version=1):
    text = header.encode() + b" " * 8 + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return MAGIC + bytes([version, 0]) + length + text + data


def plain(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float16).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        np.array([True, False]),
        np.array(["a", "é", ""]),
        np.array([b"a", b"bc"]),
        np.array(3),
        np.zeros((0, 4)),
        np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "u1"), ("b", "f8")]),
    ],
)
def test_what_numpy_writes_is_read(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "plain.npz", a=array)
    np.savez_compressed(tmp_path / "packed.npz", a=array)
    files = [ArrayFile(tmp_path / name) for name in ("plain.npz", "packed.npz")]
    for found in (read_npy(tmp_path / "a.npy"), *(file["a"] for file in files)):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a .npy array"),
        (b"\x93NUMPY\x09\x00", "not a .npy array"),
        (MAGIC + b"\x02\x00\xff\xff\xff\x7f", "too long"),
        (MAGIC + b"\x01\x00\xf0\x00{", "ends inside its header"),
        (npy("{"), "header is damaged"),
        (npy("(" * 5000), "header is damaged"),
        (npy("[1]"), "not that of an array"),
        (npy("{'descr': '<f8', 'shape': (1,)}"), "not that of an array"),
        (npy("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}"), "not that of an array"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "claims the shape"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}"), "claims the shape"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': [1]}"), "claims the shape"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,)}"), "damaged"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 4)}"), "claims"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"\0" * 17), "17 follow"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"\0" * 15), "15 follow"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"\0" * 8), "objects"),
        (npy("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}"), "complex"),
        (npy("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,)}"), "of type"),
        (npy("{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}"), "not numbers"),
        (npy("{'descr': '<U999999999', 'fortran_order': False, 'shape': (1,)}"), "not numbers"),
        (npy("{'descr': '<U0', 'fortran_order': False, 'shape': (10000000000,)}"), "empty|claims"),
        (npy("{'descr': [('a', '<f8'), ('a', '<f8')], 'fortran_order': False, 'shape': ()}"),
         "names fields"),
        (npy("{'descr': [('a', '<f8', (9,))], 'fortran_order': False, 'shape': ()}"), "fields"),
        (npy("{'descr': '\\d', 'fortran_order': False, 'shape': ()}"), "damaged"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, content, words):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ArrayError, match=words):
        read_npy(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("a.npy", content)
    with pytest.raises(ArrayError, match=words):
        ArrayFile(tmp_path / "a.npz")["a"]


def test_a_small_file_does_not_unpack_to_gigabytes(tmp_path):
    path = tmp_path / "bomb.npz"
    head = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (100000000, 4)}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("X.npy", "w") as out:
        out.write(head)
        for _ in range(40):
            out.write(bytes(10_000_000))
    assert path.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ArrayError, match="400,000,000 entries") as caught:
        ArrayFile(path)["X"]
    assert "numpy.savez" in caught.value.fix
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 100_000
    # What a larger file may hold is not refused, and what is stored plainly never is.
    few = tmp_path / "few.npz"
    np.savez_compressed(few, X=np.zeros(LEAST_ENTRIES, np.uint8))
    assert ArrayFile(few)["X"].size == LEAST_ENTRIES


def test_a_member_longer_than_it_says_is_damaged(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=np.zeros(1000))
    data = path.read_bytes()
    for cut in (10, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:cut])
        with pytest.raises(ArrayError):
            ArrayFile(path)["X"]
    path.write_bytes(data.replace(b"(1000,)", b"(9999,)"))
    with pytest.raises(ArrayError):
        ArrayFile(path)["X"]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_change_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "a.npz"
    np.savez_compressed(path, X=np.arange(8.0).reshape(4, 2), y=np.array(["a", "b", "a", "b"]))
    content = bytearray(path.read_bytes() if data.draw(st.booleans()) else plain(np.ones((4, 2))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (lambda: read_npy(path), lambda: dict(ArrayFile(path))):
            try:
                read()
            except ArrayError as error:
                assert str(error)  # noqa: PT017
