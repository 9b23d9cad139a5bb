"""Containers as trees and back: JSON, UBJSON, TOML, safetensors, npy, npz, torch files, zip."""

from __future__ import annotations

import io
import json
import math
import re
import struct
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


UBJSON_TYPES = {"i1": "i", "u1": "U", "i2": "I", "i4": "l", "i8": "L", "f4": "d", "f8": "D"}


def ubjson_bytes(tree: Any) -> bytes:
    """Return UBJSON as xgboost writes it; numbers beyond 64 bits are written as text."""
    if isinstance(tree, Nested):
        return tree.text().encode()
    if tree is None or isinstance(tree, bool):
        return b"Z" if tree is None else b"T" if tree else b"F"
    if isinstance(tree, int) and -(2**63) <= tree < 2**63:
        return b"L" + struct.pack(">q", tree)
    if isinstance(tree, float):
        return b"D" + struct.pack(">d", tree)
    if isinstance(tree, dict):
        return b"{" + b"".join(_text(str(k)) + ubjson_bytes(v) for k, v in tree.items()) + b"}"
    if isinstance(tree, np.ndarray) and tree.ndim == 1:
        flat = tree if tree.dtype.str[1:] in UBJSON_TYPES else tree.astype("f8")
        mark = UBJSON_TYPES[flat.dtype.str[1:]].encode()
        data = flat.astype(flat.dtype.newbyteorder(">")).tobytes()
        return b"[$" + mark + b"#L" + struct.pack(">q", flat.size) + data
    if isinstance(tree, np.ndarray):
        tree = tree.tolist() if tree.ndim == 0 else list(tree)
        return ubjson_bytes(tree)
    if isinstance(tree, list):
        return b"[" + b"".join(map(ubjson_bytes, tree)) + b"]"
    return b"S" + _text(str(tree))


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"L" + struct.pack(">q", len(data)) + data


def _from_ubjson(data: bytes) -> Any:
    from nnlogic.frontend.trees.ubjson import parse

    return parse(data)


def _from_torch(data: bytes) -> Any:
    import torch

    with torch.serialization.safe_globals([torch.torch_version.TorchVersion]):
        return _mapped(
            torch.load(io.BytesIO(data), weights_only=True),
            lambda v: v.numpy() if isinstance(v, torch.Tensor) else v,
        )


def _torch_bytes(tree: Any) -> bytes:
    import torch

    def tensor(value: Any) -> Any:
        if isinstance(value, Nested):
            return json.loads("[" * 200 + "]" * 200)
        return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value

    out = io.BytesIO()
    torch.save(_mapped(tree, tensor), out)
    return out.getvalue()


def _mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _mapped(value, change) for key, value in tree.items()}
    return [_mapped(v, change) for v in tree] if isinstance(tree, list) else change(tree)


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


def _from_zip(data: bytes) -> Any:
    """Members by name; those that are JSON as what they hold."""
    return {name: _json_or_bytes(content) for name, content in members(data).items()}


def _json_or_bytes(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _to_zip(tree: Any) -> bytes:
    if not isinstance(tree, dict):
        return json_bytes(tree)
    return zip_bytes(
        {name: v if isinstance(v, bytes) else json_bytes(v) for name, v in tree.items()}
    )


JSON = Codec(json.loads, json_bytes)
TOML = Codec(_from_toml, toml_bytes)
ARCHIVE = Codec(_archive, _sealed)
HEADER = Codec(_header_and_rest, _join)
NPZ = Codec(_arrays, _npz)
UBJSON = Codec(_from_ubjson, ubjson_bytes)
TORCH = Codec(_from_torch, _torch_bytes)
ZIP = Codec(_from_zip, _to_zip)
NPY = Codec(
    lambda data: {"x": np.load(io.BytesIO(data))},
    lambda tree: _npy(tree.get("x") if isinstance(tree, dict) else tree),
)
