"""A continuous stream against the network, and faults in its windows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnlogic.backends.stream.checks.frames import strange_core
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.samples import results_of, run_samples, samples_of
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.hw.stream.samples import SampleShape, sample_shapes
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet

SAMPLES = 4096
"""Samples sent through the cycle model."""
CONTINUOUS_FAULTS = CHAIN, STRIDE, TAGS, FILLED = (
    "chain of another length", "another stride", "exchanged tags", "valid before it is full",
)  # fmt: skip


def check_samples(
    net: QuantNet, design: ContinuousDesign, cores: Mapping[str, LogicNet], codes: IntArray
) -> Verdict:
    """Compare a sequence, shifted through the design, with the network on every piece of it.

    Parameters
    ----------
    net : QuantNet
    design : ContinuousDesign
    cores : mapping of str to LogicNet
    codes : int array, shape (frames, inputs)
        Sent one after another, without an end between them.
    """
    started = time.monotonic()
    strange = strange_core(design, cores)
    if strange:
        why = "its ports are not those of its place in the stream"
        return Verdict("QuantNet", design.kind, False, "exhaustive", why, strange).timed(started)
    samples = samples_of(design, codes)[:SAMPLES]
    want, got = results_of(net, design, samples), run_samples(design, cores, samples)
    how = f"sampled n={len(want)}"
    if want.shape != got.shape:
        why = f"{len(got)} results of {len(samples)} samples, need {len(want)}"
        return Verdict("QuantNet", design.kind, False, how, why, "results").timed(started)
    wrong = (got != want).any(axis=1)
    where = f"result {int(wrong.argmax())}" if wrong.any() else ""
    reach = design.reach
    detail = f"{int(wrong.sum())} results differ" if where else (
        f"{len(samples)} samples without an end; each result is the network on the last "
        f"{reach.samples} samples alone"
    )  # fmt: skip
    return Verdict("QuantNet", design.kind, not where, how, detail, where).timed(started)


def window_faults(design: ContinuousDesign) -> Iterator[tuple[str, str, SampleShape]]:
    """Yield title, module and faulty window of each kind that the design can have."""
    shapes = sample_shapes(design)
    if not shapes:
        return
    module, shape = next(iter(shapes.items()))
    older = tuple((age + 1, bit) for age, bit in shape.places)
    yield CHAIN, module, replace(shape, places=older)
    yield STRIDE, module, replace(shape, stride=shape.stride + 1)
    for name, one in shapes.items():
        if len(one.places) > 1:
            first, *rest, last = one.places
            yield TAGS, name, replace(one, places=(last, *rest, first))
            break
    for name, one in shapes.items():
        if one.extent > 1:
            yield FILLED, name, replace(one, extent=one.extent - 1)
            break
