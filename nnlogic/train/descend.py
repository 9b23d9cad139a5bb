"""Exact descent at the end of training: table after table gets its best wires and bits.

With all other tables as they are, the loss of a row depends on one bit of a table alone. So the
difference ``d`` that this bit makes is computed for every training row, and the best table is known
without a gradient: an entry is 1 where the ``d`` of the rows that read it add up to less than zero.
What the best table on other wires would give is the same sum over other cells, so each of the six
wires is tried against all candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from nnlogic.nn.population import LutPopulation
from nnlogic.nn.population.functional import ROWS, K
from nnlogic.nn.population.tables import Tables
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps

CHUNK = 1 << 14
"""Rows whose codes become wires at once."""
PROPOSING = {"cpu": 1 << 14, "cuda": 1 << 17}
"""Rows, others for each pin, on which wires are compared. All rows decide on the best of them."""
LEAST_GAIN = 1e-6
"""Of the loss of a row, by which other wires must be better than those that are."""
SCALES = [0.1 * 1.1**i for i in range(40)]
"""Of scores, tried after each pass."""


def descend(
    steps: PopulationSteps,
    advance: Callable[[int, str], None] = lambda count, note: None,
    members: Iterable[int] | None = None,
) -> None:
    """Improve the dense layers of members of a trained population, as its recipe says.

    Each member keeps the best of its passes on the rows for ranking, so none gets worse there.
    Kernels on windows and encoders stay as they are.

    Parameters
    ----------
    steps : PopulationSteps
        Of a recipe with ``shape = "luts"``; does nothing where its `descend` is 0.
    advance : callable
        Called with a number of passes done and a note.
    members : iterable of int, optional
        All where it is left out.
    """
    model, recipe = steps.model, steps.recipe
    if not recipe.descend or not isinstance(model, LutPopulation):
        return
    best = steps.ranking()
    for member in range(model.members) if members is None else members:
        descent = Descent(model, member, steps.rows, recipe)
        kept = descent.tables()
        for number in range(recipe.descend):
            changed = descent.sweep()
            write(model, member, descent.tables())
            now = float(steps.ranking()[member])
            if now > best[member]:
                best[member], kept = now, descent.tables()
            left = recipe.descend - number if not changed else 1
            advance(left, f"validation {steps.rows.task.in_words(best.max())}")
            if not changed:
                break
        write(model, member, kept)


def write(model: LutPopulation, member: int, tables: Sequence[tuple[Tensor, Tensor]]) -> None:
    """Give the dense layers of a member these wires and bits."""
    for layer, (pins, bits) in zip(_dense(model), tables, strict=True):
        layer.set_hard(member, pins, bits)


def _dense(model: LutPopulation) -> list[Tables]:
    return [layer for layer in model.layers if isinstance(layer, Tables)]


class Descent:
    """The dense layers of one member on all training rows.

    Parameters
    ----------
    model : LutPopulation
    member : int
    rows : PopulationRows
    recipe : PopulationRecipe
        Says how much the teacher counts.
    sigmas : float
        An entry is changed where the gain is more than so many standard deviations of it.

    Attributes
    ----------
    gone : list of set of int
        Per layer, the tables that were given up: constants, which stay as they are.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: LutPopulation,
        member: int,
        rows: PopulationRows,
        recipe: PopulationRecipe,
        sigmas: float = 0.0,
    ) -> None:
        self.sigmas = sigmas
        self.task, self.y = rows.task, rows.y
        self.teacher = rows.teacher if recipe.distill else None
        self.weight, self.temperature = recipe.distill, recipe.temperature
        self.random = torch.Generator().manual_seed(recipe.seed)
        layers = _dense(model)
        self.share = [layer.share for layer in layers]
        self.pins = [layer.pins()[member].clone() for layer in layers]
        self.bits = [(layer.logits[member] > 0).to(torch.uint8) for layer in layers]
        self.gone: list[set[int]] = [set() for _ in layers]
        parts = [model.dense_wires(part, member) for part in rows.x.split(CHUNK)]
        self.values = [torch.cat(parts, 1)]
        for pins, bits in zip(self.pins, self.bits, strict=True):
            below = self.values[-1]
            made = [looked_up(*table, below) for table in zip(pins, bits, strict=True)]
            self.values.append(torch.stack(made))
        self.votes = model.votes
        self.outputs = model.outputs
        votes = self.values[-1].view(self.outputs, -1, len(self.y)).float()
        self.scores = (votes * self.votes[:, None]).sum(1)
        self.relative, self.scale = model.relative, 1.0
        self._rescale()

    def tables(self) -> list[tuple[Tensor, Tensor]]:
        """Return wires (width, 6) and bits (width, 64) of every layer, copied."""
        pairs = zip(self.pins, self.bits, strict=True)
        return [(pins.clone(), bits.clone()) for pins, bits in pairs]

    def losses(self, scores: Tensor) -> Tensor:
        """Return the loss of every row, of scores (outputs, rows)."""
        found = (self.scale * scores).t()
        own = self.task.losses(found, self.y)
        if self.teacher is None:
            return own
        pull = self.task.pulls(found, self.teacher, self.temperature) * self.temperature
        return (1 - self.weight) * own + self.weight * pull

    def _rescale(self) -> None:
        if not self.relative:
            return
        found = []
        for scale in SCALES:
            self.scale = scale
            found.append(float(self.losses(self.scores).mean()))
        self.scale = SCALES[found.index(min(found))]

    @torch.no_grad()
    def sweep(self) -> int:
        """Set every table of every layer once, in random order; return how many changed."""
        places = [(i, t) for i, live in enumerate(self.live()) for t in live]
        order = torch.randperm(len(places), generator=self.random).tolist()
        changed = sum(self._set(*places[i]) for i in order)
        self._rescale()
        return changed

    def live(self) -> list[list[int]]:
        """Return the tables of each layer that scores depend on and that were not given up."""
        out: list[list[int]] = []
        read = set(range(len(self.pins[-1])))
        for pins, gone in zip(reversed(self.pins), reversed(self.gone), strict=True):
            out.append(sorted(read - gone))
            read = set(pins[out[-1]].flatten().tolist())
        return out[::-1]

    @torch.no_grad()
    def give_up(self, prices: Sequence[float], share: float) -> None:
        """Make the tables constant that cost least loss for their price.

        Parameters
        ----------
        prices : sequence of float
            Of a table of each layer.
        share : float
            Of the price of all tables, to be saved at once.
        """
        before = float(self.losses(self.scores).mean())
        found, total = [], 0.0
        for layer, tables in enumerate(self.live()):
            total += prices[layer] * len(tables)
            for table in tables:
                for value in (0, 1):
                    constant = torch.full_like(self.values[0][0], value)
                    loss = float(self.losses(self._scores_with(layer, table, constant)).mean())
                    found.append(((loss - before) / prices[layer], layer, table, value))
        left = share * total
        for _, layer, table, value in sorted(found):
            if left <= 0:
                break
            if table not in self.gone[layer]:
                self._put(layer, table, self.pins[layer][table], torch.full_like(
                    self.bits[layer][table], value))  # fmt: skip
                self.gone[layer].add(table)
                left -= prices[layer]
        self._rescale()

    def _set(self, layer: int, table: int) -> bool:
        zero, one = (
            self.losses(self._scores_with(layer, table, torch.full_like(self.values[0][0], value)))
            for value in (0, 1)
        )
        pins, bits = self._best(layer, table, one - zero)
        same = torch.equal(pins, self.pins[layer][table])
        if same and torch.equal(bits, self.bits[layer][table]):
            return False
        self._put(layer, table, pins, bits)
        return True

    def _put(self, layer: int, table: int, pins: Tensor, bits: Tensor) -> None:
        new = looked_up(pins, bits, self.values[layer])
        self.scores = self._scores_with(layer, table, new)
        for at, number, values in list(self._changes(layer, table, new)):
            self.values[at + 1][number] = values
        self.pins[layer][table], self.bits[layer][table] = pins, bits

    def _scores_with(self, layer: int, table: int, values: Tensor) -> Tensor:
        """Return the scores if a table had other values, (rows,)."""
        scores, each, last = self.scores.clone(), len(self.votes), len(self.pins) - 1
        for at, number, new in self._changes(layer, table, values):
            if at == last:
                change = new.float() - self.values[-1][number].float()
                scores[number // each] += self.votes[number % each] * change
        return scores

    def _changes(self, layer: int, table: int, values: Tensor) -> Iterator[tuple[int, int, Tensor]]:
        """Yield layer, table and values of a table with other values, and of all that read it."""
        changed = {table: values}
        yield layer, table, values
        for at in range(layer + 1, len(self.pins)):
            pins, before = self.pins[at], changed
            sources = torch.tensor(sorted(before), device=pins.device)
            changed = {}
            for number in torch.isin(pins, sources).any(1).nonzero()[:, 0].tolist():
                new = looked_up(pins[number], self.bits[at][number], self.values[at], before)
                changed[number] = new
                yield at, number, new

    def _best(self, layer: int, table: int, d: Tensor) -> tuple[Tensor, Tensor]:
        """Return wires and bits with the least sum of `d` over the rows where the table is 1."""
        pins, values = self.pins[layer][table].clone(), self.values[layer]
        index = _index(pins, values)
        cells = _cells(index, d)
        if self.share[layer] == 1:
            for j in torch.randperm(K, generator=self.random).tolist():
                wire = self._proposed(index, j, d, values)
                other = index & ~(1 << j) | values[wire].long() << j
                found = _cells(other, d)
                gain = cells.clamp(max=0).sum() - found.clamp(max=0).sum()
                if float(gain) > LEAST_GAIN * len(d):
                    pins[j], index, cells = wire, other, found
        # Entries that no row reads, or that make no difference, stay as they are.
        noise = self.sigmas * _cells(index, d.square()).sqrt() if self.sigmas else 0.0
        bits = torch.where(
            cells.abs() <= noise, self.bits[layer][table], (cells < 0).to(torch.uint8)
        )
        return pins, bits

    def _proposed(self, index: Tensor, pin: int, d: Tensor, values: Tensor) -> int:
        """Return the wire that would be best at a pin, the other five as they are."""
        most = PROPOSING.get(d.device.type, CHUNK)
        kind = torch.bfloat16 if d.is_cuda else torch.float32
        step = -(-len(d) // most)
        if step > 1:
            some = slice(int(torch.randint(step, (), generator=self.random)), None, step)
            index, d, values = index[some], d[some], values[:, some]
        five = (index & ((1 << pin) - 1)) | (index >> (pin + 1) << pin)
        spread = torch.zeros((ROWS // 2, len(d)), dtype=kind, device=d.device)
        spread.scatter_(0, five[None], d.to(kind)[None])
        one = torch.zeros((ROWS // 2, len(values)), device=d.device)
        for part, wires in zip(spread.split(CHUNK, 1), values.split(CHUNK, 1), strict=True):
            one += (part @ wires.to(kind).t()).float()
        zero = spread.float().sum(1, keepdim=True) - one
        return int((one.clamp(max=0) + zero.clamp(max=0)).sum(0).argmin())


def _index(pins: Tensor, values: Tensor, other: dict[int, Tensor] | None = None) -> Tensor:
    """Return which entry every row reads, int64; `other` replaces values of some wires."""
    out = torch.zeros(values.shape[1], dtype=torch.int64, device=values.device)
    for j, wire in enumerate(pins.tolist()):
        bit = other[wire] if other and wire in other else values[wire]
        out |= bit.long() << j
    return out


def looked_up(
    pins: Tensor, bits: Tensor, values: Tensor, other: dict[int, Tensor] | None = None
) -> Tensor:
    """Return what a table gives, (rows,), of wires (wires, rows); `other` replaces some of them."""
    return bits[_index(pins, values, other)]


def _cells(index: Tensor, d: Tensor) -> Tensor:
    return torch.bincount(index, d.double(), ROWS)
