"""Planted faults: readers that do what none may do, each of which has to be found.

``python -m tests.fuzz.files.plants`` prints what was found of each, as JSON. It is a process of its
own because only one without threads can be forked safely.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import click

from .formats import formats
from .place import Case, Workplace
from .sandbox import Limits

FORMAT = "quantnet"
SMALL = Limits(seconds=3, memory=400 << 20, patience=3)


def key_error() -> None:
    """End as a bug."""
    {}["layers"]


def hang() -> None:
    """Never end."""
    while True:
        pass


def sleep() -> None:
    """Never end, and take no time of the processor."""
    signal.pause()


def eat() -> None:
    """Take all memory there is."""
    parts = []
    while True:
        parts.append(b"x" * (1 << 20))


def eat_and_refuse() -> None:
    """Take much memory, and give it back."""
    len(b"x" * SMALL.memory)
    refuse()


def warn() -> None:
    """Let a library warn."""
    warnings.warn("invalid value encountered in cast", RuntimeWarning, stacklevel=1)


def crash() -> None:
    """Die as a library in C would."""
    os.kill(os.getpid(), signal.SIGSEGV)


def nameless() -> None:
    """Refuse without a name."""
    from nnlogic.core.errors import CheckpointError

    raise CheckpointError("something is wrong with some file")


def refuse() -> None:
    """Refuse as it should be."""
    from nnlogic.core.errors import CheckpointError

    raise CheckpointError("no network", where=formats()[FORMAT].file)


def read() -> None:
    """Read as it should be."""


PLANTS = (key_error, hang, sleep, eat, eat_and_refuse, warn, crash, nameless, refuse, read)


def found(plant: Callable[[], None], place: Workplace) -> str | None:
    """Return what is wrong when the reader of checkpoints, or what follows, does as a plant does.

    What a reader refuses is always told with its file, so `nameless` comes after it.
    """
    from nnlogic.frontend.native.format import Native
    from nnlogic.quant.ir import QuantNet

    holder, name = (QuantNet, "stats") if plant is nameless else (Native, "load")
    right = getattr(holder, name)

    def planted(*args):  # type: ignore[no-untyped-def]
        plant()
        return right(*args)

    setattr(holder, name, planted)
    try:
        fmt = formats()[FORMAT]
        return place.fault(Case(FORMAT, fmt.right(place.made)[0], fmt.commands[0].argv))[0]
    finally:
        setattr(holder, name, right)


def main() -> None:
    """Print what is found of each plant."""
    with tempfile.TemporaryDirectory(prefix="nnlogic-fuzz-") as folder:
        place = Workplace(Path(folder) / "work", SMALL)
        place.prepare([FORMAT])
        click.echo(json.dumps({plant.__name__: found(plant, place) for plant in PLANTS}))


if __name__ == "__main__":
    main()
