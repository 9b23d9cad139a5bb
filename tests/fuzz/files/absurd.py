"""Whole files that ask for too much: sizes, depths and counts far from any real one."""

from __future__ import annotations

import functools
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

from . import codecs, corpus
from .values import DEEP, HUGE

Maker = Callable[[Random], bytes]
GIB = 1 << 30


def _chain_of_trees(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = corpus.stump()
    n = 2 * depth + 1
    tree["left_children"] = [i + 1 if i % 2 == 0 and i < n - 1 else -1 for i in range(n)]
    tree["right_children"] = [i + 2 if i % 2 == 0 and i < n - 1 else -1 for i in range(n)]
    tree["parents"] = [2147483647, *(i - 1 if i % 2 else i - 2 for i in range(1, n))]
    for key in ("base_weights", "loss_changes", "sum_hessian", "default_left", "split_type"):
        tree[key] = [0] * n
    tree["split_conditions"] = [i / n for i in range(n)]
    tree["split_indices"] = [0] * n
    tree["tree_param"]["num_nodes"] = str(n)
    return tree


XGBOOST: tuple[Maker, ...] = (
    lambda _: corpus.xgboost(num_feature="1000000"),
    lambda _: corpus.xgboost(num_feature=str(HUGE)),
    lambda _: corpus.xgboost(num_class=str(HUGE)),
    lambda _: corpus.xgboost([corpus.stump()] * 20_000),
    lambda _: corpus.xgboost([_chain_of_trees(5000)]),
    lambda _: corpus.xgboost([corpus.stump(2**70)]),
    lambda _: corpus.xgboost([json.dumps(corpus.stump())]),
    lambda _: b"[" * DEEP,
    lambda _: b'{"learner":' * DEEP,
)
UBJSON: tuple[Maker, ...] = tuple(
    lambda _, data=data: data
    for data in (
        b"{L" + (1).to_bytes(8, "big") + b"x" + b"[" * DEEP,
        b"{U\x01x" * DEEP,
        b"{U\x01x[$D#L" + (2**60).to_bytes(8, "big"),
        b"{U\x01x[#L" + (2**60).to_bytes(8, "big") + b"Z" * 1_000_000,
        b"{#L" + (2**60).to_bytes(8, "big") + b"U\x00Z" * 100_000,
        b"{U\x01xS" + b"L" + (2**62).to_bytes(8, "big"),
        b"{U\x01x" + b"N" * 2_000_000,
        codecs.ubjson_bytes(json.loads(corpus.xgboost(num_class=str(HUGE)))),
        codecs.ubjson_bytes(json.loads(corpus.xgboost([corpus.stump()] * 20_000))),
    )
)


def _alir(inputs: int = 1, records: int = 1, table: int = 2, interval: object = None) -> bytes:
    made = [[[], -1, [0], interval or [0.0, 1.0, 1.0], 0, 0]]
    made += [[[i], 0, [0], [0.0, 1.0, 1.0], 0, 0] for i in range(records)]
    spec = {"hash": "", "inp_width": 1, "out_qint": {"min": 0, "max": 1, "step": 1}}
    tables = [{"spec": spec, "table": [0] * table}]
    model = [[inputs, 1], [0] * min(inputs, 10), [0], [0], [False], made, 1, 1, tables]
    return json.dumps({"model": model, "meta": "ALIRModel", "spec_version": 4}).encode()


def _doubled() -> bytes:
    """A value that is added to itself until it has a thousand bits."""
    made: list[object] = [[[], -1, [0], [0.0, 1.0, 1.0], 0, 0]]
    made += [[[i, i], 0, [40], [0.0, 1.0, 1.0], 0, 0] for i in range(1000)]
    made += [[[i, i], 7, [], [0.0, 1.0, 1.0], 0, 0] for i in range(1000, 1010)]
    model = [[1, 1], [0], [1010], [0], [False], made, 1, 1]
    return json.dumps({"model": model, "meta": "ALIRModel", "spec_version": 4}).encode()


ALIR: tuple[Maker, ...] = (
    lambda _: _alir(inputs=10**12),
    lambda _: _alir(records=400_000),
    lambda _: _alir(table=3_000_000),
    lambda _: _alir(interval=[0.0, 2.0**60, 2.0**-60]),
    lambda _: _alir(interval=[-(2.0**52), 2.0**52, 1.0]),
    lambda _: _alir(interval=[-1e308, 1e308, 5e-324]),
    lambda _: _doubled(),
)


def _kanele(**tables: int) -> bytes:
    """Tables of so many ones, by the name of each."""
    told = {key: {"acive": 1, "values_int": [1] * size} for key, size in tables.items()}
    return json.dumps(told).encode()


KANELE: tuple[Maker, ...] = (
    lambda _: _kanele(**{"0_0_999999": 8}),
    lambda _: _kanele(**{"0_999999_0": 8}),
    lambda _: _kanele(**{"0_65535_65535": 4, "1_65535_65535": 4}),
    lambda _: _kanele(**{f"{n}_0_0": 2 for n in range(20_000)}),
    lambda _: _kanele(**{f"0_{n}_0": 2 for n in range(20_000)}),
    lambda _: _kanele(**{f"0_{n}_{n}": 2 for n in range(20_000)}),
    lambda _: _kanele(**{"0_0_0": 1 << 14, "0_0_1": 1 << 20}),
    lambda _: b'{"0_0_0": {' + b'"a": {' * DEEP,
)
PLA: tuple[Maker, ...] = tuple(
    lambda _, head=head: head
    for head in (
        b".i %d\n.o 1\n.e\n" % HUGE,
        b".i 4\n.o %d\n.e\n" % HUGE,
        b".i 1000000\n.o 1\n.e\n",
        b".i 30\n.o 1\n%s 1\n.e\n" % (b"1" * 30),
        b".i 4\n.o 1\n" + b"1-0- 1\n" * 300_000 + b".e\n",
    )
)
AIG: tuple[Maker, ...] = (
    lambda _: b"aig %d %d 0 1 0\n0\n" % (HUGE, HUGE),
    lambda _: b"aig %d 0 0 0 %d\n" % (HUGE, HUGE),
    lambda _: b"aig 1 1 0 %d 0\n0\n" % HUGE,
    lambda _: b"aig 200000 1 0 1 199999\n400000\n" + b"\x02\x01" * 199_999,
)
AAG: tuple[Maker, ...] = (
    lambda _: b"aag %d %d 0 1 0\n0\n" % (HUGE, HUGE),
    lambda _: b"aag %d 0 0 0 %d\n" % (HUGE, HUGE),
    lambda _: b"aag %d 1 0 1 0\n2\n2\n" % HUGE,
)


def _blif(inputs: int, more: str) -> bytes:
    names = " ".join(f"i{n}" for n in range(inputs))
    return f".model m\n.inputs {names}\n.outputs x\n{more}.end\n".encode()


BLIF: tuple[Maker, ...] = (
    lambda _: _blif(
        10_000, f".names {' '.join(f'i{n}' for n in range(10_000))} x\n{'1' * 10_000} 1\n"
    ),
    lambda _: _blif(
        100_000, f".names {' '.join(f'i{n}' for n in range(100_000))} x\n{'1' * 100_000} 1\n"
    ),
    lambda _: _blif(
        1,
        ".names i0 n0\n1 1\n"
        + "".join(f".names n{n} n{n + 1}\n1 1\n" for n in range(30_000))
        + ".names n30000 x\n1 1\n",
    ),
    lambda _: _blif(1, ".names i0 x\n" + "1 1\n" * 500_000),
    lambda _: _blif(
        30,
        f".names {' '.join(f'i{n}' for n in range(30))} x\n"
        + "".join(f"{n:030b} 1\n" for n in range(2000)),
    ),
)
TRUTH: tuple[Maker, ...] = (
    lambda _: b"01" * (1 << 22) + b"\n",
    lambda _: b"01\n" * 200_000,
    lambda _: (b"01" * (1 << 15) + b"\n") * 1100,
)


CLOCKED = "input clk, input rst"


def _chain_of_modules(count: int) -> bytes:
    ports = "input [5:0] M0, output [1:0] M1"
    lines = [f"module logicnet (input [5:0] M0, {CLOCKED}, output [1:0] M2);"]
    lines += ["m0 a (.M0(M0), .M1(M2));", "endmodule"]
    for n in range(count):
        lines += [f"module m{n} ({ports});", f"m{n + 1} a (.M0(M0), .M1(M1));", "endmodule"]
    lines += [f"module m{count} ({ports});", "assign M1 = M0[1:0];", "endmodule\n"]
    return "\n".join(lines).encode()


def _expression(text: str, width: int = 6) -> bytes:
    bus = f"[{width - 1}:0]"
    head = f"module logicnet (input {bus} M0, {CLOCKED}, output {bus} M2);\n"
    return f"{head}assign M2 = {text};\nendmodule\n".encode()


VERILOG: tuple[Maker, ...] = (
    lambda _: _chain_of_modules(3000),
    lambda _: _expression("(" * DEEP + "M0" + ")" * DEEP),
    lambda _: _expression("~" * DEEP + "M0"),
    lambda _: _expression(" & ".join(["M0"] * DEEP)),
    lambda _: _expression("{" * 5000 + "M0" + "}" * 5000),
    lambda _: _expression("M0", 1_000_000),
    lambda _: _expression("M0", HUGE),
    lambda _: _expression(f"M0[{HUGE}]"),
    lambda _: _expression(f"{{{HUGE}{{M0}}}}"),
    lambda _: _expression(f"{HUGE}'d1"),
    lambda _: _expression("6'b" + "1" * 1_000_000),
)


def _architecture(features: int = 3, classes: int = 3, layers: int = 3, **change: Any) -> bytes:
    tree = codecs.ARCHIVE.decode(_checkpoint())
    arch = tree["meta"]["nnlogic"]["meta"]["architecture"]
    arch["features"] = [f"f{i}" for i in range(features)]
    arch["input_bits"] = [2] * features
    arch["classes"] = [f"c{i}" for i in range(classes)]
    arch["layers"] = [{**arch["layers"][1], "name": f"l{i}"} for i in range(layers)]
    arch["layers"][0].update(change)
    return codecs.ARCHIVE.encode(tree)


@functools.cache
def _checkpoint() -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        corpus.checkpoint(Path(folder) / "net")
        return (Path(folder) / "net").read_bytes()


CHECKPOINT: tuple[Maker, ...] = (
    lambda _: _architecture(features=100_000),
    lambda _: _architecture(classes=100_000),
    lambda _: _architecture(layers=100_000),
    lambda _: _architecture(width=HUGE),
    lambda _: _architecture(width=100_000),
    lambda _: _architecture(fan_in=HUGE),
    lambda _: (200 << 20).to_bytes(8, "little") + b"{}",
    lambda _: (2**63).to_bytes(8, "little") + b"{}",
    lambda _: (2 * DEEP).to_bytes(8, "little") + b"[" * DEEP + b"]" * DEEP,
    lambda _: codecs.HEADER.encode(
        {"header": {"__metadata__": {"nnlogic": "[" * DEEP}}, "rest": b""}
    ),
    lambda _: codecs.HEADER.encode(
        {
            "header": {"x": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 4 * HUGE]}},
            "rest": b"",
        }
    ),
)


