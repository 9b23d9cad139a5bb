"""Search bits, fan-in and width of a recipe: accuracy against compiled LUT6."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.frontend import load
from nnlogic.predict.cost import cost_model
from nnlogic.quant.ir import QuantNet
from nnlogic.train import search_study as studies
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_data import as_seen_from, load_dataset
from nnlogic.train.recipe_file import load_layered_recipe, recipe_text
from nnlogic.train.search_seeds import SEEDS, sensitivity_seeds
from nnlogic.train.search_space import SearchSpace, search_space
from nnlogic.train.sensitivity import METHODS
from nnlogic.train.trainer import train

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SPACE, IDENTITY = "space", "identity"
CHECKPOINT, REPEATED = "checkpoint", "repeated"
COMPILED, PREDICTED = LUTS = "compiled", "predicted"
UNSURE = 1.5
"""A point is not tried when it is predicted to miss the budget by more than this factor."""


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes
    ----------
    trials : int
        Networks to train and compile, all workers together.
    epochs, epoch_rows : int
        Of a trial, instead of the recipe's; 0 for the recipe's.
    budget : float
        LUT6 wanted; points far above it are not tried. 0 for none.
    sampler : str
        ``"cluster"``, ``"tpe"`` or ``"random"``; or ``"ilp"``: allocations by integer programming
        alone, at budgets from the cheapest to the dearest, and nothing once these are tried.
    sensitivity : str
        ``"fisher"``, ``"hutchinson"``, or ``"none"``: no seeds, nothing pruned.
    luts : str
        ``"compiled"``, or ``"predicted"``: trials are not compiled, only the front is.
    effort : str
        Of the compilation, for predictions.
    worker : int
        Number of this worker; worker 0 prepares the study.
    seed : int
    """

    trials: int = 40
    epochs: int = 0
    epoch_rows: int = 0
    budget: float = 0.0
    sampler: str = "cluster"
    sensitivity: str = "fisher"
    luts: str = "compiled"
    effort: str = "fast"
    worker: int = 0
    seed: int = 0

    def problems(self) -> list[Problem]:
        """Return what is wrong with the values."""
        out = []
        known = {"sampler": studies.SAMPLERS, "sensitivity": (*METHODS, "none"), "luts": LUTS}
        for key, names in known.items():
            if getattr(self, key) not in names:
                why = f"{getattr(self, key)!r}, known are {', '.join(names)}"
                out.append(Problem(key, why))
        if self.sampler == studies.ILP and self.sensitivity == "none":
            why = f"{self.sampler!r} allocates by sensitivities, and 'none' was asked for"
            out.append(Problem("sampler", why))
        least = {"trials": 1, "epochs": 0, "epoch_rows": 0, "budget": 0, "worker": 0, "seed": 0}
        for key, bound in least.items():
            if getattr(self, key) < bound:
                out.append(Problem(key, f"{getattr(self, key)}, at least {bound}"))
        return out


@dataclass(frozen=True)
class Found:
    """One network of the search.

    Attributes
    ----------
    trial : int
    validation : float
        Accuracy on validation rows; test rows take no part.
    luts : int
        Compiled, everything counted.
    params : dict of str to int
    checkpoint : Path
    """

    trial: int
    validation: float
    luts: int
    params: dict[str, int]
    checkpoint: Path


@dataclass(frozen=True)
class SearchResult:
    """What a search gave.

    Attributes
    ----------
    front : tuple of Found
        Networks no other one beats in both accuracy and LUTs, cheapest first.
    base : Found or None
        The recipe as it was given.
    within_budget : Found or None
        The most accurate one within the budget.
    trials : int
        With a result, of all workers.
    recipes : Path
        Folder with a recipe for each network of the front, to train at full length.
    seconds : float
        Of this call.
    """

    front: tuple[Found, ...]
    base: Found | None
    within_budget: Found | None
    trials: int
    recipes: Path
    seconds: float


