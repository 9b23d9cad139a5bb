"""Check that the don't-cares of a TableNet are what they claim to be.

Proofs that look at one table at a time skip inputs outside its care set. That is sound only if no
producer can emit them, so the claim is derived again here, from the tables themselves.
"""

from __future__ import annotations

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Block, Instance, TableNet

EXACT = "exact SDC"


def unjustified_care(net: TableNet) -> tuple[str, str] | None:
    """Find an excluded input that producers can emit.

    Every combination of codes that the producing tables emit on their own care sets must lie in
    the care set of the consumer; bits from input ports and arithmetic blocks may be anything.

    Returns
    -------
    (where, detail) of the first violation, or None when every "exact SDC" holds.
    """
    producer = {s: block for block in net.blocks for s in block.outputs}
    emitted: dict[int, IntArray] = {}
    for block in net.blocks:
        if not isinstance(block, Instance):
            continue
        function = net.functions[block.function]
        care = function.care_bools()
        if function.justification == EXACT:
            possible = _possible(block, producer, emitted)
            missing = possible[~care[possible]]
            if missing.size:
                index = int(missing.min())
                return block.origin, f"input {index} can occur, but is not in the care set"
        table = function.table()[:, care].astype(np.int64)
        codes = (table << np.arange(function.n_outputs)[:, None]).sum(axis=0)
        emitted[block.outputs[0]] = np.unique(codes)
    return None


def _possible(
    block: Instance, producer: dict[int, Block], emitted: dict[int, IntArray]
) -> IntArray:
    """Return every table index that can occur, as far as single producers tell."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for pin, signal in enumerate(block.inputs):
        source = producer.get(signal)
        if source is not None and source.outputs[0] in emitted:
            groups.setdefault(source.outputs[0], []).append((pin, source.outputs.index(signal)))
        else:
            groups.setdefault(signal, []).append((pin, 0))
    total = np.zeros(1, dtype=np.int64)
    for first, pins in groups.items():
        codes = emitted.get(first, np.arange(2))
        parts = np.zeros(len(codes), dtype=np.int64)
        for pin, place in pins:
            parts |= ((codes >> place) & 1) << pin
        total = (total[:, None] | np.unique(parts)[None, :]).ravel()
    return total
