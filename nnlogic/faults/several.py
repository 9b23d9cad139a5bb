"""Several configuration upsets at once, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.ir import LogicNet


def several(
    net: LogicNet,
    codes: IntArray,
    count: int,
    trials: int,
    *,
    chosen: int | None = None,
    labels: IntArray | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> IntArray:
    """Return what each of some random sets of table bits does when all of them flip.

    Parameters
    ----------
    net, codes, chosen, labels
        See `nnlogic.faults.inject.inject`.
    count : int
        Different bits that flip at once.
    trials : int
    seed : int
    progress : Progress

    Returns
    -------
    int64 array, shape (trials, 2)
        Samples whose answer differs, and right answers lost (less those gained).
    """
    rng = np.random.default_rng(seed)
    sizes = 1 << net.fan_in_counts.astype(np.int64)
    ends = np.cumsum(sizes)
    column = slice(None) if chosen is None else slice(chosen, chosen + 1)
    before = net.evaluate(codes)[:, column]
    wanted = before if labels is None or chosen is None else labels[:, None]
    out = np.zeros((trials, 2), np.int64)
    with progress.step(f"flip {count} table bits", trials) as step:
        for trial in range(trials):
            chosen_bits = rng.choice(int(ends[-1]), min(count, int(ends[-1])), replace=False)
            tables = net.tables.copy()
            for bit in chosen_bits.tolist():
                node = int(np.searchsorted(ends, bit, side="right"))
                tables[node] ^= np.uint64(1 << (bit - int(ends[node] - sizes[node])))
            after = replace(net, tables=frozen(tables, np.uint64)).evaluate(codes)[:, column]
            right = [(side == wanted).all(axis=1) for side in (before, after)]
            out[trial] = (before != after).any(axis=1).sum(), right[0].sum() - right[1].sum()
            step.advance()
    return out
