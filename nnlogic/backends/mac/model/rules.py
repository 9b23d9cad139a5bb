"""Rules of MacNet: what slices of a kind can do, and that every field comes out on time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.backends.mac.model.slices import (
    B_BITS,
    CASCADE,
    CONSTANT,
    FABRIC_HOP,
    KINDS,
    P_BITS,
    AddSlice,
    MacSlice,
    SliceChain,
)
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.limits import CLOCKS

if TYPE_CHECKING:
    from nnlogic.backends.mac.model.ir import MacNet

MULTIPLY_CLOCKS, ADD_CLOCKS = 2, 1
"""From the registers at the ports to P: multiplier and result, or result alone."""


def verify_mac(mac: MacNet) -> None:
    """Raise IRError, with all problems found, when a rule of MacNet is broken."""
    problems = CLOCKS.problems("latency", mac.latency)
    if mac.slice_kind not in KINDS:
        raise IRError("MacNet breaks its rules", where=mac.name, why=f"kind {mac.slice_kind!r}")
    for i, port in enumerate(mac.inputs):
        wide = port.format.hi >= 1 << B_BITS - 1 or port.format.lo < -(1 << B_BITS - 1)
        slices = [s for chain in mac.chains for s in chain.slices]
        if wide and any(isinstance(s, MacSlice) and s.wire == i for s in slices):
            why = f"{port.format} does not fit {B_BITS} signed bits"
            problems.append(Problem(port.name, why))
    for i, chain in enumerate(mac.chains):
        delay = max((s.delay for s in chain.slices), default=0)
        problems += CLOCKS.problems(f"chain {i}", delay)
        problems += [Problem(f"chain {i}", why) for why in _chain_problems(mac, chain)]
    neurons = [field.neuron for _, field in mac.fields]
    if len(set(neurons)) != len(neurons):
        problems.append(Problem("fields", "a neuron has more than one"))
    widths = [field.bits for _, field in mac.fields]
    if widths != [p.format.bits for p in mac.outputs] or any(p.format.signed for p in mac.outputs):
        problems.append(Problem("outputs", "are not the fields, unsigned, in order of neurons"))
    if problems:
        raise IRError("MacNet breaks its rules", where=mac.name, problems=problems)


def _chain_problems(mac: MacNet, chain: SliceChain) -> list[str]:
    kind = KINDS[mac.slice_kind]
    if not chain.slices or not chain.fields:
        return ["no slices, or no fields"]
    if chain.slices[0].addend != CONSTANT:
        return ["the first slice adds no constant"]
    out = []
    run = 0
    for k, s in enumerate(chain.slices):
        run = run + 1 if s.addend == CASCADE else 1
        if s.addend not in (CASCADE, FABRIC_HOP) and k:
            out.append(f"slice {k} drops what the slices before it summed up")
        if run > kind.column:
            out.append(f"slice {k}: a cascade of {run}, columns have {kind.column}")
        if isinstance(s, AddSlice):
            out += _add_problems(mac, k, s)
            at_port, rest = s.reg, ADD_CLOCKS
        else:
            at_port, rest = s.breg, MULTIPLY_CLOCKS
            if not 0 <= s.wire < len(mac.inputs):
                out.append(f"slice {k} reads wire {s.wire} of {len(mac.inputs)}")
            if not -(1 << kind.a_bits - 1) <= s.weight < 1 << kind.a_bits - 1:
                out.append(f"slice {k}: weight {s.weight} does not fit {kind.a_bits} signed bits")
        if at_port not in (1, 2) or s.delay < 0:
            out.append(f"slice {k}: {s.delay} registers in fabric and {at_port} at the port")
        late = s.delay + at_port + rest + chain.after(k) - mac.latency
        if late:
            out.append(f"slice {k} is {abs(late)} clocks too {'late' if late > 0 else 'early'}")
    if not 0 <= chain.constant < 1 << P_BITS:
        out.append(f"constant {chain.constant} does not fit {P_BITS} bits")
    at = 0
    for field in chain.fields:
        if field.shift < at or field.bits < 1 or field.scale < 1:
            out.append(f"field of neuron {field.neuron} overlaps, or has no bits or scale")
        at = field.shift + field.bits
    if at > P_BITS:
        out.append(f"fields end at bit {at} of {P_BITS}")
    return out


def _add_problems(mac: MacNet, k: int, s: AddSlice) -> list[str]:
    out = []
    if max(len(s.ab), len(s.c)) > P_BITS:
        out.append(f"slice {k}: words of {len(s.ab)} and {len(s.c)} bits")
    if s.c and s.addend != CASCADE:
        out.append(f"slice {k}: port C holds a word and the addend")
    if any(not -1 <= i < len(mac.input_bits) for i in (*s.ab, *s.c)):
        out.append(f"slice {k} reads a bit that does not exist")
    return out
