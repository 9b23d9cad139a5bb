"""Costs, the search over slices and contexts, budgets and the plot."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from nnlogic.backends.dsp.model.cost import CLOCK_SOURCE, cost_of, program_width
from nnlogic.backends.dsp.model.machine import Machine, bounds
from nnlogic.backends.dsp.model.place import compile_ops, machine_for
from nnlogic.backends.dsp.model.plot import (
    activity,
    activity_text,
    front,
    tried_csv,
    tried_rows,
)
from nnlogic.backends.dsp.model.search import Budget, Point, choose, engine_for, pareto, search
from nnlogic.core.errors import TargetMissed
from nnlogic.core.markup import svg_file
from tests.backends.dsp.dsp_graphs import op_graph, random_graph


@pytest.fixture(scope="module")
def graph():
    return random_graph(900, n_in=20, reach=150)


@pytest.fixture(scope="module")
def points(graph):
    return search(graph, slices=(2, 8, 16))


def test_cost_of_one_program_by_hand(graph):
    program = compile_ops(graph, Machine(4, input_banks=1, output_slices=1, contexts=6))
    cost = cost_of(program, mhz=200.0)
    assert cost.slices == 4
    assert cost.crossbar_luts == 2 * 4 * 48 * 2  # five banks: two LUT6 a bit
    assert program.rows * 6 > 64
    banks = 2 * 4 * -(-program.rows * 6 // 512) + 2 * 1  # 2 * 20 * 6 = 240 input words
    outputs = -(-2 * program.output_rows * 6 // 512)
    assert cost.data_brams == banks + outputs
    row, select, input_row = (program.rows - 1).bit_length(), 3, 5
    assert program_width(program) == 4 * (7 + row + 2 * select) + 2 * (4 * row + input_row)
    assert cost.throughput == pytest.approx(288 * 200e6 / program.interval)
    assert cost.latency_ns == pytest.approx(program.cycles * 5)
    assert cost.mhz_source == "assumed"


def test_the_clock_model_is_called_a_model(graph, points):
    assert all(p.cost.mhz_source == CLOCK_SOURCE for p in points)
    assert CLOCK_SOURCE.startswith("model")
    by_slices = {p.cost.slices: p.cost.mhz for p in points}
    assert by_slices[2] > by_slices[8] > by_slices[16]
    assert max(by_slices.values()) <= 600


def test_more_slices_give_more_throughput(points):
    best = {p.cost.slices: p.cost.throughput for p in points}
    assert best[2] < best[8] < best[16]


def test_pareto_drops_what_is_beaten(points):
    worse = replace(points[0].cost, data_brams=points[0].cost.data_brams + 1)
    loser = Point(points[0].program, points[0].bounds, worse)
    kept = pareto([*points, loser])
    assert loser not in kept
    assert kept


def test_budgets_are_met_or_refused_with_numbers(points):
    chosen = choose(points, Budget(slices=8))
    assert chosen.cost.slices <= 8
    assert chosen.cost.throughput == max(p.cost.throughput for p in points if p.cost.slices <= 8)
    with pytest.raises(TargetMissed) as error:
        choose(points, Budget(slices=1, latency_ns=10))
    text = error.value.text()
    assert "the best found is 2, 1 more than the limit of 1" in text
    assert "fix: allow 2 slices" in text
    with pytest.raises(TargetMissed) as error:
        choose(points, Budget(slices=2, throughput=1e12))
    slices, speed = error.value.problems
    assert "the best found is 2, inside the limit of 2; there, throughput is" in slices.why
    assert "less than the limit of 1e+12; there, slices is 16 (limit 2)" in speed.why


def test_a_search_without_a_fit_lists_every_try(graph):
    with pytest.raises(TargetMissed) as error:
        search(graph, slices=(2, 4), bank_rows=12)
    where = {p.where for p in error.value.problems}
    assert {"2 slices, 1 contexts", "4 slices, 1 contexts"} <= where


def test_rows_and_plot_show_every_point(points):
    chosen = points[2]
    rows = tried_rows(points, chosen)
    assert [(r.slices, r.contexts) for r in rows] == sorted((r.slices, r.contexts) for r in rows)
    assert sum(r.best for r in rows) == len(pareto(points))
    [marked] = [r for r in rows if r.chosen]
    assert (marked.slices, marked.steps) == (chosen.cost.slices, chosen.program.steps)
    assert all(r.bound <= r.steps for r in rows)
    head, *lines = tried_csv(rows).splitlines()
    assert len(lines) == len(points)
    assert {line.count(",") for line in lines} == {head.count(",")}
    root = ET.fromstring(svg_file(front(rows)))
    circles = [e for e in root.iter() if e.tag.endswith("circle")]
    assert len(circles) == len(points) + 1
    assert "2 slices" in root.find("{http://www.w3.org/2000/svg}title").text


def test_activity_shows_how_many_slices_work(graph):
    program = compile_ops(graph, Machine(4, input_banks=1, output_slices=4, contexts=6))
    percents = activity(program, parts=10)
    assert len(percents) == 10
    assert sum(percents) / 10 == pytest.approx(100 * program.utilization, abs=1)
    assert max(percents) == 100
    assert len(activity_text(percents)) == 10
    assert "\u2588" in activity_text(percents)
    short = compile_ops(graph, Machine(900, input_banks=9, output_slices=900, contexts=6))
    assert len(activity(short, parts=10_000)) == short.steps


def test_more_input_banks_are_taken_where_they_pay():
    # Many inputs that are read at once: with one bank's two ports the first steps are idle.
    graph = random_graph(300, n_in=150, reach=150)
    few = compile_ops(graph, machine_for(graph, 8))
    machine, program = engine_for(graph, 8)
    assert program.steps < few.steps
    assert machine.input_banks == program.input_banks == 2 * few.input_banks
    kept, _ = engine_for(graph, 8, input_banks=1)
    assert kept.input_banks == 1


def test_the_bound_joins_path_and_work_at_both_ends():
    # A chain of 10, then 64 operations and the tree that joins them, then a chain of 10.
    rows = [(6, i, i) for i in range(10)]
    rows += [(6, 10, 10)] * 64
    level = list(range(11, 75))
    while len(level) > 1:
        rows += [(6, a, b) for a, b in zip(level[::2], level[1::2], strict=True)]
        level = list(range(len(rows) + 1 - len(level) // 2, len(rows) + 1))
    rows += [(6, len(rows) + i, len(rows) + i) for i in range(10)]
    graph = op_graph(rows, inputs=(1,))
    machine = Machine(2, input_banks=1, contexts=6)
    # 127 operations on two slices between two chains; from one end alone it would be 79.
    assert bounds(graph, machine).path == 64 + 20
    assert engine_for(graph, 2, contexts=6)[1].steps >= 84
