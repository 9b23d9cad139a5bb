"""Planted faults in MacNets, one of each kind: what a wrong lowering would look like."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from nnlogic.backends.mac.checks.proof import prove_mac
from nnlogic.backends.mac.model.ir import CONSTANT, P_BITS, AddSlice, MacNet, MacSlice, SliceChain
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import InputError, IRError
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

TRIES = 100
Random = np.random.Generator


def planted_mac_faults(
    net: QuantNet, mac: MacNet, tail: QuantNet, *, codes: IntArray, seed: int = 0
) -> Iterator[tuple[str, Verdict]]:
    """Plant each kind of fault where `codes` show it, and run the proof that must catch it.

    Parameters
    ----------
    net, mac, tail
        As for `nnlogic.backends.mac.checks.proof.prove_mac`.
    codes : int array, shape (samples, inputs)
    seed : int

    Yields
    ------
    title : str
        Kinds for which no chain is long or wide enough are left out.
    verdict : Verdict
        `equal` says whether the proof caught the fault.

    Raises
    ------
    IRError
        No fault of a kind shows on these rows.
    """
    good = mac.evaluate(codes)
    rng = np.random.default_rng(seed)
    for title, plant in FAULTS.items():
        if all(plant(chain, rng) is None for chain in mac.chains):
            continue
        start = time.monotonic()
        for _ in range(TRIES):
            index = int(rng.integers(len(mac.chains)))
            chain = plant(mac.chains[index], rng)
            if chain is None:
                continue
            chains = (*mac.chains[:index], chain, *mac.chains[index + 1 :])
            wrong = replace(mac, chains=chains)
            try:
                shows = bool((wrong.evaluate(codes) != good).any())
            except InputError:
                shows = True
            if shows:
                break
        else:
            raise IRError(f"no {title} shows on these rows", where=mac.name, why=f"{TRIES} tried")
        verdict = prove_mac(net, wrong, tail)
        found = Verdict(
            "planted fault", "what the proof says", not verdict.equal, "proved",
            detail=verdict.detail, where=verdict.where or f"chain {index}",
        )  # fmt: skip
        yield title, found.timed(start)


def wrong_weight(chain: SliceChain, rng: Random) -> SliceChain | None:
    """Change the weight of one neuron on one slice by one, or exchange two bits of a word."""
    k = int(rng.integers(len(chain.slices)))
    s = chain.slices[k]
    if isinstance(s, AddSlice):
        # A word with two bits exchanged.
        places = [i for i in range(1, len(s.ab)) if s.ab[i] != s.ab[i - 1]]
        if not places:
            return None
        at = int(rng.choice(places))
        ab = (*s.ab[: at - 1], s.ab[at], s.ab[at - 1], *s.ab[at + 1 :])
        return _with(chain, {k: replace(s, ab=ab)})
    f = chain.fields[int(rng.integers(len(chain.fields)))]
    weight = s.weight + (1 << f.shift)
    return _with(chain, {k: replace(s, weight=weight)})


def wrong_delay(chain: SliceChain, rng: Random) -> SliceChain:
    """Give one input a register more."""
    k = int(rng.integers(len(chain.slices)))
    return _with(chain, {k: replace(chain.slices[k], delay=chain.slices[k].delay + 1)})


def wrong_order(chain: SliceChain, rng: Random) -> SliceChain | None:
    """Exchange two slices of the cascade, with the registers before them."""
    if len(chain.slices) < 3:
        return None
    a, b = rng.choice(np.arange(1, len(chain.slices)), 2, replace=False).tolist()
    left, right = chain.slices[a], chain.slices[b]
    return _with(
        chain, {a: replace(right, addend=left.addend), b: replace(left, addend=right.addend)}
    )


def wrong_shift(chain: SliceChain, rng: Random) -> SliceChain | None:
    """Move the topmost field up by a bit, but not the weights that make it."""
    top = chain.fields[-1]
    if top.shift + top.bits >= P_BITS:
        return None
    return replace(chain, fields=(*chain.fields[:-1], replace(top, shift=top.shift + 1)))


def wrong_constant(chain: SliceChain, rng: Random) -> SliceChain:
    """Forget what keeps the lowest sum from going below zero."""
    field = chain.fields[0]
    start = chain.constant % (1 << field.bits)
    return replace(chain, constant=(chain.constant - (start or 1)) % (1 << P_BITS))


def wrong_sign(chain: SliceChain, rng: Random) -> SliceChain | None:
    """Let a slice add what it should subtract, or the other way: its ALUMODE is another."""
    places = [k for k, s in enumerate(chain.slices) if isinstance(s, AddSlice)]
    if not places:
        return None
    k = int(rng.choice(places))
    s = chain.slices[k]
    return (
        _with(chain, {k: replace(s, negative=not s.negative)}) if isinstance(s, AddSlice) else None
    )


def wrong_addend(chain: SliceChain, rng: Random) -> SliceChain | None:
    """Let a slice start a new sum: its OPMODE takes port C instead of the cascade."""
    places = [k for k, s in enumerate(chain.slices) if k and not (isinstance(s, AddSlice) and s.c)]
    if not places:
        return None
    k = int(rng.choice(places))
    return _with(chain, {k: replace(chain.slices[k], addend=CONSTANT)})


FAULTS: dict[str, Callable[[SliceChain, Random], SliceChain | None]] = {
    "fault in a weight": wrong_weight,
    "fault in a delay": wrong_delay,
    "fault in the order of a cascade": wrong_order,
    "fault in the place of a field": wrong_shift,
    "fault in a constant": wrong_constant,
    "fault in an addend": wrong_addend,
    "fault in a sign": wrong_sign,
}


def _with(chain: SliceChain, changed: dict[int, MacSlice | AddSlice]) -> SliceChain:
    slices = tuple(changed.get(k, s) for k, s in enumerate(chain.slices))
    return replace(chain, slices=slices)
