"""``python -m tests.fuzz``: random networks; ``python -m tests.fuzz files``: broken files."""

from __future__ import annotations

import os
import sys

if sys.argv[1:2] == ["files"]:
    # Before NumPy is loaded: a process with threads cannot be forked safely.
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    del sys.argv[1]
    from tests.fuzz.files.campaign import main
else:
    from tests.fuzz.campaign import main

main()
