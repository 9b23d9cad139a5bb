"""A careful look into a file of unknown kind."""

from __future__ import annotations

import io
import lzma
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

PICKLED = 1 << 20
"""Bytes of a pickle that are looked at."""
MEMBERS = 4096
"""Members of an archive that are looked at."""
XZ_MEMORY = 1 << 27
"""Bytes that unpacking xz may take for itself; its own presets take up to 65 MB."""
UNPARSED = (
    ValueError, IndexError, UnicodeDecodeError, OverflowError, struct.error, MemoryError,
    zipfile.BadZipFile, EOFError,
)  # fmt: skip
"""What the readers of pickles and archives raise for damaged ones."""
GETS = ("GET", "BINGET", "LONG_BINGET")
_KEY = re.compile(r'"([^"\\]{1,80})"\s*:')
_GLOBAL = re.compile(rb"\(?c[A-Za-z_][\w.]*\n\w+\n")


class Look:
    """A file, of which only the beginning and tables of contents are read; nothing in it is run.

    Parameters
    ----------
    head : bytes
        Its first bytes.
    path : Path
    """

    def __init__(self, head: bytes, path: Path) -> None:
        self.head, self.path = head, path

    @cached_property
    def text(self) -> str:
        """The beginning as text; empty where it is none."""
        found = self.head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "ignore")
        lost = len(self.head) - len(found.encode())
        plain = all(c.isprintable() or c in "\t\r\n\f" for c in found)
        return found if plain and lost <= 6 else ""

    @cached_property
    def keys(self) -> frozenset[str]:
        """Names in what may be JSON."""
        found = self.text.lstrip()
        return frozenset(_KEY.findall(found)) if found[:1] in ("{", "[") else frozenset()

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of the files in a zip archive; empty where it is none, or cut short."""
        if not self.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ()
        try:
            with zipfile.ZipFile(self.path) as archive:
                return tuple(archive.namelist()[:MEMBERS])
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
            return ()

    @property
    def is_torchscript(self) -> bool:
        """Whether the file is a program that `torch.jit.save` wrote, which has weights inside."""
        names = self.members
        return any(n.endswith("constants.pkl") for n in names) and any("/code/" in n for n in names)

    @property
    def is_pickle(self) -> bool:
        """Whether the file is a pickle by itself."""
        binary = self.head[:1] == b"\x80" and self.head[1:2] in (b"\2", b"\3", b"\4", b"\5")
        return binary or _GLOBAL.match(self.head) is not None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What a pickle would import, ``module.name``, as far as its beginning tells."""
        if not self.is_pickle:
            return ()
        with self.path.open("rb") as file:
            return pickled_names(file.read(PICKLED))

    @cached_property
    def tensor_texts(self) -> frozenset[str]:
        """Texts in the pickles of a torch file of either layout, such as the names of tensors."""
        inner = [name for name in self.members if name.endswith("data.pkl")]
        try:
            if inner:
                with zipfile.ZipFile(self.path) as archive, archive.open(inner[0]) as packed:
                    return frozenset(_texts(packed.read(PICKLED)))
            if self.is_pickle:
                with self.path.open("rb") as file:
                    return frozenset(_texts(file.read(PICKLED)))
        except (*UNPARSED, OSError, NotImplementedError, RuntimeError, zlib.error, KeyError):
            pass
        return frozenset()

    @cached_property
    def unxz(self) -> bytes:
        """The beginning of what xz packed; empty where the file is of another kind, or damaged."""
        if not self.head.startswith(b"\xfd7zXZ\0"):
            return b""
        try:
            with self.path.open("rb") as file:
                packed = file.read(PICKLED)
            return lzma.LZMADecompressor(memlimit=XZ_MEMORY).decompress(packed, PICKLED)
        except (lzma.LZMAError, EOFError, OSError):
            return b""

    def imports(self, *packages: str) -> bool:
        """Whether a pickle would import something of one of the packages."""
        return any(name.split(".")[0] in packages for name in self.names)


def _texts(data: bytes) -> set[str]:
    """Return the texts in pickles, one after another, as far as they can be parsed."""
    found: set[str] = set()
    stream = io.BytesIO(data)
    try:
        while stream.tell() < len(data):
            for opcode, argument, _ in pickletools.genops(stream):
                if "UNICODE" in opcode.name:
                    found.add(str(argument))
    except UNPARSED:
        pass
    return found


def pickled_names(data: bytes) -> tuple[str, ...]:
    """Return the ``module.name`` of everything that pickles, one after another, would import.

    They are parsed, not run; where they break off, what stands before is returned.
    """
    found: list[str] = []
    stream = io.BytesIO(data)
    try:
        while stream.tell() < len(data):
            found += _imported(stream)
    except UNPARSED:
        pass
    return tuple(sorted(set(found)))


def _imported(stream: io.BytesIO) -> Iterator[str]:
    """Yield what one pickle would import; names may be texts that were kept for later."""
    texts: list[str] = []
    kept: dict[int, str] = {}
    top = ""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(texts[-2:])
        if opcode.name == "MEMOIZE":
            kept[len(kept)] = top
        elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            kept[int(argument or 0)] = top
        else:
            got = kept.get(int(argument or 0), "") if opcode.name in GETS else ""
            is_text = "UNICODE" in opcode.name or "STRING" in opcode.name
            top = str(argument) if is_text else got
            if top:
                texts.append(top)


def inflated(head: bytes, wbits: int) -> bytes:
    """Return the beginning of what zlib or gzip packed, as many bytes as are in `head` at most."""
    try:
        return zlib.decompressobj(wbits).decompress(head, len(head))
    except zlib.error:
        return b""
