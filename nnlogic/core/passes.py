"""The driver all passes run through: verify, compare on a probe batch, record what changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from nnlogic.core.errors import Different
from nnlogic.core.formats import IntArray


class Network(Protocol):
    """What every IR can do."""

    def verify(self) -> None:
        """Raise IRError when a rule is broken."""

    def evaluate(self, codes: IntArray) -> IntArray:
        """Return exact outputs."""

    def stats(self) -> Mapping[str, int]:
        """Return counts."""


N = TypeVar("N", bound=Network)


@dataclass(frozen=True)
class PassRecord:
    """What one pass did.

    Attributes
    ----------
    name : str
    seconds : float
    before, after : mapping of str to int
        Statistics of the network around the pass.
    """

    name: str
    seconds: float
    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def changed(self) -> bool:
        """Whether any count changed."""
        return self.before != self.after


def run_passes(
    network: N, passes: Iterable[tuple[str, Callable[[N], N]]], *, probe: IntArray
) -> tuple[N, tuple[PassRecord, ...]]:
    """Run passes in order and make sure none changes what the network computes.

    Parameters
    ----------
    network : an IR
    passes : iterable of (name, function)
        Each takes the network and returns a new one.
    probe : int64 array, shape (samples, input ports)
        Rows on which the outputs are compared after each pass.

    Returns
    -------
    network, records

    Raises
    ------
    IRError
        A pass broke a rule of the IR.
    Different
        A pass changed an output on the probe rows.
    """
    expected = network.evaluate(probe)
    records = []
    for name, function in passes:
        start = time.monotonic()
        before = network.stats()
        network = function(network)
        network.verify()
        rows = np.flatnonzero((network.evaluate(probe) != expected).any(axis=1))
        if rows.size:
            raise Different(
                f"pass {name} changed the network",
                where=name,
                why=f"{rows.size} of {len(probe)} probe rows differ, the first is row {rows[0]}",
            )
        seconds = time.monotonic() - start
        records.append(PassRecord(name, seconds, before, network.stats()))
    return network, tuple(records)
