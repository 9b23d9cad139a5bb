"""A small convolutional network from its checkpoint to simulated Verilog and a netlist."""

import json

import numpy as np
import pytest

from nnlogic.cli.main import main
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.ir import INPUT, Argmax, InputQuantizer, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import pooling

U1, U2 = IntFormat(1), IntFormat(2)


def digits_net():
    """Ternary 3x3 kernels with three levels, padded by ones; max pooling; sums; argmax."""
    rng = np.random.default_rng(6)
    frame = Frame(1, 8, 8)
    weights = frozen(rng.integers(-1, 2, (3, 9)), np.int64)
    bounds = frozen(np.sort(rng.integers(-1, 3, (3, 2)), axis=1), np.int64)
    signs = Linear("signs", (INPUT,), weights, frozen(np.zeros(3), np.int64), bounds, (U2,) * 3)
    window = Window((3, 3), (2, 2), (1, 0, 1, 0), 1)
    conv = Windowed("conv", (INPUT,), frame, window, (Kernel((signs,)),))
    pool = pooling("pool", "conv", conv.output, Window((2, 2), (2, 2)), U2, "max")
    n = pool.output.wires
    weights = frozen(rng.integers(-1, 2, (4, n)), np.int64)
    scores = Linear("scores", ("pool",), weights, frozen(np.arange(4), np.int64), None,
                    (IntFormat.holding(-2 * n, 2 * n + 3),) * 4, "output")  # fmt: skip
    best = Argmax("digit", ("scores",), (U2,))
    ports = tuple(Port(f"p{y}{x}", U1) for y in range(8) for x in range(8))
    cuts = tuple(frozen([8], np.float32) for _ in ports)
    output = ((Port("digit", U2), "digit", 0),)
    return QuantNet(
        "digits", ports, (conv, pool, scores, best), output, InputQuantizer(cuts),
        {"class_names": ["a", "b", "c", "d"]},
    )  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "digits.safetensors"
    net = digits_net()
    net.verify()
    net.save(path)
    return path


def test_the_whole_flow(checkpoint, tmp_path, capsys):
    rng, net = np.random.default_rng(0), digits_net()
    x = rng.integers(0, 17, (300, 64)).astype(np.float32)
    rows = tmp_path / "rows.npz"
    np.savez(rows, X=x, y=net.evaluate(net.encode(x))[:, 0])
    run = str(tmp_path / "r")
    options = ["--backend", "lut", "--target", "ecp5", "--effort", "fast", "--jobs", "1"]
    assert main(["compile", str(checkpoint), "-o", run, "--rows", str(rows), *options]) == 0
    assert main(["verify", run]) == 0
    assert main(["synth", run, "--no-pnr"]) == 0
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    rungs = {rung["number"]: rung for rung in report["ladder"]}
    assert {n for n, rung in rungs.items() if rung["verdict"] == "pass"} == {0, 2, 3, 4, 5, 6}
    how = {c["title"]: c["how"] for n in (2, 3) for c in rungs[n]["checks"]}
    assert set(how.values()) == {"exhaustive", "proved"}
    assert report["timing"]["initiation_interval"] == 1
    capsys.readouterr()


def test_what_does_not_fit_is_said_with_figures(checkpoint, tmp_path, capsys):
    run = str(tmp_path / "r")
    assert main(["compile", str(checkpoint), "-o", run, "--unroll-limit", "50"]) == 3
    said = capsys.readouterr().err
    assert "conv      16 copies, 48 tables of 3 different neurons, 160 LUTs or more" in said
    assert "60 tables, more than 50" in said
    assert "--unroll-limit 60" in said
    assert not (tmp_path / "r").exists()


def test_what_is_too_wide_is_named_by_kernel(checkpoint, tmp_path, capsys):
    assert main(["compile", str(checkpoint), "-o", str(tmp_path / "r"), "--table-limit", "7"]) == 3
    said = capsys.readouterr().err
    assert "pool, kernel 0, level0" in said
    assert "a table would need 2^8 rows" in said


def test_inspect_prints_windows(checkpoint, capsys):
    assert main(["inspect", str(checkpoint)]) == 0
    assert "windowed 3x3" in capsys.readouterr().out
