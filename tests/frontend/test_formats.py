"""Every importer knows its own files and refuses those of all others, naming what they are."""

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_verilog import random_family
from safetensors.numpy import save_file
from torch import nn

from nnlogic.core import plugins
from nnlogic.core.errors import CheckpointError, NNLogicError, UsageError
from nnlogic.frontend import Confidence, Format, formats, is_source, load, made_by, recognize
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import Network, fit_thresholds

DATA = Path(__file__).parent / "data"
JETS = Path(__file__).parents[2] / "examples" / "jets" / "jets.safetensors"


def network():
    arch = Architecture("t", ("a",), (2,), ("n", "y"), (plain_layer("fc", 2, 1),))
    net = Network(arch).eval()
    net.quantizer.set_thresholds(fit_thresholds(np.linspace(-1, 1, 50)[:, None], (2,)))
    return net


def write_native(folder):
    load(JETS).save(folder / "quant.safetensors")
    return [JETS, folder / "quant.safetensors"]


def write_torch(folder):
    torch.save(network(), folder / "model.pt")
    torch.save(network(), folder / "odd_name", _use_new_zipfile_serialization=False)
    return [folder / "model.pt", folder / "odd_name"]


def write_trees(folder):
    shutil.copy(DATA / "xgboost_binary.json", folder / "odd_name")
    return [DATA / "xgboost_multi.json", folder / "odd_name"]


def write_lightgbm(folder):
    shutil.copy(DATA / "lightgbm" / "multi.txt", folder / "odd_name")
    return [DATA / "lightgbm" / "binary.txt", folder / "odd_name"]


def write_conifer(folder):
    shutil.copy(DATA / "conifer" / "multi.json", folder / "odd_name")
    return [folder / "odd_name"]


def write_alir(folder):
    shutil.copy(DATA / "alir" / "alkaid.json", folder / "odd_name")
    return [folder / "odd_name", DATA / "alir" / "da4ml.json"]


def write_onnx(folder):
    shutil.copy(DATA / "onnx" / "dense.onnx", folder / "odd_name")
    return [folder / "odd_name", DATA / "onnx" / "qcdq.onnx"]


def write_kanele(folder):
    tables = {f"0_{i}_{o}": {"acive": 1, "values_int": [0, 1]} for i in (0, 1) for o in (0, 1)}
    (folder / "odd_name").write_text(json.dumps(tables))
    (folder / "config.json").write_text('{"layers": [2, 2], "layers_bitwidth": [1, 3]}')
    return [folder / "odd_name"]


def write_dwn(folder):
    content = {
        "config": {"num_classes": 2},
        "state_dict": {"0.luts": torch.ones(2, 2), "0.mapping": torch.tensor([[0], [1]])},
        "thermometer": {"thresholds": torch.zeros(2, 1)},
        "scaler": {"mean": torch.zeros(2), "scale": torch.ones(2)},
    }
    torch.save(content, folder / "model.pt")
    return [folder / "model.pt"]


def write_difflogic(folder):
    state = {"0.weights": torch.eye(16), "0.indices": torch.tensor([[0] * 16, [1] * 16])}
    torch.save(state, folder / "gates.pth")
    return [folder / "gates.pth"]


