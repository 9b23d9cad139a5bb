"""Files of other tools are named for what they are, with the way in; none is called damaged."""

import collections
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from importlib.metadata import EntryPoint

import joblib
import numpy as np
import pytest
import torch
from torch import nn

from nnlogic.cli.main import main
from nnlogic.core import plugins
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend import load
from nnlogic.frontend.foreign import Kind, by_content, by_name, kinds
from nnlogic.frontend.foreign.onnx import is_model
from nnlogic.frontend.look import Look


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), data)
    return out.getvalue()


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    return out.getvalue()


def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx(*, domain=b"", producer=b"pytorch"):
    """A ModelProto with a graph of one node."""
    node = field(1, b"x") + field(2, b"y") + field(4, b"Quant" if domain else b"Gemm")
    node += field(7, domain) if domain else b""
    graph = field(1, node) + field(2, b"main") + field(5, bytes(5000))
    return b"\x08\x08" + field(2, producer) + field(3, b"2.0") + field(7, graph)


def named(module, name):
    """A pickle that would import ``module.name``."""
    return b"\x80\x04c" + f"{module}\n{name}\n".encode() + b")\x81."


def sklearn_pickle(write):
    from sklearn.tree import DecisionTreeClassifier

    out = io.BytesIO()
    write(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), out)
    return out.getvalue()


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def scripted():
    return zipped(m__data_DOT_pkl="", m__code___torch__m_DOT_py="", m__constants_DOT_pkl="")


class Other(nn.Module):
    """A module of a program of somebody else's."""


def npz():
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3))
    return out.getvalue()


def old_xgboost():
    return struct.pack("<fIi", 0.5, 4, 0) + bytes(124) + b"\x0f\0\0\0\0\0\0\0binary:logistic" + (
        b"\x06\0\0\0\0\0\0\0gbtree"
    )  # fmt: skip


