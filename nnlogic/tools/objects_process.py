"""Run as a script by make (see `nnlogic.tools.objects`): a compiler that remembers.

Usage: python objects_process.py CXX FLAG... -c -o OBJECT SOURCE. Only files of Verilator's runtime
are remembered; an object is believed when the signature beside it fits its bytes, the compiler, its
flags and all files of the runtime. It runs without site packages, so only the standard library is
imported.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

FOLDER, KEY = "NNLOGIC_OBJECTS", "NNLOGIC_OBJECTS_KEY"
SIGNED = 32
"""Bytes of a signature, which an entry begins with."""
SEARCHED = ("CPATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH")
"""Variables that change what a compiler reads."""


def main(command: list[str]) -> int:
    """Compile, or copy what was compiled before; return the exit status."""
    source = Path(command[-1])
    folder, key = os.environ.get(FOLDER), bytes.fromhex(os.environ.get(KEY, ""))
    runtime = source.name.startswith("verilated") and (source.parent / "verilated.h").exists()
    if not folder or not key or not runtime or command[-4:-2] != ["-c", "-o"]:
        return _compiled(command)
    made = Path(command[-2])
    try:
        name = _name(command, source.parent)
    except OSError:  # what is missing is the compiler's to say
        return _compiled(command)
    kept = Path(folder) / f"{name}.o"
    with suppress(OSError):
        entry = kept.read_bytes()
        if hmac.compare_digest(entry[:SIGNED], _signature(key, name, entry[SIGNED:])):
            made.write_bytes(entry[SIGNED:])
            return 0
    code = _compiled(command)
    if code == 0:
        with suppress(OSError):
            data = made.read_bytes()
            kept.parent.mkdir(parents=True, exist_ok=True)
            mine = kept.with_name(f"{kept.name}.{os.getpid()}")
            mine.write_bytes(_signature(key, name, data) + data)
            mine.replace(kept)
    return code


def _compiled(command: list[str]) -> int:
    try:
        return subprocess.call(command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127


def _name(command: list[str], runtime: Path) -> str:
    """Return a digest of all that an object depends on; where the runtime lies is not among it."""
    digest = hashlib.sha256()
    compiler = shutil.which(command[0]) or command[0]
    state = os.stat(compiler)
    told = [
        *(os.path.realpath(compiler), str(state.st_size), str(state.st_mtime_ns)),
        *(os.environ.get(name, "") for name in SEARCHED),
        *(word.replace(str(runtime), "@") for word in (*command[:-2], command[-1])),
    ]
    digest.update("\0".join(told).encode("utf-8", "surrogateescape"))
    for path in [*sorted(runtime.glob("*.h")), Path(command[-1])]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _signature(key: bytes, name: str, data: bytes) -> bytes:
    return hmac.digest(key, name.encode() + data, "sha256")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
