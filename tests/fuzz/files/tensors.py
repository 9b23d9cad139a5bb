"""Mutations of the tensors in a torch file into ones that are no plain arrays, or very large."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

KINDS: dict[str, Callable[[Any, Any, Random], Any]] = {
    "parameter": lambda torch, t, rng: torch.nn.Parameter(t.detach().float()),
    "bfloat16": lambda torch, t, rng: t.to(torch.bfloat16),
    "float16": lambda torch, t, rng: t.to(torch.float16),
    "float64": lambda torch, t, rng: t.to(torch.float64),
    "complex": lambda torch, t, rng: t.to(torch.complex64).conj(),
    "float8": lambda torch, t, rng: t.float().to(torch.float8_e4m3fn),
    "sparse": lambda torch, t, rng: t.to_sparse(),
    "quantized": lambda torch, t, rng: torch.quantize_per_tensor(
        t.float(), 0.1, 0, rng.choice((torch.qint8, torch.qint32))
    ),
    "meta": lambda torch, t, rng: t.to("meta"),
    "repeated": lambda torch, t, rng: t.reshape(-1)[:1].expand(
        *[rng.choice((2, 3, 1 << 10, 1 << 13, 1 << 20)) for _ in t.shape or (1,)]
    ),
    "many rows": lambda torch, t, rng: t.reshape(-1)[:1].expand(
        1 << rng.choice((10, 17, 21, 36)), *t.shape[1:]
    ),
    "many columns": lambda torch, t, rng: t.reshape(-1)[:1].expand(
        *t.shape[:1], *[1 << rng.choice((10, 17, 21, 36)) for _ in t.shape[1:]]
    ),
    "transposed": lambda torch, t, rng: t.T if t.dim() == 2 else t[None],
    "mapping": lambda torch, t, rng: {"weight": t},
    "twice": lambda torch, t, rng: [t, t],
}


def retyped(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Replace a tensor by one of another kind."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.serialization.safe_globals([torch.torch_version.TorchVersion]):
            content = torch.load(io.BytesIO(data), weights_only=True)
        places = list(_places(content, ""))
        holder, key, name = rng.choice(places)
        what = rng.choice(list(KINDS))
        holder[key] = KINDS[what](torch, holder[key], rng)
        out = io.BytesIO()
        torch.save(content, out)
    return out.getvalue(), f"{name}: {what}"


def _places(value: Any, name: str) -> Any:
    import torch

    if isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(part, torch.Tensor):
                yield value, key, f"{name}.{key}"
            else:
                yield from _places(part, f"{name}.{key}")
