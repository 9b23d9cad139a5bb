"""Move inverters into the tables of their neighbours."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.rewrite import GONE, Rewrite, compacted
from nnlogic.logic.truth import BUFFER, NOT, complement_input, full, simplified


def absorb_inverters(cone: Cone, protected: frozenset[int] = frozenset()) -> Rewrite:
    """Fold inverters and buffers into the nodes that read them, or into their driver.

    A protected inverter that is no output stays as it is, so that its signal keeps existing;
    an output inverter stays unless the node that drives it serves nothing else.
    """
    n_in = cone.n_inputs
    alias = list(range(n_in + cone.n_nodes))
    inverse_of: dict[int, int] = {}
    outputs = frozenset(cone.outputs)
    fanins: list[tuple[int, ...]] = []
    tables: list[int] = []
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        own = n_in + i
        inputs = [alias[s] for s in fanin]
        for b, s in enumerate(inputs):
            if s in inverse_of:
                table = complement_input(table, len(inputs), b)
                inputs[b] = inverse_of[s]
        table, kept = simplified(table, inputs)
        if len(kept) == 1 and table == BUFFER:
            alias[own] = kept[0]
        elif len(kept) == 1 and table == NOT and (own not in protected or own in outputs):
            inverse_of[own] = kept[0]
        fanins.append(kept)
        tables.append(table)
    absorbed = compacted(cone, alias, fanins, tables)
    return _into_drivers(absorbed, frozenset(absorbed.signals[s] for s in protected))


def _into_drivers(done: Rewrite, protected: frozenset[int]) -> Rewrite:
    cone = done.cone
    n_in = cone.n_inputs
    readers = [0] * (n_in + cone.n_nodes)
    for fanin in cone.fanins:
        for s in fanin:
            readers[s] += 1
    outputs = frozenset(cone.outputs)
    alias = list(range(n_in + cone.n_nodes))
    tables = list(cone.tables)
    stands_for: dict[int, int] = {}
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        if len(fanin) != 1 or table != NOT:
            continue
        driver = fanin[0]
        if driver < n_in or readers[driver] > 1 or driver in outputs or driver in protected:
            continue
        tables[driver - n_in] ^= full(len(cone.fanins[driver - n_in]))
        alias[n_in + i] = driver
        stands_for[driver] = i
    fanins = [tuple(alias[s] for s in fanin) for fanin in cone.fanins]
    last = compacted(cone, alias, fanins, tables)
    # A complemented driver no longer carries its old value.
    signals = [GONE if s in stands_for else last.signals[s] for s in range(len(alias))]
    return Rewrite(
        last.cone,
        tuple(GONE if s == GONE else signals[s] for s in done.signals),
        tuple(done.sources[stands_for.get(n_in + i, i)] for i in last.sources),
    )
