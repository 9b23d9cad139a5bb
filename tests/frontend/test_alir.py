"""Programs of alkaid and da4ml: every operation, every version, what packages gave, bad files."""

import copy
import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
from alir_programs import program

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.alir import check_alir
from nnlogic.cli.main import main
from nnlogic.core.errors import CheckpointError, NNLogicError, UnsupportedModel, UsageError
from nnlogic.frontend import recognize

DATA = Path(__file__).parent / "data" / "alir"
CODES = {-2: "neg", 0: "add", 1: "sub", 2: "relu", 3: "cut", 4: "bias", 5: "const", 6: "mux",
         7: "mul", 8: "table", 9: "unary", 10: "binary", 11: "sum"}  # fmt: skip


def save(folder, content, name="f.json"):
    path = folder / name
    data = json.dumps(content).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def codes_of(net, rows, step):
    """Return the bits of numbers ``rows * step`` that the ports of a network hold."""
    columns = []
    for port, meaning, column in zip(net.inputs, net.info["inputs"], rows.T, strict=True):
        bits = np.floor(column * step / meaning["step"]).astype(np.int64)
        columns.append(port.format.from_raw(bits & ((1 << port.format.bits) - 1)))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(
    ("name", "which"),
    [("alkaid", "alkaid"), ("da4ml", "da4ml"), ("pipeline", "da4ml")],
)
def test_outputs_are_those_of_the_package(name, which):
    recorded = np.load(DATA / "outputs.npz")
    net = nnlogic.load(DATA / f"{name}.json", read="decision=none")
    got = net.evaluate(codes_of(net, recorded["rows"], 1 / 8))
    assert np.array_equal(got * net.info["outputs"][0]["step"] * 16, recorded[which])
    assert check_alir(net, DATA / f"{name}.json").equal


@pytest.mark.parametrize("code", CODES, ids=CODES.get)
@pytest.mark.parametrize("seed", range(3))
def test_every_operation(tmp_path, code, seed):
    path = save(tmp_path, program(seed, count=12, codes=(code, code, 3)))
    net = nnlogic.load(path)
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096"), verdict


@pytest.mark.parametrize("seed", range(100, 112))
def test_random_programs(tmp_path, seed):
    path = save(tmp_path, program(seed), "f.json.gz")
    for inputs in ("codes", "features"):
        net = nnlogic.load(path, read={"inputs": inputs})
        assert check_alir(net, path).equal
        assert net.info["rows"] == inputs


def test_wide_numbers_are_taken_apart(tmp_path):
    """Muxes, bitwise functions and products of more bits than a table has."""

    def bound(bits):
        return [-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1, 1.0]

    records = [
        [[], -1, [0], bound(9), 0, 0],
        [[], -1, [1], bound(10), 0, 0],
        [[], -1, [2], bound(3), 0, 0],
        [[0, 1], 10, [0, 2], bound(10), 0, 0],
        [[0, 1, 2], 6, [0], bound(10), 0, 0],
        [[0, 1], 7, [], bound(19), 0, 0],
    ]
    model = [[3, 3], [0] * 3, [3, 4, 5], [0] * 3, [False] * 3, records, 1, 1]
    path = save(tmp_path, {"model": model, "meta": "ALIRModel", "spec_version": 4})
    assert check_alir(nnlogic.load(path), path).equal


def as_version2(content):
    """Return a program as alkaid wrote it before numbers stood in lists."""
    out = copy.deepcopy(content)
    out["spec_version"], out["meta"] = 2, "DAISModel"
    out["model"][5] = [packed(r, r[2]) for r in out["model"][5]]
    return out


def packed(record, data):
    args, code = record[:2]
    word = data[0] if data else 0
    if code == 4:
        word = (data[0] & 0xFFFFFFFF) | (data[1] & 0xFFFFFFFF) << 32
    if code == 6:
        word = (args[2] & 0xFFFFFFFF) | (data[0] & 0xFFFFFFFF) << 32
    if code == 10:
        word = (data[0] & 0xFFFFFFFF) | data[1] << 56
    if code in (4, 6) and word >= 1 << 63:
        word -= 1 << 64
    first = data[0] if code == -1 else (args[0] if args else -1)
    second = args[1] if len(args) > 1 else -1
    return [first, second, code, 0 if code == -1 else word, *record[3:]]


