"""Chains of kernels: equal to the graph, proved so, saved and loaded, and faults are seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.dsp.checks.kernels import CHAIN_FAULTS, planted_chain_faults, prove_chain
from nnlogic.backends.dsp.model.cut import cut_kernels, kernels_cost
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, IRError, UsageError
from nnlogic.hw.dsp.commands import command, command_bits, command_fields
from nnlogic.hw.dsp.encode import EngineShape, instruction_words
from tests.backends.dsp.dsp_graphs import all_codes, op_graphs, random_graph


@given(op_graphs(), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_chains_are_the_graph_and_proved_so(graph, words):
    cut = cut_kernels(graph, 2, program_steps=words)
    codes = all_codes(graph)
    assert np.array_equal(cut.chain.evaluate(codes), graph.evaluate(codes))
    assert prove_chain(graph, cut.chain).equal
    assert max(p.steps for p in cut.chain.programs) <= words
    assert cut.bound.steps <= cut.chain.steps


@pytest.fixture(scope="module")
def example():
    graph = random_graph(300, n_in=12, reach=40)
    return graph, cut_kernels(graph, 4, program_steps=30)


def test_few_kernels_fit_small_memories(example):
    graph, cut = example
    assert 2 < len(cut.chain.programs) <= 5
    assert not cut.resident
    assert cut.memory_words <= 30
    tight = cut_kernels(graph, 4, bank_rows=24)
    assert max(p.rows * p.contexts for p in tight.chain.programs) <= 24
    assert prove_chain(graph, tight.chain).equal
    cost = kernels_cost(cut.chain.programs, cut.memory_words, 999, mhz=100.0)
    assert cost.latency_ns == 9990
    assert cost.interval == sum(p.interval for p in cut.chain.programs)


def test_planted_faults_are_seen(example):
    graph, cut = example
    codes = bits.random_codes(graph.inputs, 1000, seed=1)
    found = dict(
        planted_chain_faults(lambda chain: prove_chain(graph, chain), cut.chain, codes=codes)
    )
    assert {*found} > {*CHAIN_FAULTS}
    assert all(v.equal for v in found.values()), found


def test_a_chain_comes_back_from_its_file(example, tmp_path):
    _, cut = example
    cut.chain.save(tmp_path / "c.chain")
    again = KernelChain.load(tmp_path / "c.chain")
    assert again.text() == cut.chain.text()
    assert again.stats() == cut.chain.stats()
    cut.chain.programs[0].save(tmp_path / "p.dsp")
    with pytest.raises(CheckpointError):
        KernelChain.load(tmp_path / "p.dsp")


def test_chains_that_cannot_run_are_refused(example):
    _, cut = example
    chain = cut.chain
    early = [*chain.sources]
    early[0] = frozen([chain.starts[1], *early[0][1:]], np.int32)
    first = replace(chain.programs[0], contexts=chain.contexts + 1)
    for wrong, why in (
        (replace(chain, sources=tuple(early)), "reads word"),
        (replace(chain, sources=chain.sources[1:]), "lists of sources"),
        (replace(chain, output_words=chain.output_words[:-1]), "bits"),
        (replace(chain, programs=(first, *chain.programs[1:])), "contexts"),
    ):
        with pytest.raises(IRError, match=why):
            wrong.verify()


def test_one_shape_holds_all_programs(example):
    _, cut = example
    programs = cut.chain.programs
    side = EngineShape.of_all(programs, 1000)
    turns = EngineShape.of_all(programs, 30)
    assert (side.resident, turns.resident) == (True, False)
    assert side.words == cut.chain.steps
    assert [k.first for k in turns.kernels] == [0] * len(programs)
    for program in programs:
        assert max(instruction_words(program, turns)).bit_length() <= turns.word_bits
    assert command_bits(turns) >= turns.word_bits
    word = command(turns, 1, groups=5, load=True)
    fields = {n: word >> f.at & ((1 << f.width) - 1) for n, f in command_fields(turns).items()}
    assert (fields["groups"], fields["load"]) == (5, programs[1].steps)
    assert fields["last_word"] == programs[1].steps - 1
    with pytest.raises(UsageError, match="words of program memory"):
        EngineShape.of_all(programs, 5)
    with pytest.raises(UsageError, match="latency"):
        EngineShape.of_all([programs[0], replace(programs[1], latency=7)], 1000)
