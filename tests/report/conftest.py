"""A report with every section filled in, by hand and with invented numbers."""

from __future__ import annotations

import pytest

from nnlogic.report.model import Report
from nnlogic.report.rows import (
    RUNG_TITLES,
    AccuracyRow,
    Artifact,
    Check,
    Command,
    Engine,
    FunnelRow,
    LayerRow,
    Network,
    PortRow,
    ResourceRow,
    Rung,
    Source,
    StepRow,
    ToolRow,
)


@pytest.fixture
def full_report() -> Report:
    report = Report(
        name="toy",
        version="0.1.0",
        status="verified",
        target="ecp5",
        seconds=12.5,
        source=Source("toy.safetensors", "ab" * 32, "nnlogic checkpoint"),
        config={"target": "ecp5", "clock": None, "k": 4},
        network=Network(
            inputs=(PortRow("pt", "u3"), PortRow("mass", "u3")),
            outputs=(PortRow("score_a", "i4"), PortRow("class", "u1")),
            layers=(
                LayerRow("thermo", "encoder", 2, 3),
                LayerRow("fc1", "network", 8, 12),
                LayerRow("votes", "output", 1, 6),
            ),
            encoder="14 thresholds on 2 features, outside the logic and not counted in it",
        ),
    )
    report = report.put(
        FunnelRow("thermo", "encoder", 2, 1, 6, 4, 1),
        FunnelRow("fc1", "network", 8, 7, 2040, 161, 4),
        FunnelRow("votes", "output", 1, 1, None, 12, 3),
        FunnelRow("total", "network", 11, 9, 2046, 177, 8),
        *(
            ResourceRow(part, "estimate", luts, ffs)
            for part, luts, ffs in (
                ("encoder", 4, 6),
                ("network", 161, 24),
                ("output", 12, 4),
                ("total", 177, 34),
            )
        ),
        ResourceRow("total", "synth", 171, 34, 0, "yosys synth_ecp5"),
        ResourceRow("total", "pnr", 174, 34, 0, "nextpnr-ecp5"),
        AccuracyRow("float", 1000, 75.5, "from the checkpoint"),
        AccuracyRow("quantized", 1000, 74.25, "held-out rows"),
        AccuracyRow("tables", 1000, 74.25, "held-out rows"),
        AccuracyRow("RTL"),
        Rung(2, RUNG_TITLES[2], "pass", "exhaustive", "11 neurons", 0.25),
        Rung(3, RUNG_TITLES[3], "pass", "proved", "5 cones", 1.5),
        Engine("espresso", 3, 20),
        Engine("lutmin", 6, 157),
        StepRow("tabulate", 0.125, {"neurons": 11}, {"tables": 11, "distinct": 9}),
        StepRow("minimize", 10.0, {"distinct": 9}, {"luts": 177}),
        ToolRow("yosys", "0.70", "wheel pyosys 0.70"),
        Artifact("rtl/toy.v", "core"),
        Command("compile", "nnlogic compile toy.safetensors -o run"),
        Command("verify", "nnlogic verify run"),
    )
    report = report.with_check(5, Check("bench on Icarus", "pass", "sampled n=100", "7 tests", 3.0))
    report = report.with_check(
        5, Check("formal proof", "fail", "proved", "y_class[0] differs", 2.0)
    )
    return report.with_timing(
        latency_cycles=3,
        initiation_interval=1,
        segments=2,
        levels_per_segment=(4, 3),
        clock_mhz=100.0,
        fmax_mhz=150.0,
        fmax_source="pnr",
        latency_ns=20.0,
    )
