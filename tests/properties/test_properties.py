"""Statements decided by SAT are those that evaluating every input decides."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.formats import IntFormat
from nnlogic.logic.cone import Cone, ConeBuilder, input_patterns
from nnlogic.properties import decide as deciding
from nnlogic.properties import properties
from nnlogic.properties.decide import decide
from nnlogic.properties.subject import Subject
from nnlogic.properties.words import differs, inside, less, ordered, word
from tests.conftest import random_quant_net


@pytest.fixture(scope="module")
def subject():
    quant = random_quant_net(5, features=4)
    logic = nnlogic.minimize(nnlogic.tabulate(quant), effort="fast", jobs=1, cache_dir=False)
    rows = np.random.default_rng(0).integers(0, 4, (12, 4))
    return Subject(logic, quant, rows, "run")


@pytest.fixture
def only_sat(monkeypatch):
    """Neither samples nor enumeration: what is decided, SAT decides."""
    monkeypatch.setattr(deciding, "ENUMERATED", 0)
    monkeypatch.setattr(deciding, "SAMPLES", 0)


ALL = np.array(list(itertools.product(range(4), repeat=4)))


def claims(text, subject):
    kind, *words = text.split()
    return list(properties()[kind].claims(words, subject))


def test_kinds_find_themselves():
    assert {"robust", "monotone", "never", "same"} <= set(properties())


@pytest.mark.parametrize("radius", [0, 1, 2])
def test_robust_in_a_box(subject, only_sat, radius):
    chosen = subject.net.evaluate(ALL)[:, -1]
    seen = set()
    for row, claim in zip(subject.rows, claims(f"robust radius={radius}", subject), strict=True):
        near = (np.abs(ALL - row) <= radius).all(axis=1)
        own = subject.net.evaluate(row[None])[0, -1]
        found = decide(claim)
        assert (found.verdict == "holds") == (chosen[near] == own).all()
        seen.add(found.verdict)
        if found.example is not None:
            assert (np.abs(found.example - row) <= radius).all()
            assert subject.net.evaluate(found.example)[0, -1] != own
    assert radius == 0 or "refuted" in seen


@pytest.mark.parametrize("most", [1, 3])
def test_robust_in_a_hamming_ball(subject, only_sat, most):
    chosen = subject.net.evaluate(ALL)[:, -1]

    def weight(x):
        return (x & 1) + (x >> 1 & 1)

    for row, claim in zip(subject.rows, claims(f"robust hamming={most}", subject), strict=True):
        near = weight(ALL ^ row).sum(axis=1) <= most
        own = subject.net.evaluate(row[None])[0, -1]
        found = decide(claim)
        assert (found.verdict == "holds") == (chosen[near] == own).all()


@pytest.mark.parametrize("falling", [False, True])
def test_monotone(subject, only_sat, falling):
    verdicts = set()
    for place, port in enumerate(subject.net.outputs[:-1]):
        for feature in range(4):
            text = f"monotone {port.name} f{feature}{' falling' if falling else ''}"
            found = decide(claims(text, subject)[0])
            out = subject.net.evaluate(ALL)[:, place].reshape((4,) * 4)
            steps = np.diff(out, axis=feature) * (-1 if falling else 1)
            assert (found.verdict == "holds") == (steps >= 0).all(), text
            verdicts.add(found.verdict)
            if found.example is not None:
                low, high = found.example
                assert low[feature] < high[feature]
                assert (np.delete(low, feature) == np.delete(high, feature)).all()
    assert verdicts == {"holds", "refuted"}


def test_never(subject, only_sat):
    verdicts = set()
    for winner in range(3):
        for feature in range(4):
            for sign, value in itertools.product(
                (">", "<=", ">=", "<", "="),
                (-0.6, 0.25, float(subject.quant.quantizer.thresholds[feature][1])),
            ):
                text = f"never c{winner} when f{feature} {sign} {value}"
                found = decide(claims(text, subject)[0])
                thresholds = subject.quant.quantizer.thresholds[feature]
                ends = [*thresholds, value, value - 1, value + 1, -9, 9]
                grid = np.array(ends, np.float32)
                steps = [np.nextafter(grid, np.float32(end)) for end in (-99, 99)]
                grid = np.concatenate([grid, *steps]).astype(float)
                inside_range = {
                    ">": grid > value, "<=": grid <= value, ">=": grid >= value,
                    "<": grid < value, "=": grid == float(np.float32(value)),
                }[sign]  # fmt: skip
                codes = {int((thresholds <= v).sum()) for v in grid[inside_range]}
                near = np.isin(ALL[:, feature], list(codes))
                expected = (subject.net.evaluate(ALL)[near, -1] != winner).all()
                assert (found.verdict == "holds") == expected, text
                verdicts.add(found.verdict)
    assert verdicts == {"holds", "refuted"}


def test_same(subject, only_sat, tmp_path):
    (tmp_path / "ir").mkdir()
    subject.quant.save(tmp_path / "ir" / "quant.safetensors")
    subject.net.save(tmp_path / "ir" / "logic.safetensors")
    assert decide(claims(f"same {tmp_path}", subject)[0]).verdict == "holds"
    tables = subject.net.tables.copy()
    tables[-1] ^= np.uint64(1)
    replace(subject.net, tables=tables).save(tmp_path / "ir" / "logic.safetensors")
    found = decide(claims(f"same {tmp_path} class", subject)[0])
    other = replace(subject.net, tables=tables)
    differ = (other.evaluate(ALL)[:, -1] != subject.net.evaluate(ALL)[:, -1]).any()
    assert (found.verdict == "refuted") == differ


def test_small_regions_are_enumerated_and_others_proved(subject, monkeypatch):
    claim = claims("robust radius=0", subject)[0]
    assert decide(claim).how == "exhaustive"
    monkeypatch.setattr(deciding, "ENUMERATED", 0)
    assert decide(claim).how == "proved"


def test_logic_that_is_not_the_claim_is_found(subject, only_sat):
    claim = claims("robust radius=0", subject)[0]
    lying = replace(claim, cone=lambda: Cone(claim.cone().n_inputs, ((),), (1,), (8,)))
    with pytest.raises(Different, match="does not violate"):
        decide(lying)


def test_what_takes_too_long_stays_open(subject, only_sat, monkeypatch):
    from nnlogic.core.errors import ToolTimeout

    def slow(*args, **options):
        raise ToolTimeout("abc took too long")

    monkeypatch.setattr(deciding, "prove_equal", slow)
    assert decide(claims("robust radius=1", subject)[0], timeout=2).verdict == "open"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("robust radius=x", "radius is 'x', not a whole number"),
        ("robust", "how far from the row is missing: radius=NUMBER (a box"),
        ("robust rows=4", "how far from the row is missing"),
        ("robust radius=1 hamming=2", "a box or a ball, not both"),
        ("robust radius=1 radius=2", "given twice"),
        ("robust radius", "'radius' is none of radius=NUMBER"),
        ("robust range=2", "'range=2' is none of"),
        ("monotone", "an output and a feature are missing"),
        ("monotone score_c0", "a feature is missing"),
        ("monotone score_c0 f0 rising", "'rising' is not 'falling'"),
        ("never", "a class is missing"),
        ("never c1 when", "a condition is missing"),
        ("monotone score_c9 f0", "no output is called"),
        ("monotone score_c0 f9", "no feature is called"),
        ("never c7 when f0 > 1", "no class is called"),
        ("never c1 when f0 ~ 1", "is not a condition"),
        ("never c1 f0 > 1", "'when' does not follow"),
        ("never c1 when f0 > nan", "is not a condition"),
        ("same", "a run is missing"),
    ],
)
def test_what_is_not_a_statement_is_said(subject, text, why):
    with pytest.raises(UsageError, match="not a statement about this network") as found:
        claims(text, subject)
    assert why in found.value.why


@pytest.mark.parametrize("fmt", [IntFormat(3), IntFormat(3, True)])
def test_words_compare_as_numbers(fmt):
    builder = ConeBuilder(6)
    a, b = (ordered(fmt, range(at, at + 3), builder) for at in (0, 3))
    from nnlogic.core.formats import Port

    ports = (Port("a", fmt), Port("b", fmt))
    box = np.array([[fmt.lo + 1, fmt.lo + 5], [fmt.lo, fmt.hi - 1]])
    outs = [less(builder, a, b), differs(builder, a, word(builder, 5, 3)),
            inside(builder, ports, (0, 3), box)]  # fmt: skip
    got = builder.cone(outs).evaluate(input_patterns(6))
    raw = np.arange(64)
    x, y = fmt.from_raw(raw & 7), fmt.from_raw(raw >> 3)
    assert (got[0] == (x < y)).all()
    assert (got[1] == (x - fmt.lo != 5)).all()
    within = (x >= box[0, 0]) & (x <= box[0, 1]) & (y >= box[1, 0]) & (y <= box[1, 1])
    assert (got[2] == within).all()


def test_values_between_two_of_float32_are_not_rounded(subject):
    threshold = np.float32(0.1)  # more than 0.1
    quantizer = replace(subject.quant.quantizer, thresholds=(np.array([threshold]),) * 4)
    asked = replace(subject, quant=replace(subject.quant, quantizer=quantizer))
    assert asked.codes(0, ">", 0.1) == (1, 1)
    assert asked.codes(0, "<", 0.1) == (0, 0)
    assert asked.codes(0, ">=", float(threshold)) == (1, 1)
    assert asked.codes(0, "<=", float(threshold)) == (0, 1)
    assert asked.codes(0, "<", float(threshold)) == (0, 0)
    assert asked.codes(0, "=", 0.1) == (1, 1)
