"""Networks to and from native checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnlogic.frontend.assemble import assemble
from nnlogic.frontend.native import read_native, write_native
from nnlogic.nn.network import Network


def save_checkpoint(
    network: Network,
    path: Path | str,
    *,
    info: Mapping[str, Any] | None = None,
    golden_rows: NDArray | None = None,
) -> None:
    """Write a network as a native checkpoint, complete with its input encoder.

    Parameters
    ----------
    network : Network
    path : Path
    info : mapping, optional
        JSON data: data set and digest, training, accuracies.
    golden_rows : array, shape (rows, features), optional
        Raw rows stored with the outputs torch gives for them, to check the compiler against
        where torch is not installed.

    Raises
    ------
    CheckpointError
        A parameter is NaN or infinite, or the input thresholds were never fitted.
    """
    arrays = network.arrays()
    assemble(network.arch, arrays, {}, str(path))
    golden = None if golden_rows is None else (golden_rows, network.evaluate(golden_rows))
    write_native(Path(path), network.arch, arrays, info=info or {}, golden=golden)


def load_network(path: Path | str) -> Network:
    """Read a native checkpoint into a torch network in eval mode.

    Raises
    ------
    CheckpointError
        The file is damaged or incomplete.
    """
    arch, arrays, _, _ = read_native(Path(path))
    assemble(arch, arrays, {}, str(path))
    bits = [sum(arch.in_bits(i)) for i in range(len(arch.layers))]
    network = Network(arch, fan_in_limit=max(bits))
    network.load_arrays(arrays)
    return network.eval()
