"""Which commit this code is, from the checkout it runs in or from what the build wrote down.

Imports nothing of ours: setup.py runs this file where nothing is installed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "nnlogic" / "COMMIT"  # in wheels and source archives, never in a checkout


def commit() -> str | None:
    """Return the short commit, with ``+dirty`` when tracked files were changed.

    Returns
    -------
    str or None
        None when the code was neither built from a git checkout nor runs in one.
    """
    if RECORD.is_file():
        return RECORD.read_text().strip() or None
    if not (ROOT / ".git").exists():  # a checkout that merely contains the installation is not ours
        return None
    ask = ["git", "describe", "--always", "--exclude=*", "--abbrev=7", "--dirty=+dirty"]
    # Within a git hook these name another repository.
    env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ask, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("ascii", "replace").strip() or None if done.returncode == 0 else None
