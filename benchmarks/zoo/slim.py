"""Write checkpoints smaller: folded weights, fewer golden rows, integers as narrow as they are.

python -m benchmarks.zoo.slim FILE.safetensors ... --out DIR [--rows 100]
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nnlogic
from nnlogic.core.archive import read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend.native import GOLDEN_Y, read_golden, write_quantized
from nnlogic.quant.ir import QuantNet

TYPES = (np.int8, np.int16, np.int32, np.int64)


def slim(source: Path, target: Path, rows: int) -> None:
    """Write a checkpoint as the QuantNet it is, with at most so many golden rows.

    Parameters
    ----------
    source, target : Path
        May be the same.
    rows : int
        At least 1.

    Raises
    ------
    CheckpointError
        The file has no golden rows, or the smaller one does not give their outputs.
    """
    golden = read_golden(source)
    if golden is None:
        raise CheckpointError("the checkpoint has no golden rows", where=str(source))
    net = nnlogic.load(source)
    net = dataclasses.replace(net, info={k: v for k, v in net.info.items() if k != "golden_rows"})
    target.parent.mkdir(parents=True, exist_ok=True)
    write_quantized(target, net, golden=(golden[0][:rows], golden[1][:rows]))
    version, meta, arrays = read_archive(target, QuantNet.kind, (QuantNet.version,))
    small = {name: array if name == GOLDEN_Y else narrow(array) for name, array in arrays.items()}
    write_archive(target, QuantNet.kind, version, meta, small)
    net, golden = nnlogic.load(target), read_golden(target)
    wrong = 0 if golden is None else int((net.evaluate(net.encode(golden[0])) != golden[1]).sum())
    if wrong:
        raise CheckpointError("not the same network", where=str(target), why=f"{wrong} outputs")


def narrow(array: NDArray) -> NDArray:
    """Return integers in the narrowest signed type that holds them; other arrays as they are."""
    if not array.size or array.dtype.kind != "i":
        return array
    low, high = int(array.min()), int(array.max())
    return array.astype(
        next(t for t in TYPES if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    )


def main() -> None:
    """Write the smaller files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100)
    args = parser.parse_args()
    for path in args.files:
        slim(path, args.out / path.name, args.rows)
        print(f"{args.out / path.name}: {(args.out / path.name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
