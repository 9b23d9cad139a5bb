"""Rows of the leaderboard as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = (
    "family", "file", "accuracy %", "encoder", "network", "output", "LUT6", "depth", "peer",
    "of", "CARRY4, peer / ours", "ours, same function", "times", "clocks a row",
    "times, a row per clock", "ecp5 MHz", "effort", "proved", "s",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'|'.join(['---'] * len(COLUMNS))}|"
AIM = 0.7


@dataclass(frozen=True)
class Entry:
    """A file of a peer.

    Attributes
    ----------
    family, file : str
    ours : mapping
        Of the measure that found fewest LUTs, see `benchmarks.leaderboard.measure`.
    own : mapping
        ``luts`` of its Verilog, or ``published`` figure and its ``source``, with ``carries`` where
        they are known; or nothing.
    why : str
        What the peer's figure leaves out, or spends elsewhere.
    clocks : int, optional
        That the peer's hardware takes for a row.
    speed : mapping
        See `benchmarks.leaderboard.fmax.clocks`; empty where it was not measured.
    tried : mapping of str to int
        LUTs of the same function by the settings that were tried.
    """

    family: str
    file: str
    ours: Mapping[str, Any]
    own: Mapping[str, Any]
    why: str = ""
    clocks: int | None = None
    speed: Mapping[str, Any] = field(default_factory=dict)
    tried: Mapping[str, int] = field(default_factory=dict)

    @property
    def same(self) -> Mapping[str, Any]:
        """Our measure of the function that the peer's figure is of."""
        found: Mapping[str, Any] = self.ours.get("same") or self.ours.get("whole") or {}
        return found

    @property
    def peer(self) -> int | None:
        """LUTs of the peer, None where it has no figure."""
        found = self.own.get("published", self.own.get("luts"))
        return None if found is None else int(found)

    @property
    def times(self) -> float | None:
        """Our LUTs over the peer's, None where it has none."""
        if not self.peer or "total" not in self.same:
            return None
        return float(self.same["total"] / self.peer)

    @property
    def times_a_row(self) -> float | None:
        """Our LUTs over those of as many copies of the peer's as take a row every clock."""
        if self.times is None or self.clocks is None:
            return None
        return self.times / self.clocks

    def reached(self) -> str:
        """Return the file and how it compares; where it takes more, with all that was tried."""
        text = f"`{self.file}` {self.times:.3f}"
        if self.times_a_row is not None:
            text += f" ({self.times_a_row:.3f} a row per clock)"
        if (self.times or 0) <= 1 or not self.tried:
            return text
        tried = ", ".join(
            f"{name.replace(', ', '+')} {luts:,}" for name, luts in self.tried.items()
        )
        return f"{text}, {self.peer:,} against {tried}"

    def line(self) -> str:
        """Return the row."""
        name = self.file
        if "error" in self.ours:
            empty = [""] * (len(COLUMNS) - 4)
            cells = [self.family, name, *empty, f"not compiled: {self.ours['error']}"]
            return _row([*cells, str(self.ours["seconds"])])
        whole = self.ours["whole"]
        accuracy = self.ours.get("accuracy")
        shown = "" if accuracy is None else f"{100 * accuracy:.2f} ({self._rows()})"
        return _row(
            [
                self.family, name, shown,
                *(f"{whole[role]:,}" for role in ("encoder", "network", "output", "total")),
                str(whole["depth"]), f"{self.peer:,}" if self.peer else "", self._source(),
                self._carries(),
                f"{self.same['total']:,}" if self.peer else "",
                "" if self.times is None else f"**{self.times:.3f}**",
                "" if self.clocks is None else str(self.clocks),
                "" if self.times_a_row is None else f"{self.times_a_row:.3f}",
                self._speed(),
                self.ours["effort"],
                "; ".join(f"{i} {how}" for i, how in enumerate(whole["proved"], 1)),
                str(self.ours["seconds"]),
            ]
        )  # fmt: skip

    def _rows(self) -> str:
        return f"{self.ours['dataset'].replace(':', ' ')}, n={self.ours['rows']:,}"

    def _speed(self) -> str:
        if "peer" not in self.speed:
            return ""
        peer, ours = self.speed["peer"], self.speed["ours"]
        return (
            f"{peer['mhz']:.0f} ({peer['luts']:,} LUT4), ours {ours['mhz']:.0f} "
            f"({ours['luts']:,} LUT4), {peer['ranks']}"
            + (f" / {ours['ranks']}" if ours["ranks"] != peer["ranks"] else "")
            + f" rank{'s' * (max(peer['ranks'], ours['ranks']) > 1)} of registers"
        )

    def _source(self) -> str:
        if "published" in self.own:
            return str(self.own["source"])
        return "its Verilog, yosys" if "luts" in self.own else ""

    def _carries(self) -> str:
        if not self.peer:
            return ""
        carries = self.own.get("carries")
        return f"{'?' if carries is None else f'{carries:,}'} / 0"


def table(entries: Sequence[Entry]) -> str:
    """Return the rows below each other."""
    return "\n".join([HEAD, *(entry.line() for entry in entries)])


def summary(entries: Sequence[Entry]) -> str:
    """Return how many files are below the aim, and which are above."""
    compared = [entry for entry in entries if entry.times is not None]
    families = {entry.family for entry in entries if "error" not in entry.ours}
    read = sum("error" not in entry.ours for entry in entries)
    good = sum((entry.times or 0) <= AIM for entry in compared)
    lines = [
        f"{read} files of {len(families)} families are compiled. {len(compared)} have figures of "
        f"their own flow: {good} take at most {AIM} times the LUTs of the peer."
    ]
    for text, low, high in (
        (f"Above {AIM}, up to 1.0", AIM, 1.0), ("Above 1.0", 1.0, float("inf"))
    ):  # fmt: skip
        found = [entry for entry in compared if low < (entry.times or 0) <= high]
        if found:
            lines += ["", f"{text}:", ""]
        for why in dict.fromkeys(entry.why for entry in found):
            said = [entry.reached() for entry in found if entry.why == why]
            lines.append(f"- {'; '.join(said)}" + (f": {why}." if why else "."))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
