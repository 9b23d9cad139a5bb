"""Networks without the input bits they do not read."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_logic import layered_net

from nnlogic.checks.unread import check_unread
from nnlogic.core.archive import frozen
from nnlogic.core.bits import random_codes
from nnlogic.core.formats import IntFormat, Port
from nnlogic.design.unread import kept_text, narrowed, read_bits, without_unread


@pytest.fixture(scope="module")
def net():
    """A network that reads four bits of one of three ports, and one bit of another."""
    net = layered_net(3, k=4)
    ports = (Port("a", IntFormat(7, True)), Port("b", IntFormat(3)), Port("c", IntFormat(2)))
    places = np.array([1, 3, 4, 6, 10])
    own = np.arange(net.n_nodes) + 12
    number = np.concatenate([places[np.arange(net.n_inputs) % 5], own, [-1]])
    return replace(
        net,
        inputs=ports,
        fanins=frozen(number[net.fanins], np.int32),
        output_signals=tuple(int(s) for s in number[list(net.output_signals)]),
        cuts=frozen([], np.int32),
    )


def test_what_is_left_gives_the_same(net):
    kept, less = read_bits(net), without_unread(net)
    assert kept == ((1, 3, 4, 6), (), (0,))
    assert [str(p) for p in less.inputs] == ["a:u4", "c:u1"]
    less.verify()
    codes = random_codes(net.inputs, 500)
    assert (less.evaluate(narrowed(codes, net.inputs, kept)) == net.evaluate(codes)).all()
    verdict = check_unread(net, less)
    assert verdict.equal, verdict.text()
    assert "7 of 12 input bits are read by none" in verdict.detail


def test_what_is_read_whole_stays(net):
    again = without_unread(without_unread(net))
    assert again.inputs == without_unread(net).inputs


def test_faults_are_found(net):
    less = without_unread(net)
    swap = {0: 1, 1: 0}
    swapped = frozen(np.vectorize(lambda s: swap.get(s, s))(less.fanins), np.int32)
    assert "changed places" in check_unread(net, replace(less, fanins=swapped)).detail
    other = less.fanins.copy()
    row, column = np.argwhere(other == 4)[0]
    other[row, column] = 3
    assert "became 3" in check_unread(net, replace(less, fanins=other)).detail
    flipped = frozen(less.tables ^ np.uint64(1), np.uint64)
    assert not check_unread(net, replace(less, tables=flipped)).equal
    wide = (Port("a", IntFormat(4)), Port("b", IntFormat(1)))
    assert not check_unread(net, replace(less, inputs=wide)).equal


def test_a_constant_network_keeps_a_bit(net):
    constant = replace(
        net,
        fanins=frozen(np.full((1, 4), -1), np.int32), tables=frozen([0], np.uint64),
        output_signals=(12,) * len(net.output_signals), origins=net.origins[:1],
        node_layers=net.node_layers[:1],
    )  # fmt: skip
    less = without_unread(constant)
    assert [str(p) for p in less.inputs] == ["a:u1"]
    assert check_unread(constant, less).equal


def test_ranges_of_bits():
    assert kept_text((0, 1, 2, 4, 6, 7)) == "7:6, 4, 2:0"
