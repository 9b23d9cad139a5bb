import json
from pathlib import Path

import pytest

import nnlogic
from nnlogic.cli.verbs.search import compiled_luts, designer
from nnlogic.core.errors import TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import Argmax, QuantNet
from nnlogic.train import search as package
from nnlogic.train.search_options import Found, SearchOptions, SearchResult

ZOO = Path(__file__).parents[2] / "zoo"


@pytest.fixture
def fake_search(monkeypatch, tmp_path):
    calls = []

    def search(recipe, **how):
        calls.append((recipe, how))
        base = Found(0, 0.7, 400, {"fc1.bits": 2, "score.bits": 5}, tmp_path / "0.safetensors")
        other = Found(7, 0.71, 250, {"fc1.bits": 1, "score.bits": 5}, tmp_path / "7.safetensors")
        return SearchResult((other,), base, other, 12, tmp_path / "pareto", 3.25)

    monkeypatch.setattr(package, "search", search)
    return calls


def test_options_are_passed_on(nnlogic, fake_search, tmp_path):
    line = "--trials 9 --epochs 2 --budget 300 --bits 1,2 --fan-in 2,3 --width 0.5,1 --seed 4"
    line += " --sampler tpe --sensitivity none --effort normal --worker 1 --epoch-rows 64"
    done = nnlogic(
        "search", "digits", "-o", tmp_path, "--resume", "--storage", "s.log", *line.split()
    )
    assert done.code == 0, done.err
    recipe, how = fake_search[0]
    options = how["options"]
    assert recipe.name == "digits"
    assert (options.trials, options.epochs, options.epoch_rows, options.budget) == (9, 2, 64, 300)
    assert (options.sampler, options.sensitivity, options.effort) == ("tpe", "none", "normal")
    assert (options.worker, options.seed) == (1, 4)
    assert how["resume"]
    assert how["storage"] == "s.log"
    choices = how["space"].choices
    assert choices["fc2.fan_in"] == (2, 3, 8)
    assert choices["fc3.bits"] == (1, 2, 4)
    assert choices["fc1.width"] == (24, 48)


def test_result_for_people_and_for_machines(nnlogic, fake_search, tmp_path):
    out = nnlogic("search", "digits", "-o", tmp_path, "--budget", "300").out
    assert "    0      70.00 %     400  the recipe itself" in out
    assert "    7      71.00 %     250  fc1.bits 1\n" in out
    assert "best within 300 LUT6: trial 7" in out
    data = json.loads(nnlogic("search", "digits", "-o", tmp_path, "--json").out)
    assert [f["luts"] for f in data["front"]] == [250]


def test_designs_are_those_of_backends():
    net = nnlogic.load(ZOO / "jets_xs.safetensors")
    plain = designer(SearchOptions(target="xcup", effort="fast"))(net)
    assert plain.design.startswith("lut: ")
    assert f"{plain.luts} LUTs" in plain.design
    with pytest.raises(TargetMissed, match=r"--max-latency, ns +the LUT backend needs"):
        designer(SearchOptions(max_latency=0.1, backend="lut"))(net)
    slices = designer(SearchOptions(target="xcup", backend="dsp"))(net)
    assert slices.design.startswith("dsp: one engine of ")
    with pytest.raises(UsageError, match="unknown target 'none'"):
        designer(SearchOptions(target="none"))
    with pytest.raises(
        UsageError, match="says nothing of a design before it is compiled"
    ) as caught:
        designer(SearchOptions(backend="mac"))
    assert "chain, dsp, lut, stream, auto" in str(caught.value)
    with pytest.raises(UnsupportedModel, match="no design for a network like this"):
        designer(SearchOptions(target="xc7", backend="stream"))(net)
    with pytest.raises(UsageError, match="no such backend"):
        designer(SearchOptions(backend="none"))


def test_compiled_luts_are_the_compilers():
    chosen = IntFormat(1)
    ports = tuple(Port(f"x{i}", IntFormat(2)) for i in range(2))
    net = QuantNet(
        "n",
        ports,
        (Argmax("argmax", ("input",), (chosen,)),),
        ((Port("class", chosen), "argmax", 0),),
    )
    # The larger of two 2-bit numbers is one LUT of four inputs.
    assert compiled_luts(net, "fast") == 1


def test_mistakes_are_usage_errors(nnlogic, tmp_path):
    got = nnlogic("search", "digits", "-o", tmp_path / "x", "--bits", "a,b")
    assert got.code == 2
    assert "not a list such as 1,2,3" in got.err
    assert nnlogic("search", "no-such", "-o", tmp_path / "x").code == 2
    assert not (tmp_path / "x").exists()
