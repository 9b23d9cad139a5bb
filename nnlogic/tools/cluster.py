"""A Dask cluster in the place of worker processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from nnlogic.core.errors import ToolFailed, ToolNotFound

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

SECONDS = 20.0
"""Time for the scheduler to answer."""
_CLIENT: ContextVar[Client | None] = ContextVar("client", default=None)


def cluster() -> Client | None:
    """Return the client of the cluster that calls go to, if there is one."""
    return _CLIENT.get()


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Have calls inside the block go to a cluster; None leaves them here.

    Parameters
    ----------
    address : str, optional
        Of a scheduler, ``tcp://host:8786``. Its workers need this version of nnlogic and its tools.

    Raises
    ------
    ToolNotFound
        Dask is not installed.
    ToolFailed
        The scheduler does not answer.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            "Dask is needed for a cluster", fix="pip install 'nnlogic[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ToolFailed(
            "the cluster does not answer",
            where=address,
            why=str(error),
            fix="start it with: dask scheduler; dask worker ADDRESS",
        ) from error
    with client:
        before = _CLIENT.set(client)
        try:
            yield
        finally:
            _CLIENT.reset(before)


def submitted(
    client: Client, function: Callable[..., T], calls: list[tuple[Any, ...]]
) -> Iterator[T]:
    """Yield the result of each call on a cluster, in their order.

    A call whose worker dies is given to another one, so that nothing is lost; one that kills four
    workers is an error. What is not read any more is cancelled.
    """
    waiting: list[Any] = [client.submit(function, *call, pure=False) for call in calls]
    try:
        for i, future in enumerate(waiting):
            result: T = future.result()
            waiting[i] = None
            yield result
    finally:
        client.cancel([future for future in waiting if future is not None])
