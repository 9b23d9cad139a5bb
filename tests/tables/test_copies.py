"""Tables of layers made of copies: what is shared stays shared, and what is not needed goes."""

import numpy as np
import pytest

from nnlogic.checks import check
from nnlogic.core.archive import frozen
from nnlogic.core.errors import TooWide, UnsupportedModel
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.ir import INPUT, Enumerated, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import pooling
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes import simplify

BIT = IntFormat(1)


FRAME, SQUARE = Frame(1, 5, 5), Window((2, 2))


def net_of(tables, wires, frame=FRAME, window=SQUARE):
    """Return a convolution of tables on given taps, and OR pooling of all its channels."""
    n, count = window.taps * frame.channels, len(tables)
    inner = Enumerated(
        "t", (INPUT,), tuple(wires), tuple(frozen(t, np.int64) for t in tables),
        (BIT,) * count, (BIT,) * n,
    )  # fmt: skip
    conv = Windowed("conv", (INPUT,), frame, window, (Kernel((inner,)),))
    pool = pooling("pool", "conv", conv.output, Window((2, 2), (2, 2)), BIT, "max")
    ports = tuple(Port(f"x{i}", BIT) for i in range(frame.wires))
    outputs = tuple((Port(f"y{i}", BIT), "pool", i) for i in range(pool.output.wires))
    return QuantNet("n", ports, (conv, pool), outputs)


def test_equal_and_constant_kernels_are_computed_once_or_not_at_all():
    both, one, never = [0, 0, 0, 1], [0, 1], [0, 0, 0, 0]
    # AND of two taps, the same with its taps exchanged, a constant, and a copy of a pixel.
    net = net_of([both, both, never, one], [(0, 3), (3, 0), (1, 2), (2,)])
    tables = tabulate(net)
    simple, _ = simplify(tables)
    assert [b.layer for b in tables.instances].count(0) == 64
    # One AND a position, and the constant once.
    assert [b.layer for b in simple.instances].count(0) == 17
    assert check(tables, simple).equal
    x = np.random.default_rng(0).integers(0, 2, (100, 25))
    np.testing.assert_array_equal(simple.evaluate(x), net.evaluate(x))


def test_equal_bits_of_neighbouring_copies_are_computed_once():
    """The second channel at one position is the first at the next."""
    net = net_of([[0, 1, 1, 0]] * 2, [(1, 3), (0, 2)], window=Window((2, 2), padding=(0, 0, 1, 1)))
    simple, _ = simplify(tabulate(net))
    conv = [b for b in simple.instances if b.layer == 0 and b.inputs]
    assert len({b.inputs for b in conv}) == len(conv) < 0.6 * 48
    assert check(net, tabulate(net)).equal


def test_what_copies_share_is_kept_in_files(tmp_path):
    tables = tabulate(net_of([[0, 1, 1, 0]], [(0, 3)]))
    assert tables.shared == (0, 1)
    tables.save(tmp_path / "t")
    back = TableNet.load(tmp_path / "t")
    assert back.shared == (0, 1)
    assert back.text() == tables.text()
    assert simplify(back)[0].text() == simplify(tables)[0].text()


def test_files_of_other_networks_are_as_before(toy_net):
    tables = tabulate(toy_net, limit=16)
    assert tables.shared == ()
    assert "shared" not in tables.parts()[0]


def test_copies_beyond_the_limit_are_refused_with_figures():
    net = net_of([[0, 1] * 8], [(0, 1, 2, 3)])
    assert len(list(tabulate(net, unroll=20).instances)) == 20
    with pytest.raises(UnsupportedModel) as error:
        tabulate(net, unroll=19)
    assert [p.where for p in error.value.problems] == ["conv", "pool", "together"]
    assert error.value.problems[0].why.startswith("16 copies, 16 tables of 1 different neurons")
    assert "--unroll-limit 20" in error.value.problems[-1].fix


def test_wide_kernels_are_named():
    with pytest.raises(TooWide) as error:
        tabulate(net_of([[0, 1] * 8], [(0, 1, 2, 3)]), limit=3)
    assert [p.where for p in error.value.problems] == [
        "conv, kernel 0, t",
        "pool, kernel 0, level0",
    ]
