"""The contract of an importer: one format of files that hold trained networks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

CHECKPOINT = "nnlogic checkpoint"
"""Title of the format of networks that do not say where they come from."""


class Confidence(IntEnum):
    """How sure an importer is that a file is one of its own."""

    MAYBE = 1
    """The name fits, and nothing seen speaks against it."""
    CERTAIN = 2
    """The content can be of no other format."""
    FAMILY = 3
    """A container that is of another format too, a torch file say, and what it holds is ours."""


@dataclass(frozen=True)
class LoadOptions:
    """What a caller allows or asks when a file is read.

    Attributes
    ----------
    allow_pickle : bool
        Let a file run code while it is read.
    read : mapping of str to str
        Values of `Format.options`, by name.
    """

    allow_pickle: bool = False
    read: Mapping[str, str] = field(default_factory=dict)


class Format:
    """An importer. A subclass sets the attributes and has `sniff` and `load`.

    One of ours is a folder of `nnlogic.frontend` with an instance called ``FORMAT``, and its check
    of the first rung is ``nnlogic.checks.inputs.<name>``. One of another package is an instance
    named by an entry point of the group ``nnlogic.formats``.

    Attributes
    ----------
    name : str
        Identifier.
    title : str
        What its files are called, without an article: ``"LogicNets-family Verilog"``. Networks
        remember it as ``info["format"]``.
    wanted : str
        Which file to give: ``"the top .v file of LogicNets-family Verilog"``.
    suffixes : tuple of str
        That its files usually have.
    options : mapping of str to str
        What a user may choose about reading, ``--read NAME=VALUE``: the meaning by name.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    wanted: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[Mapping[str, str]] = {}

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Say whether a file is of this format; None when it is not.

        Parameters
        ----------
        head : bytes
            The first `nnlogic.frontend.registry.HEAD` bytes; all of a shorter file.
        path : Path
            A readable file, for a look further in. Nothing in it may be run.
        """
        raise NotImplementedError

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Read a file that `sniff` took for one of this format.

        Raises
        ------
        CheckpointError
            It is damaged, incomplete, or not of this format after all.
        UnsupportedModel
            It holds what cannot be compiled; all problems are listed.
        """
        raise NotImplementedError

    def files(self, net: QuantNet, path: Path) -> Sequence[Path]:
        """Return the files that `net` was read from, given the one that was named."""
        return (path,)

    def text(self, net: QuantNet) -> str:
        """Say what `net` was read from, for the report."""
        return self.title

    def original(self, net: QuantNet, path: Path, codes: IntArray) -> IntArray | None:
        """Return the classes that the model in the file gives, where reading it rounded numbers.

        Parameters
        ----------
        net : QuantNet
            Read from `path`.
        path : Path
        codes : int64 array, shape (samples, inputs)

        Returns
        -------
        int64 array, shape (samples,), or None
            None where the network is the model, bit for bit.
        """
        return None

    def run(self, path: Path, rows: NDArray[Any]) -> list[NDArray[Any]] | None:
        """Return what the model in a file gives for raw rows, whether or not it can be compiled.

        Parameters
        ----------
        path : Path
        rows : array, shape (rows, features)

        Returns
        -------
        list of array, each of shape (rows, values), or None
            None where nothing but the network that `load` returns can be run.

        Raises
        ------
        CheckpointError, UnsupportedModel
            It cannot be read, or not be run.
        InputError
            It does not take these rows.
        """
        return None

    def first_rung(self) -> Any:
        """Return a `nnlogic.checks.inputs.FirstRung`, or None for one of ours or without a check.

        Imported only here: reading a file needs no checks.
        """
        return None


def files_digest(files: Sequence[Path]) -> str:
    """SHA-256 of a file, or of the digests of several in order of their names; hexadecimal."""
    digests = [
        hashlib.sha256(file.read_bytes()) for file in sorted(files, key=lambda file: file.name)
    ]
    if len(digests) == 1:
        return digests[0].hexdigest()
    return hashlib.sha256(b"".join(d.digest() for d in digests)).hexdigest()
