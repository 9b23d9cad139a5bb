"""One command at a time works in a folder; whoever comes second is told who is there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlogic.core.errors import UsageError

LOCKS = Path("/proc/locks")


@contextmanager
def locked(folder: Path, what: Path, *, shared: bool = False, make: bool = False) -> Iterator[None]:
    """Lock a folder inside the block; the system lets go of it when this process dies.

    Parameters
    ----------
    folder : Path
    what : Path
        How messages call it.
    shared : bool
        Only against those who do not share: for reading.
    make : bool
        Make the folder where it is missing.

    Raises
    ------
    UsageError
        Another command holds it.
    OSError
        It cannot be made or opened.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    while True:
        if make:
            folder.mkdir(exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, how)
        except BlockingIOError as error:
            who = holders(os.fstat(handle).st_ino)
            os.close(handle)
            raise UsageError(
                "another command works there",
                where=str(what),
                why=f"process {', '.join(who)} has not ended" if who else "it has not ended",
                fix="wait until it has",
            ) from error
        except BaseException:
            os.close(handle)
            raise
        if _is_at(folder, handle):
            break
        # Whoever held it has moved or removed it since.
        os.close(handle)
    try:
        yield
    finally:
        os.close(handle)


def holders(inode: int) -> list[str]:
    """Return the processes that hold a lock, where the system tells."""
    try:
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines if "->" not in line]
    return [w[4] for w in words if len(w) > 5 and w[5].rpartition(":")[2] == str(inode)]


def _is_at(folder: Path, handle: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
