"""OpGraph, Program and KernelChain to and from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.core.archive import frozen, read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import ports_from_meta, ports_to_meta

VERSION = 1

GRAPH_ARRAYS: dict[str, Any] = {
    "op": np.uint8,
    "x": np.int32,
    "z": np.int32,
    "output_signals": np.int32,
}
PROGRAM_ARRAYS: dict[str, Any] = {
    "opcode": np.uint8,
    "x_bank": np.int16,
    "z_bank": np.int16,
    "x_row": np.int32,
    "z_row": np.int32,
    "write_row": np.int32,
    "emit": np.bool_,
    "input_bank": np.int32,
    "input_row": np.int32,
    "output_slice": np.int32,
    "output_index": np.int32,
}
PROGRAM_NUMBERS = ("slices", "input_banks", "contexts", "latency", "rows", "input_rows")

Meta = dict[str, Any]
Arrays = dict[str, NDArray]
T = TypeVar("T", OpGraph, Program, KernelChain)


def save_graph(graph: OpGraph, path: Path) -> None:
    """Write an OpGraph."""
    arrays = {name: getattr(graph, name) for name in GRAPH_ARRAYS}
    write_archive(path, OpGraph.kind, VERSION, _ports(graph), arrays)


def load_graph(path: Path) -> OpGraph:
    """Read an OpGraph and verify it; CheckpointError on a bad file, IRError on a bad graph."""
    return _load(
        path,
        OpGraph.kind,
        lambda meta, arrays: OpGraph(**{**_boundary(meta), **_typed(arrays, GRAPH_ARRAYS)}),
    )


def save_program(program: Program, path: Path) -> None:
    """Write a Program."""
    meta = {**_ports(program), **{name: getattr(program, name) for name in PROGRAM_NUMBERS}}
    arrays = {name: getattr(program, name) for name in PROGRAM_ARRAYS}
    write_archive(path, Program.kind, VERSION, meta, arrays)


def load_program(path: Path) -> Program:
    """Read a Program and verify it; CheckpointError on a bad file, IRError on a bad program."""
    return _load(path, Program.kind, _program)


def save_chain(chain: KernelChain, path: Path) -> None:
    """Write a KernelChain: one file with all its programs."""
    arrays = {"output_words": chain.output_words}
    for i, (program, source) in enumerate(zip(chain.programs, chain.sources, strict=True)):
        arrays |= {f"{i}.{name}": getattr(program, name) for name in PROGRAM_ARRAYS}
        arrays[f"{i}.source"] = source
    kernels = [
        {**_ports(p), **{name: getattr(p, name) for name in PROGRAM_NUMBERS}}
        for p in chain.programs
    ]
    write_archive(path, KernelChain.kind, VERSION, {**_ports(chain), "kernels": kernels}, arrays)


def load_chain(path: Path) -> KernelChain:
    """Read a KernelChain and verify it; CheckpointError on a bad file, IRError on a bad chain."""

    def make(meta: Meta, arrays: Arrays) -> KernelChain:
        count = range(len(meta["kernels"]))
        own = [{name: arrays[f"{i}.{name}"] for name in PROGRAM_ARRAYS} for i in count]
        return KernelChain(
            **_boundary(meta),
            programs=tuple(
                _program(part, of) for part, of in zip(meta["kernels"], own, strict=True)
            ),
            sources=tuple(frozen(arrays[f"{i}.source"], np.int32) for i in count),
            output_words=frozen(arrays["output_words"], np.int32),
        )

    return _load(path, KernelChain.kind, make)


def _program(meta: Meta, arrays: Arrays) -> Program:
    numbers = {name: int(meta[name]) for name in PROGRAM_NUMBERS}
    return Program(**{**_boundary(meta), **numbers, **_typed(arrays, PROGRAM_ARRAYS)})


def _load(path: Path, kind: str, make: Callable[[Meta, Arrays], T]) -> T:
    _, meta, arrays = read_archive(path, kind, (VERSION,))
    try:
        loaded = make(meta, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{kind} file is incomplete", where=str(path), why=repr(error)
        ) from error
    loaded.verify()
    return loaded


def _ports(item: OpGraph | Program | KernelChain) -> Meta:
    return {
        "name": item.name,
        "inputs": ports_to_meta(item.inputs),
        "outputs": ports_to_meta(item.outputs),
    }


def _boundary(meta: Meta) -> Meta:
    return {
        "name": str(meta["name"]),
        "inputs": ports_from_meta(meta["inputs"]),
        "outputs": ports_from_meta(meta["outputs"]),
    }


def _typed(arrays: Arrays, types: Meta) -> Meta:
    return {name: frozen(arrays[name], dtype) for name, dtype in types.items()}
