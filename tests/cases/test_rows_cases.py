"""Rows from the wild, through the command line: what they are is said, or they are refused."""

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pandas
import pytest

import nnlogic
from nnlogic.cli.main import main
from nnlogic.core.formats import Port
from nnlogic.job.backend import backends
from nnlogic.job.directory import open_run
from nnlogic.job.rows import load_rows
from nnlogic.report.html import render_html
from tests.conftest import random_quant_net

FILES = Path(__file__).parent / "files"
IRIS = FILES / "xgb_iris_multi.json"


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Compile up to the tables; return exit code, report and what was printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(model, *options):
        out = tmp_path / "run"
        args = ["compile", model, "-o", out, "--effort", "fast", "--stop-after", "tables"]
        code = main([str(a) for a in (*args, "--force", *options)])
        printed = capsys.readouterr()
        report = open_run(out).report if code == 0 else None
        return code, report, printed

    yield call
    logging.getLogger("nnlogic").handlers.clear()


def accuracy(report, stage="tables"):
    return next(row.percent for row in report.accuracy if row.stage == stage)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("rows_in_order.csv", "by name, in order"),
        ("rows_permuted_columns.csv", "by name, reordered"),
    ],
)
def test_columns_in_any_order(run, name, how):
    code, report, printed = run(IRIS, "--rows", FILES / name)
    assert code == 0
    assert accuracy(report) == 100.0
    assert report.data[0].matched == how
    assert f"{name}: {how}" in printed.out
    assert f"{name}: {how}" in render_html(report)
    assert json.loads(report.dumps())["data"][0]["labelled"] == "y, numbers of classes"


def test_a_header_that_does_not_match_is_refused_with_both_lists(run, tmp_path):
    text = (FILES / "rows_in_order.csv").read_text()
    (tmp_path / "rows.csv").write_text(text.replace("f0,f1,f2,f3", "SL,SW,PL,PW", 1))
    code, _, printed = run(IRIS, "--rows", tmp_path / "rows.csv")
    assert code == 3
    assert "4 features: f0, f1, f2, f3" in printed.err
    assert "5 columns: SL, SW, PL, PW, y" in printed.err
    assert not (tmp_path / "run").exists()


def test_no_sample_is_swallowed_as_a_header(run, tmp_path):
    lines = (FILES / "rows_in_order.csv").read_text().splitlines(keepends=True)
    (tmp_path / "rows.csv").write_text("".join(lines[1:]))
    code, _, printed = run(IRIS, "--rows", tmp_path / "rows.csv")
    assert code == 3
    assert "put a line of names before it: f0, f1, f2, f3, y" in printed.err


def test_a_feature_called_y_is_no_label(run):
    model, rows = FILES / "xgb_feature_named_y.json", FILES / "xyz.csv"
    code, report, _ = run(model, "--rows", rows)
    assert code == 0
    assert report.data[0].labelled == "no labels"
    assert report.data[0].n == 150
    code, _, printed = run(model, "--rows", rows, "--label", "y")
    assert code == 3
    assert "never the label" in printed.err
    assert run(model, "--label", "y")[0] == 2


def test_the_label_column_is_named(run, tmp_path):
    table = pandas.read_csv(FILES / "rows_in_order.csv").rename(columns={"y": "species"})
    for name, write in (("r.csv", table.to_csv), ("r.parquet", table.to_parquet)):
        write(tmp_path / name)
        code, report, printed = run(IRIS, "--rows", tmp_path / name)
        assert (code, accuracy(report)) == (0, None)
        assert "--label NAME" in printed.err, "a notice on stderr"
        assert "--label NAME" in printed.out, "and in the report"
        code, report, _ = run(IRIS, "--rows", tmp_path / name, "--label", "species")
        assert (code, accuracy(report)) == (0, 100.0)


