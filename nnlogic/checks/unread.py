"""A network without the input bits it does not read, against the one it came from."""

from __future__ import annotations

import time

from nnlogic.checks.verdict import Verdict
from nnlogic.logic.ir import LogicNet

LEFT, RIGHT = "LogicNet", "LogicNet without unread bits"


def check_unread(whole: LogicNet, less: LogicNet) -> Verdict:
    """Compare two networks node by node, where one lacks input bits.

    Which bits it lacks is found out by what the nodes read: bit after bit of a port, in order.
    """
    start = time.monotonic()
    found = _difference(whole, less)
    detail = found or (
        f"the same {whole.n_nodes} nodes; {whole.n_inputs - less.n_inputs} of {whole.n_inputs} "
        "input bits are read by none"
    )
    where = "nodes and ports" if found else ""
    return Verdict(LEFT, RIGHT, not found, "exhaustive", detail, where).timed(start)


def _difference(whole: LogicNet, less: LogicNet) -> str:
    if (whole.k, whole.outputs, whole.n_nodes) != (less.k, less.outputs, less.n_nodes):
        return "outputs, or the number of nodes"
    if (whole.tables != less.tables).any() or (whole.node_layers != less.node_layers).any():
        return "functions of nodes"
    of: dict[int, int] = {}
    names, left = _owners(whole), _owners(less)
    pairs = [
        *zip(whole.fanins.ravel().tolist(), less.fanins.ravel().tolist(), strict=True),
        *zip(whole.output_signals, less.output_signals, strict=True),
    ]
    for a, b in pairs:
        if a < 0 or a >= whole.n_inputs:
            moved = a if a < 0 else a - whole.n_inputs + less.n_inputs
            if b != moved:
                return f"a node reads signal {b} in place of {moved}"
        elif not 0 <= b < less.n_inputs or names[a] != left[b] or of.setdefault(a, b) != b:
            return f"{names[a]}: bit {a} of the inputs became {b}"
    order = [of[a] for a in sorted(of)]
    if order != sorted(order):
        return "bits of a port changed places"
    widths = {p.name: p.format for p in whole.inputs}
    for port in less.inputs:
        mine = [a for a in of if names[a] == port.name]
        if len(mine) not in (port.format.bits, 0) or port.format.signed > widths[port.name].signed:
            return f"port {port} holds {len(mine)} bits that are read"
    return ""


def _owners(net: LogicNet) -> list[str]:
    """Return the port of each input bit."""
    return [port.name for port in net.inputs for _ in range(port.format.bits)]
