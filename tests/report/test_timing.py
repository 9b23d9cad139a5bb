"""Latency and throughput in time: whose clock, and how well it is known."""

from helpers_logic import layered_net

from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.job.facts import timing_facts
from nnlogic.report.timing import Timing
from nnlogic.report.words import latency_text, throughput_text

DESIGN = build(layered_net(), schedule="layer")
DELAY = Target.named("ecp5").delay


def test_an_estimate_says_so():
    timing = timing_facts(DESIGN, None, DELAY)
    mhz = 1000.0 / (1.6 + 2 * 1.3)
    assert timing.fmax_source == "estimate"
    assert timing.fmax_mhz == timing.rate_mhz == round(mhz, 2)
    assert timing.latency_ns == round(4 * 1000.0 / timing.estimate_mhz, 2)
    assert timing.samples_per_second == round(1e6 * timing.estimate_mhz, 1)
    assert latency_text(timing).endswith("MHz, estimate")
    assert throughput_text(timing).endswith("MHz, estimate")


def test_the_clock_that_was_asked_for_is_the_one_of_the_times():
    timing = timing_facts(DESIGN, 100.0, DELAY)
    assert (timing.rate_mhz, timing.latency_ns) == (100.0, 40.0)
    assert timing.samples_per_second == 1e8
    assert timing.fmax_mhz == timing.estimate_mhz > 100.0


def test_place_and_route_takes_the_place_of_the_estimate_and_leaves_it_again():
    before = timing_facts(DESIGN, 100.0, DELAY)
    timing = before.reached(250.0)
    assert (timing.fmax_source, timing.rate_mhz, timing.latency_ns) == ("pnr", 250.0, 16.0)
    assert "estimate" not in latency_text(timing) + throughput_text(timing)
    assert timing.estimate_mhz == before.estimate_mhz
    assert timing.estimated() == before


def test_without_a_delay_model_nothing_is_said():
    timing = timing_facts(DESIGN, 100.0)
    assert timing == timing.reached(50.0).estimated()
    assert timing.latency_ns is None
    assert latency_text(timing) == "4 cycles, ns not run"
    assert throughput_text(timing) == throughput_text(Timing()) == "not run"
