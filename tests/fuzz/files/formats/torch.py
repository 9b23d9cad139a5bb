"""Files of torch that are no networks: state_dicts, modules, pickles."""

from __future__ import annotations

import io
import pickle
from functools import cache
from pathlib import Path
from typing import Any

from .. import codecs, tensors, texts
from ..format import Format, Maker, member
from ..kit import GIB, made, reading, zeros


def make(folder: Path) -> None:
    """Write a state_dict, a module, and a file of the older layout."""
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    torch.save(model.state_dict(), folder / "state.pt")
    torch.save(model, folder / "module.pt")
    torch.save(model.state_dict(), folder / "old.pt", _use_new_zipfile_serialization=False)


def _aliased() -> bytes:
    """A pickle of lists in which each holds the one before twice: 2^25 dicts to who walks them."""
    import torch

    value: Any = {"w": torch.zeros(1)}
    for _ in range(25):
        value = {"a": value, "b": value}
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def _repeated(depth: int) -> bytes:
    import torch

    value: Any = {"w": torch.zeros(1)}
    for _ in range(depth):
        value = {"a": value}
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


@cache
def _bomb() -> bytes:
    """A state_dict of one tensor of 2^28 zeros, compressed."""
    import torch

    out = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, out)
    parts = codecs.members(out.getvalue())
    root = next(iter(parts)).partition("/")[0]
    pickled = parts[f"{root}/data.pkl"].replace(b"K\x02", b"J\x00\x00\x00\x10")
    others = {**parts, f"{root}/data.pkl": pickled}
    others.pop(f"{root}/data/0")
    return zeros(f"{root}/data/0", b"", GIB, tuple(others.items()))


def _claims() -> bytes:
    """A view of one element as 2^40 of them."""
    import torch

    out = io.BytesIO()
    torch.save({"w": torch.zeros(1).expand(1 << 40)}, out)
    return out.getvalue()


class _Runs:
    def __reduce__(self) -> Any:
        return (print, ("code ran",))


ABSURD: tuple[Maker, ...] = (
    lambda _: _bomb(),
    lambda _: _aliased(),
    lambda _: _repeated(300),
    lambda _: _claims(),
    lambda _: pickle.dumps(_Runs()),
    lambda _: b"\x80\x02" + b"(" * 1_000_000 + b".",
    lambda _: b"\x80\x02" + b"]" * 1_000_000 + b".",
    lambda _: b"\x80\x02" + b"\x8a\xff" + b"\xff" * 255 + b".",
    lambda _: b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"x",
    lambda _: zeros("archive/data.pkl", b"\x80\x02]q\x00.", GIB),
)

FORMATS = (
    Format(
        "torch", "f.pt", made("state.pt", "module.pt", "old.pt"), reading("f.pt", "", 1),
        (member, member, member, tensors.retyped, *texts.RAW), ABSURD, make=make,
    ),
)  # fmt: skip
