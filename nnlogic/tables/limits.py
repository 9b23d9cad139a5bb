"""Networks that are not made into tables, with the figures that say why."""

from __future__ import annotations

from collections.abc import Iterator

from nnlogic.core.errors import Problem, TooWide, UnsupportedModel
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layer import Formats, Layer
from nnlogic.tables.ir import MAX_INPUTS


def refuse_wide(net: QuantNet, limit: int, arith: str) -> None:
    """Raise TooWide with every layer that has neurons too wide for a table; see `tabulate`."""
    problems = []
    for layer in net.layers:
        x_formats = net.x_formats(layer)
        for part, formats, name in _parts(layer, x_formats):
            problem = _width_problem(part, formats, limit, arith)
            if problem is not None:
                problems.append(Problem(name, *problem))
    if problems:
        raise TooWide("neurons are too wide to enumerate", where=net.name, problems=problems)


def refuse_large(net: QuantNet, most: int) -> None:
    """Raise UnsupportedModel where copies become too many tables, before any of them is made."""
    problems, total, everything = [], 0, 0
    for layer in net.layers:
        x_formats = net.x_formats(layer)
        copies = layer.copies(x_formats)
        if copies is None:
            continue
        tables = luts = neurons = 0
        for part in copies.parts():
            widths = part.layer.fan_in_bits(part.formats)
            neurons += len(widths)
            tables += part.uses * len(widths)
            # A bit that depends on n others takes (n - 1) / 5 LUTs of six inputs.
            pairs = zip(part.layer.formats, widths, strict=True)
            luts += part.uses * sum(f.bits * max(1, -(-(w - 1) // 5)) for f, w in pairs)
        total, everything = total + tables, everything + luts
        problems.append(
            Problem(
                layer.name,
                f"{len(copies.numbers):,} copies, {tables:,} tables of {neurons:,} different "
                f"neurons, {luts:,} LUTs or more",
            )
        )
    if total > most:
        last = Problem(
            "together",
            f"{total:,} tables, more than {most:,}; {everything:,} LUTs or more",
            f"--unroll-limit {total} where such a circuit is wanted, or a backend that computes "
            "positions one after another",
        )
        raise UnsupportedModel(
            "unrolled, the network is too large", where=net.name, problems=[*problems, last]
        )


def _parts(layer: Layer, x_formats: Formats) -> Iterator[tuple[Layer, Formats, str]]:
    """Yield the layers that become tables, with the formats they read, and a name for messages."""
    copies = layer.copies(x_formats)
    if copies is None:
        yield layer, x_formats, layer.name
        return
    for part in copies.parts():
        name = f"{layer.name}, kernel {part.kernel}, {part.layer.name}"
        yield part.layer, part.formats, name


def _width_problem(
    layer: Layer, formats: Formats, limit: int, arith: str
) -> tuple[str, str] | None:
    how = layer.arithmetic
    if how is not None and (arith == "auto" or not layer.tabular):
        return None
    widths = layer.fan_in_bits(formats)
    wide = [i for i, width in enumerate(widths) if width > limit]
    if how is not None:
        # A sum of one term needs no adder: it is a comparator.
        wide = [i for i in wide if len(layer.wires(i, formats)) > 1]
    if not wide:
        return None
    worst = max(widths)
    fix = "prune the fan-in, use fewer bits"
    if worst <= MAX_INPUTS:
        fix += f", or raise the limit (--table-limit {worst})"
    if how is not None:
        fix += ", or --arith auto (adders and comparators)"
    why = (
        f"{layer.kind}, {len(wide)} of {len(widths)} neurons too wide, up to {worst} "
        f"input bits: a table would need 2^{worst} rows (limit 2^{limit})"
    )
    return why, fix
