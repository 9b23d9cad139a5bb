"""The host's part of a chain of kernels, as data: what to send to which stream, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core.archive import write_bytes
from nnlogic.core.formats import Port
from nnlogic.hw.dsp.commands import command, command_bits, command_fields
from nnlogic.hw.dsp.encode import EngineShape, instruction_words


def write_host(chain: KernelChain, path: Path, *, most: int, load: bool | None = None) -> None:
    """Write the schedule of `host_schedule` as JSON, a kernel's lists on a line each."""
    import json

    schedule = host_schedule(chain, most=most, load=load)
    kernels = schedule.pop("kernels")
    lines = ["{"] + [f" {json.dumps(k)}: {json.dumps(v)}," for k, v in schedule.items()]
    parts = []
    for kernel in kernels:
        fields = ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in kernel.items())
        parts.append("  {\n" + fields + "\n  }")
    text = "\n".join([*lines, ' "kernels": [', ",\n".join(parts), " ]", "}", ""])
    write_bytes(path, text.encode())


def host_schedule(chain: KernelChain, *, most: int, load: bool | None = None) -> dict[str, Any]:
    """Return what a host does to run a chain on the engine of its programs.

    For each batch of 48 vectors the host keeps words of 48 lanes, see `KernelChain`. Kernels run in
    their order, each on all groups there are. For each: send ``packet`` on ``p_axis``, with the
    number of groups in its first beat; send ``contexts * rows_in`` beats for each group on
    ``s_axis``: in beat ``k * rows_in + row``, lanes ``48 * bank`` and up are a word of batch k
    of the group, where ``reads`` has ``[row, bank, word]`` and anything elsewhere; and take
    ``contexts * rows_out`` beats from ``m_axis``: ``makes`` has ``[row, place, word]``. Word -1 is
    all zeros, -2 all ones.

    A kernel with ``runs`` above 1 runs so often on every group, run after run before the next
    group, and the packet's number of groups is so many times higher. A read is ``[row, bank, [word
    of run 0, word of run 1, ...]]`` then, and run r makes the words of run 0 plus r times ``step``.

    Parameters
    ----------
    chain : KernelChain
    most : int
        Words of program memory; see `EngineShape.of_all`.
    load : bool, optional
        Whether packets bring programs; by default where they do not fit side by side.

    Returns
    -------
    dict
        JSON data. ``inputs`` and ``outputs`` have the word of each bit of each port, lowest
        first; ``command`` the lowest bit and the width of the fields of a packet's first beat.
    """
    shape = EngineShape.of_all(chain.programs, most)
    load = not shape.resident if load is None else load
    return {
        "name": chain.name,
        "lanes": LANES,
        "contexts": chain.contexts,
        "words": chain.starts[-1],
        "p_axis_bits": command_bits(shape),
        "s_axis_bits": LANES * shape.input_banks,
        "m_axis_bits": LANES * len(shape.emitters),
        "command": {name: [f.at, f.width] for name, f in command_fields(shape).items()},
        "inputs": _ports(chain.inputs, np.arange(chain.n_inputs)),
        "outputs": _ports(chain.outputs, chain.output_words),
        "kernels": [
            {
                "packet": [f"{beat:x}" for beat in packet(shape, chain.programs, i, load=load)],
                "rows_in": program.input_rows,
                "rows_out": program.output_rows,
                "reads": _reads(program, chain.sources[i]),
                "makes": _makes(program, shape, chain.starts[i]),
                **_repeated(chain, i),
            }
            for i, program in enumerate(chain.programs)
        ],
    }


def packet(
    shape: EngineShape, programs: Sequence[Program], number: int, *, load: bool, groups: int = 0
) -> list[int]:
    """Return the beats on ``p_axis`` that run kernel `number`, its program too with `load`."""
    words = instruction_words(programs[number], shape) if load else []
    return [command(shape, number, groups=groups, load=load), *words]


def _ports(ports: Sequence[Port], words: NDArray[np.integer[Any]]) -> dict[str, list[int]]:
    out, at = {}, 0
    for port in ports:
        out[port.name] = words[at : at + port.format.bits].tolist()
        at += port.format.bits
    return out


def _repeated(chain: KernelChain, number: int) -> dict[str, int]:
    """Return what is said of a kernel that runs several times only."""
    runs, program = chain.times[number]
    return {"runs": runs, "step": len(program.output_slice)} if runs > 1 else {}


def _reads(program: Program, source: NDArray[np.int32]) -> list[list[Any]]:
    used = np.flatnonzero(program.input_bank >= 0)
    bank, row = program.input_bank[used] - program.slices, program.input_row[used]
    if len(source) == program.n_inputs:
        return np.stack([row, bank, source[used]], axis=1).tolist()
    words = source.reshape(-1, program.n_inputs)[:, used].T.tolist()
    return [list(read) for read in zip(row.tolist(), bank.tolist(), words, strict=True)]


def _makes(program: Program, shape: EngineShape, first: int) -> list[list[int]]:
    place = np.searchsorted(shape.emitters, program.output_slice)
    word = first + np.arange(len(place))
    return np.stack([program.output_index, place, word], axis=1).tolist()
