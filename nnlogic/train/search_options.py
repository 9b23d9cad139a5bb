"""How a search goes, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.errors import Problem
from nnlogic.train import search_study as studies
from nnlogic.train.sensitivity import METHODS

COMPILED, PREDICTED = LUTS = "compiled", "predicted"


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
    target, backend : str
        Device and backend that trials are designed for; ``""`` for LUT6 of the whole network, and
        no device.
    max_latency : float
        Nanoseconds that a design may take; 0 for any.
    samples_per_second : float
        That a design has to take; 0 for any.
    supernet : int
        Epochs of the largest network of the space, whose weights all trials begin with, see
        `nnlogic.train.supernet`; 0 for none.
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
    target: str = ""
    backend: str = ""
    max_latency: float = 0.0
    samples_per_second: float = 0.0
    supernet: int = 0
    worker: int = 0
    seed: int = 0

    @property
    def designed(self) -> bool:
        """Whether a design is chosen for every trial, instead of its LUTs counted."""
        return bool(self.target or self.backend or self.max_latency or self.samples_per_second)

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
        if self.designed and self.luts == PREDICTED:
            why = f"{PREDICTED!r} is of no device, and one or budgets of one were given"
            out.append(Problem("luts", why))
        least = {
            "trials": 1, "epochs": 0, "epoch_rows": 0, "budget": 0, "worker": 0, "seed": 0,
            "max_latency": 0, "samples_per_second": 0, "supernet": 0,
        }  # fmt: skip
        for key, bound in least.items():
            if getattr(self, key) < bound:
                out.append(Problem(key, f"{getattr(self, key)}, at least {bound}"))
        return out


@dataclass(frozen=True)
class Designed:
    """What a backend makes of a network.

    Attributes
    ----------
    luts : int
    design : str
        Backend and figures, in words.
    """

    luts: int
    design: str


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
    design : str
        Backend and figures of what was chosen for it, in words; empty where none was asked for.
    """

    trial: int
    validation: float
    luts: int
    params: dict[str, int]
    checkpoint: Path
    design: str = ""


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
