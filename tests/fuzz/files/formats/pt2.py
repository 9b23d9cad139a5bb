"""Archives of torch.export."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

from .. import codecs
from ..format import Format, Maker
from ..kit import ZIP, made, reading


def make(folder: Path) -> None:
    """Write modules that quantize their inputs themselves, as they are and decomposed."""
    import torch
    from torch import nn

    class Quantized(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(3)
            self.a, self.b, self.norm = nn.Linear(3, 4), nn.Linear(4, 3), nn.BatchNorm1d(4)
            with torch.no_grad():
                for layer in (self.a, self.b):
                    for p in layer.parameters():
                        p.copy_(torch.round(p * 32) / 32)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.floor(x * 4).clamp(0, 3) * 0.25
            h = torch.round(torch.relu(self.norm(self.a(x))) * 2).clamp(0, 3) / 2
            g = torch.where(self.a(x) >= 0, 1.0, -1.0)
            both = torch.cat([h[:, :2], g[:, 2:]], dim=1)
            return self.b(both.reshape(len(x), 2, 2).flatten(1)).argmax(1)

    class Scores(Quantized):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.sign(self.a(torch.round(x * 2).clamp(-2, 1)))
            return self.b(h + torch.abs(h))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, module in (("class", Quantized()), ("scores", Scores())):
            program = torch.export.export(module.eval(), (torch.randn(4, 3),))
            torch.export.save(program, folder / f"{name}.pt2")
            torch.export.save(program.run_decompositions(), folder / f"{name}_core.pt2")


def _meta(*shape: int) -> dict[str, Any]:
    """A tensor of float32 as the archive describes one."""
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return {
        "dtype": 7, "sizes": [{"as_int": n} for n in shape],
        "strides": [{"as_int": n} for n in strides], "storage_offset": {"as_int": 0},
    }  # fmt: skip


def _node(op: str, out: str, *args: Any) -> dict[str, Any]:
    """An operation on tensors, by name, and other arguments."""
    given = [{"as_tensor": {"name": a}} if isinstance(a, str) else a for a in args]
    return {
        "target": f"torch.ops.aten.{op}",
        "inputs": [{"name": "", "arg": arg, "kind": 1} for arg in given],
        "outputs": [{"as_tensor": {"name": out}}], "metadata": {},
    }  # fmt: skip


def _archive(*nodes: dict[str, Any], features: int = 3, **weights: tuple[int, ...]) -> bytes:
    """A module that rounds its input, ``q``, and returns ``out``, with weights of zeros."""
    first = [
        _node("clamp.default", "c", "x", {"as_int": 0}, {"as_int": 1}),
        _node("round.default", "q", "c"),
    ]
    inputs: list[dict[str, Any]] = [
        {"parameter": {"arg": {"name": name}, "parameter_name": name}} for name in weights
    ]
    inputs.append({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})
    graph = {"nodes": [*first, *nodes], "tensor_values": {"x": _meta(4, features)}}
    outputs = [{"user_output": {"arg": {"as_tensor": {"name": "out"}}}}]
    signature = {"input_specs": inputs, "output_specs": outputs}
    model = {"graph_module": {"graph": graph, "signature": signature}}
    config = {
        name: {"use_pickle": False, "path_name": name, "tensor_meta": _meta(*shape)}
        for name, shape in weights.items()
    }
    files = {
        "m/models/model.json": model,
        "m/data/constants/model_constants_config.json": {"config": {}},
        "m/data/weights/model_weights_config.json": {"config": config},
    }  # fmt: skip
    values = {f"m/data/weights/{n}": bytes(4 * math.prod(s)) for n, s in weights.items()}
    return codecs.zip_bytes({**{n: codecs.json_bytes(v) for n, v in files.items()}, **values})


def _ints(*values: int) -> dict[str, Any]:
    return {"as_ints": list(values)}


def _tensors(*names: str) -> dict[str, Any]:
    return {"as_tensors": [{"name": name} for name in names]}


OUT = _node("sign.default", "out", "q")
MAKES = [_node("zeros.default", f"z{i}", _ints(1 << 12, 1 << 12)) for i in range(300)]
ABSURD: tuple[Maker, ...] = (
    lambda _: _archive(OUT),
    lambda _: _archive(*MAKES, OUT),
    lambda _: _archive(*MAKES[:1], _node("cat.default", "k", _tensors(*["z0"] * 500)), OUT),
    lambda _: _archive(
        _node("mul.Tensor", "k", "a", "b"), OUT, a=(1 << 17, 1), b=(1, 1 << 17)
    ),
    lambda _: _archive(_node("mm.default", "k", "a", "b"), OUT, a=(1 << 17, 1), b=(1, 1 << 17)),
    lambda _: _archive(
        _node("expand.default", "k", "a", _ints(1 << 36, 1)), _node("clone.default", "l", "k"), OUT,
        a=(1, 1),
    ),
    lambda _: _archive(_node("mul.Tensor", "out", "q", "a"), a=(1, 1 << 20, 1)),
    lambda _: _archive(_node("add.Tensor", "out", "q", "a"), a=(1, 1 << 10, 1 << 10, 1)),
    lambda _: _archive(_node("linear.default", "out", "q", "a"), a=(1 << 20, 3)),
    lambda _: _archive(OUT, features=65_536),
    lambda _: _archive(_node("linear.default", "out", "q", "a"), features=65_536, a=(64, 65_536)),
    lambda _: _archive(_node("cat.default", "out", _tensors(*["q"] * 100_000), {"as_int": 1})),
    lambda _: _archive(_node("zeros.default", "k", _ints(1 << 62, 1 << 62)), OUT),
    lambda _: _archive(_node("zeros.default", "k", _ints(-1)), OUT),
    lambda _: _archive(*[_node("sign.default", "q", "q")] * 900, OUT),
    lambda _: _archive(*[_node("add.Tensor", "q", "q", "q")] * 900, OUT),
    lambda _: _archive(*[_node("sign.default", "q", "q")] * 20_000, OUT),
)  # fmt: skip
RIGHT = made("class.pt2", "class_core.pt2", "scores.pt2", "scores_core.pt2")
FORMATS = (Format("pt2", "f.pt2", RIGHT, reading("f.pt2"), ZIP, ABSURD, make=make),)
