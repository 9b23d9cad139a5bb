"""Mutations of bytes, and of text line by line and word by word."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from . import values

WORD = re.compile(rb"[A-Za-z_][\w.$]*|\d+|[^\w\s]")
MANY = (2, 100, 10_000, 300_000)
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\x80", b"\x1a", b"\r\n", b"\xc3", b"\x1b[2J")


def flipped(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Flip bits."""
    out = bytearray(data)
    bits = [rng.randrange(8 * len(out)) for _ in range(rng.choice((1, 1, 2, 8)))] if out else []
    for bit in bits:
        out[bit // 8] ^= 1 << bit % 8
    return bytes(out), f"bits {bits}"


def cut(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Cut off the end."""
    at = rng.choice(
        (0, 1, len(data) - 1, rng.randrange(len(data) + 1), rng.randrange(len(data) + 1))
    )
    return data[: max(0, at)], f"cut at {at}"


def run_of_bytes(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Overwrite, insert or delete a run of bytes."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 4, 8, 64, 4096))
    fill = rng.choice((b"\0", b"\xff", b"9", b" ", b"\n", rng.randbytes(1))) * length
    how = rng.choice(("over", "in", "out"))
    tail = data[at:] if how == "in" else data[at + length :]
    return data[:at] + (b"" if how == "out" else fill) + tail, f"{length} bytes {how} at {at}"


def marked(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Put a byte order mark, NUL or such at the start or somewhere; or change line ends."""
    mark = rng.choice(MARKS)
    if mark == b"\r\n":
        return data.replace(b"\n", mark), "CRLF"
    at = rng.choice((0, 0, rng.randrange(len(data) + 1)))
    return data[:at] + mark + data[at:], f"{mark!r} at {at}"


def lined(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Delete, repeat, move or join lines."""
    lines = data.splitlines(keepends=True) or [b""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.choice(("delete", "repeat", "swap", "join", "many"))
    if how == "delete":
        del lines[i]
    elif how == "swap":
        lines[i], lines[j] = lines[j], lines[i]
    elif how == "join":
        lines[i] = lines[i].rstrip()
    else:
        times = 1 if how == "repeat" else rng.choice(MANY) // (1 + len(lines[i]) // 50)
        lines[i:i] = [lines[i]] * times
    return b"".join(lines), f"line {i + 1}: {how}"


def worded(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Change one word: for another, a strange one, none, or many."""
    words = list(WORD.finditer(data))
    if not words:
        return flipped(rng, data)
    word = rng.choice(words)
    how = rng.choice(("other", "number", "text", "none", "many", "nested"))
    if how == "other":
        new = rng.choice(words).group()
    elif how == "number":
        new = str(rng.choice(values.NUMBERS)).encode()
    elif how == "text":
        new = rng.choice(values.TEXTS).encode("utf-8", "surrogatepass")
    elif how == "many":
        new = (word.group() + rng.choice((b" ", b"", b",", b"\n"))) * rng.choice(MANY)
    elif how == "nested":
        depth = rng.choice((50, 1200, values.DEEP))
        left, right = rng.choice(
            ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"~", b""), (b"-", b""))
        )
        new = left * depth + word.group() + right * depth
    else:
        new = b""
    at = 1 + data.count(b"\n", 0, word.start())
    what = f"line {at}: {word.group()[:20]!r} {how} {new[:20]!r}"
    return data[: word.start()] + new + data[word.end() :], what


RAW: tuple[Callable[[Random, bytes], tuple[bytes, str]], ...] = (flipped, cut, run_of_bytes)
TEXT = (lined, worded, worded, worded, marked, *RAW)