@pytest.mark.parametrize("seed", range(4))
def test_older_versions_mean_the_same(tmp_path, seed):
    content = program(seed, codes=(-2, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10))
    third = copy.deepcopy(content)
    third["spec_version"] = 3
    nets = []
    for i, one in enumerate((content, third, as_version2(content))):
        path = save(tmp_path, one, f"v{i}.json")
        nets.append(nnlogic.load(path))
        assert check_alir(nets[-1], path).equal
    assert len({net.text().split("\n", 1)[1] for net in nets}) == 1


def test_compiles_with_a_proof(tmp_path, capsys):
    path = save(tmp_path, program(5, count=14))
    assert main(["compile", str(path), "-o", str(tmp_path / "run"), "--effort", "fast"]) == 0
    rung = json.loads((tmp_path / "run" / "report.json").read_text())["ladder"][1]
    assert (rung["verdict"], rung["checks"][0]["title"]) == ("pass", "ALIR program = QuantNet")
    capsys.readouterr()


@pytest.mark.parametrize("part", ["table", "constant", "shift", "output"])
def test_a_changed_program_is_found(tmp_path, part):
    content = json.loads((DATA / "alkaid.json").read_text())
    net = nnlogic.load(save(tmp_path, content))
    records = content["model"][5]
    if part == "table":
        values = content["model"][8][0]["table"]
        values[:] = [v ^ 1 for v in values]
    elif part == "constant":
        next(r for r in records if r[1] == 4)[2][0] += 1
    elif part == "shift":
        next(r for r in records if r[1] == 1)[2][0] += 1
    else:
        content["model"][3][0] += 1
    verdict = check_alir(net, save(tmp_path, content))
    assert not verdict.equal
    assert "model" in verdict.detail or "value" in verdict.detail or "table" in verdict.detail


def test_a_table_without_an_entry_is_found(tmp_path):
    """The file says that a value has a narrower range than it has."""
    records = [
        [[], -1, [0], [-4.0, 3.0, 1.0], 0, 0],
        [[0], 4, [2, 0], [-1.0, 1.0, 1.0], 0, 0],
        [[1], 8, [0], [0.0, 3.0, 1.0], 0, 0],
    ]
    table = {"spec": {"hash": "", "out_qint": {"min": 0, "max": 3, "step": 1}, "inp_width": 2},
             "table": [1, 2, 3]}  # fmt: skip
    model = [[1, 1], [0], [2], [0], [False], records, 1, 1, [table]]
    path = save(tmp_path, {"model": model, "meta": "ALIRModel", "spec_version": 4})
    verdict = check_alir(nnlogic.load(path), path)
    assert not verdict.equal
    assert "a table of 3 entries has none" in verdict.detail


def test_options(tmp_path):
    path = save(tmp_path, program(1))
    assert nnlogic.load(path).outputs[-1].name == "class"
    assert nnlogic.load(path, read="decision=none").outputs[-1].name == "y5"
    for wrong in ("decision=vote", "inputs=floats", "bits=3"):
        with pytest.raises(UsageError):
            nnlogic.load(path, read=wrong)


def test_scores_decide_and_the_first_of_equals_wins(tmp_path):
    path = save(tmp_path, program(9))
    net = nnlogic.load(path)
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(p.format.lo, p.format.hi + 1, 200) for p in net.inputs], 1)
    out = net.evaluate(rows)
    assert (out[:, -1] == out[:, :-1].argmax(axis=1)).all()


def test_bits_that_are_dropped_are_not_inputs(tmp_path):
    records = [
        [[], -1, [0], [-(2.0**24), 2.0**24 - 0.125, 0.125], 0, 0],
        [[0], 3, [0], [-4.0, 3.5, 0.5], 0, 0],
        [[0], 3, [0], [0.0, 0.75, 0.25], 0, 0],
    ]
    model = [[2, 2], [0, 0], [1, 2], [0, 0], [False] * 2, records, 1, 1]
    path = save(tmp_path, {"model": model, "meta": "ALIRModel", "spec_version": 4})
    net = nnlogic.load(path, read="decision=none")
    assert [str(p) for p in net.inputs] == ["x0:i5", "x1:u1"]
    assert net.info["inputs"][0] == {"step": 0.25}
    assert check_alir(net, path).equal


