"""What formats are described with: right files, mutations by container, command lines."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from . import codecs, tensors, texts
from .commands import Command, command
from .format import Tree, member

Right = Callable[[Path], list[bytes]]
Put = Callable[[Path, Path], object]

SAFETENSORS = (*[Tree(codecs.ARCHIVE)] * 6, Tree(codecs.HEADER), *texts.RAW[:2])
JSON = (*[Tree(codecs.JSON)] * 4, texts.worded, *texts.RAW)
TOML = (*[Tree(codecs.TOML)] * 3, texts.worded, texts.lined, *texts.RAW)
NPZ = (*[Tree(codecs.NPZ)] * 4, member, *texts.RAW)
NPY = (*[Tree(codecs.NPY)] * 3, texts.worded, *texts.RAW)
UBJSON = (*[Tree(codecs.UBJSON)] * 4, *texts.RAW)
TORCH = (*[Tree(codecs.TORCH)] * 5, *[tensors.retyped] * 2, member, *texts.RAW)
ZIP = (*[Tree(codecs.ZIP)] * 6, member, *texts.RAW[:2])
EFFORT = "--effort fast --jobs 1"
TABLES = f"-o out --stop-after tables {EFFORT}"
NET = "toy.safetensors"
"""The network of `corpus.make` that rows and targets are tried with."""
GIB = 1 << 30


def made(*names: str) -> Right:
    """Return right files that `corpus.make`, or the format itself, wrote."""
    return lambda folder: [(folder / name).read_bytes() for name in names]


def files(*paths: Path) -> Right:
    """Return right files that stand in the repository."""
    return lambda folder: [path.read_bytes() for path in paths]


def contents(*content: bytes) -> Right:
    """Return right files by what they hold."""
    return lambda folder: list(content)


def beside(name: str, folder: str = ".") -> Put:
    """Return what copies a made file, or folder, to the folder of a case."""

    def put(source: Path, case: Path) -> object:
        if (source / name).is_dir():
            return shutil.copytree(source / name, case / name)
        (case / folder).mkdir(exist_ok=True)
        return shutil.copy(source / name, case / folder)

    return put


def reading(file: str, read: str = "", *codes: int) -> tuple[Command, ...]:
    """Return the commands for a trained network: inspect it, and compile it up to its tables.

    Parameters
    ----------
    file : str
    read : str
        Value of ``--read``, without which nothing can be read.
    codes : int
        Exit codes that a refusal may have besides 3.
    """
    asked = f" --read {read}" if read else ""
    return (
        command(f"inspect {file}{asked}", *codes),
        command(f"compile {file} {TABLES}{asked}", *codes),
    )


@cache
def zeros(name: str, head: bytes, size: int, others: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """Return a zip archive with a member of `size` zeros behind `head`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, content in others:
            archive.writestr(other, content)
        with archive.open(name, "w", force_zip64=True) as file:
            file.write(head)
            block = bytes(1 << 20)
            for _ in range(size >> 20):
                file.write(block)
    return out.getvalue()