def search(
    recipe: Recipe | str | Path,
    *,
    out: Path | str,
    luts: Callable[[QuantNet], int],
    predict: Callable[[QuantNet], float] | None = None,
    space: SearchSpace | None = None,
    options: SearchOptions | None = None,
    storage: str = "",
    data_dir: Path | str | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> SearchResult:
    """Train and compile variants of a recipe, and keep the best trade-offs.

    The first trial is the recipe itself. With sensitivities, allocations of bits and fan-in by
    integer programming come next, and prune the space; then the sampler proposes.

    Parameters
    ----------
    recipe : Recipe, name or path
    out : Path
        Folder for ``trials/``, ``pareto/`` and, by default, ``study.db``.
    luts : callable
        Compiles a network and returns its LUT6. `nnlogic.train` comes before compilation and does
        not know it.
    predict : callable, optional
        Predicts them for a trained network; needed where the options ask for that.
    space : SearchSpace, optional
        Default: `search_space` of the recipe.
    options : SearchOptions, optional
    storage : str
        See `nnlogic.train.search_study.open_study`; default: ``study.db`` in `out`.
    data_dir : Path, optional
    resume : bool
        Go on with a search, or join one.
    progress : Progress

    Raises
    ------
    UsageError
        Options that make no sense; the search exists and `resume` is off, or is another one; or
        the budget cannot be met.
    """
    start = time.monotonic()
    options = options or SearchOptions()
    problems = options.problems()
    if problems:
        raise UsageError("search options make no sense", problems=problems)
    recipe = recipe if isinstance(recipe, Recipe) else load_layered_recipe(recipe)
    space = space or search_space(recipe)
    folder = Path(out)
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "cannot write the output", where=str(folder), why=str(error), fix="choose another one"
        ) from error
    study = studies.open_study(recipe.name, storage or studies.study_folder(folder), resume)
    if options.luts == PREDICTED and predict is None:
        raise ValueError("nothing to predict LUTs with")
    run = _Search(study, space, options, folder, luts, predict, data_dir, progress)
    run.check_identity()
    studies.release_interrupted(study, options.worker)
    with progress.step(f"search {recipe.name}", options.trials) as step:
        step.advance(min(studies.settled(study), options.trials))
        if SPACE not in study.user_attrs:
            run.prepare()
            step.advance(1, run.note())
        while studies.settled(study) < options.trials and run.goes_on():
            run.next_trial()
            step.advance(1, run.note())
    return run.result(time.monotonic() - start)


