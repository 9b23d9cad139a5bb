"""Teachers of users: predictions by name, models that are imported, fitted estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import nn

import nnlogic
from nnlogic.core.errors import InputError, UnsupportedModel, UsageError
from nnlogic.data.own import Choices, load_own
from nnlogic.sklearn import LogicClassifier, LogicRegressor
from nnlogic.train import PopulationRecipe, train
from nnlogic.train.given_teacher import module_says, taught_by, with_teacher
from nnlogic.train.recipe_file import load_recipe, recipe_text

ROWS = 400
CLASSES = ("cold", "hot", "warm")


@pytest.fixture
def rows():
    x = np.random.default_rng(0).integers(0, 16, (ROWS, 3))
    return x, np.clip((x[:, 0] + x[:, 1]) // 11, 0, 2)


@pytest.fixture
def table(tmp_path, rows):
    """A table whose labels are noise: only a teacher knows the classes."""
    x, _ = rows
    noise = np.random.default_rng(1).integers(0, 3, ROWS)
    lines = [f"{a},{b},{c},{CLASSES[k]}" for (a, b, c), k in zip(x, noise, strict=True)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["t,u,v,kind", *lines]) + "\n")
    return path


def shares(y):
    return 0.9 * np.eye(3)[y] + 0.1 / 3


def written(path, names, values):
    lines = [",".join(map(str, row)) for row in values.tolist()]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


RECIPE = PopulationRecipe(
    "mine", "", shape="sums", input_bits=4, hidden=3, steps=300, batch=64, copies=1, distill=1.0,
    rate_tables=0.1, label="kind", members=1,
)  # fmt: skip


def right(result, rows):
    net, (x, y) = nnlogic.load(result.checkpoint), rows
    return np.mean(net.evaluate(net.encode(x.astype(np.float32)))[:, -1] == y)


@pytest.mark.parametrize("form", ["probabilities", "scores", "npz"])
def test_predictions_of_a_file_are_followed_and_matched_by_name(form, rows, table, tmp_path):
    values = shares(rows[1])
    if form == "scores":
        values = 7.0 * np.log(values) + 3
    order = [2, 0, 1]
    if form == "npz":
        path = tmp_path / "said.npz"
        np.savez(path, X=values)
    else:
        names = [*(f"p_{CLASSES[i]}" for i in order), "more"]
        more = np.full((ROWS, 1), 9.0)
        path = written(tmp_path / "said.csv", names, np.hstack([values[:, order], more]))
    recipe = replace(RECIPE, dataset=str(table))
    result = train(recipe, out=tmp_path / "out", teacher=path, device="cpu")
    assert right(result, rows) > 0.8
    assert nnlogic.load(result.checkpoint).info["training"]["recipe"]["teacher"] == path.name
    assert "float" not in result.accuracy


def test_a_model_that_is_read_teaches_what_it_computes(rows, table, tmp_path):
    data = load_own(table, Choices("kind"))
    good = replace(data, y_train=rows[1][data.train_rows])
    first = train(replace(RECIPE, distill=0.0), out=tmp_path / "first", dataset=good, device="cpu")
    taught = with_teacher(data, first.checkpoint)
    net = nnlogic.load(first.checkpoint)
    said = net.evaluate(net.encode(data.x_train))[:, -1]
    assert np.mean(taught.taught.argmax(1) == said) > 0.99
    assert np.allclose(np.exp(taught.taught).sum(1), 1, atol=1e-3)
    path = tmp_path / "mine.toml"
    recipe = replace(RECIPE, dataset="mine.csv", teacher="first/mine.safetensors")
    path.write_text(recipe_text(recipe))
    assert load_recipe(path).teacher == str(tmp_path / "first/mine.safetensors")
    again = train(path, out=tmp_path / "again", device="cpu")
    assert right(again, rows) > 0.8


class Knows(nn.Module):
    """The classes of `rows` by their sum, in floats, in one of the forms that people return."""

    def __init__(self, form="scores"):
        super().__init__()
        self.fc1, self.fc2, self.form = nn.Linear(3, 2), nn.Linear(2, 3), form
        self.drop = nn.Dropout(0.9)
        with torch.no_grad():
            self.fc1.weight.copy_(torch.tensor([[1.0, 1, 0], [1, 1, 0]]))
            self.fc1.bias.copy_(torch.tensor([-10.5, -21.5]))
            # Half of the way into a bend, both are -1 or 1.
            self.fc2.weight.copy_(torch.tensor([[-4.0, -2], [4, -4], [2, 4]]))
            self.fc2.bias.zero_()

    def forward(self, x):
        y = self.drop(self.fc2(torch.tanh(8 * self.fc1(x))))
        if self.form == "class":
            return y.argmax(1)
        return torch.softmax(y, 1) if self.form == "probabilities" else y


def exported(module, path, example=None, batch=True):
    example = torch.zeros(4, 3) if example is None else example
    sizes = ({0: torch.export.Dim("rows")},) if batch else None
    program = torch.export.export(module.eval(), (example,), dynamic_shapes=sizes)
    torch.export.save(program, path)
    return path


@pytest.mark.parametrize("form", ["scores", "probabilities", "class"])
def test_a_float_module_teaches_from_its_file(form, rows, table, tmp_path):
    data = load_own(table, Choices("kind"))
    taught = with_teacher(
        data, exported(Knows(form), tmp_path / "m.pt2", batch=form != "scores")
    ).taught
    right = rows[1][data.train_rows]
    if form == "class":
        # Labels are noise: what is said of a class is the share of each label where it is named.
        assert [len(np.unique(taught[right == k], axis=0)) for k in range(3)] == [1, 1, 1]
    else:
        assert (taught.argmax(1) == right).all()
    assert np.allclose(np.exp(taught).sum(1), 1, atol=1e-3)


def test_a_float_onnx_model_teaches(rows, table, tmp_path):
    onnx_models = pytest.importorskip("tests.frontend.onnx_models")
    made = onnx_models.Builder((1, 3))
    weight = np.array([[1, 1, 1], [1, 1, 1], [0, 0, 0]], np.float32)
    y = made.node("MatMul", "x", made.constant(weight))
    scores = [made.node("Add", y, made.constant([0, -10.5, -32])), made.constant([0, 1, 2])]
    out = made.node("Softmax", made.node("Mul", *scores))
    (tmp_path / "m.onnx").write_bytes(made.model(out).SerializeToString())
    data = load_own(table, Choices("kind"))
    found = with_teacher(data, tmp_path / "m.onnx").taught.argmax(1)
    total = data.x_train[:, 0] + data.x_train[:, 1]
    wanted = np.stack([0 * total, total - 10.5, 2 * (total - 32)]).argmax(0)
    assert (found == wanted).all()
    assert len(set(found.tolist())) > 1


@pytest.mark.parametrize(
    ("module", "width", "words"),
    [
        (nn.Linear(3, 2), 3, "gives 2 values a row, for 3 classes"),
        (nn.Linear(5, 3), 5, "reads 5 features, the rows have 3"),
        (type("Sorts", (nn.Module,), {"forward": lambda _, x: x.sort(1)[0]})(), 3, "cannot be run"),
    ],
)
def test_modules_that_are_no_teacher(module, width, words, table, tmp_path):
    path = exported(module, tmp_path / "m.pt2", torch.zeros(4, width), batch=False)
    with pytest.raises((InputError, UnsupportedModel), match=words) as caught:
        with_teacher(load_own(table, Choices("kind")), path)
    assert "m.pt2" in str(caught.value)


def test_a_module_exported_for_training_is_no_teacher(table, tmp_path):
    program = torch.export.export(Knows().train(), (torch.zeros(4, 3),))
    torch.export.save(program, tmp_path / "m.pt2")
    with pytest.raises(UnsupportedModel, match="drops at random"):
        with_teacher(load_own(table, Choices("kind")), tmp_path / "m.pt2")


def test_a_module_teaches_an_estimator(rows):
    x, y = rows
    noise = np.random.default_rng(1).integers(0, 3, ROWS)
    own = {"luts": 150, "steps": 300, "candidates": 1, "random_state": 0}
    model = LogicClassifier(teacher=Knows(), **own).fit(x, noise)
    assert np.mean(model.predict(x) == y) > 0.8


@pytest.mark.parametrize("last", [nn.Identity(), nn.Sigmoid()])
def test_one_score_or_probability_is_of_the_second_class(last, table):
    data = replace(load_own(table, Choices("kind")), class_names=("cold", "hot"))
    data = replace(data, y_train=np.minimum(data.y_train, 1))
    first = nn.Linear(3, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 1, 0]]))
        first.bias.fill_(-10.5)
    said = module_says(nn.Sequential(first, last), data.x_train, data)
    hot = data.x_train[:, 0] + data.x_train[:, 1] > 10
    assert (taught_by(data, said).taught.argmax(1) == hot).all()


@pytest.mark.parametrize(
    ("names", "values", "words"),
    [
        (["cold", "hot"], np.ones((ROWS, 2)), ["warm: none of"]),
        (["cold", "hot", "warm"], np.ones((9, 3)), ["9 rows of predictions for 400 rows"]),
        (["cold", "p_cold", "hot", "warm"], np.ones((ROWS, 4)), ["cold: given 2 times"]),
        (["cold", "hot", "warm"], np.full((ROWS, 3), np.nan), ["missing or not finite"]),
    ],
)
def test_predictions_that_do_not_fit_are_refused(names, values, words, table, tmp_path):
    path = written(tmp_path / "said.csv", names, values)
    with pytest.raises(InputError) as caught:
        with_teacher(load_own(table, Choices("kind")), path)
    assert [word for word in words if word not in str(caught.value)] == []


def test_teachers_of_other_rows_are_refused(table, tmp_path, rows):
    data = load_own(table, Choices("kind"))
    with pytest.raises(UsageError, match="no order that a file could follow"):
        with_teacher(replace(data, train_rows=None), tmp_path / "said.csv")
    other = nnlogic.load("examples/jets/jets.safetensors")
    other.save(tmp_path / "jets.safetensors")
    with pytest.raises(InputError, match="reads 16 features, the rows have 3"):
        with_teacher(data, tmp_path / "jets.safetensors")
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(nnlogic.NNLogicError):
        with_teacher(data, tmp_path / "model.pkl")
    problems = replace(RECIPE, dataset="mine.csv", teacher="x.csv", distill=0.0).problems()
    assert [p.where for p in problems] == ["teacher"]


def test_a_teacher_of_quantities_is_followed_in_units(tmp_path, rows):
    x, _ = rows
    truth = 500 + 20.0 * x[:, 0]
    noise = np.random.default_rng(2).normal(500, 300, ROWS)
    table = written(tmp_path / "q.csv", ["t", "u", "v", "y"], np.column_stack([x, noise]))
    said = written(tmp_path / "said.csv", ["y"], truth[:, None])
    recipe = replace(RECIPE, dataset=str(table), label="y", task="regression")
    result = train(recipe, out=tmp_path / "out", teacher=said, device="cpu")
    net = nnlogic.load(result.checkpoint)
    found = net.decode(net.evaluate(net.encode(x.astype(np.float32))))[:, 0]
    assert np.sqrt(np.mean((found - truth) ** 2)) < 0.4 * truth.std()


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(20, random_state=0),  # probabilities
        SVC(),  # scores
        type("Hard", (KNeighborsClassifier,), {"predict_proba": property()})(3),  # classes only
    ],
    ids=["probabilities", "scores", "classes"],
)
def test_estimators_teach(teacher, rows):
    x, y = rows
    names = np.array(CLASSES)
    teacher.fit(x, names[y])
    noise = names[np.random.default_rng(1).integers(0, 3, ROWS)]
    own = {"luts": 150, "steps": 400, "candidates": 1, "random_state": 0}
    model = LogicClassifier(teacher=teacher, **own).fit(x, noise)
    alone = LogicClassifier(**own).fit(x, noise)
    assert np.mean(model.predict(x) == names[y]) > 0.2 + np.mean(alone.predict(x) == names[y])


def test_an_estimator_of_other_classes_or_quantities(rows):
    x, y = rows
    other = RandomForestClassifier(3, random_state=0).fit(x, y + 7)
    with pytest.raises(ValueError, match="knows the classes"):
        LogicClassifier(teacher=other, steps=5, candidates=1).fit(x, y)
    truth = 1000.0 * x[:, 0]
    teacher = RandomForestRegressor(10, random_state=0).fit(x, truth)
    noise = truth + np.random.default_rng(1).normal(0, 8000, ROWS)
    model = LogicRegressor(120, steps=400, candidates=1, teacher=teacher, random_state=0)
    assert model.fit(x, noise).score(x, truth) > 0.6


def test_scores_are_scaled_to_fit_the_labels(rows, table):
    data = load_own(table, Choices("kind"))
    data = replace(data, y_train=rows[1][data.train_rows])
    scores = np.log(shares(data.y_train)) * 40
    taught = taught_by(data, scores).taught
    assert (taught.argmax(1) == data.y_train).all()
    assert taught_by(data, scores).digest != data.digest
