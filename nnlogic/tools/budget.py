"""What a search may spend: seconds, and the patience of its user.

A search that has something to show ends when its budget is spent, and gives the best so far. It
says where it may end (`Budget.searching`, `Budget.spent`); what it calls, programs included, needs
to know nothing of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LEAST_SECONDS = 1.0
"""What a step that has begun gets, although the budget is spent."""


class Budget:
    """Seconds of one search, in this process or another.

    Parameters
    ----------
    seconds : float
        From now on.
    keeps : bool
        Whether an interrupt (SIGINT, SIGTERM) ends the search and keeps the best so far, instead
        of ending the command. The second interrupt always ends the command.
    within : Budget, optional
        A larger budget that this one is a part of.

    Attributes
    ----------
    interrupted : bool
        Whether the user has ended the search.
    """

    def __init__(
        self, seconds: float = math.inf, *, keeps: bool = False, within: Budget | None = None
    ) -> None:
        self._end = time.monotonic() + seconds
        self.keeps, self.within, self.interrupted = keeps, within, False

    @property
    def left(self) -> float:
        """Seconds that are left; none when the user has interrupted."""
        own = 0.0 if self.interrupted else max(0.0, self._end - time.monotonic())
        return own if self.within is None else min(own, self.within.left)

    @property
    def spent(self) -> bool:
        """Whether the search has to end."""
        return self.left <= 0

    def within_timeout(self, timeout: float) -> float:
        """Return the seconds for a part of the search that would get `timeout`."""
        return min(timeout, max(LEAST_SECONDS, self.left))

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Keep what was found when the user interrupts inside the block, which then ends.

        Raises
        ------
        KeyboardInterrupt
            Nothing keeps results here, or the user interrupts for the second time.
        """
        try:
            yield
        except KeyboardInterrupt:
            keeper = self._keeper()
            if keeper is None or keeper.interrupted:
                raise
            keeper.interrupted = True

    def _keeper(self) -> Budget | None:
        if self.keeps:
            return self
        return None if self.within is None else self.within._keeper()

    def __getstate__(self) -> dict[str, Any]:
        # Another machine has another monotonic clock, and no user at its terminal.
        left = self.left
        return {"ends": time.time() + left if left < math.inf else math.inf}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["ends"] - time.time())  # type: ignore[misc]


ENDLESS = Budget()
_BUDGET: ContextVar[Budget] = ContextVar("budget", default=ENDLESS)


def budget() -> Budget:
    """Return the budget of the search that is going on."""
    return _BUDGET.get()


@contextmanager
def spending(what: Budget) -> Iterator[Budget]:
    """Have searches inside the block keep to a budget."""
    before = _BUDGET.set(what)
    try:
        yield what
    finally:
        _BUDGET.reset(before)
