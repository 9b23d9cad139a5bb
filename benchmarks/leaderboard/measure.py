"""One file of a peer: read, checked against itself, compiled, proved, counted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.leaderboard.data import Rows, rows
from benchmarks.leaderboard.peers import TRAIN, Peer
from nnlogic.checks import check
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import NNLogicError
from nnlogic.core.formats import ROLES, Port
from nnlogic.frontend import load
from nnlogic.job.facts import layer_luts
from nnlogic.logic.build import minimize
from nnlogic.logic.network.net import optimize_net
from nnlogic.quant.ir import INPUT, Argmax, QuantNet
from nnlogic.tables.build import tabulate

TIMEOUT = 600.0
AIMS = ("balanced", "area", "network")
"""What neurons are minimized for; the last is area, and then across the whole network."""
Row = dict[str, Any]
"""What JSON holds; `benchmarks.leaderboard.page` says what is shown."""


def setting(effort: str, aim: str) -> str:
    """Return the name of how a network was minimized."""
    return effort if aim == AIMS[0] else f"{effort}, {aim}"


def measured(peer: Peer, file: Path, data: Path | None, effort: str, aim: str = AIMS[0]) -> Row:
    """Return what our flow makes of a file, or why it makes nothing of it.

    Parameters
    ----------
    peer : Peer
    file : Path
    data : Path or None
        Folder of data sets, None for no accuracies.
    effort : str
        Of the minimization.
    aim : str
        See `AIMS`.
    """
    start = time.monotonic()
    dataset = peer.dataset(file)
    known = rows(dataset, data) if dataset and data else None
    try:
        with tempfile.TemporaryDirectory(prefix="nnlogic-rows-") as name:
            read = _with_training(peer.read, known, Path(name))
            net = load(file, read=read)
        rung = first_rung(net).check(net, file, TIMEOUT)
        against = rung if isinstance(rung, str) else _said(rung())
        found = {
            "inputs": len(net.inputs),
            "bits": sum(port.format.bits for port in net.inputs),
            **_accuracy(net, dataset, known),
            "whole": compiled(net, effort, aim),
        }
        if peer.bits or peer.scores or peer.same:
            found["same"] = compiled(same_function(peer, file, net, read), effort, aim)
        found["whole"]["proved"].insert(0, against)
    except NNLogicError as error:
        found = {"error": " ".join(error.what.split())}
    return {**found, "seconds": round(time.monotonic() - start)}


def same_function(
    peer: Peer, file: Path, net: QuantNet | None = None, read: Mapping[str, str] | None = None
) -> QuantNet:
    """Return the network of what the peer's hardware computes.

    Parameters
    ----------
    peer : Peer
    file : Path
    net : QuantNet, optional
        Read from it.
    read : mapping of str to str, optional
        The options it was read with; default: those that need no rows.
    """
    read = peer.read if read is None else read
    if not (peer.bits or peer.scores):
        return load(file, read={**read, **peer.same})
    core = load(file, read=read) if net is None else net
    if peer.bits and core.quantizer is not None:
        core = without_encoder(core)
    return without_argmax(core) if peer.scores else core


def compiled(net: QuantNet, effort: str, aim: str) -> Row:
    """Return LUT6 by role, depth, and how tables and logic were checked."""
    tables = tabulate(net, arith="auto", limit=16)
    objective = AIMS[0] if aim == AIMS[0] else "area"
    logic = minimize(tables, effort=effort, objective=objective, jobs=1)
    proved = [_said(check(net, tables)), _said(check(tables, logic))]
    if aim == AIMS[-1]:
        assembled, logic = logic, optimize_net(logic, objective=objective, effort=effort, jobs=1)
        proved.append(_said(check(assembled, logic)))
    luts = dict.fromkeys(ROLES, 0)
    for number, count in layer_luts(logic).items():
        luts[logic.layers[number].role] += count
    return {**luts, "total": sum(luts.values()), "depth": logic.stats()["depth"], "proved": proved}


def without_encoder(net: QuantNet) -> QuantNet:
    """Return a network whose inputs are the bits that the encoder, its first layer, makes.

    Parameters
    ----------
    net : QuantNet
        Of a first layer with the role of an encoder, and others that do not read the input.
    """
    first, *others = net.layers
    if first.role != "encoder" or any(INPUT in layer.sources for layer in others):
        raise ValueError(f"{net.name} has no encoder that stands apart")
    ports = tuple(Port(f"bit{i}", fmt) for i, fmt in enumerate(first.formats))
    layers = tuple(
        replace(
            layer, sources=tuple(INPUT if name == first.name else name for name in layer.sources)
        )
        for layer in others
    )
    return replace(net, inputs=ports, layers=layers, quantizer=None, info={})


def without_argmax(net: QuantNet) -> QuantNet:
    """Return a network whose outputs are the scores that its last layer would choose among."""
    *others, last = net.layers
    if not isinstance(last, Argmax) or last.sources != (others[-1].name,):
        raise ValueError(f"{net.name} has no argmax that stands apart")
    scores = others[-1]
    outputs = tuple(
        (Port(f"score{i}", fmt), scores.name, i) for i, fmt in enumerate(scores.formats)
    )
    return replace(net, layers=tuple(others), output_wires=outputs, info={})


def _with_training(read: Mapping[str, str], known: Rows | None, folder: Path) -> dict[str, str]:
    """Return options of the importer, with training rows in a file where one asks for them."""
    if known is None or known.train is None:
        return {key: value for key, value in read.items() if value != TRAIN}
    path = folder / "train.npy"
    np.save(path, known.train)
    return {key: str(path) if value == TRAIN else value for key, value in read.items()}


def _accuracy(net: QuantNet, dataset: str, known: Rows | None) -> Row:
    if known is None:
        return {}
    got = net.evaluate(net.encode(known.x))[:, -1]
    return {"accuracy": float(np.mean(got == known.y)), "rows": len(known.y), "dataset": dataset}


def _said(verdict: Verdict) -> str:
    return verdict.how if verdict.equal else f"DIFFERENT, {verdict.where}"
