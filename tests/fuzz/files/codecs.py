"""Containers as trees and back: JSON, TOML, safetensors, npy and npz, zip archives."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .values import Nested

KEY = "nnlogic"
METADATA = "__metadata__"


@dataclass(frozen=True)
class Codec:
    """A way to see a file as a tree.

    Attributes
    ----------
    decode, encode : functions
        Of bytes to a tree, and back; a tree that is no such file any more is written as near to it
        as can be.
    """

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def json_bytes(tree: Any) -> bytes:
    """Return JSON, in which NaN and infinity are words as Python's reader takes them."""
    nested: list[str] = []

    def other(value: Any) -> Any:
        if isinstance(value, Nested):
            nested.append(value.text())
            return f"\u2603{len(nested) - 1}\u2603"
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)

    text = json.dumps(tree, default=other)
    text = re.sub(r'"\\u2603(\d+)\\u2603"', lambda found: nested[int(found[1])], text)
    return text.encode("utf-8", "surrogatepass")


def toml_bytes(tree: Any) -> bytes:
    """Return TOML, with all that is inside the root inline."""
    if not isinstance(tree, dict):
        return _toml(tree).encode("utf-8", "surrogatepass")
    lines = [f"{json.dumps(str(key))} = {_toml(value)}\n" for key, value in tree.items()]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, Nested):
        return value.text()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return "[]" if value is None else json.dumps(value)


def _from_toml(data: bytes) -> Any:
    import tomllib

    return tomllib.loads(data.decode())


# Safetensors, written by hand: the library would refuse most of what is wanted here.
DTYPES = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64",
          "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL"}  # fmt: skip
NUMPY = {name: dtype for dtype, name in DTYPES.items()}


def _header_and_rest(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    return {"header": json.loads(data[8 : 8 + length]), "rest": data[8 + length :]}


def _join(tree: Any) -> bytes:
    if not isinstance(tree, dict):
        return json_bytes(tree)
    rest = tree.get("rest", b"")
    header = json_bytes(tree.get("header"))
    rest = rest if isinstance(rest, bytes) else json_bytes(rest)
    return len(header).to_bytes(8, "little") + header + rest


def _archive(data: bytes) -> dict[str, Any]:
    """Metadata as the JSON it holds, and the arrays."""
    tree = _header_and_rest(data)
    meta = {k: _loads(v) for k, v in tree["header"].pop(METADATA, {}).items()}
    arrays = {}
    for name, tensor in tree["header"].items():
        begin, end = tensor["data_offsets"]
        flat = np.frombuffer(tree["rest"][begin:end], NUMPY[tensor["dtype"]])
        arrays[name] = flat.reshape(tensor["shape"])
    return {"meta": meta, "arrays": arrays}


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _sealed(tree: Any) -> bytes:
    if not isinstance(tree, dict):
        return json_bytes(tree)
    meta, arrays = tree.get("meta"), tree.get("arrays")
    header: dict[str, Any] = {}
    if isinstance(meta, dict):
        texts = {
            k: v if isinstance(v, str) else json_bytes(v).decode("utf-8", "replace")
            for k, v in meta.items()
        }
        header[METADATA] = texts
    elif meta is not None:
        header[METADATA] = meta
    rest = b""
    for name, array in arrays.items() if isinstance(arrays, dict) else ():
        if not isinstance(array, np.ndarray):
            header[name] = array
            continue
        raw = np.ascontiguousarray(array).tobytes()
        ends = [len(rest), len(rest) + len(raw)]
        header[name] = {
            "dtype": DTYPES[array.dtype.str[1:]],
            "shape": list(array.shape),
            "data_offsets": ends,
        }
        rest += raw
    return _join({"header": header, "rest": rest})


def _arrays(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return dict(file)


def _npy(array: Any) -> bytes:
    if not isinstance(array, np.ndarray):
        return json_bytes(array)
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _npz(tree: Any) -> bytes:
    if not isinstance(tree, dict):
        return json_bytes(tree)
    return zip_bytes({f"{name}.npy": _npy(array) for name, array in tree.items()})


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """Return a zip archive, compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("\0", ""), content)
    return out.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


JSON = Codec(json.loads, json_bytes)
TOML = Codec(_from_toml, toml_bytes)
ARCHIVE = Codec(_archive, _sealed)
HEADER = Codec(_header_and_rest, _join)
NPZ = Codec(_arrays, _npz)
NPY = Codec(
    lambda data: {"x": np.load(io.BytesIO(data))},
    lambda tree: _npy(tree.get("x") if isinstance(tree, dict) else tree),
)
