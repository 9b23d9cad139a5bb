"""Optimization of a LogicNet: ports stay, every node keeps an origin and a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.cone import Cone
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network.blocks import joined
from nnlogic.logic.network.optimize import optimize
from nnlogic.logic.network.windows import Window
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.rewrite import GONE, cone_of, with_cone

LAYERS = ("keep", "merge")
PROBE_WORDS = 16


def optimize_net(
    net: LogicNet,
    *,
    layers: str = "merge",
    objective: str = "balanced",
    effort: str = "normal",
    jobs: int | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> LogicNet:
    """Return an equal network that costs no more, of LUTs of the same size.

    Parameters
    ----------
    net : LogicNet
    layers : str
        ``"merge"`` optimizes across layers: of `cuts` only inputs and outputs survive, so a
        proof against tables must go through `net`. ``"keep"`` optimizes inside each layer: every
        signal of `cuts` is still there, and cones can be proved as before.
    objective, effort, jobs, seed, progress
        See `nnlogic.logic.network.optimize.optimize`.

    Returns
    -------
    LogicNet
        A node that behaves like an old one has its origin and layer; others have those of the
        node they were made for.

    Raises
    ------
    UsageError
        An option out of range; ``"keep"`` with nodes that read later layers.
    """
    if layers not in LAYERS:
        raise UsageError("unknown choice", why=f"{layers!r}, choose from {', '.join(LAYERS)}")

    def run(cone: Cone) -> Cone:
        return optimize(
            cone,
            k=net.k,
            objective=objective,
            effort=effort,
            jobs=jobs,
            seed=seed,
            progress=progress,
        )

    old = cone_of(net)
    kept = _kept_signals(net, layers)
    # Signals to keep are further outputs while the network is rebuilt.
    open_cone = Cone(old.n_inputs, old.fanins, old.tables, (*old.outputs, *kept))
    if layers == "merge":
        new = run(open_cone)
    else:
        blocks = _layer_blocks(net, open_cone)
        new = joined(open_cone, blocks, [run(block.cone(open_cone)) for block in blocks])
    where = dict(zip(kept, new.outputs[len(old.outputs) :], strict=True))
    where.update(zip(old.outputs, new.outputs, strict=False))
    where.update((s, s) for s in range(old.n_inputs))
    cuts = [where.get(int(s), GONE) for s in net.cuts]
    done = remove_dead(replace(new, outputs=new.outputs[: len(old.outputs)]))
    new, cuts = done.cone, [GONE if s == GONE else done.signals[s] for s in cuts]
    sources = origins_of(net, new)
    result = with_cone(
        net,
        new,
        [net.origins[i] for i in sources],
        [int(net.node_layers[i]) for i in sources],
        cuts,
    )
    result.verify()
    return result


def _kept_signals(net: LogicNet, layers: str) -> tuple[int, ...]:
    if layers == "merge":
        return ()
    return tuple(sorted({int(s) for s in net.cuts if s >= net.n_inputs}))


def _layer_blocks(net: LogicNet, cone: Cone) -> list[Window]:
    """One block per layer, in the order of layers."""
    n_in = cone.n_inputs
    layer = net.node_layers.tolist()
    last_use: dict[int, int] = {}
    for node, fanin in enumerate(cone.fanins):
        for s in fanin:
            if s >= n_in and layer[s - n_in] > layer[node]:
                raise UsageError(
                    "layers cannot be kept apart",
                    where=net.origins[node],
                    why=f"reads {net.origins[s - n_in]} of a later layer",
                    fix="--layers merge",
                )
            last_use[s] = max(last_use.get(s, -1), layer[node])
    last_use.update(dict.fromkeys(cone.outputs, len(net.layers)))
    out = []
    for number in sorted(set(layer)):
        nodes = [n_in + i for i, at in enumerate(layer) if at == number]
        inside = set(nodes)
        leaves = sorted({s for n in nodes for s in cone.fanins[n - n_in]} - inside)
        roots = [n for n in nodes if last_use.get(n, -1) > number]
        out.append(Window(tuple(leaves), tuple(nodes), tuple(roots)))
    return out


def origins_of(net: LogicNet, new: Cone) -> list[int]:
    """Find an old node that each new node descends from; for names only, not a proof.

    Returns
    -------
    list of int
        Per new node, an old node: one with the same values, or their complement, on random
        inputs; else that of the first node that reads it.
    """
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, (net.n_inputs, PROBE_WORDS), dtype=np.uint64)
    by_value: dict[bytes, int] = {}
    n_in = net.n_inputs
    for node, row in enumerate(net.trace_words(words)[n_in:]):
        by_value.setdefault(_key(row), node)
    sources = [-1] * new.n_nodes
    blank = with_cone(net, new, [""] * new.n_nodes, [0] * new.n_nodes, ())
    for node, row in enumerate(blank.trace_words(words)[n_in:]):
        sources[node] = by_value.get(_key(row), -1)
    _inherit(new, sources)
    return sources


def _key(row: np.ndarray) -> bytes:
    """Equal for a signal and its complement."""
    return (~row if row[0] & np.uint64(1) else row).tobytes()


def _inherit(new: Cone, sources: list[int]) -> None:
    readers: Sequence[list[int]] = [[] for _ in range(new.n_nodes)]
    for node, fanin in enumerate(new.fanins):
        for s in fanin:
            if s >= new.n_inputs:
                readers[s - new.n_inputs].append(node)
    for node in range(new.n_nodes - 1, -1, -1):
        if sources[node] < 0:
            sources[node] = next((sources[r] for r in readers[node]), 0)
