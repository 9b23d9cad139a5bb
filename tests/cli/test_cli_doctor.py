import json

import pytest

from nnlogic.tools import doctor
from nnlogic.tools.doctor import ToolStatus

YOSYS = ToolStatus("yosys", True, "0.70", "wheel pyosys 0.70", "synthesis", "")
NO_ABC = ToolStatus("abc", False, "", "not installed", "proofs", "pip install it")
NO_TORCH = ToolStatus("torch", False, "", "not installed", "training", "pip install it", False)


@pytest.mark.parametrize(
    ("found", "code"), [((YOSYS, NO_TORCH), 0), ((YOSYS, NO_ABC), 4), ((YOSYS,), 0)]
)
def test_exit_code_4_when_something_needed_is_missing(nnlogic, monkeypatch, found, code):
    monkeypatch.setattr(doctor, "diagnose", lambda more: found)
    got = nnlogic("doctor")
    assert got.code == code
    for status in found:
        assert status.name in got.out
        assert status.ok or f"fix: {status.fix}" in got.out
    data = json.loads(nnlogic("doctor", "--json").out)
    assert data["ok"] == (code == 0)
    assert data["missing"] == (["abc"] if code else [])
    assert [tool["name"] for tool in data["tools"]] == [status.name for status in found]


def test_the_real_diagnosis_prints(nnlogic):
    got = nnlogic("doctor")
    assert got.code in (0, 4)
    assert "yosys" in got.out
    assert "abc" in got.out
