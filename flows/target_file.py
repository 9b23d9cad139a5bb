"""Reads targets: those of this package from targets.toml, a user's from a file of the same kind."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.limits import parse_toml
from nnlogic.core.values import shown
from nnlogic.flows.target_table import read_table
from nnlogic.flows.targets import Target
from nnlogic.tools.verilog_guard import check_sources

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
PACKAGED = Path(__file__).with_name("targets.toml")
Tables = Mapping[str, Any]


@dataclass(frozen=True)
class Packaged:
    """The targets of this package, and which of them serve where a user names none."""

    targets: Mapping[str, Target]
    families: Tables
    default: Target
    vivado: Target


@functools.cache
def packaged() -> Packaged:
    """Read targets.toml, once.

    Raises
    ------
    UsageError
        The file breaks the rules it sets for others.
    """
    content = _content(PACKAGED)
    problems: list[Problem] = []
    families = content["family"]
    targets = _targets(content["target"], families, problems)
    _refuse(PACKAGED, problems)
    defaults = content["defaults"]
    return Packaged(targets, families, targets[defaults["target"]], targets[defaults["vivado"]])


def load_target(path: Path, taken: Collection[str] | None = None) -> Target:
    """Read the one target of a user's file.

    Parameters
    ----------
    path : Path
        TOML with one table ``[target.NAME]``; what its key ``family`` names is looked for in the
        file's own ``[family.NAME]`` first, then in those of this package.
    taken : collection of str, optional
        Names it must not have; by default those of this package.

    Raises
    ------
    UsageError
        All that is wrong, at once.
    UnsafeVerilog
        Its cell models do more than describe a circuit.
    """
    path = Path(path)
    content = _content(path)
    entries, own = content.get("target", {}), content.get("family", {})
    problems = [
        Problem(key, "no table of tables", f"[{key}.NAME]")
        for key, table in (("target", entries), ("family", own))
        if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values())
    ]
    _refuse(path, problems)
    for key in sorted(content.keys() - {"target", "family"}):
        problems.append(Problem(key, "unknown table", "[target.NAME] and [family.NAME] are known"))
    if len(entries) != 1:
        names = ", ".join(map(repr, entries)) or "none"
        problems.append(Problem("target", f"needs one target, has {names}", "one [target.NAME]"))
    for name in entries:
        if not NAME.fullmatch(name):
            problems.append(Problem(f"target.{name!r}", "no name", f"letters, like {NAME.pattern}"))
        elif name in (packaged().targets if taken is None else taken):
            why = "nnlogic has a target of this name"
            problems.append(Problem(f"target.{name}", why, "choose another name"))
    made = _targets(entries, {**packaged().families, **own}, problems)
    _refuse(path, problems)
    [(name, target)] = made.items()
    return _with_files(target, path, f"{name}.toml")


def kept_target(name: str, kept: Path | None) -> Target | None:
    """Return the target that `Target.keep` wrote to a folder under a name, if there is one."""
    if kept is None or not NAME.fullmatch(name) or not (kept / f"{name}.toml").is_file():
        return None
    return load_target(kept / f"{name}.toml", taken=())


def _content(path: Path) -> dict[str, Any]:
    what = "cannot read the target file"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(what, where=str(path), why=str(error)) from error
    try:
        content: dict[str, Any] = parse_toml(text)
        return content
    except ValueError as error:
        raise UsageError(what, where=str(path), why=f"not TOML: {error}") from error


def _targets(entries: Tables, families: Tables, problems: list[Problem]) -> dict[str, Target]:
    out = {}
    for name, entry in entries.items():
        where = f"target.{name}"
        family = entry.get("family")
        if family is not None and not (isinstance(family, str) and family in families):
            why = f"no family {shown(family)}"
            problems.append(Problem(f"{where}.family", why, f"one of {', '.join(families)}"))
            continue
        table = {**(families[family] if family else {}), **entry}
        table.pop("family", None)
        for key in ("name", "files"):
            if table.pop(key, None) is not None:
                problems.append(Problem(f"{where}.{key}", "unknown key"))
        target = read_table(Target, {**table, "name": name}, where, problems)
        if target is not None:
            out[name] = target
    return out


def _with_files(target: Target, path: Path, name: str) -> Target:
    """Return the target with the text of its file and of the Verilog beside it."""
    files = {name: path.read_text("utf-8")}
    problems = []
    own = [path.parent / model for model in target.cell_models if not model.startswith("+/")]
    for model in own:
        try:
            files[model.name] = model.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"target.{target.name}.cell_models", str(error)))
    _refuse(path, problems)
    check_sources(own)
    return replace(target, files=files)


def _refuse(path: Path, problems: list[Problem]) -> None:
    if problems:
        raise UsageError("the target file cannot be used", where=str(path), problems=problems)
