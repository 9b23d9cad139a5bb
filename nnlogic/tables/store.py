"""TableNet to and from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen, read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import (
    layers_from_meta,
    layers_to_meta,
    ports_from_meta,
    ports_to_meta,
)
from nnlogic.tables.ir import Argmax, Block, Function, Instance, Sum, TableNet, Threshold, Word

VERSION = 1


def save_tables(net: TableNet, path: Path) -> None:
    """Write a TableNet."""
    arrays: dict[str, NDArray] = {}
    functions = []
    for i, f in enumerate(net.functions):
        arrays[f"f{i}.bits"] = f.bits
        if f.care is not None:
            arrays[f"f{i}.care"] = f.care
        functions.append({"n_inputs": f.n_inputs, "justification": f.justification})
    meta = {
        "name": net.name,
        "inputs": ports_to_meta(net.inputs),
        "outputs": ports_to_meta(net.outputs),
        "functions": functions,
        "blocks": [_block_to_meta(b) for b in net.blocks],
        "output_signals": list(net.output_signals),
        "layers": layers_to_meta(net.layers),
    }
    write_archive(path, TableNet.kind, VERSION, meta, arrays)


def load_tables(path: Path) -> TableNet:
    """Read a TableNet and verify it."""
    _, meta, arrays = read_archive(path, TableNet.kind, (VERSION,))
    try:
        functions = []
        for i, item in enumerate(meta["functions"]):
            care = arrays.get(f"f{i}.care")
            functions.append(
                Function(
                    item["n_inputs"],
                    frozen(arrays[f"f{i}.bits"], np.uint64),
                    None if care is None else frozen(care, np.uint64),
                    item["justification"],
                )
            )
        net = TableNet(
            name=meta["name"],
            inputs=ports_from_meta(meta["inputs"]),
            outputs=ports_from_meta(meta["outputs"]),
            functions=tuple(functions),
            blocks=tuple(_block_from_meta(item) for item in meta["blocks"]),
            output_signals=tuple(meta["output_signals"]),
            layers=layers_from_meta(meta["layers"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "TableNet file is incomplete", where=str(path), why=repr(error)
        ) from error
    net.verify()
    return net


def _word_to_meta(word: Word) -> list[Any]:
    return [list(word.signals), word.signed]


def _word(meta: list[Any]) -> Word:
    return Word(tuple(meta[0]), meta[1])


def _block_to_meta(block: Block) -> dict[str, Any]:
    item: dict[str, Any] = {
        "type": type(block).__name__,
        "origin": block.origin,
        "layer": block.layer,
    }
    if isinstance(block, Instance):
        item |= {
            "function": block.function,
            "inputs": list(block.inputs),
            "outputs": list(block.outputs),
        }
        return item
    item |= {
        "words": [_word_to_meta(w) for w in block.words],
        "result": _word_to_meta(block.result),
    }
    if isinstance(block, Sum | Threshold):
        item |= {"weights": list(block.weights), "bias": block.bias}
    if isinstance(block, Threshold):
        item["thresholds"] = list(block.thresholds)
    return item


def _block_from_meta(item: dict[str, Any]) -> Block:
    origin, layer = item["origin"], item["layer"]
    if item["type"] == "Instance":
        pins = tuple(item["inputs"]), tuple(item["outputs"])
        return Instance(item["function"], *pins, origin, layer)
    words, result = tuple(_word(w) for w in item["words"]), _word(item["result"])
    if item["type"] == "Argmax":
        return Argmax(words, result, origin, layer)
    weights, bias = tuple(item["weights"]), item["bias"]
    if item["type"] == "Sum":
        return Sum(words, weights, bias, result, origin, layer)
    if item["type"] == "Threshold":
        return Threshold(words, weights, bias, tuple(item["thresholds"]), result, origin, layer)
    raise ValueError(f"unknown block type {item['type']!r}")
