"""Choose, layer by layer, the cheapest approximations that the validation rows allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.approximate.cut import SumError
from nnlogic.tables.approximate.loss import Yardstick
from nnlogic.tables.approximate.patch import Patch, distinct_inputs
from nnlogic.tables.evaluate import gather_index, output_values, run_blocks
from nnlogic.tables.ir import Block, Function, TableNet, block_inputs


@dataclass(frozen=True, eq=False)
class Option:
    """One way to build a block.

    Attributes
    ----------
    what : str
        For the report.
    cost : float
        LUTs of all blocks that would use it.
    function : Function or None
        The whole table it computes, for an instance.
    patch : Patch or None
        The blocks it consists of; neither for the block as it is.
    rarity : int
        Entries used less often than this were free.
    freed : int
        How many entries were free beyond the exact don't-cares.
    judge : int or None
        Option of the same site whose loss on the observation rows stands for the loss of this
        one. An entry seen R - 1 times is one seen R times had the row at hand been left out, so
        the next rarity says what rows not observed would lose.
    error : SumError or None
        Of a sum without its lowest columns.
    """

    what: str
    cost: float
    function: Function | None = None
    patch: Patch | None = None
    rarity: int = 0
    freed: int = 0
    judge: int | None = None
    error: SumError | None = None

    def outputs(self, block: Block, values: Bools) -> Bools:
        """Return output bits of a block built this way, bool, shape (outputs, rows)."""
        if self.function is not None:
            return self.function.table()[:, gather_index(values, block_inputs(block))]
        if self.patch is not None:
            return self.patch.evaluate(values[list(distinct_inputs(block))])
        return values[list(block.outputs)]


@dataclass(eq=False)
class Site:
    """Blocks that are built the same way, and how they may be built.

    Attributes
    ----------
    blocks : tuple of int
        Numbers of the blocks in the network.
    options : list of Option
        The first is the one to start from.
    choice : int
        The option in use.
    """

    blocks: tuple[int, ...]
    options: list[Option]
    choice: int = 0

    @property
    def chosen(self) -> Option:
        """The option in use."""
        return self.options[self.choice]


@dataclass(frozen=True, eq=False)
class Trial:
    """What one change would do: the rows it touches, all signals there, and the loss then."""

    rows: IntArray
    values: Bools
    right: Bools
    loss: float


@dataclass(eq=False)
class State:
    """The network as it is now, on some rows.

    Attributes
    ----------
    net : TableNet
        Every function without don't-cares.
    yardstick : Yardstick
    values : bool array, shape (signals, rows)
        Changed in place.
    right : bool array, shape (rows,)
    """

    net: TableNet
    yardstick: Yardstick
    values: Bools
    right: Bools = field(init=False)
    _tables: list[Bools] = field(init=False)

    def __post_init__(self) -> None:
        self._tables = [f.table() for f in self.net.functions]
        self.right = self.yardstick.right(output_values(self.net, self.values))

    @property
    def loss(self) -> float:
        """Upper bound of the drop, see `Yardstick.loss`."""
        return self.yardstick.loss(self.right)

    def trial(self, site: Site, option: Option, behind: int) -> Trial:
        """Build the blocks of a site another way; `behind` is the first block after its group."""
        blocks = [self.net.blocks[i] for i in site.blocks]
        outputs = [option.outputs(b, self.values) for b in blocks]
        changed = np.zeros(self.values.shape[1], dtype=bool)
        for block, new in zip(blocks, outputs, strict=True):
            changed |= (new != self.values[list(block.outputs)]).any(axis=0)
        rows = np.flatnonzero(changed)
        values = self.values[:, rows]
        for block, new in zip(blocks, outputs, strict=True):
            values[list(block.outputs)] = new[:, rows]
        run_blocks(self.net.blocks[behind:], self._tables, values)
        right = self.right.copy()
        right[rows] = self.yardstick.right(output_values(self.net, values), rows)
        return Trial(rows, values, right, self.yardstick.loss(right))

    def accept(self, trial: Trial) -> None:
        """Make a change."""
        self.values[:, trial.rows] = trial.values
        self.right = trial.right


def choose(
    observed: State, validation: State, sites: Sequence[Site], behind: int, allowance: float
) -> None:
    """Pick options for the sites of one group as far as the validation rows allow.

    The observation rows rank the changes: loss of each alone per LUT saved. The validation rows
    only say where to stop: at the first change with which the loss exceeds the allowance. If
    they chose among the changes, they would favour those that do no harm on them by chance.

    Parameters
    ----------
    observed, validation : State
        Brought up to date with the choices.
    sites : sequence of Site
    behind : int
        Number of the first block after the group.
    allowance : float
        Percentage points that may be lost by now, earlier groups included.
    """
    allowance = max(allowance, validation.loss)
    for site, number in _ranked(observed, sites, behind):
        option = site.options[number]
        if option.cost >= site.chosen.cost:
            continue
        trial = validation.trial(site, option, behind)
        if trial.loss > allowance:
            break
        validation.accept(trial)
        observed.accept(observed.trial(site, option, behind))
        site.choice = number


def _ranked(state: State, sites: Iterable[Site], behind: int) -> list[tuple[Site, int]]:
    moves: list[tuple[float, float, int, int, Site]] = []
    before = state.loss
    for order, site in enumerate(sites):
        losses = [max(0.0, state.trial(site, o, behind).loss - before) for o in site.options]
        for number, option in enumerate(site.options):
            gain = site.chosen.cost - option.cost
            loss = losses[option.judge if option.judge is not None else number]
            # Fewer inputs without a LUT less are welcome only when they cost nothing.
            if gain > 0 and (gain >= 1 or not loss):
                moves.append((loss / gain, -gain, order, number, site))
    return [(site, number) for *_, number, site in sorted(moves, key=lambda m: m[:4])]