def test_guises_of_one_file_give_one_result(run, tmp_path):
    text = (FILES / "rows_in_order.csv").read_text()
    guises = [
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\n", "\r\n").encode("utf-16"),
        text.replace(",", ";").replace(".", ",").encode(),
        ("\n" + text.replace(",", "\t") + "\n\n").encode(),
    ]
    for content in guises:
        (tmp_path / "rows.csv").write_bytes(content)
        code, report, _ = run(IRIS, "--rows", tmp_path / "rows.csv")
        assert (code, accuracy(report)) == (0, 100.0)


@pytest.fixture
def toy(tmp_path):
    """A network with class names, and rows with the classes it gives, as text."""
    net = random_quant_net()
    x = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    found = net.evaluate(net.encode(x))[:, -1]
    table = pandas.DataFrame(x, columns=[p.name for p in net.inputs])
    table["kind"] = [f"c{i}" for i in found]
    return net, table[["kind", *reversed(table.columns[:-1])]]


def saved(net, folder):
    net.save(folder / "net.safetensors")
    return folder / "net.safetensors"


def test_class_names_are_understood(run, toy, tmp_path):
    net, table = toy
    table.to_csv(tmp_path / "rows.csv", index=False)
    model = saved(net, tmp_path)
    code, report, _ = run(model, "--rows", tmp_path / "rows.csv", "--label", "kind")
    assert (code, accuracy(report)) == (0, 100.0)
    assert report.data[0].labelled == "kind, by 3 class names"
    (tmp_path / "rows.csv").write_text(
        (tmp_path / "rows.csv").read_text().replace("c1,", "electron,", 1)
    )
    code, _, printed = run(model, "--rows", tmp_path / "rows.csv", "--label", "kind")
    assert code == 3
    assert "kind holds electron, first at line" in printed.err
    assert "classes of the model are c0, c1, c2" in printed.err


@pytest.mark.parametrize("port", ["cls", "prediction", "class"])
def test_labels_count_whatever_the_class_is_called(run, toy, tmp_path, port):
    net, table = toy
    wires = [(p, la, w) if p.name != "class" else (Port(port, p.format), la, w)
             for p, la, w in net.output_wires]  # fmt: skip
    bare = dataclasses.replace(net, output_wires=tuple(wires), info={})
    numbers = table.assign(kind=table["kind"].str[1:]).rename(columns={"kind": port})
    numbers.to_csv(tmp_path / "rows.csv", index=False)
    code, report, _ = run(saved(bare, tmp_path), "--rows", tmp_path / "rows.csv")
    assert (code, accuracy(report)) == (0, 100.0)


def test_a_network_without_a_class_says_so(run, toy, tmp_path):
    net, table = toy
    scores = dataclasses.replace(net, output_wires=net.output_wires[:-1])
    table.to_csv(tmp_path / "rows.csv", index=False)
    code, report, _ = run(
        saved(scores, tmp_path), "--rows", tmp_path / "rows.csv", "--label", "kind"
    )
    assert code == 0
    assert "no output of the network names a class" in report.accuracy[-1].detail


# What a backend needs to be told beside its name.
NEEDS = {
    "dsp": {"dsps": 4},
    "chain": {"plan": "dsp,dsp,lut,lut", "dsps": 4, "stop_after": None},
}


# A stream takes networks with windows only.
@pytest.mark.parametrize("backend", sorted({b.name for b in backends().values()} - {"stream"}))
def test_every_backend_reads_the_same_rows(toy, tmp_path, backend):
    net, table = toy
    run = nnlogic.compile(
        saved(net, tmp_path), tmp_path / "run", backend=backend, effort="fast", jobs=1,
        rows=table, label="kind", **{"stop_after": "quant", **NEEDS.get(backend, {})},
    )  # fmt: skip
    assert run.report.data[0].matched == "by name, reordered"
    assert run.report.data[0].file == "a pandas DataFrame"
    assert accuracy(run.report, "quantized") == 100.0
    assert open_run(run.path).report.config["rows"] == "a pandas DataFrame"


