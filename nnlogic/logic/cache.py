"""Results of minimization on disk, found again by content."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.logic.cone import Cone
from nnlogic.logic.portfolio import Attempt, Solution

log = logging.getLogger("nnlogic.logic")


def default_directory() -> Path:
    """Return the user's cache directory for nnlogic, ``$XDG_CACHE_HOME/nnlogic``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG rules say to ignore relative paths.
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "nnlogic"


class ResultCache:
    """One small JSON file per solved unit.

    A damaged entry counts as absent and is written again. A directory that cannot be written
    costs speed, not correctness: it is reported once in the log.

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

    def read(self, key: str) -> Solution | None:
        """Return the entry of `key`; its cone is not checked here."""
        path = self.path(key)
        if path is None:
            return None
        try:
            return _from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("cache entry %s ignored: %r", path, error)
            return None

    def write(self, key: str, solution: Solution) -> None:
        """Store an entry atomically."""
        path = self.path(key)
        if path is None:
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
    return Solution(cone, str(data["engine"]), float(data["seconds"]), attempts, cached=True)
