"""Faults in networks and stages: what a check that says *equal* must not have overlooked."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.ir import TableNet

from .reference import Net, bounds

TRIES = 12


def wrong_nets(net: Net, rng: random.Random) -> Iterator[Net]:
    """Yield legal networks with one number of one neuron changed."""
    for _ in range(TRIES):
        bad = copy.deepcopy(net)
        layers = [layer for layer in bad["layers"] if layer["kind"] != "Argmax"]
        if not layers:
            return
        layer = rng.choice(layers)
        if layer["kind"] == "Windowed":
            # A number of the kernel is one at every position.
            layer = rng.choice([part for kernel in layer["kernels"] for part in kernel])
        neuron = rng.randrange(len(layer["formats"]))
        if layer["kind"] == "Enumerated":
            table, (lo, hi) = layer["tables"][neuron], bounds(layer["formats"][neuron])
            # Equal neurons may share their list.
            table = layer["tables"][neuron] = list(table)
            table[rng.randrange(len(table))] = rng.randint(lo, hi)
        elif layer["thresholds"] and layer["thresholds"][neuron]:
            cuts = layer["thresholds"][neuron] = list(layer["thresholds"][neuron])
            cuts[0] = max(-(2**63), cuts[0] - rng.randint(1, 3))
        else:
            continue
        yield bad


def wrong_tables(net: TableNet, rng: random.Random) -> Iterator[TableNet]:
    """Yield valid TableNets with one table bit flipped, one that the care set holds."""
    for _ in range(TRIES if net.functions else 0):
        at = rng.randrange(len(net.functions))
        function = net.functions[at]
        index = int(rng.choice(np.flatnonzero(function.care_bools()).tolist()))
        table = np.array(function.bits)
        table[rng.randrange(len(table)), index // 64] ^= np.uint64(1) << np.uint64(index % 64)
        bad = replace(function, bits=frozen(table, np.uint64))
        yield replace(net, functions=(*net.functions[:at], bad, *net.functions[at + 1 :]))


def wrong_logic(net: LogicNet, rng: random.Random) -> Iterator[LogicNet]:
    """Yield LogicNets with one bit of one LUT flipped."""
    for _ in range(TRIES if net.n_nodes else 0):
        node = rng.randrange(net.n_nodes)
        tables = np.array(net.tables)
        tables[node] ^= np.uint64(1) << np.uint64(rng.randrange(1 << int(net.fan_in_counts[node])))
        yield replace(net, tables=frozen(tables, np.uint64))
