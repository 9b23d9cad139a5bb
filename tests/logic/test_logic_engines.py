"""Every engine equals the function on its care set; wrong, failing and hanging engines lose."""

import stat

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logic_nets import functions, neuron

from nnlogic.core.bits import pack
from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.logic import portfolio
from nnlogic.logic.cone import Cone, ConeBuilder, function_of, input_patterns, mismatches
from nnlogic.logic.engines import abc as abc_engine
from nnlogic.logic.engines.abc import ABC_ENGINES, AbcEngine
from nnlogic.logic.engines.decompose import Decompose
from nnlogic.logic.engines.espresso import Espresso
from nnlogic.logic.engines.multiplicity import count_columns
from nnlogic.logic.portfolio import SolveOptions, attempt_engine, solve
from nnlogic.logic.support import Partial, settle_outputs
from nnlogic.tables.ir import Function
from nnlogic.tools import abc as abc_tool
from nnlogic.tools.find import Tool

SLOW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
DISTINCT_SCRIPTS = tuple({e.script: e for e in reversed(ABC_ENGINES)}.values())


@pytest.mark.parametrize("engine", DISTINCT_SCRIPTS, ids=lambda e: e.name)
@SLOW
@given(function=functions(min_inputs=3))
def test_abc_script_is_right_on_the_care_set(engine, function):
    part = Partial.of(function).reduced()
    if len(part.inputs) < 3 or not engine.applicable(function, 6, "high"):
        return
    function = part.function(function.justification)
    cone, attempt = attempt_engine(engine, function, SolveOptions())
    if cone is None:
        # ABC gives up on some degenerate functions; it must say so, never be wrong.
        assert attempt.error
        assert "wrong on" not in attempt.error
    else:
        assert mismatches(cone, function) == 0


@SLOW
@given(function=functions(min_inputs=1, max_inputs=6))
def test_espresso_is_right_on_the_care_set(function):
    cone, attempt = attempt_engine(Espresso(), function, SolveOptions())
    assert attempt.error == "" or "wrong" not in attempt.error
    if cone is not None:
        assert mismatches(cone, function) == 0


@pytest.mark.parametrize("k", [2, 3, 4, 6])
@settings(max_examples=25, deadline=None)
@given(function=functions())
def test_own_decomposition_always_succeeds(k, function):
    cone = Decompose().solve(function, k, 1.0)
    assert cone.problems(k) == []
    assert mismatches(cone, function) == 0


@settings(max_examples=15, deadline=None)
@given(
    function=functions(max_inputs=9), seed=st.integers(0, 3), timeout=st.sampled_from([0.0, 9.0])
)
def test_own_decomposition_from_any_start_in_any_time(function, seed, timeout):
    cone = Decompose(seed=seed).solve(function, 6, timeout)
    assert mismatches(cone, function) == 0


def test_own_decomposition_finds_the_parts_of_a_composed_function():
    # Majority of three 5-input parities on 15 inputs: four LUTs, 2**9 by multiplexers.
    index = np.arange(1 << 15)
    parity = [sum((index >> (5 * g + b)) & 1 for b in range(5)) & 1 for g in range(3)]
    function = function_of((sum(parity) >= 2)[None], None)
    assert Decompose().solve(function, 6, 60.0).luts == 4


@given(st.integers(3, 7), st.integers(1, 3), st.integers(0, 2**32 - 1), st.data())
def test_column_counts_are_exact(n, m, seed, data):
    rng = np.random.default_rng(seed)
    rows = rng.random((m, 1 << n)) < data.draw(st.sampled_from([0.1, 0.5]))
    size = data.draw(st.integers(1, n - 1))
    bounds = np.array([sorted(rng.permutation(n)[:size]) for _ in range(4)])
    counts = count_columns(pack(rows.T).T, bounds)
    for bound, count in zip(bounds.tolist(), counts.tolist(), strict=True):
        columns = {}
        for i in range(1 << n):
            code = sum(((i >> b) & 1) << at for at, b in enumerate(bound))
            columns.setdefault(code, []).append(tuple(rows[:, i]))
        assert count == len({tuple(c) for c in columns.values()})


