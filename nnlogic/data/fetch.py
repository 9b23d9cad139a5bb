"""Fetch public files once, check them, keep them in a cache."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import InputError
from nnlogic.core.places import cache_folder

TIMEOUT_S = 60


def cache_dir() -> Path:
    """Return the cache folder: ``$NNLOGIC_CACHE``, or ``nnlogic`` in the user's cache folder."""
    chosen = os.environ.get("NNLOGIC_CACHE")
    return Path(chosen) if chosen else cache_folder()


def get(url: str) -> bytes:
    """Return what `url` holds.

    Raises
    ------
    InputError
        It cannot be reached.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "nnlogic"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise InputError(
            "cannot fetch the data set",
            where=url,
            why=str(error),
            fix="check the network, or pass a folder with a local copy (--data)",
        ) from error


def fetch(url: str, md5: str) -> Path:
    """Return the path of a cached copy of `url`, fetched when it is not there yet.

    Parameters
    ----------
    url : str
    md5 : str
        Expected checksum, hex; also part of the cached file's name.

    Raises
    ------
    InputError
        It cannot be reached, or its checksum differs.
    """
    path = cache_dir() / "data" / f"{md5[:12]}-{url.rpartition('/')[2]}"
    if path.exists() and _md5(path.read_bytes()) == md5:
        return path
    content = get(url)
    found = _md5(content)
    if found != md5:
        raise InputError(
            "a fetched file is not the one expected",
            where=url,
            why=f"{len(content)} bytes with md5 {found}, expected {md5}",
            fix="try again; if it stays so, the source has changed: pass a local copy (--data)",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    return path


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
