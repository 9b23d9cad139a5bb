from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.core.errors import TargetMissed, UsageError
from nnlogic.flows.targets import CELL_KINDS, Target


def test_targets_of_the_issue_are_there():
    assert Target.names() == ("xcup", "xc7", "ecp5", "ice40")
    assert [Target.named(n).lut_size for n in Target.names()] == [6, 6, 4, 4]
    assert Target.named("xcup").part == "xcvu9p-flgb2104-2-i"


@pytest.mark.parametrize("name", Target.names())
def test_targets_are_complete(name):
    target = Target.named(name)
    assert target.name == name
    assert set(target.cells) == set(CELL_KINDS)
    assert target.clock_mhz > 0
    assert bool(target.part) is (target.pnr is None)
    if target.pnr is not None:
        assert set(target.pnr.programs) <= set(Target.programs())
        sizes = [device.luts for device in target.pnr.devices]
        assert sizes == sorted(sizes)


def test_unknown_target_lists_those_there_are():
    with pytest.raises(UsageError, match="targets are xcup, xc7, ecp5, ice40") as error:
        Target.named("gowin")
    assert error.value.exit_code == 2


@pytest.mark.parametrize("name", Target.names())
@given(levels=st.integers(1, 40))
def test_levels_for_inverts_the_delay_model(name, levels):
    target = Target.named(name)
    assert target.levels_for(1000.0 / target.delay.segment_ns(levels)) == levels


@given(st.floats(1, 200), st.floats(1, 200))
def test_a_faster_clock_never_allows_more_levels(a, b):
    target = Target.named("ecp5")
    slow, fast = sorted((a, b))
    assert target.levels_for(slow) >= target.levels_for(fast) >= 1


def test_clock_out_of_reach_is_a_missed_target_with_the_limit():
    target = Target.named("ice40")
    with pytest.raises(TargetMissed, match=f"at most {target.fastest_mhz:.0f} MHz") as error:
        target.levels_for(2000)
    assert error.value.exit_code == 6


@pytest.mark.parametrize("clock", [0, -5, float("nan"), float("inf")])
def test_clock_must_be_a_positive_number(clock):
    with pytest.raises(UsageError, match="positive number of MHz"):
        Target.named("ecp5").levels_for(clock)


def test_smallest_device_that_fits_is_chosen():
    ecp5 = Target.named("ecp5")
    assert ecp5.device_for(1000, 500).name == "LFE5U-25F"
    assert ecp5.device_for(30_000, 500).name == "LFE5U-45F"
    assert ecp5.device_for(100, 60_000).name == "LFE5U-85F"


def test_design_larger_than_every_device_is_a_missed_target_with_numbers():
    with pytest.raises(TargetMissed, match=r"needs 9000 LUTs and 10 flip-flops.*7680") as error:
        Target.named("ice40").device_for(9000, 10)
    assert error.value.exit_code == 6


def test_families_without_open_place_and_route_say_so():
    with pytest.raises(TargetMissed, match="no open place-and-route"):
        Target.named("xcup").device_for(1, 1)


@pytest.mark.parametrize(
    ("target", "cell", "kind"),
    [
        ("xcup", "LUT6", "luts"),
        ("xcup", "INV", "luts"),
        ("xcup", "FDRE", "ffs"),
        ("xc7", "MUXF7", "wide_muxes"),
        ("xc7", "RAMB18E1", "brams"),
        ("ecp5", "L6MUX21", "wide_muxes"),
        ("ecp5", "CCU2C", "carry"),
        ("ice40", "SB_DFFSR", "ffs"),
        ("ice40", "SB_RAM40_4K", "brams"),
        ("ice40", "SB_PLL40_CORE", None),
        ("xcup", "LUT66", None),
    ],
)
def test_cells_are_sorted_by_kind(target, cell, kind):
    assert Target.named(target).kind_of(cell) == kind
