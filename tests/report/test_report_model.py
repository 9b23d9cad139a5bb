import json
import os
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.report import model
from nnlogic.report.codec import json_schema
from nnlogic.report.model import Report
from nnlogic.report.rows import Check, FunnelRow, ResourceRow, Rung, StepRow, rung_verdict

SCHEMA_FILE = Path(model.__file__).with_name("schema.json")
EMPTY = Report("empty", "0.1.0")


def schema():
    return json.loads(SCHEMA_FILE.read_text())


def test_checked_in_schema_is_that_of_the_model():
    text = json.dumps(json_schema(Report, model.SCHEMA), indent=1) + "\n"
    if os.environ.get("NNLOGIC_GOLDEN"):
        SCHEMA_FILE.write_text(text)
    assert SCHEMA_FILE.read_text() == text


def test_reports_fit_the_schema(full_report):
    jsonschema.Draft202012Validator.check_schema(schema())
    for report in (full_report, EMPTY):
        jsonschema.validate(json.loads(report.dumps()), schema())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("timing"),
        lambda d: d.update(extra=1),
        lambda d: d.update(schema="nnlogic.report/2"),
        lambda d: d["ladder"][0].update(verdict="maybe"),
        lambda d: d["resources"][0].update(source="hope"),
        lambda d: d["funnel"][0].update(luts="many"),
        lambda d: d["funnel"][0].update(luts=1.5),
        lambda d: d["funnel"][0].update(luts=True),
        lambda d: d.update(funnel={}),
        lambda d: d["steps"][0].update(before=[1]),
        lambda d: d.update(network=None),
        lambda d: d.update(name=None),
    ],
)
def test_schema_and_loader_refuse_the_same_faults(full_report, spoil):
    data = json.loads(full_report.dumps())
    spoil(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())
    with pytest.raises(CheckpointError) as caught:
        Report.loads(json.dumps(data), "r.json")
    assert caught.value.where == "r.json"
    assert caught.value.why


def test_round_trip(full_report, tmp_path):
    file = tmp_path / "report.json"
    full_report.save(file)
    assert Report.load(file) == full_report
    assert Report.load(tmp_path) == full_report
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


@settings(deadline=None)
@given(
    st.text(),
    st.one_of(st.none(), st.integers(0, 2**40)),
    st.one_of(st.none(), st.floats(0, 1e9)),
    st.dictionaries(
        st.text(), st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, width=32))
    ),
)
def test_round_trip_of_any_values(name, number, seconds, sizes):
    sizes = {k: v for k, v in sizes.items() if abs(v) != float("inf")}
    report = Report(name, "0", seconds=seconds).put(
        FunnelRow(name, luts=number), StepRow(name, seconds, sizes, {})
    )
    assert Report.loads(report.dumps()) == report


def test_numpy_scalars_become_plain_numbers():
    report = EMPTY.put(
        ResourceRow("total", "synth", np.int64(5)),
        StepRow("s", np.float32(0.5), {"n": np.int32(2)}),
    )
    data = json.loads(report.dumps())
    assert data["resources"][0]["luts"] == 5
    assert data["steps"][0] | {"name": ""} == {
        "name": "", "seconds": 0.5, "before": {"n": 2}, "after": {}
    }  # fmt: skip


def test_nan_cannot_be_written():
    with pytest.raises(ValueError, match="JSON"):
        EMPTY.replace(seconds=float("nan")).dumps()


def test_load_says_what_is_wrong_with_the_file(tmp_path):
    with pytest.raises(UsageError, match="no report here"):
        Report.load(tmp_path)
    bad = tmp_path / "bad.json"
    for content in (b"{", b"[]", b"\xff\xfe", b'{"schema": "other"}'):
        bad.write_bytes(content)
        with pytest.raises(CheckpointError, match="cannot read the report"):
            Report.load(bad)


def test_put_replaces_the_row_with_the_same_key():
    first = EMPTY.put(ResourceRow("total", "synth", 5), ResourceRow("total", "pnr", 6))
    again = first.put(ResourceRow("total", "synth", 7), ResourceRow("network", "synth", 8))
    found = [(row.part, row.source, row.luts) for row in again.resources]
    assert found == [("total", "synth", 7), ("total", "pnr", 6), ("network", "synth", 8)]
    assert first.resources[0].luts == 5


def test_the_latest_measurement_is_the_resource_shown():
    report = EMPTY.put(ResourceRow("total", "estimate", 5))
    assert report.resource("total").luts == 5
    report = report.put(ResourceRow("total", "pnr", 7), ResourceRow("total", "synth", 6))
    assert report.resource("total").luts == 7
    assert report.resource("total", "estimate").luts == 5
    assert report.resource("total", "bound") is None
    assert report.resource("network") is None


def test_all_rungs_are_there_before_anything_ran():
    assert [rung.number for rung in EMPTY.ladder] == list(range(7))
    assert {rung.verdict for rung in EMPTY.ladder} == {"not run"}
    assert not EMPTY.failed


def test_a_rung_passes_only_when_all_its_checks_pass():
    passed, missing, failed = Check("a", "pass"), Check("b"), Check("c", "fail")
    assert rung_verdict([]) == "not run"
    assert rung_verdict([passed]) == "pass"
    assert rung_verdict([passed, missing]) == "not run"
    assert rung_verdict([passed, missing, failed]) == "fail"


def test_with_check_replaces_in_place_and_sums_time():
    report = EMPTY.with_check(5, Check("a")).with_check(5, Check("b", "pass", "proved", "", 2.0))
    assert report.rung(5).verdict == "not run"
    report = report.with_check(5, Check("a", "pass", "sampled n=9", "", 1.0))
    rung = report.rung(5)
    assert [c.title for c in rung.checks] == ["a", "b"]
    assert (rung.verdict, rung.how, rung.seconds) == ("pass", "sampled n=9; proved", 3.0)
    assert report.put(Rung(1, "x", "fail")).failed


def test_funnel_total_prefers_the_given_row_and_keeps_missing_missing():
    report = EMPTY.put(FunnelRow("a", tables=2, luts=3), FunnelRow("b", tables=5))
    total = report.funnel_total
    assert (total.tables, total.luts, total.distinct, total.depth) == (7, 3, None, None)
    given_row = FunnelRow("total", tables=6, depth=4)
    report = report.put(given_row)
    assert report.funnel_total == given_row
    assert [row.layer for row in report.funnel_layers] == ["a", "b"]


def test_a_report_of_before_can_be_read(full_report):
    """Fields that came later are absent in it, at every depth."""
    text = (Path(__file__).parent / "golden" / "before_quantities.json").read_text()
    old = Report.loads(text)
    assert (old.errors, old.predictions, old.network.quantities) == ((), (), ())
    assert old.timing.estimate_mhz is None
    assert old.resources == full_report.resources