@pytest.mark.parametrize("k", [4, 6])
@SLOW
@given(function=functions())
def test_portfolio_is_right(k, function):
    solution = solve(function, SolveOptions(k=k))
    assert solution.cone.problems(k) == []
    assert mismatches(solution.cone, function) == 0


@settings(max_examples=40, deadline=None)
@given(function=functions(max_inputs=6))
def test_functions_that_fit_need_one_lut_per_output(function):
    solution = solve(function, SolveOptions(), engines=())
    assert solution.engine == "direct"
    assert solution.cone.luts <= function.n_outputs
    assert mismatches(solution.cone, function) == 0


def test_dont_cares_remove_inputs():
    # Output is input 0 wherever it matters, table says otherwise elsewhere.
    rng = np.random.default_rng(0)
    index = np.arange(1 << 8)
    care = rng.random(1 << 8) < 0.6
    function = function_of(((index & 1) == 1)[None], care, "exact SDC")
    assert solve(function, SolveOptions(), engines=()).cone == Cone(8, (), (), (0,))


def test_copies_and_complements_are_found():
    f = neuron(5, 9, 1)
    table = f.table()[0]
    function = function_of(np.stack([table, ~table, table]), None)
    solution = solve(function, SolveOptions())
    assert mismatches(solution.cone, function) == 0
    single = solve(f, SolveOptions())
    assert solution.cone.luts == single.cone.luts


def test_settled_outputs_share_luts():
    builder = ConeBuilder(3)
    table = np.array([i.bit_count() > 1 for i in range(8)])
    function = function_of(np.stack([table, table, np.ones(8, bool)]), None)
    signals = settle_outputs(Partial.of(function), 6, builder)
    assert signals[0] == signals[1]
    assert len(builder.tables) == 2


def test_others_read_an_output_that_one_lut_settles():
    """What an engine makes for an output alone is not the LUT that another output is."""
    rng = np.random.default_rng(0)
    index = np.arange(1 << 9)
    inner = rng.integers(0, 2, 64)[index & 63]
    outer = rng.integers(0, 2, 16)[(index >> 6 & 7) * 2 + inner]
    function = function_of(np.stack([inner, outer, inner]) > 0, None)
    solution = solve(function, SolveOptions(objective="area"))
    assert solution.cone.luts == 2
    assert solution.cone.outputs[0] == solution.cone.outputs[2]
    assert solve(function, SolveOptions(effort="fast", objective="area")).cone.luts <= 3


def test_outputs_together_are_improved_within_dont_cares():
    rng = np.random.default_rng(1)
    index = np.arange(1 << 9)
    table = np.stack([rng.random(64)[index & 63] < 0.5, (index * 7 >> 5) % 5 > 2, index % 3 > 0])
    care = rng.random(1 << 9) < 0.7
    solution = solve(function_of(table, care, "exact SDC"), SolveOptions())
    assert mismatches(solution.cone, function_of(table, care, "exact SDC")) == 0


class Planted:
    """An engine that does as told."""

    def __init__(self, name, action):
        self.name, self.action = name, action

    def applicable(self, function, k, effort):
        return True

    def solve(self, function, k, timeout):
        return self.action(function, k)


def flipped(function, k):
    cone = Decompose().solve(function, k, 1.0)
    return Cone(cone.n_inputs, cone.fanins, (*cone.tables[:-1], cone.tables[-1] ^ 1), cone.outputs)


def failing(function, k):
    raise ToolFailed("abc failed", why="exit status 0, but it did not write out.blif")


def hanging(function, k):
    raise ToolTimeout("abc did not finish in 1 s")


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (flipped, "wrong on"),
        (failing, "did not write out.blif"),
        (hanging, "did not finish"),
        (lambda f, k: Cone(f.n_inputs, ((0, 1, 2, 3, 4, 5, 6),), (0,), (0,)), "7 inputs, limit 6"),
        (lambda f, k: Cone(f.n_inputs, (), (), (99,)), "signal that does not exist"),
        (lambda f, k: Cone(3, (), (), (0,)), "wrong on 128 of 128"),
    ],
)
def test_bad_engine_loses_and_the_fallback_wins(action, why):
    function = neuron(1, 8)
    solution = solve(function, SolveOptions(), engines=(Planted("planted", action),))
    assert solution.engine.removesuffix("+resub") == "decompose"
    assert why in solution.attempts[0].error
    assert mismatches(solution.cone, function) == 0


