"""Reads the look-ups of an ONNX model back, by the names of its constants."""

from __future__ import annotations

from itertools import count
from typing import Any

from nnlogic.core.errors import FormatError
from nnlogic.logic.cone import Cone, ConeBuilder


def read_onnx(constants: dict[str, Any]) -> Cone:
    """Return the network that the constants of a model describe.

    Parameters
    ----------
    constants : dict of str to array

    Raises
    ------
    FormatError
        A constant is missing, of another size, or reads a column that is not there yet.
    """
    try:
        n_inputs = len(constants["bits.port"])
        builder, columns = ConeBuilder(n_inputs), list(range(n_inputs))
        for level in count(1):
            if f"level{level}.shape" not in constants:
                break
            _, n, k = constants[f"level{level}.shape"].tolist()
            reads = constants[f"level{level}.reads"].reshape(n, k).tolist()
            tables = constants[f"level{level}.tables"].reshape(n, 1 << k).tolist()
            before = list(columns)
            for row, bits in zip(reads, tables, strict=True):
                table = sum(bit << place for place, bit in enumerate(bits))
                columns.append(builder.lut([before[c] for c in row], table))
        return builder.cone([columns[c] for c in constants["answers.column"].tolist()])
    except (LookupError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise FormatError("cannot read the model back", where="constants", why=why) from error
