"""Pickled torch modules against QuantNet, with a planted fault."""

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.checks.inputs.torch import check_module
from nnlogic.core.errors import CheckpointError
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import Network, fit_thresholds


def write(path, seed):
    arch = Architecture(
        "t", ("a", "b"), (2, 3), ("n", "y"), (plain_layer("h", 4, 2), plain_layer("fc", 2, 4))
    )
    torch.manual_seed(seed)
    network = Network(arch, seed=seed).eval()
    rows = np.random.default_rng(seed).normal(size=(50, 2))
    network.quantizer.set_thresholds(fit_thresholds(rows, (2, 3)))
    torch.save(network, path)
    return path


def test_the_module_itself_is_the_first_rung(tmp_path):
    path = write(tmp_path / "model.pt", 0)
    with pytest.raises(CheckpointError, match="would run code"):
        nnlogic.compile(path, tmp_path / "run", jobs=1)
    run = nnlogic.compile(path, tmp_path / "run", allow_pickle=True, stop_after="quant", jobs=1)
    assert run.report.source.format == "torch file"
    (check,) = run.report.rung(1).checks
    assert (check.title, check.verdict) == ("torch module = QuantNet", "pass")
    assert check.how == "sampled n=4096"


def test_another_module_is_found(tmp_path):
    net = nnlogic.load(write(tmp_path / "model.pt", 0), allow_pickle=True)
    verdict = check_module(net, write(tmp_path / "other.pt", 1))
    assert not verdict.equal
    assert verdict.left == "torch module"
