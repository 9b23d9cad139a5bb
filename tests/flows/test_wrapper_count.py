"""The stream wrapper is counted beside the core, and as it is when the core is in it."""

import pytest
from helpers_logic import layered_net

from nnlogic.backends.lut.wrapper import BOTH, WRAPPER, count_wrapper, stand_in_text, wrapper_rows
from nnlogic.core.progress import SILENT
from nnlogic.design.build import build
from nnlogic.flows.memories import resources_of, stream_target
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.job.tools import Ask
from nnlogic.report.rows import ResourceRow


def ask(target):
    return Ask(
        target=Target.named(target), pnr=False, primitives=False, dual=False, clock=None,
        timeout=100, progress=SILENT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrapper")
    design = build(layered_net(k=4), name="toy")
    return design, write_verilog(design, folder / "rtl"), folder


@pytest.mark.parametrize("target", ["xcup", "ecp5"])
def test_the_stand_in_gives_the_figures_of_the_whole(written, target):
    design, files, folder = written
    found = count_wrapper(design, folder / "rtl", folder / f"alone_{target}", ask(target))
    whole = synthesize(
        files, "toy_stream", stream_target(Target.named(target)), folder / f"whole_{target}"
    )
    assert found == resources_of(whole.modules["toy_stream"], Target.named(target))
    assert found.luts > 0
    assert found.ffs > 0


def test_core_and_wrapper_add_up(written):
    design, _, folder = written
    core = ResourceRow("total", "synth", 100, 50, None)
    wrapper, both = wrapper_rows(design, folder / "rtl", folder / "rows", ask("xcup"), core)
    assert (wrapper.part, both.part) == (WRAPPER, BOTH)
    assert (both.luts, both.ffs) == (100 + wrapper.luts, 50 + wrapper.ffs)
    assert both.wide_muxes is None
    assert "LUTs as memory" in wrapper.detail


def test_no_output_of_the_stand_in_is_a_constant():
    text = stand_in_text(build(layered_net(), name="toy"))
    assert "wire seen = ^{rst, in_valid, x_f0, x_f1, x_f2};" in text
    assert text.count("{seen}}") == len(build(layered_net()).outputs)
