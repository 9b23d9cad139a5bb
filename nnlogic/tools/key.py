"""A key of this user on this machine, which signs what nnlogic wrote."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from nnlogic.core.places import state_folder

log = logging.getLogger("nnlogic.tools")


def key_path() -> Path:
    """Return where the key lives, ``$XDG_STATE_HOME/nnlogic/seal.key``."""
    return state_folder() / "seal.key"


def user_key(make: bool = True) -> bytes:
    """Return the key, made when it is first needed; empty where none can be kept."""
    try:
        path = key_path()
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mine = path.with_name(f"{path.name}.{os.getpid()}")
            mine.touch(mode=0o600)
            mine.write_bytes(secrets.token_bytes(32))
            try:
                os.link(mine, path)  # the first of two processes wins
            except FileExistsError:
                pass
            finally:
                mine.unlink()
        return path.read_bytes()
    except (OSError, RuntimeError) as error:
        if make:
            log.warning("nothing can be signed: %s", error)
        return b""
