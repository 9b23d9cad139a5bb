"""A host that follows the schedule file of a chain of kernels, one word at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class ScheduleHost:
    """What software beside the engine does, told by `nnlogic.hw.dsp.host.host_schedule` alone.

    Parameters
    ----------
    schedule : str
        Path of the schedule file.
    batches : list of list of str
        Per batch of 48 vectors the words of the input bits, hexadecimal.
    expected : list of list of (list of str)
        Per batch, per output bit its word and the lanes that matter.
    """

    def __init__(
        self, schedule: str, batches: list[list[str]], expected: list[list[list[str]]]
    ) -> None:
        self.schedule: dict[str, Any] = json.loads(Path(schedule).read_text())
        self.lanes, self.contexts = self.schedule["lanes"], self.schedule["contexts"]
        self.expected = expected
        equal = {-1: 0, -2: (1 << self.lanes) - 1}
        self.kept = [{**equal, **dict(enumerate(int(w, 16) for w in words))} for words in batches]

    @property
    def groups(self) -> int:
        """Groups of batches there are data for."""
        return len(self.kept) // self.contexts

    @property
    def kernels(self) -> int:
        """Kernels to run, in order."""
        return len(self.schedule["kernels"])

    def packet(self, kernel: int) -> list[int]:
        """Return the beats for ``p_axis``."""
        beats = [int(beat, 16) for beat in self.schedule["kernels"][kernel]["packet"]]
        at, _ = self.schedule["command"]["groups"]
        return [beats[0] | self.groups_of(kernel) << at, *beats[1:]]

    def groups_of(self, kernel: int) -> int:
        """Return how many groups a kernel runs."""
        return self.groups * self.runs_of(kernel)

    def runs_of(self, kernel: int) -> int:
        """Return how often a kernel runs on every group."""
        return int(self.schedule["kernels"][kernel].get("runs", 1))

    def rows_out(self, kernel: int) -> int:
        """Return the beats of a batch on ``m_axis``."""
        return int(self.schedule["kernels"][kernel]["rows_out"])

    def awaited(self, kernel: int) -> int:
        """Return the beats all groups make on ``m_axis``."""
        return self.groups_of(kernel) * self.contexts * self.rows_out(kernel)

    def beats(self, kernel: int) -> list[int]:
        """Return the beats for ``s_axis``; a word that was never made is zero."""
        plan = self.schedule["kernels"][kernel]
        out = []
        for batch, run in self._order(kernel):
            rows = [0] * plan["rows_in"]
            for row, bank, word in plan["reads"]:
                read = word if isinstance(word, int) else word[run]
                rows[row] |= batch.get(read, 0) << self.lanes * bank
            out += rows
        return out

    def take(self, kernel: int, beats: list[int]) -> None:
        """Keep what a kernel made; `beats` are all of ``m_axis``."""
        plan = self.schedule["kernels"][kernel]
        for number, (batch, run) in enumerate(self._order(kernel)):
            for row, place, word in plan["makes"]:
                beat = beats[number * plan["rows_out"] + row]
                value = beat >> self.lanes * place & ((1 << self.lanes) - 1)
                batch[word + run * plan.get("step", 0)] = value

    def _order(self, kernel: int) -> list[tuple[dict[int, int], int]]:
        """Return which batch, in which run, a kernel has in turn: groups, runs, then contexts."""
        each = self.contexts
        return [
            (batch, run)
            for group in range(self.groups)
            for run in range(self.runs_of(kernel))
            for batch in self.kept[group * each : (group + 1) * each]
        ]

    def check(self) -> str:
        """Return which output is wrong, or nothing."""
        words = [w for port in self.schedule["outputs"].values() for w in port]
        for number, (batch, expected) in enumerate(zip(self.kept, self.expected, strict=True)):
            for bit, (word, (want, lanes)) in enumerate(zip(words, expected, strict=True)):
                got = batch.get(word, 0) & int(lanes, 16)
                if got != int(want, 16):
                    return f"batch {number}, output bit {bit}: expected {want}, got {got:x}"
        return ""


def from_files(schedule: str, data: str) -> ScheduleHost:
    """Return a `ScheduleHost` whose other arguments are in a JSON file."""
    return ScheduleHost(schedule, **json.loads(Path(data).read_text()))
