"""Intrusion, CIFAR-10 and UCI sets: own copies in the formats their sources use."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest

from nnlogic import data
from nnlogic.core.errors import InputError
from nnlogic.data import arff, cifar, intrusion
from nnlogic.data import fetch as fetching
from nnlogic.data.split import take

HEADER = "id,dur,proto,service,state,spkts,rate,stcpb,attack_cat,label"
# proto: arp 0, udp 1; dur scaled by 1/0.000003; rate by 1/0.5; stcpb as it is.
NID_LINES = (
    "1,0.000003,udp,-,INT,2,0.5,0,Normal,0",
    "2,0.000012,arp,http,FIN,3,1.25,4294967295,Generic,1",
)


def test_stratified_split_keeps_the_shares():
    labels = np.array([0] * 30 + [1] * 70)
    rest, taken = take(labels, 0.2, 3, stratified=True)
    assert sorted([*rest, *taken]) == list(range(100))
    assert np.bincount(labels[taken]).tolist() == [6, 14]
    again = take(labels, 0.2, 3, stratified=True)
    np.testing.assert_array_equal(taken, again[1])


def test_numbers_become_bits_high_ones_first():
    columns = {"a": np.array([0.0, 0.25, 1.125]), "b": np.array([5.0, 0.0, 2.0])}
    x, widths = intrusion.binary_inputs(columns)
    assert widths == {"a": 3, "b": 3}
    # 1.125 is 4.5 quarters: a half goes up.
    assert x.tolist() == [[0, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0]]
    assert intrusion.bit_names(widths) == ("a_2", "a_1", "a_0", "b_2", "b_1", "b_0")


@pytest.fixture
def small_nid(monkeypatch):
    monkeypatch.setattr(intrusion, "NID_ROWS", 20)
    monkeypatch.setattr(intrusion, "NID_BITS", 3 + 1 + 1 + 1 + 2 + 2 + 32)


def write_nid(path, lines=NID_LINES):
    text = "\ufeff" + "\n".join([HEADER, *(lines * 10)]) + "\n"
    path.write_text(text, encoding="utf-8")


def test_nid_from_the_published_csv(tmp_path, small_nid):
    (tmp_path / "UNSW_NB15_training-set.csv").write_text(HEADER + "\n" + NID_LINES[0] + "\n")
    write_nid(tmp_path / "UNSW_NB15_testing-set.csv")
    found = data.load("nid", tmp_path)
    assert found.class_names == ("normal", "attack")
    assert found.feature_names[:4] == ("dur_2", "dur_1", "dur_0", "proto_0")
    assert (len(found.x_train), len(found.x_val), len(found.x_test)) == (14, 2, 4)
    rows = {0: "0011011001" + "0" * 32, 1: "1000101111" + "1" * 32}
    for x, y in zip(found.x_train, found.y_train, strict=True):
        assert "".join(str(int(b)) for b in x) == rows[y]


def test_nid_packed_equals_nid_from_csv(tmp_path, small_nid):
    write_nid(tmp_path / "UNSW_NB15_training-set.csv")
    one = data.load("nid", tmp_path)
    columns = intrusion.read_table(tmp_path / "UNSW_NB15_training-set.csv")
    x, y, _ = intrusion._nid_rows(columns, tmp_path)
    np.savez(
        tmp_path / intrusion.NID_LOCAL,
        X_packed=np.packbits(x, axis=1),
        n_bits=x.shape[1],
        y=y,
        col_names=np.array(["dur", "proto", "service", "state", "spkts", "rate", "stcpb"]),
        col_bits=np.array([3, 1, 1, 1, 2, 2, 32], np.uint8),
    )
    (tmp_path / "UNSW_NB15_training-set.csv").unlink()
    two = data.load("nid", tmp_path)
    assert one.digest == two.digest
    assert one.feature_names == two.feature_names


def test_nid_says_what_is_missing_or_wrong(tmp_path, small_nid, monkeypatch):
    with pytest.raises(InputError, match="form to be filled in"):
        data.load("nid")
    with pytest.raises(InputError, match="holds none of"):
        data.load("nid", tmp_path)
    path = tmp_path / "UNSW_NB15_training-set.csv"
    write_nid(path, NID_LINES[:1])
    with pytest.raises(InputError, match="has 10 rows"):
        data.load("nid", tmp_path)
    write_nid(path, (NID_LINES[0], NID_LINES[1].replace("1.25", "much")))
    with pytest.raises(InputError) as caught:
        data.load("nid", tmp_path)
    assert [p.where for p in caught.value.problems] == ["rate"]
    monkeypatch.setattr(intrusion, "NID_BITS", 575)
    write_nid(path)
    with pytest.raises(InputError, match="needs 42 bits, expected 575"):
        data.load("nid", tmp_path)


def nsl_line(service, attack, first):
    cells = [str(first), "tcp", service, "SF", *["0"] * 37, attack, "21"]
    return ",".join(cells)


def test_nsl_kdd_from_text_equals_its_packed_copy(tmp_path):
    train = [nsl_line(s, a, i) for i, (s, a) in enumerate([("http", "normal"), ("ssh", "neptune")])]
    test = [nsl_line("irc", "mscan", 7), nsl_line("ssh", "normal", 8)]
    (tmp_path / "KDDTrain+_20Percent.txt").write_text("\n".join(train * 10) + "\n")
    (tmp_path / "KDDTest+.txt").write_text("\n".join(test) + "\n")
    text = data.load("nsl_kdd", tmp_path)
    assert text.x_train.shape == (18, 38 + 1 + 3 + 1)
    assert text.feature_names[-5:] == (
        "protocol_type_tcp", "service_http", "service_irc", "service_ssh", "flag_SF"
    )  # fmt: skip
    assert text.x_test[0].tolist() == [7.0, *[0] * 37, 1, 0, 1, 0, 1]
    assert text.y_test.tolist() == [1, 0]
    codes = {"train20": np.array([0, 2] * 10), "test": np.array([1, 2])}
    arrays = {"service_names": np.array(["http", "irc", "ssh"])}
    for part, found in codes.items():
        arrays[f"service_{part}"] = found
        arrays[f"protocol_type_{part}"] = arrays[f"flag_{part}"] = np.zeros(len(found), int)
        numbers = np.zeros((len(found), 38), np.float32)
        numbers[:, 0] = [0, 1] * 10 if part == "train20" else [7, 8]
        arrays[f"X_num_{part}"] = numbers
        arrays[f"label_{part}"] = (found == 2) == (part == "train20")
    arrays |= {"protocol_type_names": np.array(["tcp"]), "flag_names": np.array(["SF"])}
    arrays["num_names"] = np.array([f"n{i}" for i in range(38)])
    np.savez(tmp_path / intrusion.NSL_LOCAL, **arrays)
    assert data.load("nsl_kdd", tmp_path).digest == text.digest
    with pytest.raises(InputError, match="form to be filled in"):
        data.load("nsl_kdd")


def test_damaged_text_is_refused(tmp_path):
    (tmp_path / "KDDTrain+_20Percent.txt").write_text(nsl_line("http", "normal", 1) + "\n1,2\n")
    with pytest.raises(InputError, match="row 1 has 2 columns, expected 43"):
        data.load("nsl_kdd", tmp_path)
    (tmp_path / "KDDTrain+_20Percent.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match="cannot read"):
        data.load("nsl_kdd", tmp_path)


@pytest.fixture
def tiny_cifar():
    """Two records per file."""
    rng = np.random.default_rng(0)
    files = {}
    for name in (*cifar.TRAIN, *cifar.TEST):
        rows = rng.integers(0, 256, (2, cifar.PIXELS + 1), dtype=np.uint8)
        rows[:, 0] %= 10
        files[name] = rows.tobytes()
    return files


def archive_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def test_cifar_from_archive_and_from_unpacked_files(tmp_path, tiny_cifar):
    (tmp_path / cifar.ARCHIVE).write_bytes(archive_of(tiny_cifar))
    packed = data.load("cifar10", tmp_path)
    assert packed.x_test.shape == (2, 3072)
    record = tiny_cifar["test_batch.bin"]
    assert packed.y_test[0] == record[0]
    assert packed.x_test[0, [0, 1024, 3071]].tolist() == [record[1], record[1025], record[3072]]
    assert packed.feature_names[1024] == "g0_0"
    folder = tmp_path / "other" / cifar.FOLDER
    folder.mkdir(parents=True)
    for name, content in tiny_cifar.items():
        (folder / name).write_bytes(content)
    assert data.load("cifar10", tmp_path / "other").digest == packed.digest


def test_cifar_incomplete_or_damaged(tmp_path, tiny_cifar):
    with pytest.raises(InputError, match="no local copy"):
        data.load("cifar10", tmp_path)
    short = tiny_cifar | {"test_batch.bin": b"123"}
    del short["data_batch_2.bin"]
    (tmp_path / cifar.ARCHIVE).write_bytes(archive_of(short))
    with pytest.raises(InputError, match="incomplete") as caught:
        data.load("cifar10", tmp_path)
    assert [p.where for p in caught.value.problems] == ["data_batch_2.bin", "test_batch.bin"]
    (tmp_path / cifar.ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot read"):
        data.load("cifar10", tmp_path)


def test_cifar_is_fetched_with_its_checksum(tmp_path, tiny_cifar, monkeypatch):
    content = archive_of(tiny_cifar)
    monkeypatch.setenv("NNLOGIC_CACHE", str(tmp_path))
    monkeypatch.setattr(fetching, "get", lambda url: content)
    with pytest.raises(InputError, match="not the one expected"):
        data.load("cifar10")
    monkeypatch.setattr(cifar, "MD5", hashlib.md5(content).hexdigest())
    assert len(data.load("cifar10").x_test) == 2


def test_uci_from_a_local_copy(tmp_path):
    rows = np.arange(60, dtype=np.float32).reshape(20, 3)
    rows[4, 1] = np.nan
    classes = np.array(["B", "S"])
    np.savez(
        tmp_path / "uci_small.npz", pima__X=rows, pima__y=np.arange(20) % 2, pima__classes=classes
    )
    found = data.load("pima", tmp_path)
    assert found.class_names == ("B", "S")
    assert "1 rows with missing values" in found.provenance
    assert len(found.x_train) + len(found.x_val) + len(found.x_test) == 19
    with pytest.raises(InputError, match="missing: glass__X"):
        data.load("glass", tmp_path)


def test_uci_from_openml(tmp_path, monkeypatch):
    table = "@RELATION s\n@ATTRIBUTE a REAL\n@ATTRIBUTE c {Rock, Mine}\n@DATA\n" + "".join(
        f"{i},{'Rock' if i % 3 else 'Mine'}\n" for i in range(30)
    )
    md5 = hashlib.md5(table.encode()).hexdigest()
    record = {"url": "https://example.org/s.arff", "md5_checksum": md5}
    pages = {
        "https://example.org/s.arff": table.encode(),
        arff.RECORD.format(40): json.dumps({"data_set_description": record}).encode(),
    }
    monkeypatch.setenv("NNLOGIC_CACHE", str(tmp_path))
    monkeypatch.setattr(fetching, "get", pages.__getitem__)
    monkeypatch.setattr(arff, "get", pages.__getitem__)
    found = data.load("sonar")
    assert found.class_names == ("Mine", "Rock")
    assert np.all((found.x_test[:, 0] % 3 > 0) == found.y_test)
    with pytest.raises(InputError, match="cannot be fetched"):
        data.load("dna")


def test_all_names_are_known():
    assert {"jets", "mnist", "nid", "nsl_kdd", "cifar10", "digits", "letter"} <= set(data.names())
