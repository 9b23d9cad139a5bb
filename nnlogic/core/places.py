"""The folders of a user that outlive a run."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return where what can be made again is kept, ``$XDG_CACHE_HOME/nnlogic``."""
    return _folder("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Return where the user's key is kept, ``$XDG_STATE_HOME/nnlogic``."""
    return _folder("XDG_STATE_HOME", ".local/state")


def _folder(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    # The XDG rules say to ignore relative paths.
    return (Path(base) if os.path.isabs(base) else Path.home() / default) / "nnlogic"
