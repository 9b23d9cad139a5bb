"""Modules of PyTorch as networks, bit for bit: what is read, what is refused, and why."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

import nnlogic
from nnlogic.checks.inputs.pt2 import check_archive
from nnlogic.cli.main import main
from nnlogic.core.errors import CheckpointError, NotQuantized, UnsupportedModel, UsageError
from nnlogic.frontend.pt2.archive import read_graph
from nnlogic.quant.ir import Linear, Windowed

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def on_grid(*layers):
    with torch.no_grad():
        for layer in layers:
            for p in layer.parameters():
                p.copy_(torch.round(p * 32) / 32)


def settled(norm):
    """A batch norm that looks trained, gains of both signs."""
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.3, 2)
        norm.weight.normal_()
        norm.bias.normal_()
    return norm


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3)
        self.norm = settled(nn.BatchNorm1d(8))
        on_grid(self.a, self.b)


class Binarized(Base):
    """Signs of batch-normalized sums of binary weights; raw features are quantized inside."""

    def forward(self, x):
        x = torch.round(x * 8).clamp(-32, 31) / 8
        h = torch.sign(self.norm(nn.functional.linear(x, torch.sign(self.a.weight))))
        return self.b(h).argmax(1)


class TwoBits(Base):
    def forward(self, x):
        x = torch.floor(x * 4).clamp(0, 7) * 0.25
        h = torch.round(torch.relu(self.norm(self.a(x))) * 2).clamp(0, 3) / 2
        return self.b(h)


class Residual(Base):
    def __init__(self):
        super().__init__()
        self.c = nn.Linear(8, 8)
        on_grid(self.c)

    def forward(self, x):
        h = (self.a(x) > 0).float()
        g = torch.round(self.c(h)).clamp(-2, 1)
        return self.b(torch.round((h + g) / 2)).argmax(dim=-1)


class Joined(Base):
    def forward(self, x):
        h = torch.where(self.a(x) >= 0, 1.0, -1.0)
        g = torch.round(self.norm(self.a(x))).clamp(0, 3)
        both = torch.cat([h[:, :4], g[:, 4:]], dim=1)
        return self.b(both.reshape(len(x), 4, 2).flatten(1)).argmax(1)


class FakeQuantized(Base):
    """Scales that are no powers of two, as torch.ao calibrates them."""

    def __init__(self):
        super().__init__()
        fake = torch.ao.quantization.FakeQuantize.with_args(
            observer=torch.ao.quantization.MinMaxObserver, quant_min=0, quant_max=15,
            dtype=torch.quint8,
        )  # fmt: skip
        self.x, self.h = fake(), fake()
        self.w = torch.ao.quantization.FakeQuantize(
            observer=torch.ao.quantization.PerChannelMinMaxObserver, quant_min=-7, quant_max=7,
            dtype=torch.qint8, qscheme=torch.per_channel_symmetric, ch_axis=0,
        )  # fmt: skip
        self(torch.randn(256, 6))
        for part in (self.x, self.h, self.w):
            part.disable_observer()

    def forward(self, x):
        h = nn.functional.linear(self.x(x), self.w(self.a.weight), self.a.bias)
        return self.b((self.h(torch.relu(h)) > 0.2).float()).argmax(1)


class Narrow(Base):
    """Float weights on no grid: neurons of few input bits are enumerated."""

    def __init__(self):
        super().__init__()
        with torch.no_grad():
            self.a.weight.normal_()

    def forward(self, x):
        return self.b(torch.round(nn.functional.hardtanh(self.a(x)) * 3))


class InPlace(Base):
    def forward(self, x):
        h = self.a(x)
        h.relu_()
        return torch.round(h).clamp_(0, 3)


def rows(kind, seed=1):
    g = torch.Generator().manual_seed(seed)
    if kind is None:
        return torch.randn(64, 6, generator=g) * 2
    if kind == "u1":
        return torch.randint(0, 2, (64, 6), generator=g).float()
    return torch.randint(-4, 4, (64, 6), generator=g).float() / 4


FAMILY = [
    (Binarized, None), (Binarized, "q1.2"), (TwoBits, None), (Residual, "u1"), (Joined, "q1.2"),
    (Joined, "u1"), (FakeQuantized, None), (Narrow, "u1"), (InPlace, "q1.2"),
]  # fmt: skip


def codes_of(net, x):
    if net.quantizer is not None:
        return net.encode(x.numpy())
    return np.rint(x.numpy() * (4 if net.info["inputs"] == "q1.2" else 1)).astype(np.int64)


def saved(module, x, path, *, core=False):
    program = torch.export.export(module.eval(), (x,))
    torch.export.save(program.run_decompositions() if core else program, path)
    return path


@pytest.mark.parametrize(("kind", "inputs"), FAMILY)
def test_a_module_is_its_network(kind, inputs):
    module, x = kind().eval(), rows(inputs)
    net = nnlogic.from_torch(module, x, inputs=inputs)
    fresh = rows(inputs, seed=5)
    with torch.no_grad():
        expected = module(fresh).reshape(len(fresh), -1).double().numpy()
    steps = np.array([meaning["step"] for meaning in net.info["outputs"]])
    assert np.array_equal(net.evaluate(codes_of(net, fresh)) * steps, expected)
    assert nnlogic.check(net, nnlogic.tabulate(net, arith="auto")).equal


@pytest.mark.parametrize("core", [False, True])
def test_an_archive_is_read_and_compared(tmp_path, core):
    x = rows("u1")
    path = saved(Residual(), x, tmp_path / "m.pt2", core=core)
    net = nnlogic.load(path, read="inputs=u1")
    assert check_archive(net, path).equal
    layer = next(la for la in net.layers if isinstance(la, Linear) and la.thresholds is not None)
    layer.thresholds.flags.writeable = True
    layer.thresholds[:, 0] += 1
    found = check_archive(net, path)
    assert not found.equal
    assert "rows differ" in found.detail


def test_a_network_in_memory_is_compiled_with_recorded_rows(tmp_path):
    net = nnlogic.from_torch(Residual(), rows("u1"), inputs="u1", classes=["a", "b", "c"])
    run = nnlogic.compile(net, tmp_path / "run", effort="fast")
    assert [r.verdict for r in run.report.ladder[1:4]] == ["pass"] * 3
    assert run.report.ladder[1].checks[0].detail == "every output bit for bit"


def test_an_archive_is_compiled_from_the_command_line(tmp_path):
    path = saved(TwoBits(), rows(None), tmp_path / "m.pt2")
    out = tmp_path / "run"
    assert main(["compile", str(path), "-o", str(out), "--effort", "fast", "--arith", "auto"]) == 0
    report = json.loads((out / "report.json").read_text())
    assert [r["verdict"] for r in report["ladder"][1:4]] == ["pass"] * 3


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(torch.sign(self.lstm(x.reshape(len(x), 2, 3))[0][:, -1])).argmax(1)


class Attention(Base):
    def forward(self, x):
        h = torch.softmax(self.a(x), dim=1)
        g = nn.functional.layer_norm(self.a(x), (8,))
        return self.b(torch.sign(h) + torch.sign(g)).argmax(1)


class Image(nn.Module):
    """Convolutions, norms and pooling between quantizers; then a dense layer."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.a = nn.Conv2d(2, 3, 3, padding=1)
        self.b = nn.Conv2d(3, 4, 2, groups=1, bias=False)
        self.norm, self.c = settled(nn.BatchNorm2d(3)), nn.Linear(16, 3)
        on_grid(self.a, self.b, self.c)

    def forward(self, x):
        x = torch.round(x * 2).clamp(-4, 3) / 2
        x = torch.round(torch.relu(self.norm(self.a(x)))).clamp(0, 3)
        x = torch.sign(self.b(nn.functional.max_pool2d(x, 2)))
        return self.c(x.flatten(1)).argmax(1)


