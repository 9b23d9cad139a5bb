"""Stable printed form of a QuantNet."""

from __future__ import annotations

from collections import Counter

from nnlogic.core.formats import IntFormat
from nnlogic.core.inert import printed
from nnlogic.quant.ir import Argmax, Enumerated, Linear, QuantNet


def quant_text(net: QuantNet) -> str:
    """Return one line per port and layer."""
    lines = [f"QuantNet {net.name}"]
    lines += [f"  input {p}" for p in net.inputs]
    for layer in net.layers:
        src = ",".join(layer.sources)
        out = f"{len(layer.formats)} x {formats_text(layer.formats)}"
        if isinstance(layer, Linear):
            fans = (layer.weights != 0).sum(axis=1)
            kind = "sum" if layer.thresholds is None else f"{layer.thresholds.shape[1] + 1} levels"
            body = (
                f"linear fan-in {fans.min()}..{fans.max()} |w| <= {abs(layer.weights).max()} {kind}"
            )
        elif isinstance(layer, Enumerated):
            fan = [len(wires) for wires in layer.inputs]
            body = f"tables fan-in {min(fan)}..{max(fan)}"
        elif isinstance(layer, Argmax):
            body = "argmax"
        lines.append(f"  {layer.role} {layer.name}({src}) -> {out}: {body}")
    lines += [f"  output {p} = {layer}[{wire}]" for p, layer, wire in net.output_wires]
    return printed(lines)


def formats_text(formats: tuple[IntFormat, ...]) -> str:
    """Return the distinct formats, most frequent first."""
    return "/".join(str(f) for f, _ in Counter(formats).most_common())