def logicnets_state():
    ones = {f"pre_transforms.0.{n}": torch.ones(2) for n in
            ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
    ones["brevitas_module.tensor_quant.scaling_impl.learned_value"] = torch.tensor(0.0)
    return {
        "module_list.0.fc.weight": torch.ones(2, 3),
        "module_list.0.fc.mask.mask": torch.ones(2, 3),
        "module_list.0.fc.bias": torch.ones(2),
        **{f"module_list.0.output_quant.{name}": value for name, value in ones.items()},
    }


def write_logicnets(folder):
    torch.save(logicnets_state(), folder / "odd_name")
    torch.save({"model_dict": logicnets_state()}, folder / "old.pth",
               _use_new_zipfile_serialization=False)  # fmt: skip
    return [folder / "odd_name", folder / "old.pth"]


def write_verilog(folder):
    return [random_family(4).write(folder)]


def write_pt2(folder):
    class Module(nn.Module):
        def forward(self, x):
            return torch.round(x).clamp(0, 3)

    path = folder / "odd_name"
    torch.export.save(torch.export.export(Module(), (torch.zeros(2, 3),)), path.with_suffix(".pt2"))
    path.with_suffix(".pt2").rename(path)
    return [path]


WRITE = {
    name.removeprefix("write_"): write
    for name, write in list(globals().items())
    if name.startswith("write_")
}
READ = {"difflogic": "classes=2", "logicnets": "bits=1/1/1"}
# Torch files with a network of a family: the importer of torch files would refuse them.
IN_TORCH = ("dwn", "difflogic", "logicnets")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Files by the name of their format."""
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in WRITE.items()}


def test_every_importer_has_files_here():
    assert set(formats()) == set(WRITE)


@pytest.mark.parametrize("name", WRITE)
def test_files_are_recognized_and_read(own, name):
    for path in own[name]:
        assert recognize(path) is formats()[name]
        net = load(path, allow_pickle=True, read=READ.get(name))
        assert made_by(net) is formats()[name]
        assert net.info == load(path, allow_pickle=True, format=name, read=READ.get(name)).info


@pytest.mark.parametrize("other", WRITE)
@pytest.mark.parametrize("name", WRITE)
def test_files_of_other_formats_are_refused_by_name(own, name, other):
    if name == other or (name == "torch" and other in IN_TORCH):
        return
    for path in own[other]:
        with pytest.raises(CheckpointError) as caught:
            load(path, format=name)
        text = caught.value.text()
        assert str(path) in text
        # One that has the container in common reads as far as it understands.
        if formats()[name].sniff(path.read_bytes()[:4096], path) is None:
            assert formats()[name].title in caught.value.what
            assert formats()[other].title in text
            assert formats()[name].wanted in text


@pytest.mark.parametrize("name", WRITE)
def test_a_certain_importer_stands_alone(own, name):
    for path in own[name]:
        head = path.read_bytes()[:4096]
        found = {fmt.name for fmt in formats().values() if fmt.sniff(head, path) is not None}
        assert found - ({"torch"} if name in IN_TORCH else set()) == {name}


def test_a_name_does_not_outweigh_the_content(own, tmp_path):
    disguised = tmp_path / "disguised.onnx"
    shutil.copy(JETS, disguised)
    assert recognize(disguised).name == "native"
    torch.save(network(), tmp_path / "model.v")
    assert recognize(tmp_path / "model.v").name == "torch"


def test_a_file_may_not_claim_to_be_of_another_format(own, tmp_path):
    net = load(own["verilog"][0])
    assert is_source(net, own["verilog"][0])
    for name in ("quant.safetensors", "quant.v"):
        net.save(tmp_path / name)
        again = load(tmp_path / name)
        assert made_by(again).name == "verilog"
        assert not is_source(again, tmp_path / name)
    assert not is_source(net, tmp_path)


def test_a_header_length_that_looks_like_a_pickle(tmp_path):
    """The little-endian length of a safetensors header can begin with the sign of a pickle."""
    for size in range(400, 800):
        path = tmp_path / "other.bin"
        save_file({"w": np.zeros(1, np.float32)}, path, metadata={"fill": "x" * size})
        if path.read_bytes()[:1] == b"\x80":
            break
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert recognize(path).name == "native"


def test_an_unknown_format_is_refused():
    with pytest.raises(UsageError, match=f"one of {', '.join(formats())}"):
        load(JETS, format="hdf5")


class Lines(Format):
    name, title, wanted = "lines", "table lines", "a .lines file"

    def sniff(self, head, path):
        return Confidence.MAYBE if path.suffix in (".lines", ".json") else None


LINES = Lines()
UNNAMED = type("Unnamed", (Lines,), {"name": "a.b"})()
CLASH = type("Clash", (Lines,), {"name": "trees"})()


@pytest.fixture
def outside(monkeypatch):
    """Make an importer of another package known."""

    def install(value):
        point = EntryPoint("lines", value, "nnlogic.formats")
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: [point] * (group == "nnlogic.formats")
        )
        formats.cache_clear()

    yield install
    formats.cache_clear()


def test_importers_of_other_packages_are_found(outside, tmp_path):
    outside(f"{__name__}:LINES")
    (tmp_path / "x.lines").write_text("0 1")
    assert recognize(tmp_path / "x.lines").name == "lines"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:F", "cannot be used"),
        (f"{__name__}:MISSING", "cannot be used"),
        (f"{__name__}:DATA", "not an importer"),
        (f"{__name__}:UNNAMED", "not an importer"),
        (f"{__name__}:CLASH", r"two importers of table lines \(trees\)"),
    ],
)
def test_importers_that_cannot_be_used_are_named(outside, value, words):
    outside(value)
    with pytest.raises(UsageError, match=words):
        load(JETS)


def test_two_importers_of_one_file_are_both_named(outside, tmp_path):
    outside(f"{__name__}:LINES")
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"trees": 1}))
    with pytest.raises(CheckpointError, match="several importers") as caught:
        load(path)
    assert "trees, lines" in caught.value.fix
    with pytest.raises(NNLogicError, match="not an xgboost model"):
        load(path, format="trees")