def test_convolutions_become_windows(tmp_path):
    net = nnlogic.from_torch(Image(), torch.randn(16, 2, 6, 6))
    assert sum(isinstance(layer, Windowed) for layer in net.layers) == 3
    path = tmp_path / "image.pt2"
    torch.export.save(torch.export.export(Image().eval(), (torch.zeros(2, 2, 6, 6),)), path)
    assert check_archive(nnlogic.load(path), path).equal


def test_all_that_cannot_be_compiled_stands_in_one_table():
    with pytest.raises(UnsupportedModel) as caught:
        nnlogic.from_torch(Attention(), rows("u1"), inputs="u1")
    softmax, norm = caught.value.problems
    assert "aten.softmax" in softmax.where
    assert "test_pt2.py:" in softmax.where
    assert "aten.layer_norm" in norm.where
    assert "BatchNorm1d" in norm.fix


def test_an_lstm_is_refused_by_name():
    with pytest.raises(UnsupportedModel, match="lstm") as caught:
        nnlogic.from_torch(Recurrent(), rows("u1"), inputs="u1")
    assert "no state" in caught.value.problems[0].fix


def test_raw_features_without_a_quantizer_are_refused():
    with pytest.raises(NotQuantized, match="clamp") as caught:
        nnlogic.from_torch(Residual(), rows(None))
    assert "inputs='q3.3'" in caught.value.problems[0].fix


