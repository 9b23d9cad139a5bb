"""Refinement: gains are true, moves keep what they say, results are proved equal."""

import json

import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import InputError, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.nn import fit_thresholds
from nnlogic.quant.ir import InputQuantizer
from nnlogic.refine.fit import fit, sizes
from nnlogic.refine.moves import Care, grow, improve, losses
from nnlogic.refine.netlist import Netlist, Rows, State, reduced
from nnlogic.refine.network import to_quantnet
from nnlogic.refine.run import refine, start_of, worth_of
from nnlogic.refine.search import Plan, search
from tests.conftest import random_quant_net

INPUTS, ROWS = 10, 9000


def random_netlist(seed, nodes=14):
    rng = np.random.default_rng(seed)
    pins = np.full((nodes, 6), -1, np.int64)
    for i in range(nodes):
        count = rng.integers(2, 7)
        pins[i, :count] = rng.choice(INPUTS + i, count, replace=False)
    tables = rng.integers(0, 1 << 63, nodes, dtype=np.uint64)
    for i in range(nodes):
        wires, table = reduced(pins[i].tolist(), int(tables[i]))
        pins[i] = -1
        pins[i, : len(wires)] = wires
        tables[i] = table
    return Netlist(INPUTS, pins, tables, INPUTS + np.arange(nodes - 2, nodes))


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, (ROWS, INPUTS))
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(INPUTS))
    labels = (codes[:, :5].sum(1) > 2) + (codes[:, 5:].sum(1) > 2)
    labels = np.where(rng.random(ROWS) < 0.1, rng.integers(0, 3, ROWS), labels)
    return Rows.of(codes, ports, worth_of(labels, 3), 2)


