"""The seal of a run: digests of its files, signed with a key of this user on this machine.

A report says what was true of certain bytes. The seal lets a later command tell whether the report
and the files are still those that nnlogic wrote: the key never enters a run, so a run that was
edited by hand, or made elsewhere, cannot carry a seal that fits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.limits import parse_json
from nnlogic.tools.key import user_key

FILE = "manifest.json"
REPORT, PAGE = "report.json", "report.html"
UNLISTED = {FILE, REPORT, "STATUS", "nnlogic.log"}
"""Names that the list of files leaves out; the report, which holds the status, is signed."""


@dataclass(frozen=True)
class Seal:
    """What `manifest.json` says, and whether it can be believed.

    Attributes
    ----------
    files : dict of str to str
        SHA-256 of each file, by its path relative to the run.
    ours : bool
        Whether this user's key signed it.
    intact : bool
        Whether the signature fits the list and the report that is there now.
    """

    files: Mapping[str, str]
    ours: bool
    intact: bool


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_file(path: Path) -> bool:
    """Whether there is a file; there is none under a name that a system cannot have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def sealed_files(folder: Path) -> Iterator[str]:
    """Yield the files of a run that a seal lists: all but what simulators build, and the log."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        built = "sim" in parts[:-2]
        if path.is_file() and path.name not in UNLISTED and not built:
            yield "/".join(parts)


def write_seal(folder: Path, fresh: tuple[str, ...] = ("",)) -> None:
    """Sign the report and the files of a run as they are now.

    Parameters
    ----------
    folder : Path
    fresh : tuple of str
        Beginnings of the paths that the command wrote. Other files keep the digests of the seal
        before, where that is intact, so that an edit by somebody else stays visible.
    """
    before = read_seal(folder)
    old = before.files if before is not None and before.ours else None
    files = {}
    for name in sealed_files(folder):
        if old is None or name.startswith((*fresh, PAGE)):
            files[name] = sha256(folder / name)
        elif name in old:
            files[name] = old[name]
    if old is not None:
        # A file that is gone stays on the list, and so stays missed.
        gone = {n: d for n, d in old.items() if not n.startswith(fresh) and n not in files}
        files |= gone
    key = user_key()
    data = {"files": files, "key": _key_name(key), "signature": _sign(key, folder, files)}
    write_bytes(folder / FILE, (json.dumps(data, indent=1) + "\n").encode())


def read_seal(folder: Path) -> Seal | None:
    """Return the seal of a run; None where there is none or it cannot be read."""
    try:
        data = parse_json((folder / FILE).read_bytes())
        files = {str(name): str(digest) for name, digest in data["files"].items()}
        name, signature = str(data["key"]), str(data["signature"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    key = user_key(make=False)
    ours = bool(key) and name == _key_name(key)
    # Bytes: text of a file may hold any character, also half of one.
    given = signature.encode("utf-8", "surrogatepass")
    signed = hmac.compare_digest(given, _sign(key, folder, files).encode())
    return Seal(files, ours, ours and signed)


def _sign(key: bytes, folder: Path, files: Mapping[str, str]) -> str:
    if not key or not (folder / REPORT).exists():
        return ""
    text = json.dumps([sha256(folder / REPORT), dict(files)], sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _key_name(key: bytes) -> str:
    return hashlib.sha256(b"nnlogic seal\0" + key).hexdigest()[:16] if key else ""
