"""Signals that pass beside the data of a stream."""

from dataclasses import replace

import pytest
from helpers_lint import lint
from helpers_logic import layered_net, reference

from nnlogic.backends.lut.options import LutOptions
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import UsageError
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.axi import interface_attributes
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.stream_wrapper import StreamParameters
from nnlogic.sim.cocotb_run import CORE_TESTS, STREAM_TESTS, run_regression

BESIDE = (("tlast", 1), ("tkeep", 1), ("tuser", 5))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("side")
    design = replace(build(layered_net(), name="toy"), sideband=BESIDE)
    return design, write_verilog(design, folder), folder


def regression(design, files, folder):
    codes = random_codes(design.inputs, 60, seed=1)
    expected = reference(design.logic, codes)
    return run_regression(design, files, folder, simulator="icarus", codes=codes, expected=expected)


def test_every_sample_keeps_what_came_beside_it(written):
    design, files, folder = written
    result = regression(design, files, folder / "good")
    assert (result.failed, result.passed) == (0, len(CORE_TESTS + STREAM_TESTS))


def test_checkers_of_style_have_nothing_to_say(written):
    _, files, folder = written
    assert lint(folder, files, "toy_stream") == []


def test_a_sideband_that_is_inverted_is_found(written, tmp_path):
    design, files, _ = written
    wrong = []
    for file in files:
        text = file.read_text()
        if "m_axis_tuser" in text:
            place = "m_axis_tlast = "
            assert place in text
            text = text.replace(place, f"{place}~", 1)
        wrong.append(tmp_path / file.name)
        wrong[-1].write_text(text)
    assert regression(design, wrong, tmp_path / "bad").failed > 0


def test_ports_say_what_they_are(written):
    design, files, _ = written
    parameters = StreamParameters.of(design)
    names = [name for name, _, _ in parameters.ports]
    widths = {name: width for name, _, width in parameters.ports}
    assert widths["s_axis_tkeep"] == parameters.input_bytes
    assert widths["m_axis_tkeep"] == parameters.output_bytes
    assert widths["s_axis_tuser"] == widths["m_axis_tuser"] == 5
    assert "m_axis TLAST" in interface_attributes(names)["m_axis_tlast"]
    text = "".join(f.read_text() for f in files)
    assert "s_axis m_axis" not in text
    assert 'm_axis TUSER" *)' in text


def test_the_file_of_a_design_keeps_them(written, tmp_path):
    design, _, _ = written
    design.save(tmp_path / "d.safetensors")
    assert HardwareDesign.load(tmp_path / "d.safetensors").sideband == BESIDE


def test_options():
    assert LutOptions(sideband="tlast,tuser=5").beside == (("tlast", 1), ("tuser", 5))
    assert LutOptions().beside == ()
    with pytest.raises(UsageError) as caught:
        LutOptions(sideband="tlast=2,tdest,tuser=0,tuser=9000,tlast", stream=False)
    said = caught.value.text()
    for word in ("'tlast=2'", "'tdest'", "'tuser=0'", "'tuser=9000'", "twice", "needs the stream"):
        assert word in said
