"""``nnlogic inspect`` says what a network will take."""

import json
from pathlib import Path

from nnlogic.flows.targets import Target
from nnlogic.predict.whole.surrogate import TARGETS

ZOO = Path(__file__).parents[2] / "zoo"
XS = ZOO / "jets_wire_xs.safetensors"


def test_inspect_shows_it(nnlogic):
    done = nnlogic("inspect", XS)
    assert done.code == 0
    assert "predicted" in done.out
    assert "LUT6 of small networks" in " ".join(done.out.split())
    data = json.loads(nnlogic("inspect", XS, "--json").out)
    assert set(data["predicted"]) == {*TARGETS, "fmax_mhz", "target", "error"}
    # LUTs, levels and the clock are of one kind of LUT.
    assert Target.named(data["predicted"]["target"]).lut_size == 6


def test_inspect_says_nothing_of_what_is_not_predicted(nnlogic):
    stream = ZOO / "mnist_stream_s.safetensors"
    assert json.loads(nnlogic("inspect", stream, "--json").out)["predicted"] is None
    assert "predicted" not in nnlogic("inspect", stream).out
