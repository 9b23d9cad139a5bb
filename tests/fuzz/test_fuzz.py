"""The fuzzer in short, with a fixed seed; what it found before; and that it finds at all."""

import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

import nnlogic
from nnlogic.logic.rewrite import rewritten
from nnlogic.nn.families import families as all_families
from nnlogic.quant.layers import layer_kinds

from . import cases, families, faults, reference, strategies
from .walk import Finding, Refused

QUICK = ("fast",)
FINDS = sorted((Path(__file__).parent / "finds").glob("*.json"))


def few(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def attempt(case):
    """Run a case; whether it was compiled."""
    try:
        cases.run(case)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("through", cases.THROUGH)
def test_random_networks_are_equal_at_every_stage(through):
    compiled = []

    @few(10 if through == cases.STAGES else 4)
    @given(case=cases.cases((through,), efforts=QUICK))
    def test(case):
        compiled.append(attempt(case))

    test()
    assert any(compiled)


@pytest.mark.parametrize("family", sorted(all_families()))
def test_random_stacks_of_every_family_are_equal_at_every_stage(family):
    first = "thermometer" if family in families.ONE_BIT else family
    compiled = []

    @few(8)
    @given(case=cases.cases((cases.STAGES,), families=(family, first), efforts=QUICK))
    def test(case):
        if not any(compiled):
            compiled.append(attempt(case))

    test()
    assert any(compiled)


@pytest.mark.parametrize("path", FINDS, ids=[path.stem for path in FINDS])
def test_what_was_found_stays_mended(path):
    attempt(cases.load(path))


def test_every_layer_kind_is_drawn_and_has_a_reference():
    kinds = {kind.__name__ for kind in layer_kinds().values()}
    assert kinds == set(strategies.KINDS) == set(reference.KINDS)


def test_a_case_is_kept_as_it_is(tmp_path):
    @few(5)
    @given(case=cases.cases())
    def test(case):
        cases.save(case, tmp_path / "case.json")
        assert cases.load(tmp_path / "case.json") == case

    test()


# Faults in the compiler, and faults that checks overlook: the fuzzer must find them all.


def first_finding(through, examples=30):
    """The title of what the fuzzer finds first; fails when it finds nothing."""
    found = []

    @few(examples)
    @given(case=cases.cases((through,), efforts=QUICK))
    def test(case):
        if not found:
            try:
                attempt(case)
            except Finding as error:
                found.append(error.title)

    test()
    assert found, "the fuzzer found nothing"
    return found[0]


def test_finds_a_wrong_table(monkeypatch):
    right = nnlogic.tabulate

    def wrong(net, **options):
        tables = right(net, **options)
        return next(faults.wrong_tables(tables, random.Random(0)), tables)

    monkeypatch.setattr(nnlogic, "tabulate", wrong)
    assert first_finding(cases.STAGES) == "TableNet differs from the reference"


def test_finds_a_wrong_minimizer_although_checks_say_equal(monkeypatch):
    right = nnlogic.minimize

    def wrong(tables, **options):
        logic = right(tables, **options)
        return next(faults.wrong_logic(logic, random.Random(0)), logic)

    monkeypatch.setattr(nnlogic, "minimize", wrong)
    monkeypatch.setattr(nnlogic, "check", always_equal)
    assert first_finding(cases.STAGES) == "LogicNet differs from the reference"


class AlwaysEqual:
    equal = True

    def text(self):
        return "equal"


def always_equal(*stages, **options):
    return AlwaysEqual()


def test_finds_a_check_that_cannot_fail(monkeypatch):
    monkeypatch.setattr(nnlogic, "check", always_equal)
    assert first_finding(cases.STAGES).endswith("passes a fault")


def test_finds_a_wrong_pass_inside_the_compiler(monkeypatch):
    from nnlogic.logic import build

    def never_merges_right(cone, protected=frozenset()):
        """Take the first two nodes for equal, whatever they compute."""
        done = merge(cone, protected)
        nodes = done.cone.n_nodes
        if nodes < 2:
            return done
        tables = (*done.cone.tables[:-1], 0)
        return replace(done, cone=replace(done.cone, tables=tables))

    passes = dict(build.PASSES)
    merge = passes["merge equal nodes"].keywords["rewrite"]
    wrong = partial(rewritten, rewrite=never_merges_right)
    monkeypatch.setattr(build, "PASSES", (("merge equal nodes", wrong),))
    assert first_finding(cases.STAGES) == "minimize raises Different"
    # With the driver's own probe gone, the outputs say it.
    monkeypatch.setattr(build, "run_passes", lambda net, passes, **_: (wrong(net), []))
    monkeypatch.setattr(nnlogic, "check", always_equal)
    assert first_finding(cases.STAGES) == "LogicNet differs from the reference"
