"""Proof and planted faults for a chain of kernels: the whole graph, kernel by kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from nnlogic.backends.dsp.checks.faults import FAULTS, TRIES
from nnlogic.backends.dsp.checks.program import NOTHING, follow, numbered
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.kernel_chain import ONE, KernelChain
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray

WORD_FAULT = "fault in a kept word"
ORDER_FAULT = "fault in the order of kernels"


def prove_chain(graph: OpGraph, chain: KernelChain) -> Verdict:
    """Prove that programs and host together compute an OpGraph, on every input.

    Every program is followed symbolically, as in
    `nnlogic.backends.dsp.checks.program.prove_program`, on the values that the host's words hold
    by then; how the graph was cut plays no part.
    """
    start = time.monotonic()
    detail, where = "", ""
    try:
        chain.verify()
    except IRError as error:
        detail, where = (error.problems[0].why, error.problems[0].where) if error.problems else (
            error.why, "")  # fmt: skip
    if (graph.inputs, graph.outputs) != (chain.inputs, chain.outputs):
        detail = "the ports differ"
    if detail:
        verdict = Verdict("OpGraph", "KernelChain", False, "proved", detail=detail, where=where)
        return verdict.timed(start)
    values = numbered(graph)
    known = graph.n_inputs + len(values.numbers)
    words = list(range(graph.n_inputs))
    for number, (program, source) in enumerate(zip(chain.programs, chain.sources, strict=True)):
        if len(source) != program.n_inputs or (source < 0).any():
            why = "it runs several times, or reads constants"
            return Verdict(
                "OpGraph", "KernelChain", False, "proved", why, f"kernel {number}"
            ).timed(start)  # fmt: skip
        emitted, strange = follow(program, values, [words[w] for w in source.tolist()], known)
        if strange and not where:
            where = f"kernel {number}, {strange}"
        places = zip(program.output_slice.tolist(), program.output_index.tolist(), strict=True)
        words += [emitted[i][e] if e < len(emitted[i]) else NOTHING for i, e in places]
    for bit, (signal, word) in enumerate(
        zip(graph.output_signals.tolist(), chain.output_words.tolist(), strict=True)
    ):
        if words[word] != values.of[signal]:
            detail = f"output bit {bit} is not word {word}"
            verdict = Verdict("OpGraph", "KernelChain", False, "proved", detail=detail, where=where)
            return verdict.timed(start)
    detail = (
        f"{chain.n_ops} operations followed through {chain.steps} steps of "
        f"{len(chain.programs)} kernels and {len(words)} words between them"
    )
    return Verdict("OpGraph", "KernelChain", True, "proved", detail=detail).timed(start)


Planted = tuple[KernelChain, str] | None


def planted_chain_faults(
    prove: Callable[[KernelChain], Verdict], chain: KernelChain, *, codes: IntArray, seed: int = 0
) -> Iterator[tuple[str, Verdict]]:
    """Plant each kind of fault where `codes` show it, and run the checks that must catch it.

    Parameters
    ----------
    prove : callable
        Checks a chain without looking at rows.
    chain : KernelChain
    codes : int array, shape (samples, inputs)
    seed : int

    Yields
    ------
    title : str
    verdict : Verdict
        `equal` says whether both interpreters and proof caught the fault.

    Raises
    ------
    IRError
        No fault of a kind shows on these rows.
    """
    for title in (*FAULTS, WORD_FAULT, ORDER_FAULT):
        start = time.monotonic()
        wrong, where = plant_chain(title, chain, codes, seed=seed)
        said = prove(wrong)
        yield title, Verdict(
            "planted fault", "what the checks say", not said.equal, said.how,
            detail="; ".join(t for t in (said.where, said.detail) if t), where=where,
        ).timed(start)  # fmt: skip


def plant_chain(
    title: str, chain: KernelChain, codes: IntArray, *, seed: int = 0
) -> tuple[KernelChain, str]:
    """Return a chain with one fault of a kind, which shows on `codes`, and where it is.

    Raises
    ------
    IRError
        No fault of the kind shows on these rows.
    """
    good = chain.evaluate(codes)
    rng = np.random.default_rng(seed)
    plant = {**CHAIN_FAULTS, **{name: _in_a_kernel(name) for name in FAULTS}}[title]
    for _ in range(TRIES):
        planted = plant(chain, rng)
        if planted is not None and (planted[0].evaluate(codes) != good).any():
            return planted
    raise IRError(f"no {title} shows on these rows", where=chain.name, why=f"{TRIES} tried")


def wrong_word(chain: KernelChain, rng: np.random.Generator) -> Planted:
    """Give a program another word than the one it should read."""
    kernel = int(rng.integers(len(chain.programs)))
    source = np.array(chain.sources[kernel])
    bit, word = int(rng.integers(len(source))), int(rng.integers(chain.starts[kernel]))
    if source[bit] == word:
        return None
    where = f"kernel {kernel} reads word {word} in place of {source[bit]}"
    source[bit] = word
    sources = [*chain.sources]
    sources[kernel] = frozen(source, np.int32)
    return replace(chain, sources=tuple(sources)), where


def swapped_order(chain: KernelChain, rng: np.random.Generator) -> Planted:
    """Exchange two kernels that follow each other; None when there is one only."""
    if len(chain.programs) < 2:
        return None
    first = int(rng.integers(len(chain.programs) - 1))
    order = list(range(len(chain.programs)))
    order[first], order[first + 1] = first + 1, first
    return _exchanged(chain, order), f"kernels {first} and {first + 1} exchanged"


def _exchanged(chain: KernelChain, order: list[int]) -> KernelChain:
    """Renumber the words for another order; for one not made yet the host has only an old one."""
    start, number = chain.n_inputs, {w: w for w in range(ONE, chain.n_inputs)}
    sources = []
    for kernel in order:
        source = [number.get(w, 0) for w in chain.sources[kernel].tolist()]
        sources.append(frozen(source, np.int32))
        made = range(chain.starts[kernel], chain.starts[kernel + 1])
        number |= {w: start + i for i, w in enumerate(made)}
        start += len(made)
    return replace(
        chain,
        programs=tuple(chain.programs[i] for i in order),
        sources=tuple(sources),
        output_words=frozen([number[w] for w in chain.output_words.tolist()], np.int32),
    )


def _in_a_kernel(name: str) -> Callable[[KernelChain, np.random.Generator], Planted]:
    def plant(chain: KernelChain, rng: np.random.Generator) -> Planted:
        kernel = int(rng.integers(len(chain.programs)))
        planted = FAULTS[name](chain.programs[kernel], rng)
        if planted is None:
            return None
        programs = [*chain.programs]
        programs[kernel] = planted[0]
        return replace(chain, programs=tuple(programs)), f"kernel {kernel}, {planted[1]}"

    return plant


CHAIN_FAULTS: dict[str, Callable[[KernelChain, np.random.Generator], Planted]] = {
    WORD_FAULT: wrong_word,
    ORDER_FAULT: swapped_order,
}
