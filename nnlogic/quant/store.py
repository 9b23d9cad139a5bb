"""QuantNet to and from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen, read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import IntFormat, Port, ports_from_meta, ports_to_meta
from nnlogic.quant.ir import Argmax, Enumerated, InputQuantizer, Layer, Linear, QuantNet

VERSION = 1


def save_quant(net: QuantNet, path: Path) -> None:
    """Write a QuantNet."""
    meta, arrays = quant_to_parts(net)
    write_archive(path, QuantNet.kind, VERSION, meta, arrays)


def load_quant(path: Path) -> QuantNet:
    """Read a QuantNet and verify it."""
    _, meta, arrays = read_archive(path, QuantNet.kind, (VERSION,))
    try:
        net = quant_from_parts(meta, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "QuantNet file is incomplete", where=str(path), why=repr(error)
        ) from error
    net.verify()
    return net


def quant_to_parts(net: QuantNet) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return JSON metadata and arrays that describe `net`."""
    arrays: dict[str, NDArray] = {}
    layers = []
    for layer in net.layers:
        item: dict[str, Any] = {
            "type": type(layer).__name__,
            "name": layer.name,
            "sources": list(layer.sources),
            "formats": [str(f) for f in layer.formats],
            "role": layer.role,
        }
        if isinstance(layer, Linear):
            arrays[f"{layer.name}.weights"] = layer.weights
            arrays[f"{layer.name}.bias"] = layer.bias
            if layer.thresholds is not None:
                arrays[f"{layer.name}.thresholds"] = layer.thresholds
        elif isinstance(layer, Enumerated):
            item["inputs"] = [list(wires) for wires in layer.inputs]
            item["x_formats"] = [str(f) for f in layer.x_formats]
            item["sizes"] = [len(t) for t in layer.tables]
            arrays[f"{layer.name}.tables"] = np.concatenate(layer.tables)
        layers.append(item)
    if net.quantizer is not None:
        for port, t in zip(net.inputs, net.quantizer.thresholds, strict=True):
            arrays[f"input.{port.name}"] = t
    meta = {
        "name": net.name,
        "inputs": ports_to_meta(net.inputs),
        "layers": layers,
        "outputs": [[p.name, str(p.format), layer, wire] for p, layer, wire in net.output_wires],
        "quantizer": net.quantizer is not None,
        "info": dict(net.info),
    }
    return meta, arrays


def quant_from_parts(meta: dict[str, Any], arrays: dict[str, NDArray]) -> QuantNet:
    """Inverse of `quant_to_parts`."""
    inputs = ports_from_meta(meta["inputs"])
    quantizer = None
    if meta["quantizer"]:
        thresholds = tuple(frozen(arrays[f"input.{p.name}"], np.float32) for p in inputs)
        quantizer = InputQuantizer(thresholds)
    return QuantNet(
        name=meta["name"],
        inputs=inputs,
        layers=tuple(_layer(item, arrays) for item in meta["layers"]),
        output_wires=tuple(
            (Port(name, IntFormat.parse(fmt)), layer, wire)
            for name, fmt, layer, wire in meta["outputs"]
        ),
        quantizer=quantizer,
        info=meta["info"],
    )


def _layer(item: dict[str, Any], arrays: dict[str, NDArray]) -> Layer:
    name, sources, role = item["name"], tuple(item["sources"]), item["role"]
    formats = tuple(IntFormat.parse(f) for f in item["formats"])
    if item["type"] == "Linear":
        thresholds = arrays.get(f"{name}.thresholds")
        return Linear(
            name,
            sources,
            frozen(arrays[f"{name}.weights"], np.int64),
            frozen(arrays[f"{name}.bias"], np.int64),
            None if thresholds is None else frozen(thresholds, np.int64),
            formats,
            role,
        )
    if item["type"] == "Enumerated":
        flat = frozen(arrays[f"{name}.tables"], np.int64)
        cuts = np.cumsum(item["sizes"])[:-1]
        return Enumerated(
            name,
            sources,
            tuple(tuple(wires) for wires in item["inputs"]),
            tuple(np.split(flat, cuts)),
            formats,
            tuple(IntFormat.parse(f) for f in item["x_formats"]),
            role,
        )
    if item["type"] == "Argmax":
        return Argmax(name, sources, formats, role)
    raise ValueError(f"unknown layer type {item['type']!r}")
