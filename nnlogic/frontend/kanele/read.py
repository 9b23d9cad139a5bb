"""Tables of KANELE as a QuantNet.

A layer adds tables of one input code each and clamps every sum to its width (Hoang et al.,
"KANELE: Kolmogorov-Arnold networks for efficient LUT-based evaluation", FPGA 2026). Codes are two's
complement numbers, and a table's index is the code of its input plus half of their range. The file
says of every table whether it is in use; the configuration beside it says how wide the outputs are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.core.limits import FEATURES, NEURONS, parse_json
from nnlogic.frontend.kanele.checkpoint import read_checkpoint
from nnlogic.frontend.kanele.format import CONFIG, is_checkpoint
from nnlogic.frontend.kanele.tables import MOST_BITS, Encoder, Tables
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Layer, Linear, QuantNet

MOST_SUM = 16
"""Bits of a sum before it is clamped."""
MOST_VALUE = 1 << 30
KEY = re.compile(r"(\d{1,6})_(\d{1,6})_(\d{1,6})")
USED = "acive"  # as the files spell it
FIX = "export the tables again with KANELE's own script"


def load_kanele(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a model of KANELE.

    Parameters
    ----------
    path : Path
        Its ``truth_tables.json``, or its checkpoint.
    options : mapping of str to str
        See `nnlogic.frontend.kanele.format.Kanele.options`.

    Returns
    -------
    QuantNet
        Inputs are codes plus half of their range, as the tables count them; of a checkpoint, codes
        that count thresholds of raw features. Outputs are the clamped sums, signed, and the class.

    Raises
    ------
    CheckpointError
        All problems of the file are listed.
    UnsupportedModel
        A sum is too wide to be clamped by a table.
    """
    beside = path.with_name(CONFIG)
    config = _json(beside) if beside.is_file() else None
    encoder = None
    if is_checkpoint(path):
        tables, encoder = read_checkpoint(path, config, options)
    else:
        tables = _tables(path, _json(path), config, options)
    decision = options.get("decision", "argmax" if tables.widths[-1] > 1 else "none")
    if decision not in ("argmax", "none"):
        raise CheckpointError(
            "no such decision", where=str(path), why=f"decision={decision}",
            fix="--read decision=argmax, or --read decision=none",
        )  # fmt: skip
    files = [path.name] + [CONFIG] * (config is not None)
    return _net(path, tables, decision == "argmax", files, encoder)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            "cannot read the JSON file", where=str(path), why=str(error), fix=FIX
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError("no JSON object", where=str(path), fix=FIX)
    return found


def _tables(
    path: Path,
    entries: dict[str, Any],
    config: dict[str, Any] | None,
    options: Mapping[str, str],
) -> Tables:
    problems: list[Problem] = []
    layers: dict[int, dict[tuple[int, int], IntArray]] = {}
    places: dict[int, list[tuple[int, int]]] = {}
    rows: dict[int, set[int]] = {}
    for key, entry in entries.items():
        match = KEY.fullmatch(key)
        values = _values(entry)
        if match is None or values is None:
            problems.append(Problem(key, "is no table named layer_input_output"))
            continue
        layer, i, o = map(int, match.groups())
        places.setdefault(layer, []).append((i, o))
        rows.setdefault(layer, set()).add(len(values))
        if entry[USED]:
            layers.setdefault(layer, {})[i, o] = values
    count = len(places)
    if problems or sorted(places) != list(range(count)) or not count:
        problems = problems or [Problem("layers", f"numbered {sorted(places)[:8]}")]
        raise CheckpointError("not the tables of a network", where=str(path), problems=problems)
    widths = [1 + max(i for i, _ in places[0])]
    for layer in range(count):
        ins, outs = 1 + max(i for i, _ in places[layer]), 1 + max(o for _, o in places[layer])
        if ins != widths[-1]:
            problems.append(Problem(f"layer {layer}", f"reads {ins} of {widths[-1]} wires"))
        if len(rows[layer]) != 1:
            problems.append(Problem(f"layer {layer}", f"tables of {sorted(rows[layer])} entries"))
        widths.append(outs)
    bits = [next(iter(rows[layer])).bit_length() - 1 for layer in range(count)]
    bits.append(_last_bits(path, config, options, widths, bits, problems))
    problems += FEATURES.problems("inputs", widths[0])
    problems += NEURONS.problems("wires", max(widths))
    if problems:
        raise CheckpointError("tables that make no network", where=str(path), problems=problems)
    return Tables(
        tuple(widths), tuple(bits), tuple(layers.get(layer, {}) for layer in range(count))
    )


def _values(entry: Any) -> IntArray | None:
    """Return the values of a table, None for anything that is none."""
    if not isinstance(entry, dict) or entry.get(USED) not in (0, 1):
        return None
    values = entry.get("values_int")
    if not isinstance(values, list) or not all(type(v) is int for v in values):
        return None
    n = len(values)
    if not 2 <= n <= 1 << MOST_BITS or n & (n - 1) or max(map(abs, values)) > MOST_VALUE:
        return None
    return np.array(values, np.int64)


