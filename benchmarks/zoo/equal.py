"""Peers beside our networks at equal LUTs, from measured rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.zoo.row import Row

NONE_BETTER = "No retrained peer is better at equal LUTs."


@dataclass(frozen=True)
class Equal:
    """A peer beside our frontier.

    Attributes
    ----------
    peer : Row
    ours : Row or None
        The most accurate network of ours with no more LUT6; None when all are larger.
    accuracy : float or None
        Percent, of our frontier at the peer's LUT6; beyond our largest network, of that.
    luts : float or None
        LUT6 of our frontier at the peer's accuracy; below our least accurate network, of that.
        None when none of ours is as accurate.
    at_most : bool
        `luts` is that of our smallest network, which is more accurate than the peer.
    largest : int
        LUT6 of our largest network.
    """

    peer: Row
    ours: Row | None
    accuracy: float | None
    luts: float | None
    at_most: bool
    largest: int

    @property
    def beyond(self) -> float:
        """LUT6 by those of our largest network."""
        return self.peer.luts["total"] / self.largest

    @property
    def better(self) -> bool | None:
        """Whether the peer is more accurate than ours at equal LUTs; None: not comparable."""
        if self.accuracy is None:
            return None
        return self.peer.test > self.accuracy

    @property
    def ratio(self) -> float | None:
        """Our LUT6 at equal accuracy, by the peer's."""
        return None if self.luts is None else self.luts / self.peer.luts["total"]


def front(rows: Sequence[Row]) -> list[Row]:
    """Return the rows no other row beats in both test accuracy and LUTs, smallest first."""
    out: list[Row] = []
    for row in sorted(rows, key=lambda r: (r.luts["total"], -r.test)):
        if not out or row.test > out[-1].test:
            out.append(row)
    return out


def compare(peer: Row, ours: Sequence[Row]) -> Equal:
    """Return a peer beside our frontier: accuracy linear in the logarithm of LUT6 between rows.

    Parameters
    ----------
    peer : Row
    ours : sequence of Row
        At least one, of the same data set.
    """
    rows = front(ours)
    luts = np.log([row.luts["total"] for row in rows])
    tests = [row.test for row in rows]
    size = np.log(peer.luts["total"])
    smaller = [row for row in rows if row.luts["total"] <= peer.luts["total"]]
    accuracy = float(np.interp(size, luts, tests)) if smaller else None
    enough = peer.test <= tests[-1]
    return Equal(
        peer=peer,
        ours=smaller[-1] if smaller else None,
        accuracy=accuracy,
        luts=float(np.exp(np.interp(peer.test, tests, luts))) if enough else None,
        at_most=peer.test < tests[0],
        largest=rows[-1].luts["total"],
    )


def table(peers: Sequence[Row], ours: Sequence[Row]) -> str:
    """Return the comparison of one data set as Markdown."""
    head = ["peer", "family", "LUT6", "test %", "ours, no larger", "LUT6", "test %"]
    head += ["our frontier at its LUT6, %", "peer better", "our LUT6 at its accuracy", "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    found = [compare(peer, ours) for peer in sorted(peers, key=lambda r: r.luts["total"])]
    for item in found:
        peer, own, bound = item.peer, item.ours, "≤ " if item.at_most else ""
        cells = [peer.name, peer.family, str(peer.luts["total"]), f"{peer.test:.2f}"]
        cells += ["-"] * 3 if own is None else [own.name, str(own.luts["total"]), f"{own.test:.2f}"]
        cells.append("-" if item.accuracy is None else f"{item.accuracy:.2f}")
        cells.append({True: "**yes**", False: "no", None: "?"}[item.better])
        cells += (
            ["none as accurate", "-"]
            if item.luts is None
            else [f"{bound}{item.luts:.0f}", f"{bound}{item.ratio:.2f}"]
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _verdict(found)])


def _verdict(found: Sequence[Equal]) -> str:
    better = [_beaten(item) for item in found if item.better]
    small = [item.peer.name for item in found if item.better is None]
    text = f"Better at equal LUTs: {', '.join(better)}." if better else NONE_BETTER
    if small:
        text += f" Smaller than our smallest, not compared: {', '.join(small)}."
    ratios = [i.ratio for i in found if i.ratio is not None and i.accuracy is not None]
    if ratios:
        text += f" Our LUTs at equal accuracy: {min(ratios):.2f} to {max(ratios):.2f} of theirs."
    return text + "\n"


def _beaten(item: Equal) -> str:
    size = f", with {item.beyond:.1f} times the LUTs of our largest" if item.beyond > 1 else ""
    ahead = item.peer.test - (item.accuracy or 0.0)
    return f"{item.peer.name} (by {ahead:.2f} points{size})"
