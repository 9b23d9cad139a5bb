"""Programs that were compiled here, signed with the user's key, and run again only then.

A folder with a program in it may come from anywhere, and its name proves nothing.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from nnlogic.tools.key import user_key

SUFFIX = ".signature"


def sign_program(program: Path, of: str) -> None:
    """Write the signature of a program beside it; nothing where there is no key.

    Parameters
    ----------
    program : Path
    of : str
        Digest of what it was compiled from.
    """
    signature = _signature(program, of, user_key())
    if signature:
        _beside(program).write_bytes(signature)


def is_ours(program: Path, of: str) -> bool:
    """Whether this user compiled a program on this machine, from what `of` is the digest of."""
    try:
        expected = _signature(program, of, user_key(make=False))
        return bool(expected) and hmac.compare_digest(_beside(program).read_bytes(), expected)
    except OSError:
        return False


def _beside(program: Path) -> Path:
    return program.with_name(program.name + SUFFIX)


def _signature(program: Path, of: str, key: bytes) -> bytes:
    if not key:
        return b""
    own = hmac.digest(key, b"programs", "sha256")
    return hmac.digest(own, of.encode() + b"\0" + program.read_bytes(), "sha256")
