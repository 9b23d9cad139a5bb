"""TableNet to LogicNet: equal on every input, cut signals exact, cache safe, options checked."""

import json
import os

import numpy as np
import pytest
from logic_nets import table_net

from nnlogic.core import bits
from nnlogic.core.errors import IRError, ToolNotFound, UsageError
from nnlogic.core.places import cache_folder
from nnlogic.logic import build, portfolio
from nnlogic.logic.build import minimize, minimize_with_records
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.rewrite import GONE
from nnlogic.logic.unit import Unit, units_of
from nnlogic.tables.ir import Function


def all_codes(net):
    words = bits.index_words(net.n_inputs)
    return bits.unpack_ports(words, net.inputs, 1 << net.n_inputs)


@pytest.fixture(scope="module")
def tables():
    return table_net()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("k", [4, 6])
def test_network_equals_tables_on_every_input(tables, cache, k):
    net, records = minimize_with_records(tables, k=k, effort="fast", cache_dir=cache, jobs=1)
    codes = all_codes(tables)
    assert np.array_equal(net.evaluate(codes), tables.evaluate(codes))
    assert net.k == k
    assert [r.instances for r in records] == [2, 2, 2, 1, 1, 1, 1]
    assert sum(r.luts * r.instances for r in records) >= net.stats()["luts"]
    layers = [net.layers[i].name for i in net.node_layers]
    assert [o.split("/")[0] for o in net.origins] == layers
    bit_origins = [o for o in net.origins if o.count("/") == 2]
    assert len(bit_origins) >= len(set(net.output_signals))


def test_cut_signals_carry_exactly_the_signals_of_the_tables(tables, cache):
    net = minimize(tables, effort="fast", cache_dir=cache, jobs=1)
    codes = all_codes(tables)
    trace = bits.unpack(net.trace_words(bits.pack_ports(codes, net.inputs)), len(codes))
    truth = tables.trace(codes)
    assert net.cuts.shape == (tables.n_signals,)
    kept = np.flatnonzero(net.cuts != GONE)
    assert np.array_equal(trace[net.cuts[kept]], truth[kept])
    assert set(tables.output_signals) <= set(kept.tolist())


def test_result_is_the_same_whatever_the_number_of_processes(tables):
    alone = minimize(tables, effort="fast", cache_dir=False, jobs=1)
    together = minimize(tables, effort="fast", cache_dir=False, jobs=2)
    assert alone.text() == together.text()


def test_second_run_comes_from_the_cache(tables, tmp_path):
    net, first = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    again, second = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    assert not any(r.cached for r in first)
    assert all(r.cached for r in second)
    assert [r.engine for r in first] == [r.engine for r in second]
    assert net.text() == again.text()
    other = minimize_with_records(tables, k=5, effort="fast", cache_dir=tmp_path, jobs=1)[1]
    assert not any(r.cached for r in other)


def wrong_table(data):
    data["tables"][-1] = "0"


def wrong_shape(data):
    data["fanins"][0] = [99]


def missing_key(data):
    del data["outputs"]


def not_numbers(data):
    data["tables"][0] = "xyz"


@pytest.mark.parametrize("spoil", [wrong_table, wrong_shape, missing_key, not_numbers, None])
def test_corrupt_cache_entries_are_ignored_and_written_again(tables, tmp_path, spoil):
    good = minimize(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    entries = sorted(tmp_path.rglob("*.json"))
    assert len(entries) == len(units_of(tables)[0])
    for path in entries:
        data = json.loads(path.read_text())
        if spoil is None:
            path.write_bytes(path.read_bytes()[:40])
        else:
            spoil(data)
            path.write_text(json.dumps(data))
    net, records = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    assert net.text() == good.text()
    assert not any(r.cached for r in records)
    assert all(
        r.cached for r in minimize_with_records(tables, effort="fast", cache_dir=tmp_path)[1]
    )


def test_unwritable_cache_costs_speed_only(tables, tmp_path, caplog):
    blocker = tmp_path / "file"
    blocker.write_text("not a directory")
    net = minimize(tables, effort="fast", cache_dir=blocker / "cache", jobs=1)
    assert net.stats()["luts"] > 0
    assert caplog.text.count("not cached") == 1


def test_default_cache_directory_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "nnlogic"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "nnlogic"
    unit = Unit(Function(1, bits.pack(np.array([[False, True]]))), "wire", 1)
    assert ResultCache(None).read(unit, SolveOptions()) is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"k": 7}, "k is 7, allowed 2 to 6"),
        ({"effort": "heroic"}, "choose from fast, normal, high"),
        ({"objective": "power"}, "choose from balanced, area, depth, adp"),
        ({"timeout": 0}, "0 s"),
        ({"jobs": 0}, "0 processes"),
    ],
)
def test_bad_options_are_usage_errors(tables, options, why):
    with pytest.raises(UsageError, match=why):
        minimize(tables, **options)


def test_missing_abc_is_said_before_any_work(tables, monkeypatch):
    def missing(name):
        raise ToolNotFound(f"{name} is needed and cannot be used", fix="install it")

    monkeypatch.setattr(build, "find", missing)
    with pytest.raises(ToolNotFound, match="abc is needed"):
        minimize(tables, cache_dir=False)


def test_wrong_fallback_is_a_bug_and_says_so(tables, monkeypatch):
    class Wrong:
        name = "wrong"

        def solve(self, function, k, timeout):
            return Cone(function.n_inputs, (), (), (0,) * function.n_outputs)

    monkeypatch.setattr(portfolio, "FALLBACK", Wrong())
    with pytest.raises(IRError, match="wrong on"):
        portfolio.solve(tables.functions[0], portfolio.SolveOptions(), engines=())


def test_objectives_trade_luts_for_depth(tables, cache):
    area = minimize(tables, objective="area", effort="fast", cache_dir=cache, jobs=1).stats()
    depth = minimize(tables, objective="depth", effort="fast", cache_dir=cache, jobs=1).stats()
    assert depth["depth"] <= area["depth"]


def test_progress_counts_distinct_functions(tables, cache):
    class Recorder:
        def __init__(self):
            self.steps = []

        def step(self, name, total=0):
            self.steps.append([name, total, 0])
            return self

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def advance(self, count=1, note=""):
            self.steps[-1][2] += count

    recorder = Recorder()
    minimize(tables, effort="fast", cache_dir=cache, jobs=1, progress=recorder)
    assert recorder.steps == [["load kernels", 0, 0], ["minimize functions", 7, 7]]
