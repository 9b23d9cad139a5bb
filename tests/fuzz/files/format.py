"""What a format of files is to the fuzzer, and how a broken file is drawn."""

from __future__ import annotations

import pickle
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from . import codecs, texts, trees
from .codecs import Codec
from .commands import Command

Mutation = Callable[[Random, bytes], tuple[bytes, str]]
Maker = Callable[[Random], bytes]
UNREADABLE = (
    ValueError, LookupError, TypeError, AttributeError, RuntimeError, OverflowError, EOFError,
    OSError, MemoryError, zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError,
    pickle.PickleError, AssertionError,
)  # fmt: skip
MOST = 3
"""Mutations of a file."""
WHOLE = 0.06
"""Share of the cases that are a file of absurd size, where there are some for the format."""


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    name : str
    file : str
        Where the broken file lies, in the folder of a case; ``{}`` stands for a part of the name of
        the right file.
    right : function
        Of the folder of `corpus.make`: contents of right files.
    commands : sequence of Command
    mutations : sequence of functions
    whole : sequence of functions
        Make files of absurd size.
    around : function
        Puts what else the commands need in the folder of a case.
    make : function
        Writes what `right` reads into the folder of `corpus.make`.
    """

    name: str
    file: str
    right: Callable[[Path], list[bytes]]
    commands: Sequence[Command]
    mutations: Sequence[Mutation]
    whole: Sequence[Maker] = ()
    around: Callable[[Path, Path], object] = lambda made, case: None
    make: Callable[[Path], object] = lambda made: None

    def draw(self, rng: Random, made: Path, most: int = MOST) -> tuple[bytes, list[str], Command]:
        """Return a broken file, what is broken in it, and a command; the mutations up to `most`."""
        how = rng.choice(self.commands)
        if self.whole and rng.random() < WHOLE:
            number = rng.randrange(len(self.whole))
            return self.whole[number](rng), [f"absurd file {number}"], how
        data, done = rng.choice(self.right(made)), []
        for _ in range(min(most, rng.choice((1, 1, 1, 2, MOST)))):
            # What one mutation broke for good, another cannot take apart.
            try:
                data, what = rng.choice(self.mutations)(rng, data)
            except UNREADABLE:
                data, what = rng.choice(texts.RAW)(rng, data)
            done.append(what)
        return data, done, how


@dataclass(frozen=True)
class Tree:
    """The mutation of the tree in a file, as a codec sees it."""

    codec: Codec

    def __call__(self, rng: Random, data: bytes) -> tuple[bytes, str]:
        """Return a broken file, and what is broken in it."""
        value, what = trees.mutated(rng, self.codec.decode(data))
        return self.codec.encode(value), what


def member(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Break a member of a zip archive, which stays a right one."""
    parts = codecs.members(data)
    name = rng.choice(list(parts))
    how = rng.choice(("delete", "raw", "raw", "double"))
    what = how
    if how == "delete":
        del parts[name]
    elif how == "double":
        parts[f"{name}_"] = parts[name]
    else:
        parts[name], what = rng.choice((*texts.RAW, texts.worded))(rng, parts[name])
    return codecs.zip_bytes(parts), f"{name}: {what}"
