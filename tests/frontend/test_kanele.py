"""Tables of KANELE: codes, clamps and constants as the format has them."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.kanele import check_kanele
from nnlogic.core.errors import CheckpointError, NNLogicError, UnsupportedModel, UsageError

WIDTHS, BITS = [3, 4, 2], [3, 4, 3]


def model(seed=0, span=9):
    """Tables between -span and span; one in four is not in use, one constant."""
    rng = np.random.default_rng(seed)
    entries = {}
    for layer, width in enumerate(WIDTHS[:-1]):
        for i in range(width):
            for o in range(WIDTHS[layer + 1]):
                values = rng.integers(-span, span + 1, 1 << BITS[layer])
                entries[f"{layer}_{i}_{o}"] = {
                    "acive": int(rng.random() < 0.75), "values_int": values.tolist()
                }  # fmt: skip
    entries["0_1_2"] = {"acive": 1, "values_int": [-5] * 8}
    return entries


def save(folder, entries, config=True):
    path = folder / "truth_tables.json"
    path.write_text(json.dumps(entries))
    if config:
        text = json.dumps({"layers": WIDTHS, "layers_bitwidth": BITS, "base_activation": "nn.SiLU"})
        (folder / "config.json").write_text(text)
    return path


def clamp(value, bits):
    return max(-(1 << bits - 1), min((1 << bits - 1) - 1, value))


def evaluate(entries, row):
    x = list(row)
    for layer, bits in enumerate(BITS[1:]):
        sums = [0] * WIDTHS[layer + 1]
        for key, entry in entries.items():
            at, i, o = map(int, key.split("_"))
            if at == layer and entry["acive"]:
                sums[o] += entry["values_int"][x[i]]
        y = [clamp(s, bits) for s in sums]
        x = [v + (1 << bits - 1) for v in y]
    return [*y, y.index(max(y))]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 9, 40]))
def test_every_row_is_what_the_tables_give(tmp_path_factory, seed, span):
    entries = model(seed, span)
    net = nnlogic.load(save(tmp_path_factory.mktemp("kanele"), entries))
    rows = np.stack(np.meshgrid(*[np.arange(8)] * 3, indexing="ij"), -1).reshape(-1, 3)
    assert net.evaluate(rows).tolist() == [evaluate(entries, row) for row in rows]
    assert net.info["format"] == "KANELE tables"


def test_compiles_and_the_first_rung_reads_the_file_again(tmp_path):
    path = save(tmp_path, model())
    net = nnlogic.load(path)
    tables = nnlogic.tabulate(net)
    logic = nnlogic.minimize(tables, effort="fast")
    assert nnlogic.check(tables, logic).how == "proved"
    check = first_rung(net).check(net, path, 60)
    assert (check().equal, check().how) == (True, "sampled n=4096")


@pytest.mark.parametrize("key", ["0_0_0", "1_3_1"])
def test_a_changed_entry_is_found(tmp_path, key):
    entries = model(1)
    for entry in entries.values():
        entry["acive"] = 1
    net = nnlogic.load(save(tmp_path, entries))
    for at in range(0, len(entries[key]["values_int"]), 3):
        entries[key]["values_int"][at] += 1
    assert not check_kanele(net, save(tmp_path, entries)).equal


def test_vectors_of_the_model_are_compared(tmp_path):
    entries = model(2)
    path = save(tmp_path, entries)
    net = nnlogic.load(path)
    folder = tmp_path / "firmware" / "sim"
    folder.mkdir(parents=True)
    rows = [[0, 3, 7], [5, 5, 1]]
    outputs = [evaluate(entries, row)[:2] for row in rows]
    (folder / "vectors_in.txt").write_text("\n".join(" ".join(map(str, r)) for r in rows))
    (folder / "vectors_out.txt").write_text("\n".join(" ".join(map(str, r)) for r in outputs))
    assert "2 vectors of the model" in check_kanele(net, path).detail
    outputs[1][0] ^= 1
    (folder / "vectors_out.txt").write_text("\n".join(" ".join(map(str, r)) for r in outputs))
    assert not check_kanele(net, path).equal


def test_options(tmp_path):
    path = save(tmp_path, model(), config=False)
    with pytest.raises(CheckpointError, match="how wide the outputs are"):
        nnlogic.load(path)
    net = nnlogic.load(path, read="bits=3")
    assert [p.name for p in net.outputs] == ["y0", "y1", "class"]
    net = nnlogic.load(path, read={"bits": "3", "decision": "none"})
    assert [p.name for p in net.outputs] == ["y0", "y1"]
    for wrong in ("bits=99", "bits=x", "bits=3,decision=vote"):
        with pytest.raises(CheckpointError):
            nnlogic.load(path, read=wrong)
    with pytest.raises(UsageError, match="--read"):
        nnlogic.load(path, read="decisions=none")


BROKEN = {
    "text": lambda e: e.update({"0_0_0": "table"}),
    "name": lambda e: e.update({"0_0": {"acive": 1, "values_int": [0, 1]}}),
    "float": lambda e: e["0_0_0"]["values_int"].__setitem__(0, 0.5),
    "nan": lambda e: e["0_0_0"]["values_int"].__setitem__(0, float("nan")),
    "huge": lambda e: e["0_0_0"]["values_int"].__setitem__(0, 10**400),
    "short": lambda e: e["0_0_0"].update(values_int=[1, 2, 3]),
    "length": lambda e: e["0_0_0"].update(values_int=[1, 2]),
    "flag": lambda e: e["0_0_0"].update(acive="yes"),
    "layer": lambda e: e.update({"9_0_0": e["0_0_0"]}),
    "wire": lambda e: e.update({"1_7_0": e["1_0_0"]}),
    "outputs": lambda e: e.update({"1_0_5": e["1_0_0"]}),
    "far": lambda e: e.update({"1_999999_999999": e["1_0_0"]}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    entries = model()
    BROKEN[name](entries)
    path = save(tmp_path, entries)
    with pytest.raises(CheckpointError, match=r"truth_tables\.json"):
        nnlogic.load(path)


def test_sums_beyond_a_table_are_refused(tmp_path):
    with pytest.raises(UnsupportedModel, match="at most 16"):
        nnlogic.load(save(tmp_path, model(span=1 << 20)))


def test_damaged_files_are_named(tmp_path):
    path = save(tmp_path, model())
    text = path.read_text()
    for cut in (text[:-20], text[:40] + "[" * 100_000):
        path.write_text(cut)
        with pytest.raises(CheckpointError, match=r"truth_tables\.json"):
            nnlogic.load(path)
    path.write_text(text)
    path.with_name("config.json").write_text("[]")
    with pytest.raises(NNLogicError, match=r"config\.json"):
        nnlogic.load(path)
