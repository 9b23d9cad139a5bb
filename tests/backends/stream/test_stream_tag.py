"""`--sideband tuser=N` of a stream: what comes with a frame leaves with its result."""

import pytest
from helpers import digits_net, map_net

from nnlogic.backends.stream.frames import frames_of
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.options import StreamOptions
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT
from nnlogic.core.windows import Frame
from nnlogic.job.backend import backend_named, make_options
from nnlogic.run.compile_run import compile

TESTS = (
    "stream_frames", "stream_back_pressure", "stream_blocked", "stream_reset_in_mid_frame",
    "stream_short_frames",
)  # fmt: skip


def made(net, folder, **options):
    net.save(folder / "net.safetensors")
    return compile(
        folder / "net.safetensors", folder / "run", backend="stream", effort="fast", jobs=1,
        **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Windows that wait for beats, and a frame that is read whole."""
    net = digits_net(4, channels=2, frame=Frame(1, 4, 4))
    return made(net, tmp_path_factory.mktemp("tag"), sideband="tuser=3")


def bench(run, folder, files=None, tests=("stream_frames",)):
    whole = frames_of(run, SILENT, 6)
    return whole.run(files or whole.files(), folder, "icarus", tests=tests)


def test_a_tag_leaves_with_its_frame_whatever_stands_in_the_way(run, tmp_path):
    design = StreamDesign.load(run.ir_path("design"))
    assert (design.sideband, design.tag) == ((("tuser", 3),), 3)
    found = bench(run, tmp_path, tests=TESTS)
    assert [t for t in found.tests if not t.passed] == []
    pins = {pin.name: pin.bits for pin in run.report.pins}
    assert (pins["s_axis_tuser"], pins["m_axis_tuser"]) == (3, 4)
    text = (run.path / "rtl" / "digits_stream.v").read_text()
    assert "is m_axis_tuser[3:1]" in text
    assert "s_axis TUSER" in text


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("digits_stream", ".in_tag(s_axis_tuser)", ".in_tag({ s_axis_tuser[2:1], 1'b0 })"),
        ("digits", "tag_waiting <= (in_valid & in_first) ?", "tag_waiting <= in_valid ?"),
        ("digits", "tag <= n_begin ? tag_waiting :", "tag <= n_begin ? in_tag :"),
    ],
)
def test_a_tag_of_another_beat_or_frame_is_seen(run, tmp_path, module, right, wrong):
    files = frames_of(run, SILENT, 6).files()
    changed = tmp_path / f"{module}.v"
    text = next(f for f in files if f.stem == module).read_text()
    assert right in text
    changed.write_text(text.replace(right, wrong))
    others = [f for f in files if f.stem != module]
    found = bench(run, tmp_path / "bench", [changed, *others])
    assert [t.passed for t in found.tests] == [False]
    assert "expected data, user, last" in found.tests[0].message


def test_windows_of_short_frames_have_a_tag_as_well(tmp_path):
    run = made(map_net(length=12), tmp_path, sideband="tuser=40", positions_per_clock=2)
    found = bench(run, tmp_path / "bench", tests=("stream_back_pressure", "stream_short_frames"))
    assert [t for t in found.tests if not t.passed] == []


def test_a_design_of_before_there_were_tags_is_read(run, tmp_path):
    design = StreamDesign.load(run.ir_path("design"))
    meta, arrays = design.parts()
    assert "sideband" in meta
    del meta["sideband"]
    assert StreamDesign.from_parts(meta, arrays).tag == 0


def test_what_cannot_pass_is_refused():
    with pytest.raises(UsageError) as caught:
        StreamOptions(sideband="tlast,tkeep")
    text = caught.value.text()
    assert "have tlast already" in text
    assert "none of them may be missing" in text
    with pytest.raises(UsageError, match="marks none of them"):
        StreamOptions(sideband="tuser=2", continuous=True)
    with pytest.raises(UsageError, match="none of tlast"):
        StreamOptions(sideband="tdest")
    with pytest.raises(UsageError) as caught:
        make_options(backend_named("stream"), {"backend": "stream", "drop_unused": True})
    assert "take no logic and no memory" in caught.value.text()
