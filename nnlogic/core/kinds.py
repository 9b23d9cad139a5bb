"""Things found by name: one file each in a folder of the package, or an entry point outside it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import TypeVar

from nnlogic.core.errors import UsageError

T = TypeVar("T")


def find_kinds(package: str, base: type[T], group: str) -> dict[str, type[T]]:
    """Return the subclasses of `base` that have a ``kind``, by that name.

    Parameters
    ----------
    package : str
        Package whose modules are looked through.
    base : type
    group : str
        Entry points of installed packages that are classes too.

    Raises
    ------
    UsageError
        An entry point cannot be loaded, is no such class, or takes a name that is taken.
    """
    out = {cls.kind: cls for cls in _inside(package, base)}  # type: ignore[attr-defined]
    for point in entry_points(group=group):
        where = f"entry point {point.name} = {point.value} of {group}"
        try:
            cls = point.load()
        except (ImportError, AttributeError) as error:
            raise UsageError(
                "an extension cannot be loaded", where=where, why=str(error),
                fix="install what it needs, or uninstall it",
            ) from error  # fmt: skip
        kind = getattr(cls, "kind", "")
        if not (inspect.isclass(cls) and issubclass(cls, base) and kind):
            why = f"{cls!r} is no subclass of {base.__module__}.{base.__name__} with a kind"
            raise UsageError("an extension is of the wrong type", where=where, why=why)
        if out.setdefault(kind, cls) is not cls:
            why = f"{kind} is {out[kind].__module__}.{out[kind].__name__} already"
            raise UsageError("two extensions have one name", where=where, why=why)
    return out


def _inside(package: str, base: type[T]) -> Iterator[type[T]]:
    for info in iter_modules(import_module(package).__path__):
        module = import_module(f"{package}.{info.name}")
        for _, value in sorted(vars(module).items()):
            own = inspect.isclass(value) and value.__module__ == module.__name__
            if own and issubclass(value, base) and getattr(value, "kind", ""):
                yield value
