"""Parts that are found by themselves: modules of a folder, and entry points of other packages."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

from nnlogic.core.errors import UsageError


def discover(package: str, attribute: str, group: str, inside: str = "") -> list[Any]:
    """Return all parts of a kind, our own first, each group in order of names.

    Parameters
    ----------
    package : str
        A package of ours, for instance ``"nnlogic.frontend"``: every module or folder in it that
        has `attribute` gives one part.
    attribute : str
        For instance ``"FORMAT"``.
    group : str
        Entry points of this group name one part each, for instance ``"nnlogic.formats"``.
    inside : str
        Module in each folder that has `attribute`; default: the folder itself.

    Raises
    ------
    UsageError
        An installed package names a part that cannot be imported.
    """
    path = import_module(package).__path__
    names = sorted(info.name for info in iter_modules(path))
    tail = f".{inside}" if inside else ""
    modules = [import_module(f"{package}.{name}{tail}") for name in names]
    parts = [getattr(module, attribute) for module in modules if hasattr(module, attribute)]
    for point in sorted(entry_points(group=group), key=lambda p: p.name):
        try:
            parts.append(point.load())
        except (ImportError, AttributeError) as error:
            owner = point.dist.name if point.dist is not None else "an installed package"
            raise UsageError(
                f"{owner} cannot be used",
                where=f"entry point {point.name} of {group}",
                why=f"{point.value}: {error}",
                fix=f"repair or uninstall {owner}",
            ) from error
    return parts


def by_kind(package: str, attribute: str, group: str) -> dict[str, Any]:
    """Return what `discover` finds by its ``kind``.

    Raises
    ------
    UsageError
        As for `discover`; or two parts are of one kind, or one has none.
    """
    out: dict[str, Any] = {}
    for part in discover(package, attribute, group):
        kind = getattr(part, "kind", "")
        if not kind or kind in out:
            raise UsageError(
                "a part cannot be used", where=f"{part!r} of {group}",
                why=f"{out[kind]!r} is of kind {kind!r} already" if kind else "it has no kind",
                fix="give it a kind of its own",
            )  # fmt: skip
        out[kind] = part
    return out
