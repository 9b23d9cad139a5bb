"""What stands in a torch file, found without unpickling it and without torch."""

from __future__ import annotations

import io
import pickletools
import zipfile
from functools import lru_cache
from pathlib import Path

MOST_BYTES = 1 << 24
"""Of a pickle's program, whose tensors are stored apart."""


def strings_of(head: bytes, path: Path) -> frozenset[str]:
    """Return the texts in the pickle of a torch file, such as the names of its tensors.

    Parameters
    ----------
    head : bytes
        Start of the file.
    path : Path

    Returns
    -------
    frozenset of str
        Empty for what is no torch file in a zip archive, and for one that cannot be parsed.
    """
    if head[:4] != b"PK\x03\x04":
        return frozenset()
    stat = path.stat()
    return _strings(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _strings(path: Path, changed: int, size: int) -> frozenset[str]:
    found = set()
    try:
        with zipfile.ZipFile(path) as archive:
            inner = [i for i in archive.infolist() if i.filename.endswith("data.pkl")]
            if not inner or inner[0].file_size > MOST_BYTES:
                return frozenset()
            for opcode, argument, _ in pickletools.genops(io.BytesIO(archive.read(inner[0]))):
                if "UNICODE" in opcode.name:
                    found.add(str(argument))
    except (OSError, ValueError, IndexError, zipfile.BadZipFile, NotImplementedError):
        return frozenset()
    return frozenset(found)
