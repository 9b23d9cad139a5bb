"""The verbs there are: each module of `nnlogic.cli.verbs`, and entry points of other packages.

A verb is a module with two names: ``command``, a click command with the module's name, and
``PLACE``, a number that says where in ``nnlogic --help`` it stands. It imports what it works with
when it works, so that help is quick. Other packages name the modules of theirs by entry points of
the group ``nnlogic.verbs``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType

import click

from nnlogic.core.errors import UsageError

FOLDER, GROUP = "nnlogic.cli.verbs", "nnlogic.verbs"


def verbs() -> list[str]:
    """Return the names of all verbs, in the order of ``PLACE``."""
    found = [(_module(name), name) for name in (*_ours(), *_outside())]
    return [name for _, name in sorted((_place(module), name) for module, name in found)]


def verb(name: str) -> click.Command | None:
    """Return the command of a verb; None if there is no such verb.

    Raises
    ------
    UsageError
        Another package names a verb that cannot be used.
    """
    if name not in _ours() and name not in _outside():
        return None
    command = getattr(_module(name), "command", None)
    if not isinstance(command, click.Command):
        raise UsageError(
            "a verb cannot be used", where=f"entry point {name} of {GROUP}",
            why="its module has no click command of the name command", fix="repair or uninstall it",
        )  # fmt: skip
    return command


@cache
def _ours() -> tuple[str, ...]:
    return tuple(info.name for info in iter_modules(import_module(FOLDER).__path__))


@cache
def _outside() -> dict[str, EntryPoint]:
    """Return what other packages name; a verb of ours stays ours."""
    points = sorted(entry_points(group=GROUP), key=lambda p: p.name)
    return {point.name: point for point in points if point.name not in _ours()}


def _module(name: str) -> ModuleType:
    if name in _ours():
        return import_module(f"{FOLDER}.{name}")
    point = _outside()[name]
    try:
        return import_module(point.value)
    except ImportError as error:
        owner = point.dist.name if point.dist is not None else "an installed package"
        raise UsageError(
            f"{owner} cannot be used", where=f"entry point {name} of {GROUP}",
            why=f"{point.value}: {error}", fix=f"repair or uninstall {owner}",
        ) from error  # fmt: skip


def _place(module: ModuleType) -> float:
    return float(getattr(module, "PLACE", float("inf")))