def test_sums_that_depend_on_the_order_of_adding_are_refused():
    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(64, 4)

        def forward(self, x):
            return torch.sign(self.a(x))

    with pytest.raises(UnsupportedModel, match="order of its own") as caught:
        nnlogic.from_torch(Wide(), torch.randint(0, 2, (8, 64)).float(), inputs="u1")
    assert "double()" in caught.value.problems[0].fix


@pytest.mark.parametrize("text", ["u0", "q3", "x1", "u99", "i4.1"])
def test_formats_of_inputs_that_are_none(text):
    with pytest.raises(UsageError):
        nnlogic.from_torch(Residual(), rows("u1"), inputs=text)


def test_rows_that_are_not_of_the_format_are_named():
    with pytest.raises(UnsupportedModel, match="row 0, input x"):
        nnlogic.from_torch(Residual(), rows("u1") + 0.5, inputs="u1")


def rewritten(path, out, change):
    """The archive with members changed: ``change(name, bytes)`` returns bytes, or None to drop."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return out


class Evil:
    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('pwned').touch()",))


def test_no_pickle_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = io.BytesIO()
    torch.save(Evil(), bad)
    path = saved(Residual(), rows("u1"), tmp_path / "m.pt2")
    samples = rewritten(
        path, tmp_path / "a.pt2",
        lambda n, data: bad.getvalue() if n.endswith("sample_inputs/model.pt") else data,
    )  # fmt: skip
    assert check_archive(nnlogic.load(samples, read="inputs=u1"), samples).equal
    weights = rewritten(
        path, tmp_path / "b.pt2",
        lambda n, data: bad.getvalue() if n.endswith("weight_0")
        else data.replace(b'"use_pickle": false', b'"use_pickle": true'),
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="would run code"):
        nnlogic.load(weights, read="inputs=u1")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"aten.linear.default", b"aten.from_file.default"),
        (b"aten.linear.default", b"os.system.default"),
        (b'"as_tensor"', b'"as_operator"'),
        (b'{"as_int": 6}', b'{"as_int": 60000000}'),
        (b'"sizes"', b'"seizes"'),
    ],
)
def test_archives_that_were_changed_are_refused(tmp_path, old, new):
    path = saved(Residual(), rows("u1"), tmp_path / "m.pt2")
    hostile = rewritten(path, tmp_path / "x.pt2", lambda n, data: data.replace(old, new))
    with pytest.raises((CheckpointError, UnsupportedModel)):
        nnlogic.load(hostile, read="inputs=u1")


def test_an_archive_cut_short_is_refused(tmp_path):
    path = saved(Residual(), rows("u1"), tmp_path / "m.pt2")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError):
        nnlogic.load(path, format="pt2")


def test_lines_of_the_program_are_kept(tmp_path):
    graph = read_graph(saved(Residual(), rows("u1"), tmp_path / "m.pt2"))
    assert all(node.line.startswith("test_pt2.py:") for node in graph.nodes)


class Collapsed(Base):
    def forward(self, x):
        return torch.sign(torch.relu(self.a(x)) + 1)[:, :2]


def test_outputs_that_never_change_are_a_warning_at_the_top(tmp_path):
    net = nnlogic.from_torch(Collapsed(), rows("u1"), inputs="u1")
    run = nnlogic.compile(net, tmp_path / "run", effort="fast")
    assert run.report.warnings[0].startswith("output y0 is always 1, whatever the inputs")
    assert nnlogic.run.open_run(tmp_path / "run").report.warnings == run.report.warnings


def test_a_foreign_module_is_told_the_way_in(tmp_path):
    from nnlogic.nn import save_checkpoint

    for refuse in (save_checkpoint, nnlogic.compile):
        with pytest.raises(UsageError, match="from_torch"):
            refuse(Residual(), tmp_path / "x")


def test_reprs_are_one_short_line():
    net = nnlogic.from_torch(Residual(), rows("u1"), inputs="u1")
    assert repr(net) == "<QuantNet Residual: layers 6, neurons 33, widest_fan_in_bits 6>"
    assert len(repr(nnlogic.tabulate(net, arith="auto"))) < 200
