"""Folders that start empty, whatever a killed process left or still writes there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def fresh_folder(path: Path) -> Path:
    """Return `path` as a new, empty folder.

    What was there is renamed before it is removed, so that a program that outlived its killed
    parent cannot add to the new one.
    """
    path = Path(path)
    if path.exists():
        old = path.with_name(f".{path.name}.old-{os.getpid()}")
        path.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    path.mkdir(parents=True)
    return path
