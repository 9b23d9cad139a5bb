import pytest
from helpers_logic import layered_net, reference
from rtl_bench import run_stream, word

from nnlogic.core.bits import random_codes
from nnlogic.design.build import build
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.stream_wrapper import StreamParameters

ROWS = 120


@pytest.fixture(scope="module", params=["layer", 1])
def streamed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    design = build(layered_net(), name="toy", schedule=request.param)
    return design, write_verilog(design, folder), folder


def expected(design, codes):
    return [word(row, design.outputs) for row in reference(design.logic, codes)]


@pytest.mark.parametrize(
    ("stall", "bubble"),
    [("0", "0"), ("$random & 1", "$random & 3"), ("$random & 7", "0"), ("cycle & 64", "0")],
)
def test_nothing_is_lost_or_reordered(streamed, stall, bubble):
    design, files, folder = streamed
    codes = random_codes(design.inputs, ROWS, seed=1)
    lines = run_stream(design, files, folder, codes, stall=stall, bubble=bubble)
    assert ["undefined"] not in lines
    results = [int(line[2], 16) for line in lines if line[0] == "out"]
    assert results == expected(design, codes)


def test_one_transfer_per_cycle_without_back_pressure(streamed):
    design, files, folder = streamed
    codes = random_codes(design.inputs, ROWS, seed=2)
    lines = run_stream(design, files, folder, codes)
    accepted = [int(line[1]) for line in lines if line[0] == "in"]
    left = [int(line[1]) for line in lines if line[0] == "out"]
    assert accepted == list(range(accepted[0], accepted[0] + ROWS))
    assert left == list(range(left[0], left[0] + ROWS))
    assert left[0] - accepted[0] == design.latency + 2


def test_a_stalled_consumer_stops_the_source_when_the_credits_are_spent(streamed):
    design, files, folder = streamed
    codes = random_codes(design.inputs, ROWS, seed=3)
    lines = run_stream(design, files, folder, codes, stall="1")
    accepted = [line for line in lines if line[0] == "in"]
    assert len(accepted) == StreamParameters.of(design).depth
    held = {line[1] for line in lines if line[0] == "held"}
    assert [int(h, 16) for h in held] == expected(design, codes)[:1]


def test_reset_in_mid_stream_drops_what_is_in_flight_and_nothing_else(streamed):
    design, files, folder = streamed
    codes = random_codes(design.inputs, ROWS, seed=4)
    lines = run_stream(design, files, folder, codes, reset=60)
    accepted = [(int(line[1]), int(line[2])) for line in lines if line[0] == "in"]
    results = [int(line[2], 16) for line in lines if line[0] == "out"]
    want = expected(design, codes)
    # Every row was accepted exactly once, and the rows in flight at the reset are missing.
    assert [row for _, row in accepted] == list(range(ROWS))
    lost = ROWS - len(results)
    assert 0 < lost <= StreamParameters.of(design).depth
    first = next(i for i in range(ROWS) if results[: i + 1] != want[: i + 1])
    assert results == want[:first] + want[first + lost :]


def test_parameters():
    parameters = StreamParameters("c", (("x_a", 3), ("x_b", 6)), (("y_c", 8),), latency=5)
    assert (parameters.input_bytes, parameters.output_bytes, parameters.depth) == (2, 1, 8)
