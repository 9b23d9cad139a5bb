"""The cache of results is never believed: what is wrong is dropped, solved again, and said."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from helpers_tables import random_net

import nnlogic
from nnlogic.logic import cache as cache_module
from nnlogic.logic.arith import EXHAUSTIVE_BITS, check_block
from nnlogic.logic.build import minimize_with_records
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.unit import Unit, units_of
from nnlogic.tables.ir import ArgmaxBlock, Sum, TableNet, Word

OPTIONS = SolveOptions(6, "fast")
XOR, AND = 0b0110, 0b1000


def wrong_on(cone: Cone, pattern) -> Cone:
    """The network with its last output inverted for one input pattern, and right on all others."""
    builder = ConeBuilder(cone.n_inputs)
    outputs = list(builder.add(cone, range(cone.n_inputs)))
    hit = builder.constant(True)
    for i, bit in enumerate(pattern):
        hit = builder.lut([hit, i], AND if bit else 0b0010)
    outputs[-1] = builder.lut([outputs[-1], hit], XOR)
    return builder.cone(outputs)


def wide_sum(words=9, bits=2) -> Sum:
    signals = [tuple(range(bits * i, bits * i + bits)) for i in range(words)]
    n = words * bits
    result = Word(tuple(range(n, n + 7)), True)
    weights = tuple([1, -1, 2, -3, 1, 2, -1, 1, 1][:words])
    return Sum(tuple(map(Word, signals)), weights, 0, result, "sum/neuron0", 0)


def wide_argmax(words=6, bits=3) -> ArgmaxBlock:
    signals = [tuple(range(bits * i, bits * i + bits)) for i in range(words)]
    result = Word(tuple(range(words * bits, words * bits + 3)))
    return ArgmaxBlock(tuple(map(Word, signals)), result, "class", 0)


@pytest.mark.parametrize("block", [wide_sum(), wide_argmax()], ids=["sum", "argmax"])
@pytest.mark.parametrize("effort", ["fast", "normal"])
def test_a_wide_entry_that_is_wrong_on_one_pattern(tmp_path, caplog, block, effort):
    """Too wide to enumerate, and wrong where no sample looks: found all the same."""
    unit = Unit(block, block.origin, 1)
    options = replace(OPTIONS, effort=effort)
    good = unit.solve(options)
    n = good.cone.n_inputs
    assert n > EXHAUSTIVE_BITS
    rng = np.random.default_rng(5)
    tries = (wrong_on(good.cone, rng.random(n) < 0.5) for _ in range(1000))
    bad = next(cone for cone in tries if not check_block(block, cone))

    cache = ResultCache(tmp_path)
    cache.write(unit.key(options), good)
    assert cache.read(unit, options).cone == good.cone
    cache.write(unit.key(options), replace(good, cone=bad))
    with caplog.at_level(logging.WARNING, "nnlogic"):
        assert cache.read(unit, options) is None
    assert f"{unit.label} is solved again" in caplog.text
    assert not list(tmp_path.rglob("*.json"))


@pytest.fixture(scope="module")
def tables():
    return random_net(3)


def entries(folder):
    return sorted(folder.rglob("*.json"))


def wrong_table_of_one_pattern(path, unit):
    """Right on every input but one that matters."""
    data = json.loads(path.read_text())
    cone = Cone(
        data["n_inputs"],
        tuple(map(tuple, data["fanins"])),
        tuple(int(t, 16) for t in data["tables"]),
        tuple(data["outputs"]),
    )
    care = int(np.flatnonzero(unit.content.care_bools())[-1])
    bad = wrong_on(cone, [(care >> i) & 1 for i in range(cone.n_inputs)])
    assert "wrong on 1 of" in unit.wrong(bad, data["engine"], 6)
    data |= {"fanins": bad.fanins, "tables": [f"{t:x}" for t in bad.tables],
             "outputs": bad.outputs}  # fmt: skip
    path.write_text(json.dumps(data))


def edited(change):
    def spoil(path, unit):
        data = json.loads(path.read_text())
        path.write_text(json.dumps(change(data)))

    return spoil


SPOILS = {
    "one pattern": wrong_table_of_one_pattern,
    "cut": lambda path, unit: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path, unit: path.write_bytes(b""),
    "garbage": lambda path, unit: path.write_bytes(bytes(range(256)) * 8),
    "deep": lambda path, unit: path.write_text("[" * 100_000),
    "a list": edited(lambda data: [data]),
    "other format": edited(lambda data: {"version": 2, "network": data}),
    "no time": edited(lambda data: data | {"seconds": float("nan")}),
    "endless time": edited(lambda data: data | {"attempts": [["a", 1, 1, float("inf"), ""]]}),
    "huge": edited(lambda data: data | {"n_inputs": 10**12}),
    "huge float": edited(lambda data: data | {"n_inputs": 1e400}),
    "negative signal": edited(lambda data: data | {"outputs": [-1] * len(data["outputs"])}),
    "other function": edited(lambda data: data | {"outputs": data["outputs"] * 2}),
}


@pytest.mark.parametrize("name", SPOILS)
def test_spoilt_entries_are_dropped_solved_again_and_said(tables, tmp_path, caplog, name):
    net, _ = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    units, _ = units_of(tables)
    functions = [u for u in units if not isinstance(u.content, Sum | ArgmaxBlock)]
    cache = ResultCache(tmp_path)
    hit = {cache.path(u.key(OPTIONS)): u for u in functions}
    for path, unit in hit.items():
        SPOILS[name](path, unit)
    with caplog.at_level(logging.WARNING, "nnlogic"):
        again, records = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    assert again.text() == net.text()
    assert nnlogic.check(tables, again).equal
    assert sum(not r.cached for r in records) == len(hit)
    for path, unit in hit.items():
        assert f"cache entry {path} dropped, {unit.label} is solved again: " in caplog.text
    # Written anew: the next time nothing is wrong.
    caplog.clear()
    _, third = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    assert all(r.cached for r in third)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_an_entry_too_large_to_read_is_dropped(tables, tmp_path, monkeypatch, caplog):
    minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    monkeypatch.setattr(cache_module, "MOST_BYTES", 100)
    _, records = minimize_with_records(tables, effort="fast", cache_dir=tmp_path, jobs=1)
    assert any(not r.cached for r in records)
    assert "more than 100 bytes" in caplog.text


@pytest.mark.parametrize("how", ["one pattern", "garbage"])
def test_a_compilation_goes_on_and_the_next_finds_nothing_wrong(
    make_net, tmp_path, monkeypatch, how
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    make_net(4, widths=(4, 3), features=4).save(tmp_path / "toy.safetensors")
    source, options = tmp_path / "toy.safetensors", {"effort": "fast", "jobs": 1}
    first = nnlogic.compile(source, tmp_path / "a", **options)
    tables = TableNet.load(first.path / "ir" / "simplified.safetensors")
    k = nnlogic.Target.named(first.report.target).lut_size
    units, _ = units_of(tables)
    spoilt = 0
    for unit in units:
        path = ResultCache(tmp_path / "home" / "nnlogic").path(
            unit.key(SolveOptions(k, "fast", "balanced"))
        )
        if path.exists() and not isinstance(unit.content, Sum | ArgmaxBlock):
            SPOILS[how](path, unit)
            spoilt += 1
    assert spoilt
    second = nnlogic.compile(source, tmp_path / "b", **options)
    assert second.status == "compiled"
    said = (second.path / "nnlogic.log").read_text()
    assert said.count(" dropped, ") == spoilt
    third = nnlogic.compile(source, tmp_path / "c", **options)
    assert " dropped, " not in (third.path / "nnlogic.log").read_text()
    assert (third.path / "rtl" / "toy.v").read_text() == (first.path / "rtl" / "toy.v").read_text()
