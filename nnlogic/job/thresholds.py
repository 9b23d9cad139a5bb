"""The thresholds of the input quantizer as files: what turns raw features into codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.inert import CsvCell
from nnlogic.quant.ir import InputQuantizer, QuantNet
from nnlogic.quant.wire import fixed_point_of
from nnlogic.report.rows import Artifact

FOLDER, CSV, JSON = "input", "thresholds.csv", "thresholds.json"
RULE = "the code of a feature is the number of its thresholds that are <= the feature, as float32"


def threshold_files(net: QuantNet, folder: Path) -> list[Artifact]:
    """Write the thresholds of a network that reads raw features; nothing for one that reads codes.

    Each number is the shortest decimal text of its float32, and reads back as the same.

    Parameters
    ----------
    net : QuantNet
    folder : Path
        Of the run.
    """
    if net.quantizer is None:
        return []
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    write_bytes(place / CSV, thresholds_csv(net, net.quantizer).encode())
    write_bytes(place / JSON, thresholds_json(net, net.quantizer).encode())
    return [
        Artifact(f"{FOLDER}/{CSV}", "thresholds of the input quantizer, a row per code"),
        Artifact(f"{FOLDER}/{JSON}", "thresholds of the input quantizer, by feature"),
    ]


def thresholds_csv(net: QuantNet, quantizer: InputQuantizer) -> str:
    """Return a row per feature and code: the code is reached from the threshold on."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("feature", "code", "from"))
    for port, thresholds in zip(net.inputs, quantizer.thresholds, strict=True):
        for code, threshold in enumerate(thresholds, 1):
            rows.writerow((CsvCell(port.name), code, str(threshold)))
    return out.getvalue()


def thresholds_json(net: QuantNet, quantizer: InputQuantizer) -> str:
    """Return features in order: name, bits of the code, thresholds, and the wires it is made of.

    ``fixed_point`` is the number whose bits are the code, so that no logic is needed to make it.
    """
    features = []
    for port, thresholds in zip(net.inputs, quantizer.thresholds, strict=True):
        fixed = fixed_point_of(thresholds, port.format.bits)
        features.append(
            {
                "name": port.name,
                "bits": port.format.bits,
                "fixed_point": None if fixed is None else str(fixed),
                "thresholds": [float(str(t)) for t in thresholds],
            }
        )
    return json.dumps({"rule": RULE, "features": features}, indent=1) + "\n"
