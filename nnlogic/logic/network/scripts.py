"""Restructuring of a network by ABC; nothing it returns is used unproved."""

from __future__ import annotations

import logging

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.network.tidy import tidied
from nnlogic.tools.abc import prove_equal, transform_blif

log = logging.getLogger("nnlogic.logic")

_MAP = "if -K {k} -a; mfs2 -a -e"
SCRIPTS = (
    "fraig_sweep; strash; dch; " + _MAP,
    "strash; ifraig; dc2; dch; " + _MAP,
    "mfs2 -a -e; strash; dch; if -K {k}; mfs2 -a -e",
    "strash; dc2; dc2; " + _MAP + "; strash; dch; " + _MAP,
    "strash; &get -n; &synch2; &put; " + _MAP,
    "strash; &get -n; &dch -f; &put; " + _MAP,
)
"""From LUTs to LUTs; ``{k}`` is the LUT size."""
MERGE = "fraig_sweep"
"""Merges equal and complementary nodes (SAT sweeping), and keeps the LUTs as they are."""


def restructured(cone: Cone, script: str, k: int, timeout: float) -> Cone | None:
    """Run a script on a network.

    Returns
    -------
    Cone, or None
        Proved equal by SAT; None when ABC failed or came to no verdict in time.
    """
    source = write_blif(cone)
    try:
        new = tidied(read_blif(transform_blif(source, script.format(k=k), timeout=timeout)))
        if new.problems(k):
            return None
        if (new.n_inputs, len(new.outputs)) != (cone.n_inputs, len(cone.outputs)):
            return None
        equal, _ = prove_equal(source, write_blif(new), timeout=timeout)
    except ToolFailed as failure:
        log.info("script %s gave no result: %s %s", script, failure.what, failure.why)
        return None
    if not equal:
        log.warning("abc returned another function for %s; not used", script)
    return new if equal else None