def slow_classes(net, rows):
    """Evaluation one row at a time, of the first rows."""
    out = []
    for r in range(200):
        values = [int(w[r // 64]) >> (r % 64) & 1 for w in rows.words] + [0] * len(net.tables)
        for i in net.order.tolist():
            at = sum(values[s] << p for p, s in enumerate(net.pins[i]) if s >= 0)
            values[INPUTS + i] = int(net.tables[i]) >> at & 1
        out.append(sum(values[s] << j for j, s in enumerate(net.outputs) if s >= 0))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_values_and_what_a_flip_is_worth(seed, rows):
    net = random_netlist(seed)
    state = State(net, rows)
    before = state.classes()
    assert before[:200].tolist() == slow_classes(net, rows)
    for node in net.order.tolist():
        found, gains = state.flips(node)
        other = net.copy()
        other.tables[node] = ~other.tables[node]
        after = State(other, rows).classes()
        where = np.flatnonzero(before != after)
        assert found.tolist() == where.tolist()
        worth = rows.worth
        assert np.allclose(gains, worth[where, after[where]] - worth[where, before[where]])


@pytest.mark.parametrize("seed", range(6))
def test_tidying_keeps_the_function(seed, rows):
    net = random_netlist(seed, nodes=30)
    before, luts = State(net, rows).classes(), net.luts
    net.tidy()
    assert net.luts <= luts
    assert (State(net, rows).classes() == before).all()


def test_the_table_found_is_the_best_there_is(rows):
    rng = np.random.default_rng(0)
    net = random_netlist(3)
    state = State(net, rows)
    for node in net.order.tolist():
        before = state.score()
        gain = improve(state, node, rng, Care())
        assert state.score() == pytest.approx(before + gain / ROWS, abs=1e-6)
        assert (State(net, rows).values == state.values)[:, :, :].all()
        # No single cell of the table could be better the other way.
        for cell in range(64):
            other = net.copy()
            other.tables[node] ^= np.uint64(1) << np.uint64(cell)
            assert State(other, rows).score() <= state.score() + 1e-7


def test_what_losing_a_node_costs_is_true(rows):
    net = random_netlist(5)
    state = State(net, rows)
    count = 0
    for node in net.order.tolist():
        for loss in losses(state, node):
            if loss.reader >= 0:
                continue
            other = net.copy()
            other.bypass(loss.node, loss.signal, loss.inverted)
            found = State(other, rows).score() - state.score()
            assert found == pytest.approx(loss.gain / ROWS, abs=1e-6)
            count += 1
    assert count == len(net.order)


def test_growing_gains_what_it_says(rows):
    net = random_netlist(2).widened(40)
    state = State(net, rows)
    before, luts = state.score(), net.luts
    gain = grow(state, np.random.default_rng(0), Care(), 3)
    assert gain > 0
    assert net.luts > luts
    assert state.score() == pytest.approx(before + gain / ROWS, abs=1e-6)
    assert (State(net, rows).classes() == state.classes()).all()


def test_search_shrinks_grows_and_gets_better(rows):
    net = random_netlist(4, nodes=24)
    plan = Plan(sizes=(8, 12, 6), sweeps=1, rated=2)
    found = list(search(net, rows, plan))
    assert [n.luts <= most for n, most in zip(found[1:], (8, 14, 6), strict=True)] == [True] * 3
    assert found[2].luts > found[1].luts
    assert rows.score(found[-1]) > rows.score(net) + 0.1
    again = list(search(net, rows, plan))
    assert all((a.tables == b.tables).all() for a, b in zip(found, again, strict=True))


@pytest.fixture(scope="module")
def trained():
    """A random network of codes of fixed point, and rows it says nothing of."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(6000, 5))
    labels = (x[:, 0] + x[:, 1] > 0).astype(np.int64) + (x[:, 2] * x[:, 3] > 0)
    net = random_quant_net(5, widths=(6, 3), bits=2)
    thresholds = fit_thresholds(x, (2,) * 5, "fixed", labels=labels)
    made = type(net)(
        net.name, net.inputs, net.layers, net.output_wires, InputQuantizer(thresholds),
        {**net.info, "class_names": ["a", "b", "c"]},
    )  # fmt: skip
    return made, x, labels


def test_networks_read_lower_bits_and_are_proved(trained):
    net, x, labels = trained
    start = start_of(net, wire_bits=6)
    codes = InputQuantizer(start.thresholds).encode(x, tuple(p.name for p in start.inputs))
    said = Rows.of(codes, start.inputs, worth_of(labels, 3), 2)
    old = net.evaluate(net.encode(x))[:, net.class_output]
    assert (State(start.net, said).classes() == old).all()
    assert start.net.luts > 5
    *_, last = refine(start, "better", codes, worth_of(labels, 3), Plan(sizes=(16,), sweeps=2))
    right = last.evaluate(last.encode(x))[:, 0] == labels
    assert right.mean() > (old == labels).mean() + 0.2
    assert any(p.format.bits > 2 for p in last.inputs)
    tables = nnlogic.tabulate(last)
    logic = nnlogic.minimize(tables, effort="fast")
    assert nnlogic.check(tables, logic).how == "proved"


def test_codes_of_no_class_are_said_as_the_last(rows):
    net = random_netlist(7)
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(INPUTS))
    made = to_quantnet(
        net, name="n", inputs=ports, thresholds=None, info={"class_names": ["a", "b", "c"]}
    )
    codes = np.random.default_rng(0).integers(0, 2, (500, INPUTS))
    found = made.evaluate(codes)[:, 0]
    said = State(net, Rows.of(codes, ports, np.zeros((500, 3)), 2)).classes()
    assert said.max() == 3
    assert (found == np.minimum(said, 2)).all()


def test_a_class_said_of_all_rows():
    nothing = np.zeros((0, 6), np.int64)
    net = Netlist(2, nothing, np.zeros(0, np.uint64), np.array([-1, 1]))
    ports = (Port("a", IntFormat(1)), Port("b", IntFormat(1)))
    info = {"class_names": ["a", "b", "c"]}
    made = to_quantnet(net, name="n", inputs=ports, thresholds=None, info=info)
    codes = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert made.evaluate(codes)[:, 0].tolist() == [0, 0, 2, 2]
    net.outputs[1] = -1
    made = to_quantnet(net, name="n", inputs=ports, thresholds=None, info=info)
    assert made.evaluate(codes)[:, 0].tolist() == [0, 0, 0, 0]


def test_what_cannot_be_refined_is_told(trained):
    net, _, labels = trained
    with pytest.raises(UsageError, match="says no class"):
        start_of(type(net)(net.name, net.inputs, net.layers, net.output_wires))
    with pytest.raises(UsageError, match="fixed-point"):
        start_of(net, wire_bits=1)
    with pytest.raises(InputError, match="do not fit"):
        worth_of(labels, 3, np.zeros((4, 3)))


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory):
    """A checkpoint, and rows for it as a table."""
    net, x, labels = trained
    folder = tmp_path_factory.mktemp("refine")
    net.save(folder / "net.safetensors")
    names = [p.name for p in net.inputs]
    rows = [",".join([*map(str, r), "abc"[c]]) for r, c in zip(x[:3000], labels, strict=False)]
    (folder / "rows.csv").write_text("\n".join([",".join([*names, "y"]), *rows]))
    return folder


def test_command(trained, files, capsys):
    from nnlogic.cli.main import main

    net, x, labels = trained
    out = files / "small.safetensors"
    line = ["refine", str(files / "net.safetensors"), "--data", str(files / "rows.csv")]
    line += ["--label", "y", "--luts", "9", "-o", str(out)]
    assert main([*line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    made = nnlogic.load(out)
    assert sum(len(la.formats) for la in made.layers if la.role == "network") <= told["luts"] + 2
    assert told["luts"] <= 9
    assert told["luts"] == min(w["luts"] for w in told["walked"])
    fresh = made.evaluate(made.encode(x[3000:]))[:, made.class_output] == labels[3000:]
    before = net.evaluate(net.encode(x[3000:]))[:, net.class_output] == labels[3000:]
    assert fresh.mean() > before.mean() + 0.1
    assert abs(fresh.mean() - told["validation"]) < 0.06
    tables = nnlogic.tabulate(made)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"
    assert main(line) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*line, "--force", "--luts", "1", "--minutes", "0.0001"]) == 6
    assert "more --minutes" in capsys.readouterr().err


def test_what_cannot_be_refined_by_rows_is_told(trained):
    net, x, labels = trained
    codes = net.encode(x)
    with pytest.raises(InputError, match="too few rows"):
        next(fit(net, codes[:40], labels[:40], luts=9, seconds=1))
    with pytest.raises(InputError, match="too few rows"):
        next(fit(net, codes, labels * 0 - 1, luts=9, seconds=1))
    bare = type(net)(net.name, net.inputs, net.layers, net.output_wires, None, net.info)
    with pytest.raises(UsageError, match="cannot lose bits"):
        next(fit(bare, codes, labels, luts=9, seconds=1))


def test_sizes_of_a_walk():
    assert sizes(20, 10) == (16, 12, 10, 12, 10, 12, 10, 12, 10)
    assert sizes(5, 5) == (5, 6, 5, 6, 5, 6, 5)
    assert sizes(3, 1) == (2, 1, 2, 1, 2, 1, 2, 1)
