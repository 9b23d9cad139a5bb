"""Networks of difflogic: gate numbers, wires and votes as the format has them."""

import pytest
import torch

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.difflogic import check_difflogic
from nnlogic.core.errors import CheckpointError, UsageError


def model(seed=0, inputs=7, widths=(20, 12)):
    g = torch.Generator().manual_seed(seed)
    state, wires = {}, inputs
    for number, width in enumerate(widths, 1):
        state[f"{number}.weights"] = torch.randn(width, 16, generator=g)
        state[f"{number}.indices"] = torch.randint(wires, (2, width), generator=g)
        wires = width
    state["1.indices"][0, 0] = inputs - 1
    return state


def save(folder, state):
    path = folder / "gates.pth"
    torch.save(state, path)
    return path


@pytest.mark.parametrize("seed", range(4))
def test_the_network_is_the_gates(tmp_path, seed):
    path = save(tmp_path, model(seed))
    net = nnlogic.load(path, read="classes=3")
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096"), verdict.detail
    tables = nnlogic.tabulate(net)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"


def test_every_gate_by_its_formula(tmp_path):
    """One gate of each number, each voting for a class of its own."""
    state = {"0.weights": torch.eye(16), "0.indices": torch.tensor([[0] * 16, [1] * 16])}
    net = nnlogic.load(save(tmp_path, state), read="classes=16")
    score = net.layers[0].evaluate
    for a in (0, 1):
        for b in (0, 1):
            expected = [
                0, a & b, a & (1 - b), a, b & (1 - a), b, a ^ b, a | b,
                1 - (a | b), 1 - (a ^ b), 1 - b, a | (1 - b), 1 - a, b | (1 - a), 1 - (a & b), 1,
            ]  # fmt: skip
            assert score(torch.tensor([[a, b]]).numpy()).tolist() == [expected]


@pytest.mark.parametrize("part", ["weights", "indices"])
def test_a_changed_model_is_found(tmp_path, part):
    state = model(1)
    net = nnlogic.load(save(tmp_path, state), read="classes=3")
    state[f"2.{part}"] = state[f"2.{part}"].flip(1 if part == "weights" else 0)
    assert not check_difflogic(net, save(tmp_path, state)).equal


def test_options(tmp_path):
    path = save(tmp_path, model())
    with pytest.raises(CheckpointError, match="classes=N"):
        nnlogic.load(path)
    assert len(nnlogic.load(path, read="classes=3,inputs=11").inputs) == 11
    for wrong in ("classes=5", "classes=x", "classes=3,inputs=2", "classes=1"):
        with pytest.raises(UsageError):
            nnlogic.load(path, read=wrong)


BROKEN = {
    "wires": lambda s: s["2.indices"].fill_(20),
    "negative": lambda s: s["2.indices"].fill_(-1),
    "shape": lambda s: s.update({"2.indices": torch.zeros(3, 12).long()}),
    "float": lambda s: s.update({"2.indices": torch.zeros(2, 12)}),
    "gates": lambda s: s.update({"1.weights": torch.zeros(20, 8)}),
    "nan": lambda s: s["1.weights"].fill_(float("nan")),
    "lost": lambda s: s.pop("2.weights"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    state = model()
    BROKEN[name](state)
    with pytest.raises(CheckpointError, match=r"gates\.pth"):
        nnlogic.load(save(tmp_path, state), read="classes=3")


def test_without_wires_the_reason_is_named(tmp_path):
    state = {k: v for k, v in model().items() if "indices" not in k}
    with pytest.raises(CheckpointError, match="how layers connect"):
        nnlogic.load(save(tmp_path, state))


def test_an_option_that_does_not_fit_names_the_file(tmp_path):
    for wrong in ("classes=5", "classes=x", "rounds=1"):
        with pytest.raises(UsageError, match=r"gates\.pth"):
            nnlogic.load(save(tmp_path, model()), read=wrong)