def wrong(content, change):
    out = copy.deepcopy(content)
    change(out)
    return out


CHANGES = {
    "version": lambda c: c.update(spec_version=9),
    "meta": lambda c: c.update(meta="Model"),
    "shape": lambda c: c["model"][0].append(3),
    "inputs": lambda c: c["model"][1].pop(),
    "parts": lambda c: c["model"].clear(),
    "future": lambda c: c["model"][5][4][0].append(10_000),
    "code": lambda c: c["model"][5][4].__setitem__(1, 77),
    "step": lambda c: c["model"][5][4].__setitem__(3, [0, 1, 0.3]),
    "huge": lambda c: c["model"][5][4].__setitem__(3, [0, 1e300, 1]),
    "nan": lambda c: c["model"][5][4].__setitem__(3, [0, float("nan"), 1]),
    "input number": lambda c: c["model"][5][0].__setitem__(2, [99]),
    "no table": lambda c: c["model"].pop(),
    "short table": lambda c: c["model"][8][0]["table"].pop(),
    "entry": lambda c: c["model"][8][0]["table"].__setitem__(0, 10**9),
    "text": lambda c: c["model"][5][4].__setitem__(3, "x"),
    "output": lambda c: c["model"][2].__setitem__(0, 10**6),
    "shift": lambda c: c["model"][3].__setitem__(0, 10**6),
    "many inputs": lambda c: c["model"].__setitem__(0, [10**12, 6]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wrong_file_is_named(tmp_path, change, capsys):
    content = json.loads((DATA / "alkaid.json").read_text())
    path = save(tmp_path, wrong(content, CHANGES[change]))
    with pytest.raises(CheckpointError) as error:
        nnlogic.load(path)
    assert str(path) in str(error.value)
    assert main(["inspect", str(path)]) == 3
    capsys.readouterr()


def test_what_cannot_be_compiled_is_listed(tmp_path):
    wide = [0.0, 2.0**20 - 1, 1.0]
    records = [
        [[], -1, [0], wide, 0, 0],
        [[0], 9, [2], [0.0, 1.0, 1.0], 0, 0],
        [[0, 0], 7, [], [0.0, 2.0**40, 1.0], 0, 0],
    ]
    model = [[1, 2], [0], [1, 2], [0] * 2, [False] * 2, records, 1, 1]
    path = save(tmp_path, {"model": model, "meta": "ALIRModel", "spec_version": 4})
    with pytest.raises(UnsupportedModel) as error:
        nnlogic.load(path)
    text = str(error.value)
    assert "2 operations cannot be compiled" in text
    assert "operation 1 (code 9)" in text
    assert "operation 2 (code 7)" in text


@pytest.mark.parametrize("name", ["alkaid", "da4ml", "pipeline"])
def test_mutated_files_are_refused_or_mean_something(tmp_path, name):
    data = bytearray((DATA / f"{name}.json").read_bytes())
    rng, refused = random.Random(name), []
    for _ in range(60):
        changed = bytearray(data)
        if rng.random() < 0.3:
            changed = changed[: rng.randrange(len(changed))]
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(max(1, len(changed)))
            changed[at : at + rng.randrange(3)] = rng.choice([b"", b"0", b"9", b"-", b"]", b"1e9"])
        path = tmp_path / "f.json"
        path.write_bytes(bytes(changed))
        try:
            net = nnlogic.load(path, format="alir")
        except NNLogicError as error:
            refused.append(str(error))
        else:
            net.verify()
    assert refused
    assert all(str(path) in text for text in refused)


def test_recognized_by_its_content(tmp_path):
    for name in ("alkaid", "da4ml", "pipeline"):
        path = tmp_path / "net"
        path.write_bytes((DATA / f"{name}.json").read_bytes())
        assert recognize(path).name == "alir"
    path.write_bytes(gzip.compress((DATA / "alkaid.json").read_bytes()))
    assert recognize(path).name == "alir"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CheckpointError, match="cut short"):
        nnlogic.load(path)
    path.write_text("[[1, 2], [3, 4]]")
    with pytest.raises(CheckpointError):
        nnlogic.load(path)
