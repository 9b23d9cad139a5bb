"""Networks of torchlogix: parametrizations, slot order, wires and thresholds of the format."""

import itertools

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.torchlogix import check_torchlogix
from nnlogic.cli.main import main
from nnlogic.core.errors import CheckpointError, UsageError

FEATURES, BITS = 4, 3
KINDS = [("raw", 2), *[("warp", n) for n in (1, 2, 4, 6)], *[("light", n) for n in (2, 4, 6)]]
ENCODERS = {"none": None, "each": (FEATURES, BITS), "common": (BITS,)}


def model(seed=0, kind="raw", reads=2, thresholds=None, learned=False, widths=(20, 12)):
    g = torch.Generator().manual_seed(seed)
    state, wires = {}, FEATURES * BITS
    if thresholds is not None:
        state["0.thresholds"] = torch.randn(thresholds, generator=g).sort(-1).values
    for number, width in enumerate(widths, 2):
        size = 16 if kind == "raw" else 1 << reads
        state[f"{number}.weight"] = torch.randn(width, size, generator=g)
        shape = (3, reads, width) if learned else (reads, width)
        state[f"{number}.connections.indices"] = torch.randint(wires, shape, generator=g)
        if learned:
            state[f"{number}.connections.weights"] = torch.rand(shape, generator=g)
        wires = width
    state["2.connections.indices"].view(-1)[0] = FEATURES * BITS - 1
    return state


def save(folder, state):
    path = folder / "tables.pt"
    torch.save(state, path)
    return path


def options(kind, thresholds=None):
    found = {"classes": "3", "inputs": str(FEATURES if thresholds else FEATURES * BITS)}
    return found if kind == "raw" else {**found, "parametrization": kind}


def output(kind, weights, bits):
    """One table by the documentation: gate numbers, polynomials in +-1, or entries."""
    a = [int(b) for b in bits]
    if kind == "raw":
        return int(f"{int(weights.argmax()):04b}"[2 * a[0] + a[1]])
    if kind == "light":
        return int(weights[int("".join(map(str, a)), 2)] > 0)
    total = np.float32(0)
    for k, weight in enumerate(weights.numpy()):
        term = weight
        for bit, chosen in zip(a, f"{k:0{len(a)}b}", strict=True):
            term = term * np.float32(1 - 2 * bit if chosen == "1" else 1)
        total = np.float32(total + term)
    return int(total < 0)


def predict(state, kind, row):
    x = row
    if "0.thresholds" in state:
        each = state["0.thresholds"].expand(FEATURES, BITS).numpy()
        x = [int(v > t) for v, mine in zip(row, each, strict=True) for t in mine]
    for number in (2, 3):
        wires = state[f"{number}.connections.indices"]
        if f"{number}.connections.weights" in state:
            best = state[f"{number}.connections.weights"].argmax(0, keepdim=True)
            wires = wires.gather(0, best)[0]
        weights = state[f"{number}.weight"]
        x = [output(kind, w, [x[i] for i in c]) for w, c in zip(weights, wires.T, strict=True)]
    votes = [sum(x[i : i + 4]) for i in (0, 4, 8)]
    return votes.index(max(votes))


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("kind", "reads"), KINDS)
def test_the_network_is_the_model(tmp_path, kind, reads, encoder, learned):
    shape = ENCODERS[encoder]
    state = model(reads, kind, reads, shape, learned)
    path = save(tmp_path, state)
    net = nnlogic.load(path, read=options(kind, shape))
    rng = np.random.default_rng(0)
    if shape is None:
        rows = rng.integers(0, 2, (40, FEATURES * BITS))
    else:
        each = state["0.thresholds"].expand(FEATURES, BITS).numpy()
        near = np.concatenate([each.T, np.nextafter(each, np.inf).T, rng.normal(size=(30, 4))])
        rows = near.astype(np.float32)
    expected = [predict(state, kind, row) for row in rows]
    assert net.evaluate(net.encode(rows))[:, 0].tolist() == expected
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=2048"), verdict.detail


def test_compiles(tmp_path, monkeypatch):
    path = save(tmp_path, model(0, "warp", 4, (FEATURES, BITS)))
    net = nnlogic.load(path, read=options("warp", True))
    tables = nnlogic.tabulate(net)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"
    monkeypatch.chdir(tmp_path)
    read = ",".join(f"{key}={value}" for key, value in options("warp", True).items())
    words = ["compile", str(path), "-o", "run", "--effort", "fast", "--jobs", "1"]
    assert main([*words, "--read", read, "--stop-after", "logic"]) == 0


