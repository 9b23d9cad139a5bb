"""Torch files: no code runs, and every refusal says precisely why."""

import os
import pickle

import pytest
import torch
from torch import nn

from nnlogic.core.errors import CheckpointError, ToolNotFound, UnsupportedModel
from nnlogic.frontend import load
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import Network, fit_thresholds


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("name", ["model.pt", "model.bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_malicious_pickle_does_not_run(tmp_path, name, zipped):
    sentinel = tmp_path / "pwned"
    path = tmp_path / name
    if zipped:
        torch.save({"weight": Bomb(str(sentinel))}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(str(sentinel))))
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert not sentinel.exists()
    what = "a torch file of another program" if zipped else "a Python pickle"
    assert caught.value.what == f"{what}, not a checkpoint"
    assert "could run code" in caught.value.text()
    assert not zipped or f"{os.mkdir.__module__}.mkdir" in caught.value.why
    # Nothing nnlogic could use is in it, so running it is not proposed.
    assert "pickle=" not in caught.value.text()
    assert "--allow-pickle" not in caught.value.text()


def test_the_bomb_is_real(tmp_path):
    sentinel = tmp_path / "pwned"
    path = tmp_path / "model.pt"
    torch.save({"weight": Bomb(str(sentinel))}, path)
    with pytest.raises(CheckpointError):
        load(path, allow_pickle=True)
    assert sentinel.exists()


def test_state_dict_lacks_its_encoder(tmp_path):
    path = tmp_path / "state.pt"
    torch.save({"model": nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).state_dict()}, path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    error = caught.value
    assert error.what == "a state_dict without its input encoder"
    assert "4 tensors, 23 values (model.0, model.1)" in error.why
    assert "save_checkpoint" in error.fix


def test_nan_and_infinite_weights_are_all_listed(tmp_path):
    path = tmp_path / "state.pth"
    a, b, c = torch.zeros(3), torch.zeros(2), torch.zeros(2)
    a[1], b[:] = torch.nan, torch.inf
    torch.save({"a": a, "b": b, "c": c}, path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert [(p.where, p.why) for p in caught.value.problems] == [
        ("a", "1 of 3 values are NaN or infinite"),
        ("b", "2 of 2 values are NaN or infinite"),
    ]


def test_all_unsupported_layers_are_listed(tmp_path):
    path = tmp_path / "model.pt"
    model = nn.Sequential(
        nn.Linear(4, 3), nn.GELU(), nn.BatchNorm1d(3), nn.LSTM(3, 2), nn.Sequential(nn.Softmax(1))
    )
    torch.save(model, path)
    with pytest.raises(CheckpointError, match=r"names torch\.nn\.modules\.activation\.GELU"):
        load(path)
    with pytest.raises(UnsupportedModel) as caught:
        load(path, allow_pickle=True)
    error = caught.value
    assert error.what == "4 layers cannot be compiled to logic"
    names = [p.where.split()[0] for p in error.problems]
    assert names == ["0", "1", "3", "4.0", "input"]
    assert "PACT" in error.problems[1].fix
    assert all(p.fix for p in error.problems)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("bits", [(2, 2), (2, 3)])
def test_a_trusted_pickle_of_our_own_network_compiles(tmp_path, bits, zipped):
    arch = Architecture("t", ("a", "b"), bits, ("n", "y"), (plain_layer("fc", 2, 1),))
    network = Network(arch).eval()
    rows = torch.randn(50, 2).numpy()
    network.quantizer.set_thresholds(fit_thresholds(rows, bits))
    path = tmp_path / "model.pt"
    torch.save(network, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="would run code") as caught:
        load(path)
    assert "nnlogic.nn.network.Network" in caught.value.why
    assert "--allow-pickle" in caught.value.fix
    net = load(path, allow_pickle=True)
    assert (net.evaluate(net.encode(rows)) == network.evaluate(rows)).all()


def test_a_network_whose_thresholds_were_never_fitted_is_refused(tmp_path):
    arch = Architecture("t", ("a", "b"), (1, 2), ("n", "y"), (plain_layer("fc", 2, 1),))
    path = tmp_path / "model.pt"
    torch.save(Network(arch).eval(), path)
    with pytest.raises(CheckpointError) as caught:
        load(path, allow_pickle=True)
    assert [p.where for p in caught.value.problems] == ["input.0", "input.1"]


@pytest.mark.parametrize("keep", [0, 3, 60, 500])
def test_truncated_torch_file(tmp_path, keep):
    path = tmp_path / "state.pt"
    torch.save({"w": torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"empty|cut short|end is missing"):
        load(path)


def test_a_file_without_tensors(tmp_path):
    path = tmp_path / "x.pt"
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="holds a list without tensors"):
        load(path)


def test_without_torch_the_reason_is_named(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    torch.save({"w": torch.zeros(1)}, path)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ToolNotFound, match=r"nnlogic\[train\]"):
        load(path)
