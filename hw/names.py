"""Readable RTL names for every port, signal, register and module of a design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnlogic.core.formats import Port
from nnlogic.core.names import Identifier, unique_identifiers
from nnlogic.design.ir import HardwareDesign

VALID_CHAIN = "valid"


class Ported(Protocol):
    """What has ports of numbers."""

    @property
    def inputs(self) -> tuple[Port, ...]: ...  # noqa: D102

    @property
    def outputs(self) -> tuple[Port, ...]: ...  # noqa: D102


class Core(Ported, Protocol):
    """What a free-running core promises: one row per clock, its result `latency` clocks later.

    The Verilog module has the ports ``clk``, ``rst``, ``in_valid``, ``out_valid`` and those of
    `port_names`.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def latency(self) -> int: ...  # noqa: D102


class StreamedCore(Core, Protocol):
    """A core that ``<name>_stream`` may wrap."""

    @property
    def stream(self) -> bool: ...  # noqa: D102


def port_names(design: Ported) -> tuple[dict[str, Identifier], dict[str, Identifier]]:
    """Return the RTL name of each port of the core.

    Parameters
    ----------
    design : Ported

    Returns
    -------
    inputs, outputs : dict of str to Identifier
        Port name to RTL name, in port order: ``x_<port>`` and ``y_<port>``.
    """
    inputs = [p.name for p in design.inputs]
    outputs = [p.name for p in design.outputs]
    return (
        dict(zip(inputs, unique_identifiers(inputs, "x_"), strict=True)),
        dict(zip(outputs, unique_identifiers(outputs, "y_"), strict=True)),
    )


@dataclass(frozen=True)
class Names:
    """All names of one design; unique without regard to case, so any tool accepts them.

    Attributes
    ----------
    inputs, outputs : tuple of str
        Port names of the core.
    input_registers : tuple of str
        Per input port, the first register rank.
    taps : tuple of tuple of str
        Per signal, its name after 0, 1, 2 ... register ranks: ``fc1_neuron12_bit0``,
        ``fc1_neuron12_bit0_r1``, ...
    instances : dict of int to str
        Per layer index that holds nodes, the instance name in the core.
    modules : dict of int to str
        The same for module names.
    words : dict of int to str
        The same for the vector that the module gives; key -1 for the vectors of input bits.
    unused : str
        Takes what nothing reads, so that checkers of style know it is meant.
    """

    inputs: tuple[Identifier, ...]
    outputs: tuple[Identifier, ...]
    input_registers: tuple[Identifier, ...]
    taps: tuple[tuple[Identifier, ...], ...]
    instances: dict[int, Identifier]
    modules: dict[int, Identifier]
    words: dict[int, Identifier]
    unused: Identifier


def name_design(design: HardwareDesign) -> Names:
    """Choose the names of `design`, deterministically.

    Names with meaning to a user (ports, then layers, then signals) take precedence; registers
    and repeated origins receive suffixes.
    """
    x_names, y_names = (tuple(d.values()) for d in port_names(design))
    logic = design.logic
    used_layers = [int(i) for i in np.unique(logic.node_layers)]
    bits = [
        f"{name}_bit{b}"
        for name, port in zip(x_names, design.inputs, strict=True)
        for b in range(port.format.bits)
    ]
    ranks = design.signal_registers.tolist()
    wanted: list[str] = [VALID_CHAIN, *x_names, *y_names]
    wanted += [f"{n}_q" for n in x_names]
    wanted += [logic.layers[i].name for i in used_layers]
    first_signal = len(wanted)
    wanted += [*bits, *logic.origins]
    names = unique_identifiers(wanted)
    base = names[first_signal:]
    wanted += [f"{n}_r{d}" for n, r in zip(base, ranks, strict=True) for d in range(1, r + 1)]
    last_register = len(wanted)
    wanted += ["x_bits", *(f"{logic.layers[i].name}_out" for i in used_layers), "unused_bits"]
    names = unique_identifiers(wanted)

    rest = iter(names[first_signal + len(base) : last_register])
    taps = tuple(
        (n, *(next(rest) for _ in range(r)))
        for n, r in zip(names[first_signal:], ranks, strict=False)
    )
    at = 1 + len(x_names) + len(y_names)
    registers = names[at : at + len(x_names)]
    at += len(x_names)
    instances = names[at : at + len(used_layers)]
    modules = unique_identifiers(
        [design.name, f"{design.name}_stream", f"{design.name}_stream_fifo"]
        + [f"{design.name}_{logic.layers[i].name}" for i in used_layers]
    )[3:]
    return Names(
        inputs=x_names,
        outputs=y_names,
        input_registers=tuple(registers),
        taps=taps,
        instances=dict(zip(used_layers, instances, strict=True)),
        modules=dict(zip(used_layers, modules, strict=True)),
        words=dict(zip([-1, *used_layers], names[last_register:-1], strict=True)),
        unused=names[-1],
    )
