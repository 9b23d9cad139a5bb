"""Stable printed form of a TableNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.core.inert import printed
from nnlogic.tables.blocks import Block, Instance, Sum, Threshold, Word

if TYPE_CHECKING:
    from nnlogic.tables.ir import TableNet


def table_text(net: TableNet) -> str:
    """Return one line per port, distinct function and block."""
    lines = [f"TableNet {net.name}"]
    lines += [f"  input {p}" for p in net.inputs]
    for i, f in enumerate(net.functions):
        care = (
            f", {int(f.care_bools().sum())} cared for ({f.justification})"
            if f.justification
            else ""
        )
        lines.append(f"  f{i} {f.n_inputs} -> {f.n_outputs} {f.digest[:12]}{care}")
    lines += [f"  {_block(b)}" for b in net.blocks]
    at = 0
    for p in net.outputs:
        signals = net.output_signals[at : at + p.format.bits]
        lines.append(f"  output {p} = {_signals(signals)}")
        at += p.format.bits
    return printed(lines)


def _block(block: Block) -> str:
    out = f"{_signals(block.outputs)} = "
    if isinstance(block, Instance):
        body = f"f{block.function}({_signals(block.inputs)})"
    elif isinstance(block, Sum | Threshold):
        terms = zip(block.weights, block.words, strict=True)
        total = " ".join(f"{w:+d}*{_word(x)}" for w, x in terms) + f" {block.bias:+d}"
        body = f"sum {total}"
        if isinstance(block, Threshold):
            body = f"count {list(block.thresholds)} <= {total}"
    else:
        body = f"argmax {' '.join(_word(w) for w in block.words)}"
    return f"{out}{body}  # {block.origin}"


def _word(word: Word) -> str:
    return f"{'s' if word.signed else 'u'}[{_signals(word.signals)}]"


def _signals(signals: tuple[int, ...]) -> str:
    """Return ``3..7 12`` for runs of consecutive signals."""
    runs: list[list[int]] = []
    for s in signals:
        if runs and runs[-1][-1] + 1 == s:
            runs[-1].append(s)
        else:
            runs.append([s])
    return " ".join(f"{r[0]}..{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)
