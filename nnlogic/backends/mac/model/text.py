"""Stable printed form of MacNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.backends.mac.model.slices import AddSlice
from nnlogic.core.inert import printed

if TYPE_CHECKING:
    from nnlogic.backends.mac.model.ir import MacNet


def mac_text(mac: MacNet) -> str:
    """Return one line per port, field and slice.

    A slice line reads ``port * weight``, or the words on A:B and C from the highest bit down with
    ``.`` for 0, then the registers in fabric and at the port, then where the addend comes from.
    """
    lines = [
        f"MacNet {mac.name} kind={mac.slice_kind} chains={len(mac.chains)} slices={mac.slices} "
        f"latency={mac.latency}"
    ]
    lines += [f"  input {port}" for port in mac.inputs]
    for i, chain in enumerate(mac.chains):
        lines.append(f"  chain {i} constant={chain.constant:#x}")
        for f in chain.fields:
            top = f.shift + f.bits - 1
            lines.append(
                f"    field [{top}:{f.shift}] neuron={f.neuron} scale={f.scale} offset={f.offset}"
            )
        for k, s in enumerate(chain.slices):
            if isinstance(s, AddSlice):
                sign = "-" if s.negative else "+"
                words = f" {sign} ".join(_word(mac, w) for w in (s.ab, s.c) if w)
                lines.append(f"    {k}: {sign} {words} delay={s.delay} reg={s.reg} {s.addend}")
                continue
            lines.append(
                f"    {k}: {mac.inputs[s.wire].name} * {s.weight} delay={s.delay} breg={s.breg} "
                f"{s.addend}"
            )
    lines += [f"  output {port}" for port in mac.outputs]
    return printed(lines)


def _word(mac: MacNet, bits_of: tuple[int, ...]) -> str:
    names = []
    for number in reversed(bits_of):
        wire, b = mac.input_bits[number]
        names.append(f"{mac.inputs[wire].name}[{b}]" if number >= 0 else ".")
    return "{" + " ".join(names) + "}"
