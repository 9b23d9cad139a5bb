"""All importers, and the one that reads a given file: chosen by what the file holds."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nnlogic.core.errors import CheckpointError, NNLogicError, UsageError
from nnlogic.core.plugins import discover
from nnlogic.frontend import foreign
from nnlogic.frontend.foreign.folders import described
from nnlogic.frontend.format import CHECKPOINT, Confidence, Format, LoadOptions
from nnlogic.frontend.look import Look
from nnlogic.quant.ir import QuantNet

GROUP = "nnlogic.formats"
HEAD = 4096
"""Bytes of a file that importers are shown."""


@cache
def formats() -> Mapping[str, Format]:
    """Return all importers by name: the folders beside this file, and those of other packages.

    Raises
    ------
    UsageError
        One cannot be imported, is no `Format`, or shares its name or title with another.
    """
    found: dict[str, Format] = {}
    for item in discover("nnlogic.frontend", "FORMAT", GROUP):
        if not isinstance(item, Format) or not item.name.isidentifier():
            raise UsageError(
                f"not an importer: {item!r}",
                why="it is no instance of a Format with an identifier for a name",
                fix="repair or uninstall the package that brings it",
            )
        for other in found.values():
            if other.name == item.name or other.title == item.title:
                kinds = f"{type(other).__module__} and {type(item).__module__}"
                raise UsageError(
                    f"two importers of {item.title} ({item.name})",
                    why=f"from {kinds}",
                    fix="uninstall one of them",
                )
        found[item.name] = item
    return found


def recognize(path: Path | str) -> Format:
    """Return the importer that reads a file.

    Raises
    ------
    CheckpointError
        The file is missing, or no importer reads it; it says what the file is where that is known.
    """
    path = Path(path)
    head = _head(path)
    best, chosen = _candidates(head, path)
    named = None
    if best is None or best < Confidence.CERTAIN:
        named = _named(Look(head, path), unclaimed=best is None)
    elif best == Confidence.CERTAIN:
        named = foreign.by_inside(Look(head, path))
    if named is not None:
        raise CheckpointError(f"{named.what}, not a checkpoint", where=str(path), fix=named.fix)
    if best is None:
        known = list(formats().values())
        raise CheckpointError(
            "not a checkpoint",
            where=str(path),
            why=f"{path.stat().st_size} bytes that begin with {head[:8]!r}; no importer knows "
            f"them: {', '.join(fmt.title for fmt in known)}",
            fix=f"give {', or '.join(fmt.wanted for fmt in known)}",
        )
    if len(chosen) > 1:
        raise CheckpointError(
            "several importers may read this file",
            where=str(path),
            why=", ".join(fmt.title for fmt in chosen),
            fix="nnlogic.load(path, format=NAME), with NAME one of "
            + ", ".join(fmt.name for fmt in chosen),
        )
    return chosen[0]


def load(
    path: Path | str,
    *,
    allow_pickle: bool = False,
    format: str | None = None,
    read: Mapping[str, str] | str | None = None,
) -> QuantNet:
    """Read a trained network from a file.

    Parameters
    ----------
    path : Path
        A native checkpoint, a saved QuantNet, a torch file, an xgboost model in JSON or UBJSON, the
        top file of LogicNets-family Verilog, or a file of an importer that is installed.
    allow_pickle : bool
        Let a torch file run code while it is read, which it can do to the full extent of your
        rights. Only for files whose every author you trust.
    format : str, optional
        Name of the importer; default: the one that recognizes the file.
    read : mapping or str, optional
        Options of the importer: ``{"rounds": "all"}``, or ``"rounds=all"`` with commas between.

    Returns
    -------
    QuantNet
        Verified; ``info["format"]`` says what it was read from, unless that is a checkpoint.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, of an unknown kind, incomplete, or would run code.
    UnsupportedModel
        It holds layers that cannot be compiled; all of them are listed.
    UsageError
        There is no importer of this name, or it has no such option.
    """
    path = Path(path)
    fmt = recognize(path) if format is None else _asked(format, path)
    try:
        net = fmt.load(path, LoadOptions(allow_pickle, _options(fmt, read or {})))
    except NNLogicError as error:
        if path.name in error.text():
            raise
        # Also whether an option can be depends on the file.
        raise error.at(", ".join(filter(None, (str(path), error.where)))) from error
    net.verify()
    if fmt.title == CHECKPOINT:
        return net
    others = {key: value for key, value in net.info.items() if key != "format"}
    return dataclasses.replace(net, info={"format": fmt.title, **others})


def made_by(net: QuantNet) -> Format | None:
    """Return the importer a network came from; None when it is not installed any more.

    What a checkpoint recorded of the trained network counts before where that came from.
    """
    title = CHECKPOINT if net.info.get("golden_rows") else net.info.get("format", CHECKPOINT)
    return next((fmt for fmt in formats().values() if fmt.title == title), None)


def is_source(net: QuantNet, path: Path) -> bool:
    """Whether a path is a file of the format that a network came from; a run is none.

    A file of another format may claim anything of where its network came from.
    """
    return path.is_file() and made_by(net) in _candidates(_head(path), path)[1]


def _options(fmt: Format, read: Mapping[str, str] | str) -> Mapping[str, str]:
    if isinstance(read, str):
        pairs = [pair.partition("=") for pair in read.split(",")]
        read = {name.strip(): value.strip() for name, _, value in pairs}
    unknown = [name for name in read if name not in fmt.options]
    if unknown:
        known = "; ".join(f"{name}={text}" for name, text in fmt.options.items())
        raise UsageError(
            f"--read: no option {', '.join(map(repr, unknown))} of {fmt.title}",
            fix=known or f"leave --read out: {fmt.title} has no options",
        )
    return read


def _candidates(head: bytes, path: Path) -> tuple[Confidence | None, list[Format]]:
    sure = {fmt: found for fmt in formats().values() if (found := fmt.sniff(head, path))}
    best = max(sure.values(), default=None)
    return best, [fmt for fmt, found in sure.items() if found == best]


def _asked(name: str, path: Path) -> Format:
    fmt = formats().get(name)
    if fmt is None:
        raise UsageError(f"no importer {name!r}", fix=f"one of {', '.join(formats())}")
    if fmt.sniff(_head(path), path) is None:
        raise CheckpointError(
            f"not a file of format {name}: no {fmt.title}",
            where=str(path),
            why=f"it is a file of format {recognize(path).name}: {recognize(path).title}",
            fix=f"give {fmt.wanted}",
        )
    return fmt


def _named(file: Look, *, unclaimed: bool) -> foreign.Kind | None:
    named = foreign.by_content(file, general=unclaimed or not file.text)
    if unclaimed and (named is None or (named.general and file.text)):
        # A name says more than that a file is text.
        named = foreign.by_name(file.path) or named
    return named


def _may_read(name: str) -> bool:
    suffix = Path(name).suffix
    return bool(suffix) and any(suffix in fmt.suffixes for fmt in formats().values())


def _head(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            why = "a pipe, socket or device, which need not end"
            raise CheckpointError("not a regular file", where=str(path), why=why)
        with path.open("rb") as file:
            return file.read(HEAD)
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=str(path)) from error
    except IsADirectoryError as error:
        what, fix = described(path, _may_read)
        raise CheckpointError(f"{what}, not a checkpoint", where=str(path), fix=fix) from error
    except OSError as error:
        raise CheckpointError("cannot read the file", where=str(path), why=str(error)) from error
