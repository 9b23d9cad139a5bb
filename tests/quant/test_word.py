"""Words of raw features: what they stand for, and where codes change on them."""

import numpy as np
import pytest

from nnlogic.core.errors import UsageError
from nnlogic.quant.quantizer import InputQuantizer
from nnlogic.quant.word import WordFormat, parse_words, words_like

NAN, INF = 0x7FC00000, 0x7F800000
SIGN = 1 << 31


def codes_by_steps(word, thresholds, words):
    cuts, codes = word.steps(np.array(thresholds, np.float32))
    assert cuts == sorted(set(cuts))
    assert cuts[0] == word.format.lo
    return np.array(codes)[np.searchsorted(cuts, words, side="right") - 1]


@pytest.mark.parametrize("name", ["q4.12", "q1.7", "u0.8", "int8", "uint5", "q10.-2"])
def test_a_name_is_what_its_format_prints(name):
    assert str(WordFormat.parse(name)) == name


def test_other_names_of_the_same():
    assert WordFormat.parse("s4.4") == WordFormat.parse("q4.4")
    assert str(WordFormat.parse("q8.0")) == "int8"
    assert WordFormat.parse("float32").format.bits == 32


@pytest.mark.parametrize(
    "name", ["q4", "float64", "q20.12", "int26", "uint25", "int1", "q2.90", ""]
)
def test_what_is_no_format_is_refused_with_what_is(name):
    with pytest.raises(ValueError, match=r"need|such as"):
        WordFormat.parse(name)
    assert not words_like([name])


@pytest.mark.parametrize("name", ["q4.6", "u0.8", "int8", "uint5", "q10.-2", "q1.11"])
def test_on_all_words_codes_are_those_of_the_quantizer(name):
    word, rng = WordFormat.parse(name), np.random.default_rng(3)
    words = np.arange(word.format.lo, word.format.hi + 1)
    numbers = word.decode(words)
    spread = float(np.abs(numbers).max()) * 1.3
    for _ in range(5):
        t = np.sort(rng.uniform(-spread, spread, 12)).astype(np.float32)
        t[3:6] = np.sort(rng.choice(numbers, 3))
        t.sort()
        expected = InputQuantizer((t,)).encode(numbers[:, None], ("x",))[:, 0]
        assert (codes_by_steps(word, t, words) == expected).all()


@pytest.mark.parametrize(
    "thresholds",
    [[-1.5, -1e-42, 0.25, 3.0], [0.0], [-0.0, 0.0, 1e-45], [-3.0, -2.0], [5.0], [-2.0, -2.0, 7.0]],
)
def test_words_of_float32_are_ordered_as_numbers(thresholds):
    word, rng = WordFormat.parse("float32"), np.random.default_rng(4)
    t = np.array(thresholds, np.float32)
    near = np.concatenate([t, np.nextafter(t, np.float32(9)), np.nextafter(t, np.float32(-9))])
    numbers = np.concatenate([near, -near, rng.normal(size=500), [0.0, -0.0, 3e38, -3e38, 1e-45]])
    numbers = numbers.astype(np.float32)
    words = word.encode(numbers)
    assert (word.decode(words) == numbers).all()
    expected = InputQuantizer((t,)).encode(numbers[:, None], ("x",))[:, 0]
    assert (codes_by_steps(word, t, words) == expected).all()


def test_infinities_nan_and_both_zeros():
    word, t = WordFormat.parse("float32"), [-2.0, 0.0, 1.0]
    words = [INF, NAN, 0x7FFFFFFF, SIGN + INF, SIGN + NAN, 0xFFFFFFFF, 0, SIGN]
    assert codes_by_steps(word, t, words).tolist() == [3, 3, 3, 0, 0, 0, 2, 2]


def test_numbers_become_the_nearest_word():
    word = WordFormat.parse("q4.2")
    assert word.encode([0.125, 0.375, -0.13, 99.0, -99.0]).tolist() == [0, 2, -1, 31, -32]


def test_formats_by_name():
    found = parse_words("q4.12, x1=int8,a=b=float32", ["x0", "x1", "a=b"])
    assert [str(w) for w in found] == ["q4.12", "int8", "float32"]
    with pytest.raises(UsageError) as caught:
        parse_words("q4.12,int8,nope=int8,x0=half", ["x0", "x1"])
    text = caught.value.text()
    assert "2 formats without a feature" in text
    assert "no feature 'nope'" in text
    assert "'half' is no format" in text
    with pytest.raises(UsageError, match="do not fit") as caught:
        parse_words("x0=int8", ["x0", "x1"])
    assert "1 features, such as x1" in caught.value.text()
