"""Search bits, fan-in and width of a recipe: accuracy against compiled LUT6."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.frontend import load
from nnlogic.predict.cost import cost_model
from nnlogic.quant.ir import QuantNet
from nnlogic.train import search_study as studies
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_data import as_seen_from, load_dataset
from nnlogic.train.recipe_file import load_layered_recipe, recipe_text
from nnlogic.train.search_options import (
    COMPILED,
    PREDICTED,
    Designed,
    Found,
    SearchOptions,
    SearchResult,
)
from nnlogic.train.search_seeds import SEEDS, sensitivity_seeds
from nnlogic.train.search_space import SearchSpace, search_space
from nnlogic.train.supernet import largest
from nnlogic.train.trainer import train

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SPACE, IDENTITY, SUPERNET = "space", "identity", "supernet"
CHECKPOINT, REPEATED, DESIGN = "checkpoint", "repeated", "design"
UNSURE = 1.5
"""A point is not tried when it is predicted to miss the budget by more than this factor."""


def search(
    recipe: Recipe | str | Path,
    *,
    out: Path | str,
    luts: Callable[[QuantNet], int],
    predict: Callable[[QuantNet], float] | None = None,
    design: Callable[[QuantNet], Designed] | None = None,
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
    design : callable, optional
        Chooses a design for a network on the device and within the budgets of the options, or
        raises TargetMissed or UnsupportedModel; needed where the options name any. Its LUTs count.
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
    if options.designed != (design is not None):
        raise ValueError("a design is chosen where the options name a device or budgets of one")
    run = _Search(study, space, options, folder, luts, predict, design, data_dir, progress)
    if options.supernet and not space.base.plain:
        raise UsageError(
            "networks of this recipe cannot take over weights",
            where=recipe.name,
            why="its layers are not all linear sums",
            fix="search without a supernet",
        )
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


@dataclass(frozen=True)
class _Tried:
    """A point, trained; `attrs` are those of its trial."""

    values: tuple[float, float]
    attrs: dict[str, Any]


@dataclass
class _Search:
    study: Study
    space: SearchSpace
    options: SearchOptions
    folder: Path
    luts: Callable[[QuantNet], int]
    predict: Callable[[QuantNet], float] | None
    design: Callable[[QuantNet], Designed] | None
    data_dir: Path | str | None
    progress: Progress

    def check_identity(self) -> None:
        """Refuse to mix two searches in one study."""
        options = self.options
        choices = {name: list(values) for name, values in self.space.choices.items()}
        shared = [options.epochs, options.epoch_rows, options.budget, options.sensitivity]
        parts = [self.space.base.to_meta(), choices, shared, options.effort, options.seed]
        parts += [options.luts] * (options.luts != COMPILED)
        device = [options.target, options.backend, options.max_latency, options.samples_per_second]
        parts += device * options.designed
        parts += [options.supernet] * bool(options.supernet)
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
        if self.options.supernet:
            epochs = self.options.supernet
            self.study.set_user_attr(SUPERNET, str(self.train(largest(self.space), None, epochs)))
        checkpoint, tried = self.train(base, 0), None
        # The recipe itself may miss what its variants are to meet.
        with suppress(TargetMissed):
            tried = self.measured(base, checkpoint)
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
        if tried is not None:
            attrs = {**tried.attrs, studies.WORKER: 0}
            studies.add(self.study, space.choices, base, tried.values, attrs)
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
            tried = self.evaluate(params, trial.number)
        except (UnsupportedModel, TargetMissed) as error:
            studies.refuse(self.study, trial, str(error))
            return
        except BaseException:
            studies.release(self.study, trial, trial.params)
            raise
        for name, value in tried.attrs.items():
            trial.set_user_attr(name, value)
        self.study.tell(trial, tried.values)

    def accept(self, params: Mapping[str, int]) -> bool:
        """Whether a point can be built, and may meet the budget."""
        if not self.space.fits(params):
            return False
        budget = self.options.budget
        model = cost_model(self.options.effort)
        return not budget or self.space.luts(params, model) <= UNSURE * budget

    def evaluate(self, params: Mapping[str, int], number: int) -> _Tried:
        """Return what a point gave, now or before.

        Raises
        ------
        UnsupportedModel
            Its neurons are too wide, or no backend takes it.
        TargetMissed
            No design of it is within the budgets.
        """
        params = self.space.canonical(params)
        for old in studies.finished(self.study):
            attrs = old.user_attrs
            if self.space.canonical(attrs["params"]) == params:
                known = {k: attrs[k] for k in ("params", CHECKPOINT, DESIGN) if k in attrs}
                return _Tried((old.values[0], old.values[1]), {**known, REPEATED: True})
        if not self.space.fits(params):
            raise UnsupportedModel("neurons too wide to enumerate", why=json.dumps(params))
        return self.measured(params, self.train(params, number))

    def train(self, params: Mapping[str, int], number: int | None, epochs: int = 0) -> Path:
        """Train a point, or the supernet if it has no number, and return its checkpoint."""
        part = SUPERNET if number is None else str(number)
        recipe = self.space.recipe(params, f"{self.space.base.name}_{part}")
        options = self.options
        recipe = dataclasses.replace(
            recipe,
            epochs=epochs or options.epochs or recipe.epochs,
            epoch_rows=options.epoch_rows or recipe.epoch_rows,
            float_epochs=recipe.float_epochs if recipe.distill else 0,
        )
        place = self.folder / (SUPERNET if number is None else f"trials/{number:04}")
        checkpoint = place / f"{recipe.name}.safetensors"
        if not checkpoint.exists():
            start = None if number is None else self.study.user_attrs.get(SUPERNET)
            train(recipe, out=place, data_dir=self.data_dir, start=start, resume=True)
        (place / recipe.state_name).unlink(missing_ok=True)
        return checkpoint.resolve()

    def measured(self, params: Mapping[str, int], checkpoint: Path) -> _Tried:
        """Return accuracy and LUTs of a checkpoint, and the design that was chosen for it."""
        net = load(checkpoint)
        attrs: dict[str, Any] = {"params": dict(params), CHECKPOINT: str(checkpoint)}
        if self.design is not None:
            chosen = self.design(net)
            attrs[DESIGN], luts = chosen.design, float(chosen.luts)
        else:
            compiled = self.options.luts == COMPILED or self.predict is None
            luts = float(self.luts(net) if compiled or self.predict is None else self.predict(net))
        return _Tried((net.info["accuracy"]["validation"], luts), attrs)

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
            what = trial.user_attrs.get(DESIGN) or f"{luts:.0f} LUT6"
            comment = f"{100 * accuracy:.2f} % of the validation rows in a trial: {what}."
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
        design = attrs.get(DESIGN, "")
        return Found(trial.number, accuracy, count, attrs["params"], checkpoint, design)


def _front(found: Sequence[Found]) -> list[Found]:
    """Return the networks no other one beats in both accuracy and LUTs, cheapest first."""
    out: list[Found] = []
    for one in sorted(found, key=lambda f: (f.luts, -f.validation, f.trial)):
        if not out or one.validation > out[-1].validation:
            out.append(one)
    return out
