"""Effects of faults, against networks in which the fault is built in."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers_logic import layered_net, logic_nets
from hypothesis import given, settings

from nnlogic.core import bits
from nnlogic.core.errors import UsageError
from nnlogic.faults import inject, nearest_outputs, triplicated
from nnlogic.faults.inject import STUCK_0, STUCK_1, TABLE_BIT, UPSET
from nnlogic.logic.rewrite import cone_of


def faulty(net, codes, change):
    """Outputs where `change` maps the values of a signal: (signal, bools, fan-in bools)."""
    values = list(bits.unpack(bits.pack_ports(codes, net.inputs), len(codes)))
    for i in range(net.n_inputs):
        values[i] = change(i, values[i], [])
    cone = cone_of(net)
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        index = sum(values[s].astype(int) << b for b, s in enumerate(fanin))
        own = np.array([table >> int(t) & 1 for t in np.broadcast_to(index, len(codes))], bool)
        values.append(change(net.n_inputs + i, own, [values[s] for s in fanin]))
    rows = np.array([values[s] for s in net.output_signals])
    raw = bits.bits_to_raw(rows, [p.format.bits for p in net.outputs])
    return np.stack([p.format.from_raw(raw[:, i]) for i, p in enumerate(net.outputs)], axis=1)


def fault(kind, signal, bit):
    def change(s, own, reads):
        if s != signal:
            return own
        if kind == TABLE_BIT:
            index = sum(r.astype(int) << b for b, r in enumerate(reads))
            return own ^ (np.broadcast_to(index, own.shape) == bit)
        return {UPSET: ~own, STUCK_0: own & False, STUCK_1: own | True}[kind]

    return change


def expected(net, codes, kind, signal, bit, labels):
    before, after = net.evaluate(codes), faulty(net, codes, fault(kind, signal, bit))
    lost = (before[:, 0] == labels).sum() - (after[:, 0] == labels).sum()
    return [
        (before != after).any(axis=1).sum(),
        (before[:, 0] != after[:, 0]).sum(),
        lost,
    ]


@settings(max_examples=6, deadline=None)
@given(net=logic_nets(max_nodes=8, k=4))
def test_every_fault_of_small_networks(net):
    codes = bits.random_codes(net.inputs, 70, seed=1)
    labels = bits.random_codes(net.outputs[:1], 70, seed=2)[:, 0]
    found = inject(net, codes, chosen=0, labels=labels, jobs=1)
    assert found.samples == 70
    assert found.right == (net.evaluate(codes)[:, 0] == labels).sum()
    assert found.kinds[TABLE_BIT].count == sum(1 << int(c) for c in net.fan_in_counts)
    for kind, effect in found.kinds.items():
        for i in range(effect.count):
            signal, bit = int(effect.signals[i]), int(effect.bits[i])
            got = [int(a[i]) for a in (effect.any_output, effect.answers, effect.lost)]
            assert got == expected(net, codes, kind, signal, bit, labels), (kind, signal, bit)


def test_without_labels_answers_are_counted_and_nothing_is_lost():
    net = layered_net(1)
    codes = bits.random_codes(net.inputs, 200)
    found = inject(net, codes, chosen=1)
    assert found.right is None
    upset = found.kinds[UPSET]
    assert (upset.answers <= upset.any_output).all()
    assert upset.answers.max() > 0
    assert found.criticality(net.n_inputs + net.n_nodes).max() > 0


def test_threads_find_the_same(monkeypatch):
    monkeypatch.setattr(sys.modules["nnlogic.faults.inject"], "CHUNK", 5)
    net = layered_net(2)
    codes = bits.random_codes(net.inputs, 130)
    one, two = (inject(net, codes, jobs=jobs) for jobs in (1, 3))
    for kind in one.kinds:
        assert (one.kinds[kind].any_output == two.kinds[kind].any_output).all()


def table_bits(net, codes):
    kind = inject(net, codes).kinds[TABLE_BIT]
    return kind.signals, kind.any_output


def copies_of(hard):
    voters = {i for i in range(hard.n_nodes) if hard.tables[i] == 0xE8 and hard.fanins[i][3] < 0}
    return voters, {int(s) for v in voters for s in hard.fanins[v][:3]}


def test_a_voter_behind_one_node_moves_the_harm_to_the_voter():
    net = layered_net(3, k=4)
    codes = bits.random_codes(net.inputs, 300)
    hard = triplicated(net, [9])
    assert hard.n_nodes == net.n_nodes + 3
    _, copies = copies_of(hard)
    signals, harm = table_bits(hard, codes)
    assert len(copies) == 3
    assert harm[np.isin(signals, list(copies))].max() == 0
    assert harm.sum() == table_bits(net, codes)[1].sum()


def test_a_part_that_ends_at_the_outputs_is_protected_but_for_its_voters():
    net = layered_net(3, k=4)
    codes = bits.random_codes(net.inputs, 300)
    part = nearest_outputs(net, 24)
    hard = triplicated(net, part)
    hard.verify()
    outputs = len(set(net.output_signals))
    assert hard.n_nodes == net.n_nodes + 2 * 24 + outputs
    assert (hard.evaluate(codes) == net.evaluate(codes)).all()
    _, harm = table_bits(hard, codes)
    origin, before = table_bits(net, codes)
    inside = np.isin(origin - net.n_inputs, list(part))
    assert harm.sum() == before[~inside].sum() + len(codes) * outputs
    assert harm.sum() < before.sum()


def test_triplicated_constants_and_parts_within():
    net = layered_net(6, k=3)
    codes = bits.random_codes(net.inputs, 100)
    for part in ([0, 1, 2], range(net.n_nodes), []):
        hard = triplicated(net, part)
        hard.verify()
        assert (hard.evaluate(codes) == net.evaluate(codes)).all()
    with pytest.raises(UsageError, match="no voters"):
        triplicated(layered_net(1, k=2), [0])


@pytest.mark.parametrize("samples", [1, 64, 65])
def test_samples_that_do_not_fill_a_word(samples):
    net = layered_net(4)
    codes = bits.random_codes(net.inputs, samples)
    found = inject(net, codes)
    assert found.kinds[UPSET].any_output.max() <= samples
    total = found.kinds[STUCK_0].any_output + found.kinds[STUCK_1].any_output
    assert (total == found.kinds[UPSET].any_output).all()


def test_a_wrong_table_in_the_kernel_would_be_seen():
    net = layered_net(5)
    codes = bits.random_codes(net.inputs, 100)
    other = replace(net, tables=net.tables ^ np.uint64(1))
    kinds = [inject(n, codes).kinds[TABLE_BIT].any_output for n in (net, other)]
    assert (kinds[0] != kinds[1]).any()
