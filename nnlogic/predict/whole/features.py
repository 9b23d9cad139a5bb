"""What is measured of a TableNet before anything is minimized."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.predict.cost import LUT_INPUTS, cost_model, diagram_width
from nnlogic.predict.whole.columns import Column, codes, columns_of, seen
from nnlogic.predict.whole.flow import Flow, Part
from nnlogic.tables.blocks import bit_weights
from nnlogic.tables.ir import ArgmaxBlock, Block, Instance, Sum, TableNet, Threshold, block_inputs

SAMPLES = 4096
SEED = 20
WIDEST = 10
"""From so many inputs on, wide columns are counted together."""
KINDS = ((Sum, "sum"), (Threshold, "threshold"), (ArgmaxBlock, "argmax"))
Floats = NDArray[np.float64]

NAMES: tuple[str, ...] = (
    "inputs", "outputs", "layers", "stages", "layer_bits", "tables", "arithmetic", "wires", "equal",
    "narrow", "full", *(f"wide{n}" for n in range(LUT_INPUTS + 1, WIDEST + 1)), "wide_luts",
    "wide_seen_luts", "wide_width", "wide_share", "distinct_wide", "entries", "freed",
    *(f"{kind}_{what}" for _, kind in KINDS for what in ("count", "entering", "bits")),
    "compared", "choice", "luts", "depth", "segment", "registers",
)  # fmt: skip
"""Of `features`, in order; the last four are guesses by rule, which the surrogate corrects."""


def features(net: TableNet) -> Floats:
    """Return what is measured of a network, shape ``(len(NAMES),)``; `NAMES` says the order.

    Nothing is minimized. A simulation of `SAMPLES` random inputs says which entries of tables
    occur: others are, mostly, those that simplification frees.
    """
    return _Measure(net).run()


@dataclass
class _Measure:
    net: TableNet
    parts: list[Part] = field(default_factory=list)
    count: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    known: dict[Column, int] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)

    def run(self) -> Floats:
        net, count = self.net, self.count
        # A code takes eight bytes, a signal one.
        samples = bits.sample_count(max(len(net.inputs), net.n_signals // 8), SAMPLES)
        self.values = net.trace(bits.random_codes(net.inputs, samples, SEED))
        total = self.values.sum(axis=1)
        self.moving = (total > 0) & (total < samples)
        for block in net.blocks:
            if isinstance(block, ArgmaxBlock):
                # A class may be as rare as it likes.
                self.moving[list(block.outputs)] = True
        self.alias = np.arange(net.n_signals)
        self.columns = {
            i: self._columns(b) for i, b in enumerate(net.blocks) if isinstance(b, Instance)
        }
        needed = self._needed()
        layer_bits: dict[int, int] = defaultdict(int)
        for number, block in enumerate(net.blocks):
            alive = [i for i, s in enumerate(block.outputs) if needed[s]]
            if not alive:
                continue
            if isinstance(block, Instance):
                rows = [(block.outputs[i], self.columns[number][i]) for i in alive]
                self._table(block, rows, alive)
            else:
                self._arithmetic(block)
            outputs = [s for s in block.outputs if needed[s] and self.alias[s] == s]
            layer_bits[block.layer] += int(self.moving[outputs].sum())
        self._sizes(layer_bits, needed & (self.alias == np.arange(net.n_signals)))
        return np.array([count[name] for name in NAMES])

    def _columns(self, block: Instance) -> list[Column]:
        """Return the output bits of a table by what occurs; signals as those they equal."""
        function = self.net.functions[block.function]
        found = columns_of(block, function.table(), seen(block, function, self.values))
        out = []
        for signal, column in zip(block.outputs, found, strict=True):
            column = Column(tuple(int(self.alias[s]) for s in column.signals), column.table)
            if column.support == 1:
                self.alias[signal] = column.signals[0]
            elif column.support:
                self.alias[signal] = self.known.setdefault(column, signal)
            out.append(column)
        return out

    def _needed(self) -> Bools:
        """Return which signals some output depends on, as far as can be seen."""
        needed = np.zeros(self.net.n_signals, bool)
        needed[self.alias[list(self.net.output_signals)]] = True
        for number in range(len(self.net.blocks) - 1, -1, -1):
            block = self.net.blocks[number]
            if not needed[list(block.outputs)].any():
                continue
            if isinstance(block, Instance):
                for signal, column in zip(block.outputs, self.columns[number], strict=True):
                    if needed[signal]:
                        needed[list(column.signals)] = True
            else:
                needed[self._inputs(block)] = True
        return needed

    def _inputs(self, block: Block) -> NDArray[np.int64]:
        """Return the distinct signals an arithmetic block reads that change at all."""
        read = np.unique(self.alias[list(block_inputs(block))])
        return np.asarray(read[self.moving[read]])

    def _table(self, block: Instance, rows: list[tuple[int, Column]], alive: list[int]) -> None:
        """Count the columns of a table that are needed."""
        count, wide = self.count, []
        count["tables"] += 1
        function = self.net.functions[block.function]
        table, care = codes(function.table()[alive]), function.care_bools()
        width = diagram_width(table)[0] if function.n_inputs > LUT_INPUTS else 0.0
        for signal, column in rows:
            if column.support < 2:
                count["wires"] += 1
                continue
            if self.alias[signal] != signal:
                count["equal"] += 1
                continue
            over = max(0, column.support - LUT_INPUTS)
            levels = 2 + 0.6 * max(0.0, min(over, width - 1)) if over else 1.0
            self.parts.append(Part((signal,), column.signals, levels, block.layer))
            count["narrow"] += not over
            count["full"] += column.support == LUT_INPUTS
            if over:
                count[f"wide{min(column.support, WIDEST)}"] += 1
                wide.append(column)
        if not wide:
            return
        share = float(seen(block, function, self.values).sum() / len(care))
        part = cost_model().table(table, len(alive)) * len(wide) / len(alive)
        count["wide_luts"] += part
        count["wide_seen_luts"] += part * share
        count["wide_width"] += width
        count["wide_share"] += share
        if function.digest not in self.units:
            self.units.add(function.digest)
            count["distinct_wide"] += 1
            count["entries"] += float(len(care))
            count["freed"] += float(len(care)) * (1 - share)

    def _arithmetic(self, block: Block) -> None:
        """Count an arithmetic block."""
        count = self.count
        kind = next(name for cls, name in KINDS if isinstance(block, cls))
        read = self._inputs(block)
        entering, result = float(len(read)), float(len(block.outputs))
        levels = 1.0
        if isinstance(block, Sum | Threshold):
            weights = [w for s, w in bit_weights(block).items() if self.moving[s]]
            # The fewest signed powers of two a weight is made of.
            entering = float(sum((abs(w) ^ (3 * abs(w))).bit_count() for w in weights))
            total = max(1, sum(map(abs, weights)).bit_length())
            if len(read) > LUT_INPUTS:
                levels += 1.7 * np.log2(entering / LUT_INPUTS)
                levels += (1 + 0.25 * total) * isinstance(block, Threshold)
            if isinstance(block, Threshold):
                result = float(total)
                count["compared"] += result * len(set(block.thresholds))
        elif isinstance(block, ArgmaxBlock):
            sizes = [int(self.moving[list(word.signals)].sum()) for word in block.words]
            count["choice"] += cost_model().choice(len(sizes), max(sizes, default=0))
            if len(read) > LUT_INPUTS:
                levels = 0.8 * np.log2(len(sizes)) + 0.35 * max(sizes)
        count["arithmetic"] += 1
        count[f"{kind}_count"] += 1
        count[f"{kind}_entering"] += entering
        count[f"{kind}_bits"] += result
        moving = tuple(s for s in block.outputs if self.moving[s])
        self.parts.append(Part(moving, tuple(read.tolist()), float(levels), block.layer))

    def _sizes(self, layer_bits: dict[int, int], live: Bools) -> None:
        """Guess LUTs, and flip-flops of the pipeline that `nnlogic.build` balances."""
        count, net = self.count, self.net
        outputs = np.unique(self.alias[list(net.output_signals)])
        outputs = outputs[self.moving[outputs]]
        outside = np.flatnonzero(live[: net.n_inputs])
        count["inputs"], count["outputs"] = float(len(outside)), float(len(outputs))
        count["layers"] = float(len(layer_bits))
        count["stages"] = float(max(1, sum(n > 0 for n in layer_bits.values())))
        count["layer_bits"] = len(outside) + sum(layer_bits.values())
        flow = Flow.of(self.parts, outside, outputs, net.n_signals)
        count["depth"] = flow.depth
        count["segment"], between = flow.pipeline()
        count["registers"] = count["inputs"] + count["outputs"] + between
        saved = sum(max(count[f"{k}_entering"] - count[f"{k}_bits"], 0.0) for _, k in KINDS[:2])
        count["luts"] = count["narrow"] + count["wide_seen_luts"] + 0.8 * saved + count["choice"]
        count["luts"] += 0.27 * count["compared"]
