"""A network with windows on an engine: its kernels are programs, run at every position."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.checks.patches import check_frames, check_parts, prove_patches
from nnlogic.backends.dsp.model.kernel_chain import ONE, ZERO, KernelChain
from nnlogic.backends.dsp.patches import graphs_of, parts_in
from nnlogic.core.archive import frozen
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.quant.ir import INPUT, Enumerated, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import pooling
from nnlogic.run import compile as compile_run
from nnlogic.run import verify

U1, U2 = IntFormat(1), IntFormat(2)
OPTIONS = {"backend": "dsp", "dsps": 2, "target": "xc7", "effort": "fast", "jobs": 1,
           "kernels": "auto"}  # fmt: skip


def tables(rng, name, formats, count, fan_in, fmt=U1):
    wires = tuple(
        tuple(sorted(rng.choice(len(formats), fan_in, replace=False).tolist()))
        for _ in range(count)
    )
    rows = tuple(
        frozen(rng.integers(0, fmt.hi + 1, 1 << sum(formats[w].bits for w in one)), np.int64)
        for one in wires
    )
    return Enumerated(name, (INPUT,), wires, rows, (fmt,) * count, tuple(formats))


def image_net(*, dense=True):
    """Two-bit pixels, padding that is not 0, two kernels in turn over four groups, pooling."""
    rng = np.random.default_rng(5)
    frame = Frame(4, 3, 4)
    window = Window((2, 2), padding=(1, 0, 1, 0), padding_code=2)
    kernels = tuple(Kernel((tables(rng, "taps", (U2,) * 4, 1, 2),)) for _ in range(2))
    first = Windowed("conv1", (INPUT,), frame, window, kernels, groups=4)
    pool = pooling("pool1", "conv1", first.output, Window((2, 2), (1, 2)), U1, "max")
    layers, out = [first, pool], "pool1"
    if dense:
        own = tables(rng, "dense", pool.formats, 3, 5)
        layers.append(Enumerated("dense", ("pool1",), own.inputs, own.tables, own.formats,
                                 own.x_formats))  # fmt: skip
        out = "dense"
    count = len(layers[-1].formats)
    outputs = tuple((Port(f"y{i}", U1), out, i) for i in range(count))
    ports = tuple(Port(f"p{i}", U2) for i in range(frame.wires))
    net = QuantNet("image", ports, tuple(layers), outputs)
    net.verify()
    return net


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patches")
    image_net().save(folder / "image.safetensors")
    return compile_run(folder / "image.safetensors", folder / "run", **OPTIONS)


@pytest.fixture(scope="module")
def whole(run):
    ctx = saved_context(backend_of(run), run)
    parts = parts_in(ctx)
    return ctx.net, parts, graphs_of(run.path, parts), KernelChain.load(run.ir_path("kernels"))


def test_every_kernel_is_one_program_that_runs_at_every_position(run, whole):
    net, parts, _, chain = whole
    assert [part.title for part in parts] == [
        "kernel 0 of conv1", "kernel 1 of conv1", "kernel of pool1", "dense layers",
    ]  # fmt: skip
    assert [runs for runs, _ in chain.times] == [24, 24, 16, 1]
    assert {ZERO, ONE} <= {*np.concatenate(chain.sources).tolist()}
    codes = random_codes(net.inputs, 200, seed=3)
    assert (chain.evaluate(codes) == net.evaluate(codes)).all()
    dsp = dsp_section.of(run.report)
    assert (dsp.kernels, dsp.interval_cycles) == (4, chain.interval)
    assert chain.interval == sum(r * p.interval for r, p in chain.times)
    assert {c.verdict for n in (2, 3, 4) for c in run.report.rung(n).checks} == {"pass"}
    plan = json.loads((run.path / "rtl" / "image_host.json").read_text())
    assert [k.get("runs", 1) for k in plan["kernels"]] == [24, 24, 16, 1]


def test_verify_simulates_engine_and_host_and_plants_faults(run):
    report = verify(run.path, simulators=("icarus",)).report
    assert report.status == "verified"
    simulated = {c.title: c for c in report.rung(5).checks}["cocotb on icarus"]
    assert simulated.verdict == "pass"
    caught = {c.title: c.verdict for c in report.rung(0).checks}
    assert {*caught.values()} == {"pass"}
    assert "fault in a kept word, simulation" in caught
    assert "kernel of pool1, faults" in caught


def with_source(chain, kernel, at, word):
    sources = [np.array(source) for source in chain.sources]
    sources[kernel][at] = word
    wrong = KernelChain.__new__(KernelChain)
    for name, value in vars(chain).items():
        object.__setattr__(wrong, name, value)
    object.__setattr__(wrong, "sources", tuple(frozen(s, np.int32) for s in sources))
    return wrong


def test_a_wrong_word_anywhere_is_seen(whole):
    net, parts, graphs, chain = whole
    assert prove_patches(net, parts, graphs, chain).equal
    other = {ZERO: ONE, ONE: ZERO}
    for kernel, source in enumerate(chain.sources):
        for at in range(0, len(source), 7):
            word = other.get(int(source[at]), 0 if source[at] else 1)
            said = prove_patches(net, parts, graphs, with_source(chain, kernel, at, word))
            assert not said.equal
            assert said.where.startswith(parts[kernel].title)


def test_programs_of_other_parts_are_seen(whole):
    net, parts, graphs, chain = whole
    swapped = with_source(chain, 0, 0, int(chain.sources[0][0]))
    programs = (chain.programs[1], chain.programs[0], *chain.programs[2:])
    object.__setattr__(swapped, "programs", programs)
    assert not prove_patches(net, parts, graphs, swapped).equal
    codes = random_codes(net.inputs, 64, seed=1)
    assert check_parts(net, parts, chain, codes).equal
    assert check_frames(net, chain, codes).equal
    assert not check_frames(net, swapped, codes).equal
    assert not check_parts(net, (parts[1], parts[0], *parts[2:]), chain, codes).equal


def test_a_map_may_be_the_result(tmp_path):
    net = image_net(dense=False)
    net.save(tmp_path / "image.safetensors")
    run = compile_run(
        tmp_path / "image.safetensors", tmp_path / "run", stop_after="design", **OPTIONS
    )
    chain = KernelChain.load(run.ir_path("kernels"))
    codes = random_codes(net.inputs, 100, seed=2)
    assert (chain.evaluate(codes) == net.evaluate(codes)).all()
    assert len(chain.programs) == 3


def test_more_slices_than_the_largest_part_has_operations_are_refused(tmp_path):
    image_net(dense=False).save(tmp_path / "image.safetensors")
    with pytest.raises(UsageError, match="more slices than operations"):
        compile_run(tmp_path / "image.safetensors", tmp_path / "run", **{**OPTIONS, "dsps": 60})


def test_a_chain_with_wrong_words_fails_the_run(tmp_path, monkeypatch):
    from nnlogic.backends.dsp import patches

    real = patches.patch_chain

    def spoiled(*args, **options):
        cut = real(*args, **options)
        first = int(cut.chain.sources[0][-1])
        wrong = with_source(cut.chain, 0, len(cut.chain.sources[0]) - 1, first - 2)
        object.__setattr__(cut, "chain", wrong)
        return cut

    monkeypatch.setattr(patches, "patch_chain", spoiled)
    image_net().save(tmp_path / "image.safetensors")
    with pytest.raises(Different, match=r"kernels and words|operations = program"):
        compile_run(tmp_path / "image.safetensors", tmp_path / "run", **OPTIONS)
