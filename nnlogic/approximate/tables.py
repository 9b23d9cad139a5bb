"""Approximate mode: tables with don't-cares from observed rows, within an accuracy budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np

from nnlogic.approximate.rows import Split
from nnlogic.approximate.solve import solve_all, whole_function
from nnlogic.core.bits import Bools
from nnlogic.core.errors import TooWide
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.job.rows import Rows
from nnlogic.logic.cone import Cone
from nnlogic.logic.portfolio import Solution
from nnlogic.logic.portfolio import SolveOptions as Ask
from nnlogic.logic.structures import structure
from nnlogic.logic.unit import local_block
from nnlogic.tables.approximate.cut import SumError, cut_options
from nnlogic.tables.approximate.learned import shorter_options
from nnlogic.tables.approximate.loss import Yardstick
from nnlogic.tables.approximate.observe import block_groups, entries, entry_counts, without_rare
from nnlogic.tables.approximate.patch import Patch, distinct_inputs, substituted
from nnlogic.tables.approximate.search import Option, Site, State, choose
from nnlogic.tables.approximate.wide import MOST_PATTERNS, sampled_options
from nnlogic.tables.approximate.wires import wired
from nnlogic.tables.evaluate import output_values
from nnlogic.tables.ir import Block, Function, Instance, Sum, TableNet, Threshold

RARITIES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987)
EDGE = 1 / 64
"""Worth of an input less, in LUTs: enough to prefer it, never enough to pay with rows for it."""


@dataclass(frozen=True)
class LayerChange:
    """What became of the tables of a layer.

    Attributes
    ----------
    layer : int
    tables, changed : int
        Distinct tables, and those whose function is another one now.
    entries, freed : int
        Entries the exact tables care about, and those freed.
    rarity : int
        The largest one in use.
    sampled : int
        Neurons too wide for a table that are known on the observed rows only.
    cuts : tuple of SumError
        Of sums without their lowest columns, one for each neuron.
    loss : float
        Bound of the drop up to and including this layer, percentage points, see
        `nnlogic.tables.approximate.loss.Yardstick.loss`.
    """

    layer: int
    tables: int
    changed: int
    entries: int
    freed: int
    rarity: int
    sampled: int
    cuts: tuple[SumError, ...]
    loss: float


@dataclass(frozen=True, eq=False)
class Approximated:
    """The result of `approximate`.

    Attributes
    ----------
    net : TableNet
        Complete tables: what the minimized logic computes.
    layers : tuple of LayerChange
    loss : float
        Bound of the drop, percentage points.
    measure : str
        ``"accuracy"`` or, without labels, ``"agreement"``.
    """

    net: TableNet
    layers: tuple[LayerChange, ...]
    loss: float
    measure: str


def approximate(
    exact: TableNet,
    split: Split,
    ask: Ask,
    *,
    budget: float,
    rarity: int | None = None,
    arith: str = "auto",
    columns: int = 0,
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> Approximated:
    """Free rare table entries as far as the budget allows, and let the minimizer fill them.

    Layers are taken front to back. The observation rows are simulated through the tables as
    already filled, entries used fewer than R times become don't-cares for growing R, each
    candidate is minimized, and `nnlogic.tables.approximate.search.choose` picks per neuron on
    the validation rows. A layer may use the part of the budget that its LUTs are of all LUTs,
    and what the layers before it left.

    Parameters
    ----------
    exact : TableNet
        With exact don't-cares only.
    split : Split
    ask : Options
        Of the minimizer.
    budget : float
        Percentage points that may be lost on validation rows, sampling error included.
    rarity : int, optional
        No entry used this often or more is freed; without it, only the budget limits R.
    arith : {"auto", "never"}
        ``"auto"``: neurons too wide for a table may stay arithmetic blocks, exact or with shorter
        weights; ``"never"``: all become sampled functions.
    columns : int
        Most columns that sums may lose, see `nnlogic.tables.approximate.cut`.
    jobs : int, optional
    progress : Progress

    Raises
    ------
    TooWide
        The budget does not allow what ``arith="never"`` asks for.
    """
    return _Search(exact, split, ask, budget, rarity, arith, columns, jobs, progress).run()


@dataclass(eq=False)
class _Search:
    exact: TableNet
    split: Split
    ask: Ask
    budget: float
    rarity: int | None
    arith: str
    columns: int
    jobs: int | None
    progress: Progress

    def run(self) -> Approximated:
        exact, split = self.exact, self.split
        sites = self._exact_sites()
        functions, _ = _choices(sites)
        whole = substituted(exact, functions, {})
        observed = self._state(whole, split.observation)
        validation = self._state(whole, split.validation)
        total = sum(s.chosen.cost for s in sites) or 1.0
        spent, layers = 0.0, []
        for group in block_groups(exact):
            mine = [s for s in sites if s.blocks[0] in group]
            spent += sum(s.chosen.cost for s in mine)
            share = self.budget * min(1.0, spent / total)
            name = exact.layers[exact.blocks[group.start].layer].name
            self._table_options(mine, observed, group.stop, share, name)
            self._wide_options(mine, observed, validation, group.stop, name)
            self._cut_options(mine)
            choose(observed, validation, mine, group.stop, share)
            layers.append(self._change(mine, group, validation.loss))
        self._refuse_loss(validation.loss)
        functions, patches = _choices(sites)
        net = substituted(whole, functions, patches)
        measure = validation.yardstick.measure
        return Approximated(net, tuple(layers), validation.loss, measure)

    def _state(self, net: TableNet, rows: Rows) -> State:
        values = net.trace(rows.codes)
        expected = output_values(net, values)
        return State(net, Yardstick.of(self.split.column, expected, rows.labels), values)

    def _exact_sites(self) -> list[Site]:
        """One site per distinct table or arithmetic block of a layer, built exactly."""
        uses: dict[object, list[int]] = {}
        for i, block in enumerate(self.exact.blocks):
            what = block.function if isinstance(block, Instance) else local_block(block)[0]
            uses.setdefault((block.layer, what), []).append(i)
        first = [self.exact.blocks[numbers[0]] for numbers in uses.values()]
        functions = [self.exact.functions[b.function] for b in first if isinstance(b, Instance)]
        solutions = iter(self._solve(functions, "minimize exact tables"))
        sites = []
        for numbers, block in zip(uses.values(), first, strict=True):
            if isinstance(block, Instance):
                cone = next(solutions).cone
                cost = len(numbers) * _cost(cone)
                option = Option("exact", cost, whole_function(cone))
            else:
                cone = structure(local_block(block)[0], self.ask.k)
                option = Option("exact", len(numbers) * _cost(cone))
            sites.append(Site(tuple(numbers), [option]))
        return sites

    def _solve(self, contents: Sequence[Function], what: str) -> list[Solution]:
        return solve_all(contents, self.ask, jobs=self.jobs, what=what, progress=self.progress)

    def _table_options(
        self,
        sites: Sequence[Site],
        observed: State,
        behind: int,
        allowance: float,
        name: str,
    ) -> None:
        """Add wires, and, for growing R, the minimized functions whose rare entries are free."""
        waiting = []
        for site in sites:
            uses = [b for b in (self.exact.blocks[i] for i in site.blocks) if _is_table(b)]
            if uses:
                function = self.exact.functions[uses[0].function]
                waiting.append(_Rare(site, function, entry_counts(function, uses, observed.values)))
        if self.rarity is None:
            # A wire changes entries however often they are used.
            self._wire_options(waiting, name)
        for r in self._ladder():
            trying = [rare for rare in waiting if rare.restrict(r)]
            solutions = self._solve([rare.now for rare in trying], f"{name}: rarity {r}")
            done = set()
            for rare, solution in zip(trying, solutions, strict=True):
                option = Option(
                    f"rarity {r}",
                    len(rare.site.blocks) * _cost(solution.cone),
                    whole_function(solution.cone),
                    rarity=r,
                    freed=entries(rare.function) - entries(rare.now),
                )
                rare.add(option)
                alone = observed.trial(rare.site, option, behind).loss - observed.loss
                if alone > allowance or not solution.cone.n_nodes:
                    done.add(id(rare))
            waiting = [rare for rare in waiting if id(rare) not in done]
            if not waiting:
                break

    def _wire_options(self, tables: Sequence[_Rare], name: str) -> None:
        trying = [(rare.site, f) for rare in tables for f in wired(rare.function, rare.counts)]
        solutions = self._solve([f for _, f in trying], f"{name}: wires")
        for (site, _), solution in zip(trying, solutions, strict=True):
            cost = len(site.blocks) * _cost(solution.cone)
            site.options.append(Option("wires", cost, whole_function(solution.cone)))

    def _wide_options(
        self,
        sites: Sequence[Site],
        observed: State,
        validation: State,
        behind: int,
        name: str,
    ) -> None:
        """Add stand-ins for neurons too wide for a table; take the truest where one must be."""
        wide = [
            (site, block)
            for site in sites
            for block in [self.exact.blocks[site.blocks[0]]]
            if isinstance(block, Threshold)
        ]
        if not wide:
            return
        with self.progress.step(f"{name}: neurons too wide for a table", len(wide)) as step:
            for site, block in wide:
                local, patterns = local_block(block)[0], self._patterns(site, observed)
                parts = list(sampled_options(local, patterns, self.ask.k))
                if self.arith == "auto":
                    parts += shorter_options(local, patterns)
                count = len(site.blocks)
                site.options += [
                    Option(what, count * self._patch_cost(p), patch=p) for what, p in parts
                ]
                if self.arith == "never":
                    trials = [validation.trial(site, o, behind) for o in site.options[1:]]
                    best = min(range(len(trials)), key=lambda i: trials[i].loss)
                    validation.accept(trials[best])
                    site.choice = best + 1
                    observed.accept(observed.trial(site, site.chosen, behind))
                step.advance(note=block.origin)

    def _cut_options(self, sites: Sequence[Site]) -> None:
        """Add sums without their lowest columns, for all that may stay arithmetic."""
        for site in sites if self.columns and self.arith == "auto" else ():
            block = self.exact.blocks[site.blocks[0]]
            if isinstance(block, Sum | Threshold):
                count, local = len(site.blocks), local_block(block)[0]
                for what, patch, error in cut_options(local, self.columns):
                    cost = count * self._patch_cost(patch)
                    site.options.append(Option(what, cost, patch=patch, error=error))

    def _patterns(self, site: Site, observed: State) -> Bools:
        """Return what the blocks of a site read on the rows, bool (inputs, patterns).

        Of many copies, as windows have, equally many rows of each, spread evenly.
        """
        rows = observed.values.shape[1]
        each = min(rows, -(-MOST_PATTERNS // len(site.blocks)))
        parts = []
        for number, i in enumerate(site.blocks):
            chosen = (np.arange(each) * rows // each + number) % rows
            parts.append(observed.values[np.ix_(distinct_inputs(self.exact.blocks[i]), chosen)])
        return np.concatenate(parts, axis=1)[:, :MOST_PATTERNS]

    def _patch_cost(self, patch: Patch) -> float:
        total = 0.0
        for block in patch.blocks:
            if isinstance(block, Instance):
                total += 1 + EDGE * len(block.inputs)
            else:
                total += _cost(structure(local_block(block)[0], self.ask.k))
        return total

    def _refuse_loss(self, loss: float) -> None:
        if loss <= self.budget or self.arith == "auto":
            return
        n = len(self.split.validation.codes)
        raise TooWide(
            "neurons too wide for a table lose more than the budget as sampled functions",
            where=self.exact.name,
            why=f"up to {loss:.2f} percentage points on {n} validation rows, sampling error "
            f"included; the budget is {self.budget:g}",
            fix="--arith auto keeps what the budget needs as adders; or raise --accuracy-budget",
        )

    def _ladder(self) -> list[int]:
        if self.rarity is None:
            most = len(self.split.observation.codes) // 20
            return [r for r in RARITIES if r == 1 or r <= most]
        return [*(r for r in RARITIES if r < self.rarity), self.rarity]

    def _change(self, sites: Sequence[Site], group: range, loss: float) -> LayerChange:
        tables = [s for s in sites if s.options[0].function is not None]
        instances = [b for b in (self.exact.blocks[s.blocks[0]] for s in tables) if _is_table(b)]
        return LayerChange(
            self.exact.blocks[group.start].layer,
            len(tables),
            sum(s.choice > 0 for s in tables),
            sum(entries(self.exact.functions[b.function]) for b in instances),
            sum(s.chosen.freed for s in sites),
            max((s.chosen.rarity for s in sites), default=0),
            sum(s.chosen.patch is not None and s.chosen.error is None for s in sites),
            tuple(s.chosen.error for s in sites for _ in s.blocks if s.chosen.error is not None),
            loss,
        )


@dataclass(eq=False)
class _Rare:
    """A table while its rare entries are freed."""

    site: Site
    function: Function
    counts: IntArray
    now: Function = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.function

    def add(self, option: Option) -> None:
        """Add an option; it is the judge of the one before it."""
        options = self.site.options
        options.append(replace(option, judge=len(options)))
        if options[-2].rarity:
            options[-2] = replace(options[-2], judge=len(options) - 1)

    def restrict(self, rarity: int) -> bool:
        """Go to the next rarity; whether that frees anything more."""
        before, self.now = self.now, without_rare(self.function, self.counts, rarity)
        return entries(self.now) < entries(before)


def _is_table(block: Block) -> TypeGuard[Instance]:
    return isinstance(block, Instance)


def _cost(cone: Cone) -> float:
    return cone.luts + EDGE * cone.edges


def _choices(sites: Sequence[Site]) -> tuple[dict[int, Function], dict[int, Patch]]:
    functions, patches = {}, {}
    for site in sites:
        option = site.chosen
        for i in site.blocks:
            if option.function is not None:
                functions[i] = option.function
            if option.patch is not None:
                patches[i] = option.patch
    return functions, patches