def test_approximate_runs_say_it_of_every_file(toy, tmp_path):
    net, table = toy
    many = pandas.concat([table] * 5)
    many.to_csv(tmp_path / "a.csv", index=False)
    many[sorted(many.columns)].to_csv(tmp_path / "b.csv", index=False)
    run = nnlogic.compile(
        saved(net, tmp_path), tmp_path / "run", mode="approximate", rows=tmp_path / "a.csv",
        validation_rows=tmp_path / "b.csv", label="kind", stop_after="tables", effort="fast",
        jobs=1,
    )  # fmt: skip
    assert [(row.part, row.file, row.matched) for row in run.report.data] == [
        ("rows", "a.csv", "by name, reordered"),
        ("validation rows", "b.csv", "by name, in order"),
    ]
    assert all(row.exact == 100.0 for row in run.report.approximation.rows)


def test_codes_that_no_port_holds_are_refused_with_the_file(run, toy, tmp_path):
    net, table = toy
    codes = dataclasses.replace(net, quantizer=None)
    features = table[[p.name for p in net.inputs]].round().abs().clip(0, 3).astype(float)
    for value, words in ((9, "row 0 is 9, outside 0..3"), (1e300, "outside 0..3")):
        features.iloc[0, 0] = value
        features.to_csv(tmp_path / "rows.csv", index=False)
        code, _, printed = run(saved(codes, tmp_path), "--rows", tmp_path / "rows.csv")
        assert code == 3
        assert words in printed.err
        assert "rows.csv" in printed.err
    np.savez(tmp_path / "rows.npz", X=np.full((2, 5), 2**64 - 1, np.uint64))
    assert run(saved(codes, tmp_path), "--rows", tmp_path / "rows.npz")[0] == 3


def test_a_name_with_escapes_reaches_no_terminal(run, tmp_path):
    (tmp_path / "rows.csv").write_text("f0,f1,f2,\x1b[31mred\n1,2,3,4\n".replace("\x1b", "\u009b"))
    code, _, printed = run(IRIS, "--rows", tmp_path / "rows.csv")
    assert code == 3
    assert "\u009b" not in printed.err


def content(kind, table, folder):
    path = folder / f"good.{kind}"
    if kind == "npz":
        np.savez_compressed(path, X=table[["f0", "f1", "f2", "f3"]], y=table["y"])
    elif kind == "npy":
        np.save(path, table[["f0", "f1", "f2", "f3"]].to_numpy())
    else:
        getattr(table, f"to_{kind}")(path, index=False)
    return path.read_bytes()


def mutated(data, rng):
    data = bytearray(data)
    what = rng.integers(5)
    if what == 0:
        del data[int(rng.integers(len(data))) :]
    elif what == 1:
        place = int(rng.integers(len(data)))
        data[place:place] = rng.bytes(int(rng.integers(1, 40)))
    elif what == 2:
        place = int(rng.integers(len(data)))
        del data[place : place + int(rng.integers(1, 40))]
    else:
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)


@pytest.mark.parametrize("kind", ["csv", "npz", "npy", "parquet"])
def test_broken_rows_are_read_or_refused(tmp_path, kind):
    net = nnlogic.load(IRIS)
    table = pandas.read_csv(FILES / "rows_in_order.csv")[::10]
    good = content(kind, table, tmp_path)
    rng = np.random.default_rng(0)
    path = tmp_path / f"broken.{kind}"
    refused = 0
    for _ in range(300):
        path.write_bytes(mutated(good, rng))
        try:
            rows = load_rows(net, path)
        except nnlogic.NNLogicError as error:
            refused += 1
            assert error.exit_code == 3  # noqa: PT017
            assert str(path) in error.text()  # noqa: PT017
        else:
            assert rows.codes.shape[1] == 4
    assert 50 < refused < 300
