"""LUTs that say nothing go first, and what changed is counted against the first network."""

from dataclasses import replace

import numpy as np
from helpers_logic import layered_net

from benchmarks.zoo.stuck import differing, shrunk, swept
from nnlogic.core import bits
from nnlogic.core.archive import frozen


def started():
    net = layered_net(6)
    codes = bits.random_codes(net.inputs, 200, seed=3)
    return net, codes, net.evaluate(codes)[:, 0]


def test_what_costs_no_answer_goes_first():
    net, codes, said = started()
    # A node of the first layer that is 1 for one code only, which no row has.
    tables = net.tables.copy()
    tables[0] = 0
    quiet = replace(net, tables=frozen(tables, np.uint64))
    said = quiet.evaluate(codes)[:, 0]
    size = swept(quiet).stats()["luts"]
    made = shrunk(quiet, size, codes, 0, said, 0.02)
    assert made.stats()["luts"] <= size
    assert (made.evaluate(codes)[:, 0] == said).all()


def test_it_gets_as_small_as_asked():
    net, codes, said = started()
    size = net.stats()["luts"] - 3
    made = shrunk(net, size, codes, 0, said, 0.02)
    made.verify()
    assert made.stats()["luts"] <= size
    words = bits.pack_ports(codes, net.inputs)
    wrong = int((made.evaluate(codes)[:, 0] != said).sum())
    assert differing(made, words, 0, said) == wrong
    # An answer that was changed is counted.
    assert differing(net, words, 0, said ^ 1) == len(said)
