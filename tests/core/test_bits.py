import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntFormat, Port


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_pack_and_unpack_are_inverse(values):
    row = np.array(values)
    packed = bits.pack(row)
    assert packed.shape == (bits.words_for(len(values)),)
    assert (bits.unpack(packed, len(values)) == row).all()
    assert all((int(packed[i // 64]) >> (i % 64)) & 1 == v for i, v in enumerate(values))


@pytest.mark.parametrize("n", [0, 1, 5, 6, 7, 10])
def test_index_words_enumerate_all_inputs(n):
    words = bits.index_words(n)
    assert words.shape == (n, bits.words_for(1 << n))
    rows = bits.unpack(words, 1 << n)
    index = (rows.astype(int) << np.arange(n)[:, None]).sum(axis=0) if n else np.zeros(1, int)
    assert (index == np.arange(1 << n)).all()


FORMATS = st.builds(IntFormat, st.integers(1, 9), st.booleans())


@given(st.lists(FORMATS, min_size=1, max_size=5), st.integers(0, 70), st.integers(0, 2**31))
def test_ports_round_trip(formats, samples, seed):
    ports = [Port(f"p{i}", f) for i, f in enumerate(formats)]
    codes = bits.random_codes(ports, samples, seed)
    words = bits.pack_ports(codes, ports)
    assert words.shape[0] == bits.total_bits(ports)
    assert (bits.unpack_ports(words, ports, samples) == codes).all()


def test_codes_out_of_range_name_every_port():
    ports = [Port("a", IntFormat(2)), Port("b", IntFormat(2, True)), Port("c", IntFormat(3))]
    with pytest.raises(InputError) as caught:
        bits.check_codes(np.array([[4, 0, 7], [0, 2, 0]]), ports)
    text = str(caught.value)
    assert "a  row 0 is 4, outside 0..3 (1 rows in all)" in text
    assert "b  row 1 is 2, outside -2..1" in text
    assert "\n  c" not in text


@pytest.mark.parametrize(
    "codes", [np.zeros((3, 2), int), np.zeros(3, int), np.zeros((3, 1), float)]
)
def test_codes_of_wrong_shape_or_type(codes):
    with pytest.raises(InputError):
        bits.check_codes(codes, [Port("a", IntFormat(2))])


@given(FORMATS)
def test_raw_patterns_cover_the_format(fmt):
    raw = np.arange(1 << fmt.bits)
    values = fmt.from_raw(raw)
    assert (values.min(), values.max()) == (fmt.lo, fmt.hi)
    assert (fmt.to_raw(values) == raw).all()
    assert IntFormat.parse(str(fmt)) == fmt


@given(st.integers(-5000, 5000), st.integers(0, 5000))
def test_smallest_format_holds_the_range(lo, span):
    fmt = IntFormat.holding(lo, lo + span)
    assert fmt.lo <= lo
    assert lo + span <= fmt.hi
    if fmt.bits > 1:
        smaller = IntFormat(fmt.bits - 1, fmt.signed)
        assert not (smaller.lo <= lo and lo + span <= smaller.hi)


def test_samples_are_fewer_where_ports_are_very_many():
    assert bits.sample_count(10, 4096) == bits.sample_count(1, 4096) == 4096
    assert bits.sample_count(0, 10) == 10
    assert bits.sample_count(65_536, 4096) == 64
    assert bits.sample_count(3_000, 4096) * 3_000 <= bits.MOST_VALUES
    assert bits.sample_count(3_000, 4096) % 64 == 0
