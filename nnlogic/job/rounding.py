"""What reading a model cost: its own predictions beside those of the network it became."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnlogic.core.formats import IntArray
from nnlogic.frontend.registry import is_source, made_by
from nnlogic.job.ladder import accuracy_row
from nnlogic.job.rows import Rows
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import AccuracyRow


def rounding_rows(
    net: QuantNet, source: Path, rows: Rows, outputs: IntArray
) -> tuple[AccuracyRow, ...]:
    """Return the accuracy before and after numbers of a model were rounded, and who differs.

    Parameters
    ----------
    net : QuantNet
    source : Path
        What was compiled.
    rows : Rows
    outputs : int64 array, shape (samples, outputs)
        Of the network.

    Returns
    -------
    tuple of AccuracyRow
        Empty where nothing was rounded, or the model is not at hand.
    """
    fmt = made_by(net) if is_source(net, source) else None
    classes = fmt.original(net, source, rows.codes) if fmt else None
    column = net.class_output
    if classes is None or column is None:
        return ()
    before = outputs.copy()
    before[:, column] = classes
    original = accuracy_row(net, rows, "float", before)
    rounded = accuracy_row(net, rows, "quantized", outputs)
    differ = int((outputs[:, column] != classes).sum())
    cost = f"{differ} of {len(classes)} rows ({differ / len(classes):.2%}) change class by rounding"
    if rows.labels is None:
        cost += f", on {rows.what}"
    return (
        replace(original, detail=f"{original.detail}; before rounding, as the library predicts"),
        replace(rounded, detail=f"{rounded.detail}; {cost}"),
    )
