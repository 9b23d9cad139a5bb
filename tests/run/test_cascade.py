"""Cascades: what is sure, the core against its networks under stalls, and what must be refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

import nnlogic
from nnlogic.cli.main import main
from nnlogic.core.errors import Different, UnsupportedModel, UsageError
from nnlogic.quant.confidence import margins, with_confidence
from nnlogic.run.cascade_run import RESULT, cascade
from nnlogic.sim.cascade import WAYS, simulate_cascade
from tests.conftest import random_quant_net

ALL = np.stack([g.ravel() for g in np.meshgrid(*[np.arange(4)] * 4, indexing="ij")], axis=1)


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    small = random_quant_net(9, features=4)
    large = replace(random_quant_net(13, features=4), quantizer=small.quantizer)
    paths = folder / "small.safetensors", folder / "large.safetensors"
    for net, path in zip((small, large), paths, strict=True):
        net.save(path)
    rng = np.random.default_rng(0)
    rows = rng.uniform(-2, 2, (300, 4)).astype(np.float32)
    codes = large.encode(rows)
    # The small network is right where a score is ahead, the large one where none is.
    labels = np.where(
        margins(small, codes) > 0, *(n.evaluate(codes)[:, -1] for n in (small, large))
    )
    lines = [
        ",".join([*(f"{v:.9g}" for v in r), str(y)]) for r, y in zip(rows, labels, strict=True)
    ]
    table = folder / "rows.csv"
    table.write_text("\n".join(["f0,f1,f2,f3,y", *lines]))
    return small, large, paths, table, codes


@pytest.fixture(scope="module")
def made(nets, tmp_path_factory):
    _, _, paths, table, _ = nets
    out = tmp_path_factory.mktemp("cascade") / "out"
    how = {"rows": table, "label": "y", "asked": 0.9, "effort": "fast", "jobs": 1}
    return out, cascade(*paths, out, **how)


@pytest.mark.parametrize("margin", [1, 2, 5])
def test_sure_is_a_margin_between_scores(nets, margin):
    small = nets[0]
    made = with_confidence(small, margin)
    scores = small.evaluate(ALL)[:, :-1]
    ahead = [_ahead(row) for row in scores]
    np.testing.assert_array_equal(made.evaluate(ALL)[:, -1], np.array(ahead) >= margin)
    np.testing.assert_array_equal(made.evaluate(ALL)[:, :-1], small.evaluate(ALL))
    np.testing.assert_array_equal(margins(small, ALL), ahead)
    logic = nnlogic.minimize(nnlogic.tabulate(made, arith="auto"), effort="fast", jobs=1)
    np.testing.assert_array_equal(logic.evaluate(ALL), made.evaluate(ALL))


def _ahead(scores):
    first, second = sorted(scores.tolist(), reverse=True)[:2]
    return first - second


def test_the_core_answers_right_in_order_and_as_soon_as_promised(nets, made):
    small, _, _, _, codes = nets
    out, found = made
    unsure = margins(small, codes) < found.chosen.margin
    assert found.chosen.asked == unsure.mean()
    assert 0 < unsure.mean() <= 0.9
    assert [m.way for m in found.measured] == list(WAYS)
    alone, stream, stalls = found.measured
    sure, asked = found.latency["sure"], found.latency["asked"]
    assert alone.worst == asked
    assert alone.average == pytest.approx(sure + (asked - sure) * unsure.mean())
    assert sure <= alone.average <= stream.average <= asked
    assert stream.worst == asked
    # A row per clock: the last one comes as many clocks after the first as there are rows.
    assert stream.clocks <= len(codes) + asked
    assert stalls.rows == len(codes)
    assert max(found.chosen.small, found.chosen.large) < found.chosen.cascade == 1.0
    data = json.loads((out / RESULT).read_text())
    assert data["chosen"]["margin"] == found.chosen.margin
    for kind in ("small", "large"):
        assert (out / kind / "STATUS").read_text().strip() == "compiled"


@pytest.mark.parametrize("fault", ["one answer", "sense of sure"])
def test_planted_faults_are_found(nets, made, tmp_path, fault):
    small, large, _, _, codes = nets
    out, found = made
    files = [tmp_path / f.name for f in sorted((out / "rtl").glob("*.v"))]
    for file in files:
        file.write_bytes((out / "rtl" / file.name).read_bytes())
    expected = _expected(small, large, codes, found.chosen.margin)
    rows = [sum(int(v) << 2 * i for i, v in enumerate(row)) for row in codes]
    if fault == "one answer":
        expected[-1] ^= 1
    else:
        top = tmp_path / f"{found.name}.v"
        top.write_text(_inverted(top.read_text()))
    with pytest.raises(Different, match="differs from its networks"):
        simulate_cascade(found.name, files, rows, expected, input_bytes=1, output_bytes=1)


def _inverted(text):
    """The top module with another sense of the output ``sure`` of the small core."""
    line = next(s for s in text.splitlines() if ".y_sure(" in s)
    name = line.split(".y_sure(")[1].split(")")[0]
    fresh = line.replace(f"({name})", "(unsure_w)")
    head, tail = text.split(line)
    at = head.rindex("endmodule") if "endmodule" in head else 0
    start = head.index(";", head.index("module", at)) + 1
    wire = f"\n  wire unsure_w;\n  assign {name} = ~unsure_w;\n"
    return head[:start] + wire + head[start:] + fresh + tail


def _expected(small, large, codes, margin):
    unsure = margins(small, codes) < margin
    ends = [n.evaluate(codes)[:, n.class_output] for n in (small, large)]
    return [int(b if u else a) | int(u) << 2 for a, b, u in zip(*ends, unsure, strict=True)]


def test_bounds_decide_the_margin(nets, tmp_path):
    _, _, paths, table, _ = nets
    for bounds in ({"asked": 0.0, "loss": 0.0}, {"loss": -99.0}):
        with pytest.raises(UsageError, match="no margin meets the bounds"):
            cascade(*paths, tmp_path / "x", rows=table, label="y", **bounds)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_told(nets, tmp_path):
    small, large, paths, table, _ = nets
    other = tmp_path / "other.safetensors"
    replace(large, quantizer=None, info={"class_names": ["a", "b", "d"]}).save(other)
    with pytest.raises(UsageError) as found:
        cascade(paths[0], other, tmp_path / "x", rows=table, label="y")
    assert "different codes" in str(found.value)
    assert "classes" in str(found.value)
    with pytest.raises(UsageError, match="nothing to choose the margin by"):
        cascade(*paths, tmp_path / "x", rows=np.zeros((5, 4)))
    with pytest.raises(UsageError, match="the folder exists"):
        cascade(*paths, tmp_path, rows=table)
    scores = replace(small, layers=small.layers[:-1], output_wires=small.output_wires[:-1])
    with pytest.raises(UnsupportedModel, match="how sure"):
        with_confidence(scores, 1)
    with pytest.raises(UnsupportedModel, match="there already"):
        with_confidence(with_confidence(small, 1), 1)


def test_command(nets, made, monkeypatch, capsys, tmp_path):
    _, _, paths, table, _ = nets
    monkeypatch.setattr("nnlogic.run.cascade_run.cascade", lambda *a, **k: made[1])
    line = ["cascade", *map(str, paths), "--rows", str(table), "-o", str(tmp_path / "c")]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert "simulated back to back: 300 rows right" in out
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == made[1].name