def _last_bits(
    path: Path,
    config: dict[str, Any] | None,
    options: Mapping[str, str],
    widths: list[int],
    bits: list[int],
    problems: list[Problem],
) -> int:
    """Return the width of the outputs; what contradicts the configuration is listed."""
    given: Any = options.get("bits")
    if given is not None:
        given = int(given) if given.isdecimal() and len(given) < 4 else 0
    elif config is not None:
        if config.get("layers") != widths:
            problems.append(
                Problem(CONFIG, f"layers {_short(config.get('layers'))}, tables {_short(widths)}")
            )
        every = config.get("layers_bitwidth")
        if not isinstance(every, list) or every[:-1] != bits:
            problems.append(
                Problem(CONFIG, f"layers_bitwidth {_short(every)}, tables of {_short(bits)} bits")
            )
        else:
            given = every[-1]
    else:
        raise CheckpointError(
            "how wide the outputs are is not in the tables",
            where=str(path),
            why=f"there is no {CONFIG} beside them",
            fix="copy the model's config.json beside the tables, or give --read bits=N",
        )
    if type(given) is not int or not 1 <= given <= MOST_BITS:
        where = "--read bits" if "bits" in options else CONFIG
        why = f"outputs of {_short(given)} bits, need 1 to {MOST_BITS}"
        problems.append(Problem(where, why))
        return 1
    return given


def _short(value: Any) -> str:
    return repr(value)[:80]


def _net(
    path: Path, tables: Tables, argmax: bool, files: list[str], encoder: Encoder | None
) -> QuantNet:
    layers: list[Layer] = []
    inputs = (IntFormat(tables.bits[0]),) * tables.widths[0]
    every = list(tables.used)
    if encoder is not None:
        inputs, every[0] = encoder.formats, encoder.recoded(every[0])
    source, formats = INPUT, inputs
    count = len(every)
    for number, used in enumerate(every):
        last = number + 1 == count
        made = _layer(
            f"layer{number}", source, formats, used, tables.widths[number + 1],
            IntFormat(tables.bits[number + 1], signed=last),
        )  # fmt: skip
        layers += made
        source, formats = made[-1].name, made[-1].formats
    wires = [(Port(f"y{o}", fmt), source, o) for o, fmt in enumerate(formats)]
    if argmax:
        index = IntFormat.holding(0, max(1, len(formats) - 1))
        layers.append(Argmax("class", (source,), (index,)))
        wires.append((Port("class", index), "class", 0))
    net = QuantNet(
        name=path.stem,
        inputs=tuple(Port(f"x{i}", fmt) for i, fmt in enumerate(inputs)),
        layers=tuple(layers),
        output_wires=tuple(wires),
        quantizer=None if encoder is None else encoder.quantizer,
        info={
            "files": files,
            "bits": list(tables.bits),
            "tables": sum(map(len, tables.used)),
            **({} if encoder is None else {"rows": encoder.rows}),
            **({"class_names": [str(o) for o in range(len(formats))]} if argmax else {}),
        },
    )
    net.verify()
    return net


def _layer(
    name: str,
    source: str,
    formats: tuple[IntFormat, ...],
    used: Mapping[tuple[int, int], IntArray],
    width: int,
    out: IntFormat,
) -> list[Layer]:
    """Return the tables, moved to start at zero, their sums, and the clamped sums."""
    bias = np.zeros(width, np.int64)
    wires: list[tuple[int]] = []
    small: list[IntArray] = []
    places: list[tuple[int, int]] = []
    for (i, o), values in sorted(used.items()):
        low = int(values.min())
        bias[o] += low
        gain = math.gcd(*(int(v) - low for v in values))
        if gain:
            wires.append((i,))
            places.append((o, gain))
            small.append(frozen((values - low) // gain, np.int64))
    layers: list[Layer] = []
    if not small:
        # A layer of constants has nothing to add: its sums are its bias.
        wires, small, places = [(0,)], [frozen(np.zeros(1 << formats[0].bits), np.int64)], [(0, 0)]
    bits = tuple(IntFormat.holding(0, max(1, int(table.max()))) for table in small)
    layers.append(
        Enumerated(f"{name}_tables", (source,), tuple(wires), tuple(small), bits, formats)
    )
    weights = np.zeros((width, len(small)), np.int64)
    for at, (o, gain) in enumerate(places):
        weights[o, at] = gain
    top = bias + weights @ np.array([fmt.hi for fmt in bits])
    sums = tuple(IntFormat.holding(int(lo), int(hi)) for lo, hi in zip(bias, top, strict=True))
    layers.append(
        Linear(
            f"{name}_sums", (f"{name}_tables",), frozen(weights, np.int64), frozen(bias, np.int64),
            None, sums,
        )
    )  # fmt: skip
    wide = [fmt.bits for fmt in sums if fmt.bits > MOST_SUM]
    if wide:
        raise UnsupportedModel(
            "sums too wide to be clamped by a table", where=name,
            why=f"{len(wide)} of {width} have up to {max(wide)} bits, at most {MOST_SUM}",
            fix="train with smaller tables or fewer inputs a sum",
        )  # fmt: skip
    lowest = -(1 << out.bits - 1)
    cut = [
        np.clip(fmt.from_raw(np.arange(1 << fmt.bits)), lowest, -lowest - 1)
        - (0 if out.signed else lowest)
        for fmt in sums
    ]
    layers.append(
        Enumerated(
            name, (f"{name}_sums",), tuple((o,) for o in range(width)),
            tuple(frozen(table, np.int64) for table in cut), (out,) * width, sums,
            "output" if out.signed else "network",
        )
    )  # fmt: skip
    return layers
