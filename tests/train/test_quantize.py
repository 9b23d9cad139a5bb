"""A float network in few bits: what is read, what each step says, and what comes out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import nnlogic
from nnlogic.cli.main import main
from nnlogic.core.errors import InputError, UnsupportedModel, UsageError
from nnlogic.train.quantize import quantize, source
from nnlogic.train.quantize.source import float_layers


class Scaled(nn.Module):
    """Scales and shifts features, as many do before a network."""

    def __init__(self, inner, mean, std):
        super().__init__()
        self.inner = inner
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        return torch.softmax(self.inner((x - self.mean) / self.std), 1)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(600, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(rows):
    return ((rows[:, 0] > 0).astype(np.int64) + (rows[:, 1] + rows[:, 2] > 0.3)).astype(np.int64)


def trained(module, rows, labels, steps=150):
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-2)
    x, y = torch.from_numpy(rows), torch.from_numpy(labels)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    return module


@pytest.fixture(scope="module")
def module(rows, labels):
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Linear(4, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 8),
        nn.GELU(), nn.Linear(8, 3),
    )  # fmt: skip
    return trained(made, rows, labels)


@pytest.fixture(scope="module")
def found(module, rows, labels):
    return quantize(module, rows, labels, steps=200)


def test_each_step_says_what_is_left(found):
    names = [step.what for step in found.steps]
    assert names[0] == "float network"
    assert [n.split()[0] for n in names[1:]] == [
        "inputs", "neurons", "weights", "fan-in", "fine-tuned",
    ]  # fmt: skip
    assert found.steps[0].agreement == 1.0
    assert found.steps[-1].accuracy > 0.75
    assert (found.rows, found.used) == (151, 449)
    text = found.text()
    assert len(text.splitlines()) == len(names) + 2
    assert f"{100 * found.steps[-1].accuracy:.2f} %" in text
    assert "151 rows that took no part" in text


def test_the_last_line_is_the_network_that_is_compiled(found, module, rows, labels, tmp_path):
    found.save(tmp_path / "few.safetensors")
    net = nnlogic.load(tmp_path / "few.safetensors")
    classes = net.evaluate(net.encode(rows))[:, net.class_output]
    with torch.no_grad():
        theirs = module.eval()(torch.from_numpy(rows)).argmax(1).numpy()
    # Which rows were held out is found again as it is said: all were measured with these classes.
    from nnlogic.data.split import take
    from nnlogic.train.quantize.run import HELD_OUT, SPLIT_SEED

    held = take(labels, HELD_OUT, SPLIT_SEED, stratified=True)[1]
    assert found.steps[-1].accuracy == float((classes[held] == labels[held]).mean())
    assert found.steps[-1].agreement == float((classes[held] == theirs[held]).mean())
    assert found.steps[0].accuracy == float((theirs[held] == labels[held]).mean())
    assert max(net.layers[i].fan_in_bits(net.x_formats(net.layers[i]))[0] for i in (0, 1)) <= 12
    assert (found.net.evaluate(net.encode(rows))[:, -1] == classes).all()


def test_it_compiles_with_torch_as_first_rung(found, tmp_path):
    found.save(tmp_path / "few.safetensors")
    run = nnlogic.compile(tmp_path / "few.safetensors", tmp_path / "run", effort="fast")
    assert [rung.verdict for rung in run.report.ladder][1:5] == ["pass"] * 4
    percents = {row.stage: row.percent for row in run.report.accuracy}
    assert percents["float"] == pytest.approx(100 * found.steps[0].accuracy, abs=0.001)


def test_a_file_gives_what_the_module_gives(module, rows, labels, tmp_path):
    path = tmp_path / "mine.pt2"
    exported = torch.export.export(module.eval(), (torch.from_numpy(rows[:8]),))
    torch.export.save(exported, path)
    from_file = quantize(path, rows, labels, steps=0)
    from_module = quantize(module, rows, labels, steps=0)
    assert [s.agreement for s in from_file.steps] == [s.agreement for s in from_module.steps]
    assert from_file.network.name == "mine"
    np.savez(tmp_path / "rows.npz", X=rows, y=labels)
    out = tmp_path / "few.safetensors"
    how = [
        "--data",
        str(tmp_path / "rows.npz"),
        "-o",
        str(out),
        "--steps",
        "0",
        "--fan-in",
        "2,4,0",
    ]
    assert main(["quantize", str(path), *how]) == 0
    assert nnlogic.load(out).info["class_names"] == ["0", "1", "2"]
    assert main(["quantize", str(path), *how]) == 2
    assert main(["quantize", str(path), *how, "--force"]) == 0


def test_texts_are_classes_and_columns_have_names(module, rows, labels, tmp_path, capsys):
    path = tmp_path / "mine.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.from_numpy(rows[:8]),)), path)
    lines = ["a,b,c,d,kind"] + [
        ",".join([*(f"{v:.6f}" for v in row), ("one", "three", "two")[y]])
        for row, y in zip(rows, labels, strict=True)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "few.safetensors"
    how = ["--data", str(tmp_path / "rows.csv"), "--label", "kind", "-o", str(out), "--json"]
    assert main(["quantize", str(path), *how, "--steps", "20"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["steps"][0]["accuracy"] > 0.8
    net = nnlogic.load(out)
    assert net.info["class_names"] == ["one", "three", "two"]
    assert [p.name for p in net.inputs] == ["a", "b", "c", "d"]
    assert main(["quantize", str(path), "--data", "no.csv", "-o", str(tmp_path / "x")]) != 0


def test_without_labels_the_float_network_is_all_there_is(module, rows):
    found = quantize(module, rows, steps=30)
    assert all(step.accuracy is None for step in found.steps)
    assert "  -  " in found.text()
    assert "accuracy" not in found.info


@pytest.mark.parametrize("act", [nn.Tanh(), nn.Sigmoid(), nn.SiLU(), nn.ReLU6(), nn.LeakyReLU()])
def test_activations_that_rise(act, rows, labels):
    mean, std = [0.5, 0.0, -1.0, 0.0], [2.0, 1.0, 0.5, 1.0]
    inner = nn.Sequential(nn.Linear(4, 10), act, nn.Linear(10, 3))
    module = trained(Scaled(inner, mean, std), rows, labels)
    found = quantize(module, rows, labels, bits=3, fan_in=0, steps=0)
    assert found.steps[-1].agreement > 0.9
    assert not found.tables


def test_one_score_is_two_classes(rows):
    labels = (rows[:, 0] - rows[:, 3] > 0.2).astype(np.int64)
    two = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    trained(two, rows, labels)
    one = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    one[0] = two[0]
    with torch.no_grad():
        one[2].weight.copy_(two[2].weight[1:] - two[2].weight[:1])
        one[2].bias.copy_(two[2].bias[1:] - two[2].bias[:1])
    _, layers = float_layers(one, rows, None)
    scores = torch.from_numpy(rows).double()
    for layer in layers:
        scores = layer(scores)
    with torch.no_grad():
        wanted = one(torch.from_numpy(rows))[:, 0] > 0
    assert (scores.argmax(1).bool() == wanted).all()
    assert quantize(one, rows, labels, steps=0, fan_in=0).steps[2].accuracy > 0.9


def test_the_layers_that_are_read_are_the_module(module, rows):
    label, layers = float_layers(module, rows, None)
    assert label == "Sequential"
    out = torch.from_numpy(rows).double()
    for layer in layers:
        out = layer(out)
    with torch.no_grad():
        wanted = module.eval()(torch.from_numpy(rows)).double()
    assert torch.allclose(out, wanted, atol=1e-4)


def test_layers_that_are_read_wrong_are_refused(module, rows, monkeypatch):
    def wrong(graph, where):
        layers = source_read(graph, where)
        layers[-1].bias = layers[-1].bias.roll(1) + torch.tensor([9.0, 0.0, -9.0]).double()
        return layers

    source_read = source.perceptron_of
    monkeypatch.setattr(source, "perceptron_of", wrong)
    with pytest.raises(UnsupportedModel, match="not what the module does"):
        quantize(module, rows)


def test_other_modules_are_refused_with_all_that_is_wrong(rows):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            x = x + torch.relu(self.a(x))
            return self.c(x.cumsum(1))

    with pytest.raises(UnsupportedModel) as error:
        quantize(Two(), rows)
    said = str(error.value)
    assert "two paths meet here" in said
    assert "aten.cumsum" in said
    assert "own-training" in said


def test_rows_labels_and_options_that_do_not_fit(module, rows, labels):
    for bad, match in ((rows[:, :3], "3 columns"), (rows[:20], "40 rows"), ("rows", "calibrated")):
        with pytest.raises((UsageError, InputError), match=match):
            quantize(module, bad)
    holed = rows.copy()
    holed[7, 1] = np.nan
    with pytest.raises(InputError, match="row 7"):
        quantize(module, holed)
    with pytest.raises(InputError, match="0 to 4, 3 classes"):
        quantize(module, rows, labels * 2)
    with pytest.raises(InputError, match="one class per row"):
        quantize(module, rows, labels[:-1])
    with pytest.raises(UsageError, match="for 3 layers"):
        quantize(module, rows, fan_in=[3, 3])
    with pytest.raises(UsageError, match="bits 9"):
        quantize(module, rows, bits=9)
    with pytest.raises(UsageError, match="2 names, 3 scores"):
        quantize(module, rows, classes=["a", "b"])
    with pytest.raises(UsageError, match="no float network"):
        quantize(3, rows)