@pytest.mark.parametrize("kind", ["raw", "warp", "light"])
@pytest.mark.parametrize(
    "part", ["3.weight", "3.connections.indices", "3.connections.weights", "0.thresholds"]
)
def test_a_changed_model_is_found(tmp_path, kind, part):
    state = model(1, kind, 2, (FEATURES, BITS), learned=True)
    net = nnlogic.load(save(tmp_path, state), read=options(kind, True))
    state[part] = state[part].flip(0 if part.endswith("weights") else -1)
    assert not check_torchlogix(net, save(tmp_path, state)).equal


def test_what_the_file_does_not_hold_is_asked_for(tmp_path):
    path = save(tmp_path, model(0, "warp", 4))
    with pytest.raises(CheckpointError, match="parametrization=warp, or light"):
        nnlogic.load(path, read="classes=3")
    with pytest.raises(CheckpointError, match="classes=N"):
        nnlogic.load(path, read="parametrization=warp")
    for wrong in ("classes=5", "classes=3,inputs=1", "classes=3,parametrization=walsh"):
        given = {"parametrization": "warp", **dict(part.split("=") for part in wrong.split(","))}
        with pytest.raises(UsageError, match=r"tables\.pt"):
            nnlogic.load(path, read=given)


def test_learned_thresholds_are_refused_with_the_way_out(tmp_path):
    state = model(0, thresholds=(FEATURES, BITS))
    state["0.raw_diffs"] = torch.rand(FEATURES, BITS)
    with pytest.raises(CheckpointError, match="FixedBinarization"):
        nnlogic.load(save(tmp_path, state), read="classes=3")


BROKEN = {
    "wires": lambda s: s["3.connections.indices"].fill_(20),
    "negative": lambda s: s["3.connections.indices"].fill_(-1),
    "shape": lambda s: s.update({"3.connections.indices": torch.zeros(3, 12).long()}),
    "dimensions": lambda s: s.update({"3.connections.indices": torch.zeros(12).long()}),
    "many wires": lambda s: s.update({"3.connections.indices": torch.zeros(7, 12).long()}),
    "float wires": lambda s: s.update({"3.connections.indices": torch.zeros(2, 12)}),
    "choice": lambda s: s.update({"3.connections.weights": torch.zeros(2, 12)}),
    "weights": lambda s: s.update({"2.weight": torch.zeros(20, 8)}),
    "whole weights": lambda s: s.update({"2.weight": torch.zeros(20, 16).long()}),
    "nan": lambda s: s["2.weight"].fill_(float("nan")),
    "lost weights": lambda s: s.pop("3.weight"),
    "lost wires": lambda s: s.pop("2.connections.indices"),
    "threshold": lambda s: s["0.thresholds"].fill_(float("inf")),
    "thresholds of images": lambda s: s.update({"0.thresholds": torch.zeros(1, 2, 3)}),
    "few thresholds": lambda s: s.update({"0.thresholds": torch.zeros(1, 3)}),
    "late thresholds": lambda s: s.update({"4.thresholds": torch.zeros(2)}),
    "convolution": lambda s: s.update({"1.tree_weights.0": torch.zeros(2)}),
    "export": lambda s: s.update({"3._export_lut_ids": torch.zeros(2)}),
    "batch norm": lambda s: s.update({"3.running_mean": torch.zeros(2)}),
    "no number": lambda s: s.update({"head.weight": s.pop("3.weight")}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    state = model(thresholds=(FEATURES, BITS))
    BROKEN[name](state)
    path = save(tmp_path, state)
    with pytest.raises(CheckpointError, match=r"tables\.pt"):
        nnlogic.load(path, read="classes=3")
    assert main(["inspect", str(path), "--read=classes=3"]) == 3


def test_cut_files_are_refused(tmp_path):
    path = save(tmp_path, model())
    raw = path.read_bytes()
    for size in itertools.chain(range(0, len(raw), len(raw) // 20), [len(raw) - 1]):
        path.write_bytes(raw[:size])
        with pytest.raises(CheckpointError):
            nnlogic.load(path, read="classes=3")