PT2 = zipped(m__models__model_DOT_json="{}", m__archive_format="pt2", m__data__x="1")
KERAS = zipped(metadata_DOT_json="{}", config_DOT_json="{}", model_DOT_weights_DOT_h5="")
FILES = [
    ("TorchScript", scripted(), "a TorchScript program", "save_checkpoint"),
    ("pt2", PT2, "cannot read the torch.export archive", "torch.export.save"),
    ("old pt2", zipped(serialized_exported_program_DOT_json="{}"), "torch.export", "from_torch"),
    ("state_dict", saved(nn.Linear(2, 1).state_dict()), "a state_dict", "save_checkpoint"),
    ("old state_dict", saved({"w": torch.zeros(2)}, _use_new_zipfile_serialization=False),
     "a state_dict", "save_checkpoint"),
    ("foreign module", saved(Other()), "a torch file of another program", "nnlogic.nn.Network"),
    ("plain module", saved(nn.Sequential(nn.ReLU())), "of another program", "nnlogic.nn.Network"),
    ("version class", saved({"w": torch.zeros(1), "v": torch.torch_version.TorchVersion("2.0")}),
     "a state_dict", "save_checkpoint"),
    ("keras", KERAS, "a Keras model", "save_checkpoint"),
    ("keras json", b'{"class_name": "Sequential", "config": {}}', "Keras", "save_checkpoint"),
    ("h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", "save_checkpoint"),
    ("tflite", b"\x1c\0\0\0TFL3" + bytes(99), "TensorFlow Lite", "save_checkpoint"),
    ("ort", b"\x18\0\0\0ORTM" + bytes(40), "an ONNX Runtime model", ".onnx file"),
    ("package", zipped(a___DOT_data__extern_modules=""), "a torch.package archive", "save_check"),
    ("h2o", zipped(model_DOT_ini=""), "an H2O model", "xgboost"),
    ("da4ml", b'{"shape": [1, 2], "inp_shifts": [0], "out_idxs": [1]}', "da4ml", "Verilog"),
    ("hls4ml", b'{"HLSConfig": {}}', "hls4ml", "Verilog"),
    ("lightgbm json", b'{"name":"tree","num_tree_per_iteration":1,"tree_info":[]}', "LightGBM",
     "save_model"),
    ("text dump", b"booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=2\n\t1:leaf=0.4\n", "a text dump",
     "save_model"),
    ("json dump", b'[ { "nodeid": 0, "depth": 0, "split": "f0" } ]', "a JSON dump", "save_model"),
    ("old binary", old_xgboost(), "the binary format of versions before 2", "xgboost 1.7"),
    ("binf", b"binf" + old_xgboost(), "the binary format of versions before 2", "save_model"),
    ("catboost", b"CBM1" + bytes(40), "a CatBoost model", "xgboost"),
    ("catboost json", b'{"model_info": {}, "oblivious_trees": []}', "a CatBoost model", "xgboost"),
    ("pmml", b'<?xml version="1.0"?>\n<PMML version="4.4"></PMML>', "PMML", "xgboost"),
    ("sklearn", sklearn_pickle(pickle.dump), "a pickle of a scikit-learn model", "from_sklearn"),
    ("joblib", sklearn_pickle(joblib.dump), "a pickle of a scikit-learn model", "from_sklearn"),
    ("joblib zlib", zlib.compress(sklearn_pickle(joblib.dump)), "compressed joblib", "decompress"),
    ("xgboost pickle", named("xgboost.sklearn", "XGBClassifier"), "an xgboost model", "save_model"),
    ("lightgbm pickle", named("lightgbm.basic", "Booster"), "LightGBM", "save_model"),
    ("wisard", named("wisard", "WiSARD"), "weightless", "training set"),
    ("torch pickle", named("torch._utils", "_rebuild_tensor_v2"), "torch.save did not write",
     "save_checkpoint"),
    ("catboost pickle", named("catboost.core", "CatBoostClassifier"), "CatBoost", "xgboost"),
    ("pandas", named("pandas.core.frame", "DataFrame"), "a pandas table", "--rows"),
    ("keras pickle", named("keras.src.models", "Sequential"), "Keras", "save_checkpoint"),
    ("our pickle", named("nnlogic.nn.network", "Network"), "an nnlogic network", "save_checkpoint"),
    ("dict pickle", pickle.dumps({"a": 1}), "a Python pickle", "save_checkpoint"),
    ("old pickle", pickle.dumps(collections.OrderedDict(), 0), "a Python pickle", "run code"),
    ("VHDL", b"-- a neuron\nlibrary ieee;\nuse ieee.std_logic_1164.all;\n", "VHDL", "Verilog"),
    ("vhdl entity", b"Entity neuron Is\nport (a: in bit);\nend;\n", "VHDL", "GHDL"),
    ("blif", b".model top\n.inputs a\n.outputs y\n", "BLIF", "nnlogic minimize"),
    ("aiger", b"aag 1 1 0 1 0\n2\n2\n", "AIGER", "nnlogic minimize"),
    ("pla", b".i 2\n.o 1\n11 1\n.e\n", "PLA", "nnlogic minimize"),
    ("yosys", b'{"creator": "Yosys 0.4", "modules": {}}', "a netlist of yosys", "Verilog"),
    ("gzip", gzip.compress(b"abc"), "a gzip archive", "unpack"),
    ("xz", lzma.compress(b"abc"), "an xz archive", "unpack"),
    ("tar", tarred(), "a tar archive", "unpack"),
    ("zip", zipped(a="1"), "a zip archive", "unpack"),
    ("cut zip", zipped(a="1" * 99)[:-30], "a zip archive whose end is missing", "copy it again"),
    ("csv", b"a,b,c\n1,2.5,3\n-1,2e3,4\n", "a table of rows", "--rows"),
    ("semicolons", b"1;2;3\n4;5;6\n", "a table of rows", "--rows"),
    ("npz", npz(), "NumPy arrays", "--rows"),
    ("parquet", b"PAR1" + bytes(9), "a Parquet table", "--rows"),
    ("arff", b"% jets\n@RELATION jets\n@attribute a numeric\n", "an ARFF data set", "--rows"),
    ("mnist", b"\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c", "an IDX file", "--rows"),
    ("png", b"\x89PNG\r\n\x1a\n" + bytes(9), "a picture", "trained network"),
    ("jpeg", b"\xff\xd8\xff\xe0" + bytes(9), "a picture", "trained network"),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a picture", "trained network"),
    ("pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "trained network"),
    ("html", b"\n<!DOCTYPE html><html>", "a web page", "raw"),
    ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "lfs pull"),
    ("notebook", b'{"cells": [{"cell_type": "code"}]}', "a notebook", "run it"),
    ("elf", b"\x7fELF" + bytes(60), "a program", "trained network"),
    ("gguf", b"GGUF" + bytes(60), "a language model", "too large"),
    ("empty", b"", "an empty file", "copy it again"),
    ("polylut", saved({"model_dict": {
        "module_list.0.fc.weight": torch.zeros(2, 5),
        "module_list.0.output_quant.tensor_quant.scaling_impl.value": torch.zeros(1)}}),
     "a checkpoint of PolyLUT", "Verilog"),
    ("neuralut", saved({"module_list.0.fc.imask": torch.zeros(2, 3)}),
     "a checkpoint of NeuraLUT", "Verilog"),
    ("llnn", saved({"0.w": torch.zeros(2, 4), "0.w_comp": torch.zeros(2, 4)},
                   _use_new_zipfile_serialization=False), "a checkpoint of LLNN", "Verilog"),
    ("report", b'{"schema": "nnlogic.report/1", "name": "x"}', "a report of an nnlogic run", "RUN"),
    ("json", b'{"weights": [1, 2]}', "JSON without a network", "trained network"),
    ("text", b"dear diary\n", "text", "trained network"),
]  # fmt: skip


