"""The Optuna study behind a search: storage, what is finished, and what was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nnlogic.core.errors import ToolNotFound, UsageError

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

DIRECTIONS = ("maximize", "minimize")
ILP = "ilp"
SAMPLERS = ("cluster", "tpe", "random", ILP)
WHY, WORKER = "why", "worker"


def open_study(name: str, storage: str, resume: bool) -> Study:
    """Create a study, or open one to go on or to join.

    Parameters
    ----------
    name : str
    storage : str
        A database URL as SQLAlchemy takes it, ``sqlite:///study.db``; or the path of a journal
        file, which ends in ``.log`` and may lie on a shared file system.
    resume : bool

    Raises
    ------
    UsageError
        The study exists and `resume` is off; or the storage cannot be used.
    ToolNotFound
        Optuna is not installed.
    """
    optuna = _optuna()
    try:
        opened = _storage(storage)
        known = [s.study_name for s in optuna.get_all_study_summaries(opened)]
        if name in known and not resume:
            raise UsageError(
                "the storage already holds this search",
                where=storage,
                why=f"a study called {name!r}",
                fix="go on or join it (--resume), or choose another folder or storage",
            )
        return optuna.create_study(
            study_name=name, storage=opened, directions=DIRECTIONS, load_if_exists=True
        )
    except (OSError, ImportError, _database_error()) as error:
        raise UsageError(
            "the storage of the search cannot be used",
            where=storage,
            why=str(error).splitlines()[0],
            fix="sqlite:///FILE.db, a journal FILE.log, or a database URL with its driver",
        ) from error


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            "optuna is needed and not installed", fix="pip install 'nnlogic[train]'"
        ) from error
    # Its log lines repeat the progress.
    optuna.logging.set_verbosity(logging.WARNING)
    return optuna


def _database_error() -> type[Exception]:
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _storage(storage: str) -> Any:
    if not storage.endswith(".log"):
        return storage
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(storage))


def finished(study: Study) -> list[FrozenTrial]:
    """Return the trials that gave a result."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def settled(study: Study) -> int:
    """Return how many trials count: finished ones, and ones that cannot be built."""
    from optuna.trial import TrialState

    failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    return len(finished(study)) + sum(WHY in t.user_attrs for t in failed)


def waiting(study: Study) -> bool:
    """Whether points are left that were given to be tried."""
    from optuna.trial import TrialState

    return bool(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


def release(study: Study, trial: FrozenTrial | Trial, params: Mapping[str, int]) -> None:
    """Give up a trial whose work was interrupted; its point will be tried again."""
    from optuna.trial import TrialState

    study.tell(trial.number, state=TrialState.FAIL)
    study.enqueue_trial(dict(params))


def refuse(study: Study, trial: Trial, why: str) -> None:
    """Give up a trial whose network cannot be built; it counts."""
    from optuna.trial import TrialState

    trial.set_user_attr(WHY, why)
    study.tell(trial, state=TrialState.FAIL)


def release_interrupted(study: Study, worker: int) -> None:
    """Release what this worker left running when it was last stopped."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(WORKER) == worker:
            release(study, trial, trial.params)


def distributions_of(
    choices: Mapping[str, Sequence[int]],
) -> dict[str, CategoricalDistribution]:
    """Return Optuna's form of choices."""
    from optuna.distributions import CategoricalDistribution

    return {name: CategoricalDistribution(tuple(values)) for name, values in choices.items()}


def add(
    study: Study,
    choices: Mapping[str, Sequence[int]],
    params: Mapping[str, int],
    values: Sequence[float],
    attrs: Mapping[str, Any],
) -> None:
    """Add a point whose result is known."""
    from optuna.trial import create_trial

    distributions = distributions_of(choices)
    own = {name: params[name] for name in distributions}
    study.add_trial(
        create_trial(
            params=own,
            distributions=dict(distributions),
            values=list(values),
            user_attrs=dict(attrs),
        )
    )


def enqueue(study: Study, choices: Mapping[str, Sequence[int]], params: Mapping[str, int]) -> None:
    """Have a point tried before anything is proposed, unless it is known already."""
    study.enqueue_trial({name: params[name] for name in choices}, skip_if_exists=True)


def sampler_for(
    kind: str,
    study: Study,
    choices: Mapping[str, Sequence[int]],
    seed: Sequence[int],
    accept: Any,
) -> tuple[BaseSampler, dict[str, Any]]:
    """Return the sampler for the next trial, and the distributions to ask for.

    The seed counts finished trials, so that a search goes on as if never interrupted.
    """
    from optuna.samplers import TPESampler

    from nnlogic.train.search_sampler import ClusterSampler

    space = distributions_of(choices)
    if kind == "tpe":
        number = len(finished(study))
        mixed = sum(s * 1_000_003**i for i, s in enumerate([number, *seed])) % (1 << 31)
        return TPESampler(seed=mixed), space
    return ClusterSampler(space, seed, accept, guided=kind == "cluster"), space


def front(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials no other one beats in both accuracy and LUTs, cheapest first."""
    out: list[FrozenTrial] = []
    for trial in sorted(trials, key=lambda t: (t.values[1], -t.values[0], t.number)):
        if not out or trial.values[0] > out[-1].values[0]:
            out.append(trial)
    return out


def study_folder(out: Path) -> str:
    """Return the default storage of a search in a folder."""
    file = str((out / "study.db").resolve())
    if quote(file) == file:
        return f"sqlite:///{file}"
    # Both the library that opens the URL and SQLite itself decode it.
    return f"sqlite:///file:{quote(quote(file))}?uri=true"
