"""Programs that one engine runs one after the other, and what a host keeps between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.partition import Partition
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Words
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.stored import Stored

ZERO, ONE = -1, -2
"""In place of a word's number: all of its bits are 0, or 1."""


@dataclass(frozen=True, eq=False)
class KernelChain(Stored):
    """Kernels of one engine, in order of execution, with the values kept between them.

    *Words.* For each batch of 48 vectors a host keeps words of 48 lanes, numbered from 0: first
    the bits of the input ports (port by port, LSB first), then the output bits of program 0, of
    program 1 and so on. A program reads input bits and results of programs before it; `ZERO` and
    `ONE` are words of equal bits.

    *Runs.* A program may run several times on every batch, each time on other words: a kernel at
    every position of a map. Its output bits are words run by run then.

    Attributes
    ----------
    name : str
    inputs, outputs : tuple of Port
    programs : tuple of Program
        For the same slices, input banks, contexts and latency.
    sources : tuple of int32 array
        Per program the word that each of its input bits is, run by run.
    output_words : int32 array, shape (output bits,)
        The word that each bit of the output ports is.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    programs: tuple[Program, ...] = field(metadata=stored("kernels", path="{i}"))
    sources: tuple[NDArray[np.int32], ...] = field(metadata=stored(path="{i}.source", dims=1))
    output_words: NDArray[np.int32] = field(metadata=stored(dims=1))

    kind: ClassVar[str] = "KernelChain"

    @staticmethod
    def of(cut: Partition, programs: Sequence[Program]) -> KernelChain:
        """Return the chain of a partition whose parts are `programs`; verified."""
        graph = cut.graph
        word = np.full(graph.n_inputs + graph.n_ops, -1, np.int32)
        word[: graph.n_inputs] = np.arange(graph.n_inputs)
        count, sources = graph.n_inputs, []
        for source, result in zip(cut.sources, cut.results, strict=True):
            sources.append(frozen(word[source], np.int32))
            word[result] = count + np.arange(len(result))
            count += len(result)
        chain = KernelChain(
            name=graph.name,
            inputs=graph.inputs,
            outputs=graph.outputs,
            programs=tuple(programs),
            sources=tuple(sources),
            output_words=frozen(word[graph.output_signals], np.int32),
        )
        chain.verify()
        return chain

    @cached_property
    def n_inputs(self) -> int:
        """Input bits."""
        return bits.total_bits(self.inputs)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Number of the first word each program makes, and after the last the count of words."""
        made = [self.runs(i) * bits.total_bits(p.outputs) for i, p in enumerate(self.programs)]
        return tuple((self.n_inputs + np.cumsum([0, *made])).tolist())

    def runs(self, kernel: int) -> int:
        """Return how often a program runs on every batch."""
        return len(self.sources[kernel]) // max(1, self.programs[kernel].n_inputs) or 1

    @cached_property
    def times(self) -> tuple[tuple[int, Program], ...]:
        """Every program, and how often it runs."""
        return tuple((self.runs(i), program) for i, program in enumerate(self.programs))

    @property
    def slices(self) -> int:
        """Slices of the engine."""
        return self.programs[0].slices

    @property
    def contexts(self) -> int:
        """Batches of 48 vectors in a group."""
        return self.programs[0].contexts

    @property
    def vectors(self) -> int:
        """Input vectors of one group: lanes times contexts."""
        return LANES * self.contexts

    @property
    def n_ops(self) -> int:
        """Operations executed per batch."""
        return sum(runs * p.n_ops for runs, p in self.times)

    @property
    def steps(self) -> int:
        """Words of all programs."""
        return sum(p.steps for p in self.programs)

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Which slice works in which step, all programs in order, shape (steps, slices)."""
        return np.concatenate([p.active for p in self.programs])

    @property
    def utilization(self) -> float:
        """Share of slice cycles that do an operation, while programs run."""
        return self.n_ops / max(1, sum(runs * p.active.size for runs, p in self.times))

    @property
    def interval(self) -> int:
        """Cycles from one group to the next, were each program given groups without end."""
        return sum(runs * p.interval for runs, p in self.times)

    @property
    def traffic(self) -> int:
        """Words of 48 lanes stored and loaded per batch beyond the chain's own ports."""
        loads = sum(int((s >= self.n_inputs).sum()) for s in self.sources)
        made = np.arange(self.n_inputs, self.starts[-1])
        return loads + len(np.setdiff1d(made, self.output_words))

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs of the chain; int array (samples, inputs) in, int64 (samples, outputs)."""
        words = self.evaluate_words(bits.pack_ports(codes, self.inputs))
        return bits.unpack_ports(words, self.outputs, len(codes))

    def evaluate_words(self, words: Words) -> Words:
        """Sample-packed input bits (n_inputs, words) in, output bits (outputs, words) out."""
        return self.host(words, [p.evaluate_words for p in self.programs])[self.output_words]

    def host(self, words: Words, runners: Sequence[Callable[[Words], Words]]) -> Words:
        """Do what a host does: run every program on its words, and keep what it makes.

        Parameters
        ----------
        words : uint64 array, shape (n_inputs, words)
        runners : sequence of callables
            One per program: of its `evaluate_words`, or of an engine.

        Returns
        -------
        uint64 array, shape (words of the chain, words)
        """
        kept = np.asarray(words, np.uint64)
        size = kept.shape[1]
        equal = np.zeros((2, size), np.uint64)
        equal[ONE] = ~np.uint64(0)
        for number, (run, source) in enumerate(zip(runners, self.sources, strict=True)):
            runs = self.runs(number)
            read = np.concatenate([kept, equal])[source].reshape(runs, -1, size)
            made = run(read.transpose(1, 0, 2).reshape(-1, runs * size))
            made = made.reshape(-1, runs, size).transpose(1, 0, 2).reshape(-1, size)
            kept = np.concatenate([kept, made])
        return kept

    def verify(self) -> None:
        """Raise IRError, with all problems, when no engine and host could execute the chain."""
        problems = []
        if not self.programs or len(self.sources) != len(self.programs):
            raise IRError(
                "not a chain of programs", where=self.name,
                why=f"{len(self.programs)} programs, {len(self.sources)} lists of sources",
            )  # fmt: skip
        for number, (program, source) in enumerate(zip(self.programs, self.sources, strict=True)):
            where = f"kernel {number}"
            try:
                program.verify()
            except IRError as error:
                found = error.problems or (Problem("", error.why),)
                problems += [Problem(f"{where} {p.where}".strip(), p.why) for p in found]
            for name in ("slices", "input_banks", "contexts", "latency"):
                mine, first = getattr(program, name), getattr(self.programs[0], name)
                if mine != first:
                    problems.append(Problem(where, f"{name} {mine}, but {first} in kernel 0"))
            count = self.runs(number) * program.n_inputs
            problems += _words(where, source, count, self.starts[number], least=ONE)
        wanted = bits.total_bits(self.outputs)
        problems += _words("outputs", self.output_words, wanted, self.starts[-1])
        if problems:
            raise IRError("a chain no engine can run", where=self.name, problems=problems)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        return {
            "kernels": len(self.programs),
            "slices": self.slices,
            "operations": self.n_ops,
            "steps": self.steps,
            "contexts": self.contexts,
            "traffic_words": self.traffic,
            "utilization_percent": round(100 * self.utilization),
        }

    def text(self) -> str:
        """Return the stable printed form."""
        lines = [f"KernelChain {self.name}: {len(self.programs)} kernels, {self.starts[-1]} words"]
        for number, (program, source) in enumerate(zip(self.programs, self.sources, strict=True)):
            made = f"{self.starts[number]} to {self.starts[number + 1] - 1}"
            runs = self.runs(number)
            lines += ["", f"kernel {number}" + (f", run {runs} times" if runs > 1 else "")]
            lines += [f"reads words {' '.join(map(str, source.tolist()))}"]
            lines += [f"makes words {made}", program.text().rstrip("\n")]
        lines += ["", f"outputs are words {' '.join(map(str, self.output_words.tolist()))}"]
        return "\n".join(lines) + "\n"


def _words(
    where: str, source: NDArray[np.int32], count: int, known: int, *, least: int = 0
) -> list[Problem]:
    out = []
    if source.shape != (count,):
        out.append(Problem(where, f"{source.shape} words for {count} bits"))
    bad = source[(source < least) | (source >= known)]
    if len(bad):
        out.append(Problem(where, f"reads word {int(bad[0])}, of {known} there are by then"))
    return out