def test_cheaper_correct_engine_wins_over_cheaper_wrong_one():
    function = neuron(1, 8)
    engines = (
        Planted("wrong", lambda f, k: Cone(f.n_inputs, (), (), (0,) * f.n_outputs)),
        ABC_ENGINES[1],
    )
    solution = solve(function, SolveOptions(), engines=engines)
    assert solution.engine.removesuffix("+resub") == ABC_ENGINES[1].name


def fake_abc(tmp_path, monkeypatch, body):
    path = tmp_path / "abc"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(abc_tool, "find", lambda name: Tool(name, (str(path),), (), "fake"))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("exit 0", "did not write out.blif"),
        ("echo 'Error: nothing'; echo x > out.blif; exit 0", "printed 'Error:'"),
        ("sleep 20", "did not finish in 0.3 s"),
        ("kill -9 $$", "SIGKILL"),
        ("echo garbage > out.blif", "outside any node"),
        (
            "printf '.model m\\n.inputs a\\n.outputs a\\n.end\\n' > out.blif",
            "changed the interface",
        ),
    ],
)
def test_broken_abc_is_handled(tmp_path, monkeypatch, body, why):
    fake_abc(tmp_path, monkeypatch, body)
    function = neuron(1, 8)
    solution = solve(function, SolveOptions(timeout=0.3), engines=ABC_ENGINES[1:2])
    assert solution.engine.removesuffix("+resub") == "decompose"
    assert why in solution.attempts[0].error
    assert mismatches(solution.cone, function) == 0


def test_engines_have_distinct_names():
    names = [e.name for e in portfolio.ENGINES]
    for k in range(2, 7):
        fit = [n for e, n in zip(portfolio.ENGINES, names, strict=True) if k in sizes(e)]
        assert len(set(fit)) == len(fit)


def sizes(engine):
    return getattr(engine, "lut_sizes", range(2, 7))


@given(st.integers(3, 9), st.integers(0, 2**32 - 1))
def test_care_patterns_fill_whole_words_without_inventing_cares(n, seed):
    care = np.random.default_rng(seed).random(1 << n) < 0.3
    care[0] = False
    care[-1] = True
    rows = abc_engine.care_text(care).split()
    assert len(rows) % 64 == 0
    assert {int(r, 2) for r in rows} == set(np.flatnonzero(care).tolist())


def test_shuffled_start_gives_back_inputs_and_outputs_in_order():
    function = neuron(4, 9, 3)
    engine = AbcEngine("shuffled", ABC_ENGINES[1].script, order=7)
    assert mismatches(engine.solve(function, 6, 60), function) == 0


class Given:
    """An engine under the name of one of arithmetic, whose network is known."""

    name = portfolio.ARITHMETIC_ENGINES[0].name

    def __init__(self, cone):
        self.cone = cone

    def applicable(self, function, k, effort):
        return self.cone.n_inputs == function.n_inputs

    def solve(self, function, k, timeout):
        return self.cone


def test_scripts_are_left_out_where_arithmetic_has_a_network():
    builder = ConeBuilder(12)
    first = builder.lut(range(6), 1 << 63)
    cone = builder.cone([builder.lut([first, *range(6, 11)], 1 << 63), builder.lut([first, 11], 8)])
    whole = Function(12, pack(cone.evaluate(input_patterns(12))))
    script = AbcEngine("script", "strash; if -K 6")

    def tried(function, engine):
        found = solve(function, SolveOptions(effort="fast"), (engine, script))
        return "script" in {attempt.engine for attempt in found.attempts}

    assert not tried(whole, Given(cone))
    assert tried(whole, Given(ConeBuilder(3).cone([0])))
    care = np.zeros(1 << 12, bool)
    care[::3] = True
    assert tried(Function(12, whole.bits & pack(care), pack(care), "observed data"), Given(cone))