@functools.cache
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


def _npy_head(shape: str, descr: str = "'<f8'") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


NPY: tuple[Maker, ...] = tuple(
    lambda _, data=data: data
    for data in (
        _npy_head(f"({HUGE}, 5)"),
        _npy_head("(-1, 5)"),
        _npy_head(f"({2**63},)"),
        _npy_head("(3, 5)", "'|O'") + pickle.dumps([1] * 15),
        _npy_head("(3, 5)", "[('a', '<f4', (100000, 100000))]"),
        _npy_head("(" * 200 + ")" * 200),
        _npy_head("(0, 5)"),
        _npy_head("()") + bytes(8),
        b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little"),
        _npy_head("(2, 5)", "'<U100000000'"),
    )
)
NPZ: tuple[Maker, ...] = (
    lambda _: zeros("X.npy", _npy_head(f"({GIB // 40}, 5)"), GIB),
    lambda _: codecs.zip_bytes({"X.npy": _npy_head(f"({HUGE}, 5)")}),
    lambda _: codecs.zip_bytes({f"x{i}.npy": b"" for i in range(50_000)}),
)
CSV: tuple[Maker, ...] = (
    lambda _: (",".join(f"f{i}" for i in range(200_000)) + "\n").encode() * 3,
    lambda _: b'f0,f1,f2,f3,f4,label\n"' + b"1," * 1_000_000,
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1e999,nan,-inf,0x10,1_0,1\n",
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1,2,3,4,5," + b"9" * 5000 + b"\n",
    lambda _: b"f0,f1,f2,f3,f4,label\n" + b"1" * 20_000_000 + b"\n",
)
PATTERNS: tuple[Maker, ...] = (lambda _: b"1" * 1_000_000 + b"\n", lambda _: b"0101\n" * 500_000)


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