@dataclass
class _Search:
    study: Study
    space: SearchSpace
    options: SearchOptions
    folder: Path
    luts: Callable[[QuantNet], int]
    predict: Callable[[QuantNet], float] | None
    data_dir: Path | str | None
    progress: Progress

    def check_identity(self) -> None:
        """Refuse to mix two searches in one study."""
        options = self.options
        choices = {name: list(values) for name, values in self.space.choices.items()}
        shared = [options.epochs, options.epoch_rows, options.budget, options.sensitivity]
        parts = [self.space.base.to_meta(), choices, shared, options.effort, options.seed]
        parts += [options.luts] * (options.luts != COMPILED)
        identity = json.dumps(parts, sort_keys=True)
        known = self.study.user_attrs.get(IDENTITY)
        if known is None:
            self.study.set_user_attr(IDENTITY, identity)
        elif known != identity:
            raise UsageError(
                "cannot go on with another search",
                where=self.study.study_name,
                why="its recipe, space, seed, budget or length of training differ from these",
                fix="give the same ones, or choose another folder or storage",
            )

    def prepare(self) -> None:
        """Train the base recipe, and seed and prune the search by its sensitivities."""
        if self.options.worker:
            raise UsageError(
                "the search is not prepared yet",
                where=self.study.study_name,
                why="worker 0 trains the first network and measures its layers",
                fix="start worker 0, and this one when its first trial is done",
            )
        base = self.space.base_params()
        values, checkpoint, _ = self.evaluate(base, 0)
        space, options = self.space, self.options
        seeds: tuple[dict[str, int], ...] = ()
        if options.sensitivity != "none" and space.base.plain:
            found = sensitivity_seeds(
                space,
                Path(checkpoint),
                load_dataset(space.base, self.data_dir),
                cost_model(options.effort),
                method=options.sensitivity,
                budget=options.budget,
                count=options.trials if options.sampler == studies.ILP else SEEDS,
            )
            space, seeds = found.space, found.params
        attrs = {"params": base, CHECKPOINT: checkpoint, studies.WORKER: 0}
        studies.add(self.study, space.choices, base, values, attrs)
        for point in seeds:
            studies.enqueue(self.study, space.choices, point)
        # Set last: other workers may start once it is there.
        choices = {name: list(offered) for name, offered in space.choices.items()}
        self.study.set_user_attr(SPACE, choices)

    def goes_on(self) -> bool:
        """Whether there is anything to propose."""
        return self.options.sampler != studies.ILP or studies.waiting(self.study)

    def next_trial(self) -> None:
        """Ask for a point, train and compile it, and tell what it gave."""
        choices = self.study.user_attrs[SPACE]
        # A choice that was pruned to one value is no longer a parameter: it stays as in the base.
        seed = (self.options.seed, self.options.worker)
        sampler, distributions = studies.sampler_for(
            self.options.sampler, self.study, choices, seed, self.accept
        )
        self.study.sampler = sampler
        trial = self.study.ask(distributions)
        trial.set_user_attr(studies.WORKER, self.options.worker)
        params = {**self.space.base_params(), **trial.params}
        try:
            values, checkpoint, repeated = self.evaluate(params, trial.number)
        except UnsupportedModel as error:
            studies.refuse(self.study, trial, str(error))
            return
        except BaseException:
            studies.release(self.study, trial, trial.params)
            raise
        trial.set_user_attr("params", params)
        trial.set_user_attr(CHECKPOINT, checkpoint)
        trial.set_user_attr(REPEATED, repeated)
        self.study.tell(trial, values)

    def accept(self, params: Mapping[str, int]) -> bool:
        """Whether a point can be built, and may meet the budget."""
        if not self.space.fits(params):
            return False
        budget = self.options.budget
        model = cost_model(self.options.effort)
        return not budget or self.space.luts(params, model) <= UNSURE * budget

    def evaluate(
        self, params: Mapping[str, int], number: int
    ) -> tuple[tuple[float, float], str, bool]:
        """Return accuracy and LUTs, the checkpoint, and whether they were known already."""
        for old in studies.finished(self.study):
            if old.user_attrs.get("params") == params:
                return (old.values[0], old.values[1]), old.user_attrs[CHECKPOINT], True
        if not self.space.fits(params):
            raise UnsupportedModel("neurons too wide to enumerate", why=json.dumps(dict(params)))
        recipe = self.space.recipe(params, f"{self.space.base.name}_{number}")
        options = self.options
        recipe = dataclasses.replace(
            recipe,
            epochs=options.epochs or recipe.epochs,
            epoch_rows=options.epoch_rows or recipe.epoch_rows,
            float_epochs=recipe.float_epochs if recipe.distill else 0,
        )
        place = self.folder / "trials" / f"{number:04}"
        result = train(recipe, out=place, data_dir=self.data_dir, resume=True)
        (place / recipe.state_name).unlink(missing_ok=True)
        size = self.luts if options.luts == COMPILED or self.predict is None else self.predict
        count = size(load(result.checkpoint))
        checkpoint = str(result.checkpoint.resolve())
        return (result.accuracy["validation"], float(count)), checkpoint, False

    def note(self) -> str:
        """Say where the front is."""
        best = studies.front(studies.finished(self.study))
        if not best:
            return "no network yet"
        last = best[-1]
        return (
            f"{len(best)} on the front, best {100 * last.values[0]:.2f} % at {last.values[1]:.0f}"
        )

    def result(self, seconds: float) -> SearchResult:
        """Write the recipes of the front and return all figures."""
        trials = studies.finished(self.study)
        best = studies.front(trials)
        recipes = self.folder / "pareto"
        recipes.mkdir(exist_ok=True)
        for trial in best:
            name = f"{self.space.base.name}_{trial.number}"
            accuracy, luts = trial.values
            comment = (
                f"{100 * accuracy:.2f} % of the validation rows at {luts:.0f} LUT6 in a trial."
            )
            own = self.space.recipe(trial.user_attrs["params"], name)
            write_bytes(
                recipes / f"{name}.toml", recipe_text(as_seen_from(own, recipes), comment).encode()
            )
        base = [t for t in trials if t.user_attrs["params"] == self.space.base_params()]
        found = _front([self._found(t) for t in best])
        fitting = [f for f in found if f.luts <= self.options.budget]
        return SearchResult(
            tuple(found),
            self._found(base[0]) if base else None,
            fitting[-1] if fitting else None,
            len(trials),
            recipes,
            seconds,
        )

    def _found(self, trial: FrozenTrial) -> Found:
        """Return a trial; what was predicted is compiled now."""
        accuracy, luts = trial.values
        attrs = trial.user_attrs
        checkpoint = Path(attrs[CHECKPOINT])
        count = int(luts) if self.options.luts == COMPILED else self.luts(load(checkpoint))
        return Found(trial.number, accuracy, count, attrs["params"], checkpoint)


def _front(found: Sequence[Found]) -> list[Found]:
    """Return the networks no other one beats in both accuracy and LUTs, cheapest first."""
    out: list[Found] = []
    for one in sorted(found, key=lambda f: (f.luts, -f.validation, f.trial)):
        if not out or one.validation > out[-1].validation:
            out.append(one)
    return out
