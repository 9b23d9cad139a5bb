"""Objects of Verilator's own runtime, which are the same in every model, are compiled once.

They take most of the time of compiling a small model. Verilator's make rules put ``$OBJCACHE``
before the compiler: here `objects_process`, which keeps objects of the runtime, signed, in the
user's cache folder.
"""

from __future__ import annotations

import hmac
import os
import re
import sys
from pathlib import Path

from nnlogic.core.places import cache_folder
from nnlogic.tools import objects_process
from nnlogic.tools.key import user_key

PLAIN = re.compile(r"[\w./+-]+", re.ASCII)
"""A path that make and a shell take as it is."""


def compiling() -> dict[str, str]:
    """Return what to add to the environment of Verilator; nothing where objects cannot be kept.

    A user's own ``OBJCACHE``, such as ccache, stays.
    """
    script = str(Path(objects_process.__file__))
    paths = (sys.executable, script)
    if os.environ.get("OBJCACHE") or not all(map(PLAIN.fullmatch, paths)):
        return {}
    key = user_key()
    if not key:
        return {}
    own = hmac.digest(key, b"objects", "sha256").hex()
    return {
        "OBJCACHE": f"{sys.executable} -I -S {script}",
        objects_process.FOLDER: str(cache_folder() / "objects"),
        objects_process.KEY: own,
    }
