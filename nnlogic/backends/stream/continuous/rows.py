"""Rungs of a continuous stream in the report, and what its section says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnlogic.backends.stream import section as framed
from nnlogic.backends.stream.checks.samples import CONTINUOUS_FAULTS
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.cut import Cut
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.rows import open_ladder
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.hw.stream.core import frame_module, window_shape
from nnlogic.hw.stream.samples import sample_shapes
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import ResourceRow

SAMPLES_CHECK = "whole sequence, cycle model"
DEFINITION = (
    "Clock cycles from the sample that completes a result taken to that result offered, at the "
    "ports of the AXI4-Stream wrapper; the initiation interval is from one result to the next, at "
    "a sample per clock. In ns: cycles divided by the clock, which is estimated by the kernels "
    "alone."
)


def open_continuous_ladder(report: Report, parts: Cut) -> Report:
    """Return a report whose rungs are those of a continuous stream, not run."""
    return open_ladder(report, parts, CONTINUOUS_FAULTS, SAMPLES_CHECK)


def described(
    report: Report,
    design: ContinuousDesign,
    cores: Mapping[str, HardwareDesign],
    target: Target,
    clock: float,
    choice: str,
) -> Report:
    """Return a report with times, estimates and section of a continuous stream."""
    facts = continuous_facts(design, cores, target, clock, choice)
    timing = framed.timing_of(report, facts, cores, target, DEFINITION)
    rows = framed.kernel_rows(report, facts)
    if design.dense is not None:
        rows.append(ResourceRow(framed.DENSE, "estimate", facts.dense_luts))
    note = "kernels and dense layers; control is counted by synthesis"
    rows.append(ResourceRow(TOTAL, "estimate", facts.luts, facts.registers, detail=note))
    return report.replace(timing=timing).put(*rows).with_section(framed.section(facts))


def continuous_facts(
    design: ContinuousDesign,
    cores: Mapping[str, HardwareDesign],
    target: Target,
    clock: float,
    choice: str,
) -> framed.StreamFacts:
    """Return the facts of a design, before any tool has run."""
    reach, shapes = design.reach, sample_shapes(design)
    whole = StreamDesign(design.name, (), (), design.layers, design.dense)
    facts = framed.stream_facts(whole, cores, target, clock, choice)
    layers = tuple(
        replace(
            found,
            frame=f"{layer.frame.channels} channels",
            delay=layer.window.extent[1] - 1,
            registers=found.registers
            - window_shape(layer).registers
            + getattr(shapes.get(str(design.module(number, "window"))), "registers", 0),
        )
        for number, (found, layer) in enumerate(zip(facts.layers, design.layers, strict=True))
    )
    registers = sum(layer.registers for layer in layers)
    if design.dense is not None:
        registers += shapes[str(frame_module(design))].registers
        registers += cores[design.dense.module].registers
    return replace(
        facts,
        layers=layers,
        registers=registers,
        interval_cycles=reach.hop,
        latency_cycles=design.latency,
        steady_cycles=design.latency,
        frames_per_second=round(1e6 * clock / reach.hop, 1),
        reach=reach.samples,
    )
