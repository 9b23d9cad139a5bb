"""Work in other processes, which keep to the limits of this one and end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from nnlogic.tools.guardian import GUARDIAN
from nnlogic.tools.limits import Limits, limited, limits

T = TypeVar("T")


def in_processes(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], jobs: int
) -> Iterator[T]:
    """Yield the result of each call, in their order.

    Processes are joblib's: inside ``joblib.parallel_config(backend="dask")`` calls go to a Dask
    cluster.

    Parameters
    ----------
    function : callable
        One that can be pickled.
    calls : iterable of tuple
        Arguments of each call.
    jobs : int
        Processes; with one, or for one call, everything happens here.
    """
    work = list(calls)
    if jobs == 1 or len(work) < 2:
        yield from (function(*call) for call in work)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(jobs, len(work)), return_as="generator")
    with GUARDIAN.inherited():
        yield from pool(delayed(_held)(limits(), function, call) for call in work)


def _held(to: Limits, function: Callable[..., T], call: tuple[Any, ...]) -> T:
    with limited(to):
        return function(*call)
