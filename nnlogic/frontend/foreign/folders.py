"""Folders: what they hold, and which file in them to give."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from nnlogic.frontend.foreign.kind import TRAIN

MOST = 1000
"""Entries of a folder that are looked at."""
SHOWN = 4


def _has(*names: str) -> Callable[[set[str]], bool]:
    return lambda found: set(names) <= found


FOLDERS: tuple[tuple[Callable[[set[str]], bool], str, str], ...] = (
    (
        _has("STATUS", "report.json"),
        "a run of nnlogic",
        "nnlogic inspect, verify, synth and report take it; nnlogic compile with --from STAGE",
    ),
    (_has("saved_model.pb"), "a TensorFlow SavedModel", TRAIN),
    (_has("data.pkl", "version"), "an unpacked torch file", "zip it again, or give the original"),
    (_has("config.json", "model.weights.h5"), "an unpacked Keras model", TRAIN),
    (
        _has("config.json", "tokenizer.json"),
        "a language model",
        "it is far too large for logic",
    ),
    (_has("MLmodel"), "a model of MLflow", "give the model file in its folder model/"),
    (
        _has("checkpoint"),
        "a folder of training checkpoints",
        TRAIN,
    ),
)


def described(path: Path, reads: Callable[[str], bool]) -> tuple[str, str]:
    """Return what a folder is, and what to do about it.

    Parameters
    ----------
    path : Path
        A folder.
    reads : callable
        Whether an importer may read a file of this name.
    """
    try:
        with os.scandir(path) as entries:
            found = {entry.name for entry in islice(entries, MOST)}
    except OSError as error:
        return "a folder that cannot be read", str(error)
    for known, what, fix in FOLDERS:
        if known(found):
            return what, fix
    names = sorted(name for name in found if reads(name))
    if not names:
        return "a folder", "give the file of the trained network; there seems to be none inside"
    more = f" or {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "a folder", f"give a file inside: {', '.join(names[:SHOWN])}{more}"
