"""Results of minimization on disk, found again by content."""

from __future__ import annotations

import json
import logging
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.logic.cone import Cone
from nnlogic.logic.portfolio import Attempt, Solution, SolveOptions
from nnlogic.logic.unit import Unit

log = logging.getLogger("nnlogic.logic")

MOST_BYTES = 64_000_000
"""Of an entry that is read."""
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
)
"""What reading something that is no entry ends in."""


class ResultCache:
    """One small JSON file per solved unit.

    No entry is believed: each is compared with what it is for, on every input that matters. One
    that is damaged, of another format, or wrong is removed and said in the log, so that it is
    solved again, once. A directory that cannot be written costs speed, not correctness: it is
    reported once in the log.

    Parameters
    ----------
    directory : Path or None
        None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self._warned = False

    def path(self, key: str) -> Path | None:
        """Return where the entry of `key` lives."""
        if self.directory is None:
            return None
        return self.directory / "minimized" / key[:2] / f"{key}.json"

    def read(self, unit: Unit, options: SolveOptions) -> Solution | None:
        """Return the entry of a unit, proved to be a solution of it."""
        path = self.path(unit.key(options))
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
            found = _from_json(json.loads(data))
            wrong = unit.wrong(found.cone, found.engine, options.k)
        except FileNotFoundError:
            return None
        except UNREADABLE as error:
            wrong = f"cannot be read, {error!r:.200}"
        if not wrong:
            return found
        log.warning("cache entry %s dropped, %s is solved again: %s", path, unit.label, wrong)
        with suppress(OSError):
            path.unlink()
        return None

    def write(self, key: str, solution: Solution) -> None:
        """Store an entry atomically, unless a budget ended the search for it."""
        path = self.path(key)
        if path is None or not solution.complete:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, json.dumps(_to_json(solution)).encode())
        except OSError as error:
            if not self._warned:
                log.warning("minimization results are not cached: %s", error)
            self._warned = True


def _to_json(solution: Solution) -> dict[str, Any]:
    cone = solution.cone
    return {
        "n_inputs": cone.n_inputs,
        "fanins": cone.fanins,
        "tables": [f"{t:x}" for t in cone.tables],
        "outputs": cone.outputs,
        "engine": solution.engine,
        "seconds": solution.seconds,
        "attempts": [[a.engine, a.luts, a.depth, a.seconds, a.error] for a in solution.attempts],
    }


def _from_json(data: dict[str, Any]) -> Solution:
    cone = Cone(
        int(data["n_inputs"]),
        tuple(tuple(int(s) for s in fanin) for fanin in data["fanins"]),
        tuple(int(t, 16) for t in data["tables"]),
        tuple(int(s) for s in data["outputs"]),
    )
    attempts = tuple(
        Attempt(str(engine), int(luts), int(depth), float(seconds), str(error))
        for engine, luts, depth, seconds, error in data["attempts"]
    )
    seconds = float(data["seconds"])
    if not all(math.isfinite(s) and s >= 0 for s in (seconds, *(a.seconds for a in attempts))):
        raise ValueError("seconds that are no time")
    return Solution(cone, str(data["engine"]), seconds, attempts, cached=True)
