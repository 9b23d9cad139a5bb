"""Planted faults: a check that has never failed proves nothing.

Each fault is a single bit or gate, chosen so that some sample row shows it at an output.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnlogic.checks import check
from nnlogic.checks.formal import prove_verilog
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.unread import narrowed, read_bits
from nnlogic.hw.names import name_design
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.evaluate import gather_index
from nnlogic.tables.ir import Function, Instance, TableNet

TRIES = 200
ROWS = 1024


def planted_faults(
    tables: TableNet,
    design: HardwareDesign,
    files: Sequence[Path],
    folder: Path,
    *,
    codes: IntArray,
    logic: LogicNet | None = None,
    seed: int = 0,
    simulate: bool = True,
    timeout: float = 600,
    progress: Progress = SILENT,
) -> Iterator[tuple[str, Verdict]]:
    """Plant one fault at a time and run the check that must catch it.

    Parameters
    ----------
    tables : TableNet
    design : HardwareDesign
    files : sequence of Path
        Verilog of the core.
    folder : Path
        For faulty Verilog and its simulation model.
    codes : int array, shape (samples, inputs)
        Rows on which the faults must show, of the inputs of the tables.
    logic : LogicNet, optional
        What the design was made of, where the design lacks input bits.
    simulate : bool
        Also simulate the faulty Verilog, which compiles a model of it.

    Yields
    ------
    title : str
    verdict : Verdict
        `equal` says whether the fault was caught, as it must be.

    Raises
    ------
    IRError
        No fault shows on these rows.
    """
    codes = codes[:ROWS]
    whole = design.logic if logic is None else logic
    narrow = codes if logic is None else narrowed(codes, logic.inputs, read_bits(logic))
    start = time.monotonic()
    wrong_tables, where = flip_table_bit(tables, codes, seed)
    yield "fault in a table", _caught(check(wrong_tables, whole, codes=codes), where, start)
    start = time.monotonic()
    wrong_logic, where = flip_logic_bit(whole, codes, seed)
    yield "fault in the logic", _caught(check(tables, wrong_logic, codes=codes), where, start)
    start = time.monotonic()
    wrong_files, where = invert_gate(design, files, Path(folder), narrow, seed)
    verdict = prove_verilog(design, wrong_files, timeout=timeout)
    yield "fault in the Verilog, proof", _caught(verdict, where, start)
    if simulate:
        start = time.monotonic()
        verdict = _simulated(design, wrong_files, Path(folder), narrow, timeout, progress)
        yield "fault in the Verilog, simulation", _caught(verdict, where, start)


def flip_table_bit(tables: TableNet, codes: IntArray, seed: int = 0) -> tuple[TableNet, str]:
    """Flip one table bit of one instance, one that some row reads and that reaches an output.

    Returns
    -------
    net : TableNet
        Valid, with the care set as it was.
    where : str
    """
    rng = np.random.default_rng(seed)
    signals = tables.trace(codes)
    good = tables.evaluate(codes)
    blocks = [i for i, b in enumerate(tables.blocks) if isinstance(b, Instance)]
    for _ in range(TRIES if blocks else 0):
        at = int(rng.choice(blocks))
        block = tables.blocks[at]
        if not isinstance(block, Instance):
            continue
        function = tables.functions[block.function]
        row = int(gather_index(signals[:, [rng.integers(len(codes))]], block.inputs)[0])
        bit = int(rng.integers(len(block.outputs)))
        table = np.array(function.bits)
        table[bit, row // 64] ^= np.uint64(1) << np.uint64(row % 64)
        wrong = Function(
            function.n_inputs, frozen(table, np.uint64), function.care, function.justification
        )
        changed = list(tables.blocks)
        changed[at] = replace(block, function=len(tables.functions))
        net = replace(tables, functions=(*tables.functions, wrong), blocks=tuple(changed))
        if (net.evaluate(codes) != good).any():
            return net, f"{block.origin}/bit{bit}, index {row}"
    if not blocks:
        return _exchange_signals(tables, codes, rng)
    raise _nothing_shows("table bit")


def _exchange_signals(
    tables: TableNet, codes: IntArray, rng: np.random.Generator
) -> tuple[TableNet, str]:
    """Exchange two signals a sum or argmax reads: the fault for networks without tables."""
    good = tables.evaluate(codes)
    for _ in range(TRIES if tables.blocks else 0):
        at = int(rng.integers(len(tables.blocks)))
        block = tables.blocks[at]
        if isinstance(block, Instance):
            continue
        signals = [s for word in block.words for s in word.signals]
        a, b = (int(i) for i in rng.integers(len(signals), size=2))
        signals[a], signals[b] = signals[b], signals[a]
        left = iter(signals)
        words = tuple(
            replace(word, signals=tuple(next(left) for _ in word.signals)) for word in block.words
        )
        changed = (*tables.blocks[:at], replace(block, words=words), *tables.blocks[at + 1 :])
        net = replace(tables, blocks=changed)
        if (net.evaluate(codes) != good).any():
            return net, f"{block.origin}, signals {a} and {b} exchanged"
    raise _nothing_shows("table bit or exchange of signals")


def flip_logic_bit(logic: LogicNet, codes: IntArray, seed: int = 0) -> tuple[LogicNet, str]:
    """Flip one bit of one LUT, one that some row reads and that reaches an output."""
    rng = np.random.default_rng(seed)
    words = logic.trace_words(bits.pack_ports(codes, logic.inputs))
    signals = bits.unpack(words, len(codes))
    good = logic.evaluate(codes)
    for node in rng.permutation(logic.n_nodes)[:TRIES]:
        row = logic.fanins[node][: logic.fan_in_counts[node]]
        sample = signals[:, [rng.integers(len(codes))]]
        index = int(gather_index(sample, tuple(int(s) for s in row))[0])
        net = _with_table(logic, int(node), 1 << index)
        if (net.evaluate(codes) != good).any():
            return net, f"node {node} of {logic.origins[node]}, index {index}"
    raise _nothing_shows("LUT bit")


def invert_gate(
    design: HardwareDesign, files: Sequence[Path], folder: Path, codes: IntArray, seed: int = 0
) -> tuple[list[Path], str]:
    """Copy the Verilog to a folder with one assignment inverted, one that reaches an output.

    Returns
    -------
    files : list of Path
        In the order given.
    where : str
    """
    rng = np.random.default_rng(seed)
    logic, names = design.logic, name_design(design)
    # What another module gives has the same name where it is taken out of its vector.
    vectors = "|".join(map(re.escape, names.words.values()))
    texts = {Path(f): Path(f).read_text() for f in files}
    good = logic.evaluate(codes)
    for node in rng.permutation(logic.n_nodes)[:TRIES]:
        name = names.taps[logic.n_inputs + node][0]
        pattern = re.compile(
            rf"(\b(?:assign|wire)\s+{re.escape(name)}\s*=\s*)(?!(?:{vectors})\b)([^;]+);"
        )
        found = next((f for f, text in texts.items() if pattern.search(text)), None)
        full = (1 << (1 << int(logic.fan_in_counts[node]))) - 1
        if found is None:
            continue
        if (_with_table(logic, int(node), full).evaluate(codes) == good).all():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        texts[found] = pattern.sub(r"\g<1>~(\g<2>);", texts[found], count=1)
        out = []
        for path, text in texts.items():
            out.append(folder / path.name)
            out[-1].write_text(text)
        return out, f"{found.name}: {name} inverted"
    raise _nothing_shows("assignment in the Verilog")


def _with_table(logic: LogicNet, node: int, flip: int) -> LogicNet:
    tables = np.array(logic.tables)
    tables[node] ^= np.uint64(flip)
    return replace(logic, tables=frozen(tables, np.uint64))


def _simulated(
    design: HardwareDesign,
    files: Sequence[Path],
    folder: Path,
    codes: IntArray,
    timeout: float,
    progress: Progress,
) -> Verdict:
    from nnlogic.sim.bulk import run_bulk

    got = run_bulk(design, files, folder, codes=codes, timeout=timeout, progress=progress)
    rows = int((got != design.logic.evaluate(codes)).any(axis=1).sum())
    how = f"sampled n={len(codes)}"
    return Verdict("LogicNet", "Verilog", not rows, how, f"{rows} of {len(codes)} rows differ")


def _caught(verdict: Verdict, where: str, start: float) -> Verdict:
    """Turn the verdict of a check on a faulty stage around: different is what it must say."""
    said = "; ".join(t for t in (verdict.where, verdict.detail) if t)
    detail = f"caught: {said}" if not verdict.equal else f"NOT caught by {verdict.text()}"
    return Verdict(
        "planted fault", "check", not verdict.equal, verdict.how, detail[:400], where
    ).timed(start)


def _nothing_shows(what: str) -> IRError:
    return IRError(
        "no fault could be planted",
        why=f"no {what} was found that changes an output on the rows given",
        fix="give more rows, or rows that exercise the network",
    )
