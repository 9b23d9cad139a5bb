"""Folders for tools: whatever users call theirs, tools work in one that every tool can name.

Make, shells inside of tools, and script languages give characters of a path a meaning, each other
ones, and some programs ask for the path of the folder they work in. So no path of a user reaches a
tool: it is given plain names, relative to a folder whose own path is plain.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from nnlogic.core.errors import UsageError
from nnlogic.core.folders import fresh_folder

log = logging.getLogger("nnlogic.tools")

_PLAIN = re.compile(r"[A-Za-z0-9_./@+-]+")
LONGEST = 200
"""Characters of a path that tools add names to."""
ELSEWHERE = ("/tmp", "/var/tmp", "/dev/shm")


def is_plain(path: Path) -> bool:
    """Whether every tool can work in a folder, links followed as tools follow them."""
    text = os.path.realpath(path)
    return len(text) <= LONGEST and _PLAIN.fullmatch(text) is not None


@contextmanager
def scratch(what: str) -> Iterator[Path]:
    """Yield a new, empty folder with a plain path, removed at the end.

    Raises
    ------
    UsageError
        There is no place for one.
    """
    base = scratch_place(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=f"nnlogic-{what}-", dir=base) as folder:
        yield Path(folder)


@cache
def scratch_place(asked: str) -> str:
    """Return the folder for temporary files: that of the system or, if it is not plain, another.

    Raises
    ------
    UsageError
        There is none.
    """
    places = [asked, *ELSEWHERE]
    for place in places:
        if is_plain(Path(place)) and os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
            if place != asked:
                log.info("temporary files of tools go to %s, which they can name", place)
            return os.path.realpath(place)
    raise UsageError(
        "no folder for temporary files",
        where=asked,
        why=f"tools cannot name it, and {', '.join(ELSEWHERE)} cannot be written",
        fix="set TMPDIR to a folder with nothing but letters, digits and . _ @ + - in its path",
    )


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """Yield a new, empty folder for tools that becomes `folder` at the end, whatever happens.

    That is `folder` itself where its path is plain.
    """
    folder = Path(folder).absolute()
    if is_plain(folder):
        yield fresh_folder(Path(os.path.realpath(folder)))
        return
    with scratch("work") as work:
        try:
            yield work
        finally:
            shutil.copytree(work, fresh_folder(folder), symlinks=True, dirs_exist_ok=True)
