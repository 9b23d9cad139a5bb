"""Archives, and models of large networks that come in containers of their own."""

from nnlogic.frontend.foreign.kind import Kind
from nnlogic.frontend.look import Look

UNPACK = "unpack it, and give the file inside"


def _cut_zip(file: Look) -> bool:
    return file.head.startswith(b"PK\x03\x04") and not file.members


KINDS = (
    Kind("a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull",
         (b"version https://git-lfs",)),
    Kind("a language model in GGUF", "it is far too large for logic", (b"GGUF",), (".gguf",)),
    Kind("a tar archive", UNPACK, suffixes=(".tar",),
         look=lambda file: file.head[257:262] == b"ustar"),
    Kind("a gzip archive", UNPACK, (b"\x1f\x8b",), (".gz", ".tgz"), general=1),
    Kind("a bzip2 archive", UNPACK, (b"BZh",), (".bz2",), general=1),
    Kind("an xz archive", UNPACK, (b"\xfd7zXZ\0",), (".xz",), general=1),
    Kind("an lzma archive", UNPACK, (b"\x5d\0\0",), (".lzma",), general=1),
    Kind("a zstandard archive", UNPACK, (b"\x28\xb5\x2f\xfd",), (".zst",), general=1),
    Kind("a 7-zip archive", UNPACK, (b"7z\xbc\xaf\x27\x1c",), (".7z",), general=1),
    Kind("a rar archive", UNPACK, (b"Rar!\x1a\x07",), (".rar",), general=1),
    Kind("a zip archive whose end is missing", "copy it again, it was cut short",
         look=_cut_zip, general=1),
    Kind("a zip archive", UNPACK, suffixes=(".zip",), general=1,
         look=lambda file: file.head.startswith((b"PK\x03\x04", b"PK\x05\x06"))),
)  # fmt: skip