NAMES = ("odd name", "model.pt", "model.json", "x.onnx", "model.keras", "top.v")


@pytest.mark.parametrize(("kind", "data", "what", "fix"), FILES, ids=[f[0] for f in FILES])
def test_files_are_named_by_what_they_hold(tmp_path, kind, data, what, fix):
    for name in NAMES:
        path = tmp_path / name
        path.write_bytes(data)
        look = Look(data[:4096], path)
        if look.text and by_content(look, general=False) is None and name != "odd name":
            # Of text without marks, the name says more.
            continue
        if what == "VHDL" and name == "top.v":
            continue
        with pytest.raises(CheckpointError) as caught:
            load(path)
        text = caught.value.text()
        assert what in caught.value.what, text
        assert fix in text
        assert caught.value.where == str(path)
        forbidden = ("damaged", "truncated", "allow-pickle", "allow_pickle")
        assert not any(word in text for word in forbidden), text


def test_every_kind_can_be_told(tmp_path):
    """No kind is hidden by another: files of its first bytes, or else of its name, are of it."""
    path = tmp_path / "x"
    told = {what for _, _, what, _ in FILES}
    for kind in kinds():
        for start in kind.starts:
            found = by_content(Look(start + bytes(300), path), general=True)
            assert found is kind, (kind.what, found.what)
        for suffix in kind.suffixes:
            assert by_name(path.with_suffix(suffix)) is kind, (kind.what, suffix)
        assert kind.starts or kind.suffixes or any(what in kind.what for what in told), kind.what
        assert kind.what[0] != " "
        assert kind.fix


def test_names_tell_where_the_content_does_not(tmp_path):
    for kind in kinds():
        for suffix in kind.suffixes:
            for data in (b"something", b"\1\2\3\4\5\6\7"):
                path = tmp_path / f"model{suffix.upper()}"
                path.write_bytes(data)
                with pytest.raises(CheckpointError) as caught:
                    load(path)
                assert caught.value.what == f"{kind.what}, not a checkpoint"


def test_a_model_proto_needs_a_version_first_and_a_graph():
    assert is_model(onnx())
    assert not is_model(onnx()[2:])
    assert not is_model(b"\x08\x08" + field(2, b"pytorch"))
    assert not is_model(b"\x08\x08\x09" + onnx())
    assert not is_model(b"")


def test_pickles_that_break_off_still_tell_what_they_import(tmp_path):
    path = tmp_path / "model"
    whole = sklearn_pickle(pickle.dump)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="a pickle of a scikit-learn model"):
        load(path)


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "model"
    with path.open("wb") as file:
        file.write(named("xgboost.core", "Booster"))
        file.truncate(1 << 34)
    with pytest.raises(CheckpointError, match="an xgboost model"):
        load(path)


@pytest.mark.parametrize(
    ("files", "what", "fix"),
    [
        (["saved_model.pb", "fingerprint.pb"], "a TensorFlow SavedModel", "save_checkpoint"),
        (["STATUS", "report.json"], "a run of nnlogic", "--from STAGE"),
        (["config.json", "model.weights.h5"], "an unpacked Keras model", "save_checkpoint"),
        (["config.json", "tokenizer.json"], "a language model", "too large"),
        (["a.v", "b.txt", "c.safetensors"], "a folder", "a file inside: a.v, c.safetensors"),
        ([f"n{i}.v" for i in range(9)], "a folder", "n0.v, n1.v, n2.v, n3.v or 5 more"),
        (["readme"], "a folder", "none inside"),
    ],
)
def test_folders_are_named_by_what_they_hold(tmp_path, files, what, fix):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path)
    assert caught.value.what == f"{what}, not a checkpoint"
    assert fix in caught.value.fix


def test_commands_name_folders_too(tmp_path, capsys):
    (tmp_path / "top.v").touch()
    for line in (["inspect"], ["compile", "-o", str(tmp_path / "run")]):
        assert main([line[0], str(tmp_path), *line[1:]]) == 3
        assert "a folder, not a checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_other_packages_may_name_their_files(monkeypatch, tmp_path):
    point = EntryPoint("mine", f"{__name__}:MINE", "nnlogic.foreign")
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [point] * (group == "nnlogic.foreign")
    )
    kinds.cache_clear()
    (tmp_path / "x.mine").write_bytes(b"\0")
    try:
        with pytest.raises(CheckpointError, match="a file of mine"):
            load(tmp_path / "x.mine")
    finally:
        kinds.cache_clear()


MINE = (Kind("a file of mine", "leave it", suffixes=(".mine",)),)