@functools.cache
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


TORCH: tuple[Maker, ...] = (
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


def _recipe(key: str, text: str) -> bytes:
    lines = [
        line
        for line in (corpus.RECIPES / "jets_small.toml").read_text().splitlines()
        if not line.startswith(key)
    ]
    return "\n".join([f"{key} = {text}", *lines]).encode()


LAYER = '[[layers]]\nname = "l{}"\nwidth = 5\nfan_in = 3\nactivation = "pact"\nbits = 2\n'
RECIPE: tuple[Maker, ...] = (
    lambda _: _recipe("seed", "[" * DEEP + "]" * DEEP),
    lambda _: _recipe("seed", "{a=" * 3000 + "1" + "}" * 3000),
    lambda _: _recipe("a" + ".a" * 5000, "1"),
    lambda _: (
        _recipe("seed", "0").decode() + "".join(LAYER.format(i) for i in range(3000))
    ).encode(),
    lambda _: _recipe("seed", "1" * 5000),
    lambda _: _recipe("input_bits", str(HUGE)),
    lambda _: _recipe("seed", "0").replace(b"width = 30", b"width = %d" % HUGE),
    lambda _: _recipe("seed", "0").replace(b"width = 30", b"width = 10000000"),
    lambda _: _recipe("seed", "-1"),
)
TARGET: tuple[Maker, ...] = (
    lambda _: b"a = " + b"[" * DEEP + b"]" * DEEP,
    lambda _: b"[" + b"target." * 5000 + b"x]",
    lambda _: b"".join(b"[target.t%d]\n" % i for i in range(20_000)),
)
