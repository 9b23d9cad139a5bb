"""Run as a script, in a process of its own: C espresso on a JSON cover, so that it can be killed.

Usage: python espresso_worker.py IN OUT. IN holds ``[inputs, outputs, cubes]``; a cube is
``[input part, output part]`` in positional notation (1: zero, 2: one, 3: either) and outputs
0, 1 or 2 (off, on, does not matter). OUT receives the minimized cubes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(source: str, target: str) -> None:
    """Minimize one cover."""
    from pyeda.boolalg.espresso import DTYPE, FTYPE, RTYPE, espresso, set_config

    inputs, outputs, cubes = json.loads(Path(source).read_text())
    set_config(
        single_expand=False,
        remove_essential=True,
        force_irredundant=True,
        unwrap_onset=True,
        recompute_onset=False,
        use_super_gasp=False,
    )
    cover = {(tuple(a), tuple(b)) for a, b in cubes}
    found = espresso(inputs, outputs, cover, intype=FTYPE | DTYPE | RTYPE)
    Path(target).write_text(json.dumps(sorted(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
