"""Recipes of populations, as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.limits import WEIGHTS
from nnlogic.core.windows import Frame
from nnlogic.model.window import WindowSpec
from nnlogic.train.recipe_data import data_meta, data_problems
from nnlogic.train.tasks import KEYS, TASKS, task_problems

SHAPES = ("luts", "sums")
OUTPUT_BITS, MOST_OUTPUT_BITS = 6, 16
UNUSED = {
    **KEYS, "output_bits": OUTPUT_BITS, "latent": 0, "descend": 0, "cpu_steps": 0, "cpu_batch": 0,
}  # fmt: skip
"""Ingredients of a recipe that do nothing at these values."""


@dataclass(frozen=True, slots=True)
class PopulationRecipe:
    """A population of networks of one shape, trained at once; the best on validation rows stays.

    Attributes
    ----------
    name : str
    dataset : str
        A name `nnlogic.data.load` knows, or the path of a table; in a file relative to it.
    shape : str
        ``"luts"``: layers of 6-input tables and votes; ``"sums"``: sums of one-feature tables.
    input_bits : int
        Bits of every input code.
    input_method : str
        ``"uniform"``, ``"quantile"`` or ``"fixed"``, see `nnlogic.nn.fit_thresholds`.
    widths, votes, share : tuples of int
        See `nnlogic.nn.population.LutPopulation`.
    frame : tuple of int
        Rows and columns of the input as a map, with channels before them where there
        are several, the columns of the rows being channel after channel; empty where it is none.
    windows : tuple of WindowSpec
        Kernels of tables on the windows of the map, before the layers of `widths`; or the window
        of the hidden sums.
    functions : int
        Learned functions per feature; on a map per channel, the same at all places.
    hidden, hidden_bits, shift, code_bits, group, hidden_group, spread
        See `nnlogic.nn.population.SumPopulation`.
    members : int
        Networks trained side by side, from different starts.
    steps, batch : int
    cpu_steps, cpu_batch : int
        In place of these where there is no GPU; 0 for the same.
    soft : float
        Part of the run with soft tables.
    sharpness : float
        Slope of the soft tables at their end; 1 at the start.
    smooth, spread_gradient
        See `nnlogic.nn.population.luts.Phase`.
    rate_wires, rate_tables, rate_functions, rate_steps, rate_scale : float
        Adam's rates at their peak; a short warm-up, then a cosine.
    distill, temperature : float
        Weight and temperature of the teacher's distribution in the loss; 0 for no teacher.
    copies : int
        Perturbed copies of the training rows.
    shake : float
        How far the copies are perturbed, see `nnlogic.train.teacher.shake_image`.
    plain : float
        Share of a batch drawn from the unperturbed rows alone at the end of the run; it grows
        from 0.
    bit_cost : float
        Loss per table bit (``"sums"``), grown over the first half of the run.
    refine_steps : int
        Steps at the end in which the tables are trained again at fixed bits (``"sums"``), see
        `nnlogic.train.refine`; 0 for none.
    descend : int
        Passes at the end over all tables of `widths`, each of which gets the best wires and bits
        for the training rows (``"luts"``), see `nnlogic.train.descend`; 0 for none.
    balance : float
        How far rare classes count as much as common ones, in the loss and in the choice of the
        member: a row of class c weighs ``(rows / (classes * rows of c)) ** balance``; 0 for all
        rows alike, 1 for all classes alike.
    task, loss, quantile
        What is trained for, see `nnlogic.train.tasks`.
    latent : int
        Of an autoencoder: which layer of `widths` gives the latent code, from 0 (``"luts"``); of
        ``"sums"`` the hidden codes are that.
    output_bits : int
        Bits of the codes that reach over the range of a quantity (``"sums"``); of ``"luts"`` the
        votes say it.
    seed : int
    label, targets, test, drop, missing
        How a table is read, see `nnlogic.data.own.Choices`; `test` is a path, too.
    teacher : str
        Path of predictions or of a model to learn from, see `nnlogic.train.given_teacher`; without,
        `distill` trains one.
    """

    name: str
    dataset: str
    shape: str = "luts"
    input_bits: int = 6
    input_method: str = "uniform"
    widths: tuple[int, ...] = ()
    votes: tuple[int, ...] = ()
    share: tuple[int, ...] = ()
    frame: tuple[int, ...] = ()
    windows: tuple[WindowSpec, ...] = ()
    functions: int = 0
    hidden: int = 8
    hidden_bits: int = 5
    shift: int = 1
    code_bits: int = 0
    group: int = 1
    hidden_group: int = 1
    spread: float = 4.0
    members: int = 4
    steps: int = 16000
    batch: int = 2048
    cpu_steps: int = 0
    cpu_batch: int = 0
    soft: float = 0.6
    sharpness: float = 5.0
    smooth: float = 0.8
    spread_gradient: bool = True
    rate_wires: float = 0.02
    rate_tables: float = 0.02
    rate_functions: float = 0.02
    rate_steps: float = 0.005
    rate_scale: float = 0.002
    distill: float = 0.9
    temperature: float = 1.0
    copies: int = 4
    shake: float = 1.0
    plain: float = 0.0
    bit_cost: float = 0.0
    refine_steps: int = 0
    descend: int = 0
    balance: float = 0.0
    task: str = "classification"
    loss: str = "squared"
    quantile: float = 0.5
    latent: int = 0
    output_bits: int = OUTPUT_BITS
    seed: int = 0
    label: str = ""
    targets: tuple[str, ...] = ()
    test: str = ""
    drop: tuple[str, ...] = ()
    missing: str = "refuse"
    teacher: str = ""

    @property
    def state_name(self) -> str:
        """File of the state of a run, in its folder."""
        return f"{self.name}.state.pt"

    @property
    def first_frame(self) -> Frame | None:
        """The input as a map, its channels the bits of a feature."""
        return self._frame() if self.windows else None

    def _frame(self) -> Frame:
        *channels, rows, columns = self.frame
        wires = self.input_bits + self.functions if self.shape == "luts" else 1
        return Frame(wires * math.prod(channels), rows, columns)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the values."""
        out = WEIGHTS.problems("members, widths", self.members * (sum(self.widths) or 1) * 64)
        out += self._window_problems()
        if self.shape not in SHAPES:
            out.append(Problem("shape", f"{self.shape!r}, known are {', '.join(SHAPES)}"))
        if self.shape == "luts" and not self.widths:
            out.append(Problem("widths", "at least one layer"))
        if self.shape == "luts":
            for key in ("bit_cost", "refine_steps"):
                if getattr(self, key):
                    why = f'{getattr(self, key)}, but tables of shape "luts" have one bit each'
                    out.append(Problem(key, why, "leave it out"))
        elif self.descend:
            why = f'{self.descend}, but it is for tables of shape "luts"'
            out.append(Problem("descend", why, "refine_steps, or leave it out"))
        if self.share and len(self.share) != len(self.widths):
            out.append(Problem("share", f"{len(self.share)} values for {len(self.widths)} layers"))
        for width, same in zip(self.widths, self.share or (1,) * len(self.widths), strict=False):
            if width < 1 or same < 1 or width % same:
                out.append(Problem("widths", f"{width} tables in groups of {same}"))
        least = {"members": 1, "steps": 1, "batch": 2, "copies": 0, "functions": 0, "shift": 0}
        least |= {"hidden": 1, "hidden_bits": 1, "input_bits": 1, "refine_steps": 0, "shake": 0}
        least |= {"descend": 0, "cpu_steps": 0, "cpu_batch": 0}
        for key, bound in least.items():
            if getattr(self, key) < bound:
                out.append(Problem(key, f"{getattr(self, key)}, at least {bound}"))
        for key in ("soft", "distill", "smooth", "plain"):
            if not 0 <= getattr(self, key) <= 1:
                out.append(Problem(key, f"{getattr(self, key)}, need 0 to 1"))
        if not 1 <= self.output_bits <= MOST_OUTPUT_BITS:
            why = f"{self.output_bits}, allowed 1 to {MOST_OUTPUT_BITS}"
            out.append(Problem("output_bits", why))
        elif self.output_bits != OUTPUT_BITS and (self.shape == "luts" or self.task == TASKS[0]):
            why = f'{self.output_bits}, but it is for quantities of shape "sums"'
            out.append(Problem("output_bits", why, "leave it out"))
        auto = self.task == TASKS[2]
        if self.latent and (not auto or self.shape != "luts"):
            why = f"{self.latent}, with task {self.task!r} and shape {self.shape!r}"
            out.append(Problem("latent", why, "leave it out"))
        elif auto and self.shape == "luts" and not 0 <= self.latent < len(self.widths) - 1:
            why = f"{self.latent} of {len(self.widths)} layers, the last of which is the output"
            out.append(Problem("latent", why, "a layer before the last of widths, from 0"))
        return out + task_problems(self) + data_problems(self)

    def on_cpu(self) -> PopulationRecipe:
        """Return the recipe as it is trained where there is no GPU."""
        steps, batch = self.cpu_steps or self.steps, self.cpu_batch or self.batch
        return replace(self, steps=steps, batch=batch, cpu_steps=0, cpu_batch=0)

    def on_gpu(self) -> PopulationRecipe:
        """Return the recipe as it is trained on a GPU."""
        return replace(self, cpu_steps=0, cpu_batch=0)

    @property
    def latent_layer(self) -> str:
        """Name of the layer whose wires are the latent code of an autoencoder; empty of others."""
        if self.task != TASKS[2]:
            return ""
        return f"luts{self.latent}" if self.shape == "luts" else "edges0_code"

    def levels(self, outputs: int) -> tuple[int, int]:
        """Return how many codes each of so many quantities has, or is to have, and the lowest."""
        if self.shape == "sums":
            return 1 << self.output_bits, -(1 << self.output_bits) // 2
        return sum(self.votes or (1,) * (self.widths[-1] // outputs)) + 1, 0

    def _window_problems(self) -> list[Problem]:
        if not self.windows:
            why = f"{list(self.frame)}, but there are no windows"
            return [Problem("frame", why, "add [[windows]]")] if self.frame else []
        if len(self.frame) not in (2, 3) or min(self.frame) < 1:
            why = f"{list(self.frame)}, need rows and columns of the input, or channels before them"
            return [Problem("frame", why, "1 row for data of one dimension")]
        out = []
        if self.shape == "sums":
            out += self._sum_window_problems()
        frame = self._frame()
        for i, spec in enumerate(self.windows):
            found = spec.problems(frame)
            if found:
                out += [Problem(f"window {i} on {frame}", why) for why in found]
                # Behind it there is no map, so only what does not depend on one can be said.
                rest = enumerate(self.windows[i + 1 :], i + 1)
                return out + [Problem(f"window {j}", w) for j, s in rest for w in s.malformed()]
            frame = spec.after(frame)
        return out

    def _sum_window_problems(self) -> list[Problem]:
        """Return what a window of sums cannot have."""
        found: list[str] = []
        if any(w.malformed() for w in self.windows):
            return []
        if len(self.windows) != 1 or self.windows[0].widths != (self.hidden,):
            found.append(f"{len(self.windows)} of them; need one, with widths = [{self.hidden}]")
        if any(any(w.padding) or w.pooling.taps > 1 for w in self.windows):
            found.append("padding or pooling")
        if self.code_bits or self.hidden_group > 1:
            found.append("code_bits or hidden_group")
        return [Problem("windows", f'with shape "sums": {why}') for why in found]

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form; what does nothing is left out, as before there were such keys."""
        meta = data_meta(asdict(self))
        if not self.windows:
            del meta["windows"], meta["frame"]
        return {key: meta[key] for key in meta if meta[key] != UNUSED.get(key)}


def check_fit(recipe: PopulationRecipe, features: int, outputs: int) -> None:
    """Check a recipe against features and classes, or quantities, of its data set.

    Raises
    ------
    UsageError
        The last layer does not split evenly into votes, `votes` has not a weight for each, or the
        features do not fill the frame.
    """
    if recipe.shape != "luts":
        return
    problems = []
    each, over = divmod(recipe.widths[-1], outputs)
    what, one = ("classes", "class") if recipe.task == TASKS[0] else ("quantities", "quantity")
    if over:
        why = f"{recipe.widths[-1]} tables vote for {outputs} {what}, which leaves {over} over"
        fix = " or ".join(str(n * outputs) for n in (each, each + 1) if n)
        problems.append(Problem("widths", why, fix))
    elif recipe.votes and len(recipe.votes) != each:
        why = f"{len(recipe.votes)} weights for {each} votes per {one}"
        problems.append(Problem("votes", why, f"give {each}, or leave it out"))
    if recipe.windows and math.prod(recipe.frame) != features:
        sides = " x ".join(map(str, recipe.frame))
        why = f"{sides} = {math.prod(recipe.frame)} places for {features} features"
        problems.append(Problem("frame", why, "rows times columns as many as features"))
    if problems:
        raise UsageError("recipe does not fit the data", where=recipe.name, problems=problems)
