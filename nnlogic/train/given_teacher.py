"""Teachers of users: files of predictions, models that an importer reads, fitted estimators."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import digest
from nnlogic.core.errors import InputError, NNLogicError, Problem, UsageError
from nnlogic.data import Dataset
from nnlogic.data.predictions import read_predictions
from nnlogic.frontend import load, recognize
from nnlogic.quant.ir import QuantNet

TABLES = (".csv", ".tsv", ".txt", ".npz", ".npy", ".parquet")
DISTILL = 0.7
"""Share of the loss that follows the teacher, where a recipe does not say."""
SMALLEST = 1e-4
"""Least probability a teacher is taken to mean."""
SCALES = np.geomspace(2, 30, 31)
"""Tried for scores of a standard deviation of 1. None is so small that nothing would be taught."""


def with_teacher(data: Dataset, teacher: Path) -> Dataset:
    """Return a data set with what a teacher says of its training rows.

    Parameters
    ----------
    data : Dataset
    teacher : Path
        Predictions (CSV, ``.npz``, ``.npy``, Parquet) of every row of the table the data are from;
        a float model (``.pt2`` of torch.export, ONNX), whose operations are run on the rows; or
        another model that an importer reads, whose exact outputs teach. No code of a file is run.

    Raises
    ------
    InputError, CheckpointError, UnsupportedModel, ...
        The file cannot be read, or is of other features or outputs.
    """
    if teacher.suffix.lower() in TABLES:
        if data.train_rows is None:
            raise UsageError(
                "predictions need the table they are of", where=str(teacher),
                why=f"the rows of {data.name} have no order that a file could follow",
                fix="train on a table of your own, or give a model as the teacher",
            )  # fmt: skip
        said = read_predictions(teacher, data.outputs, data.file_rows)[data.train_rows]
    else:
        said = _run(teacher, data)
    return taught_by(data, said)


def taught_by(data: Dataset, said: NDArray) -> Dataset:
    """Return a data set with a teacher's outputs for its training rows, (rows, outputs).

    Of classes they are probabilities, where each row adds up to 1, or else scores; scores are
    scaled so that they fit the labels of the training rows best.
    """
    said = np.asarray(said, np.float64)
    if data.class_names:
        shares = (said >= 0).all() and np.allclose(said.sum(1), 1.0, atol=1e-3)
        said = np.log(np.clip(said, SMALLEST, None)) if shares else _scaled(said, data.y_train)
        said = _normal(said)
    return dataclasses.replace(
        data, taught=said.astype(np.float32), digest=digest(data.digest, said)
    )


def estimator_says(estimator: Any, x: NDArray, data: Dataset, classes: NDArray) -> NDArray:
    """Return what a fitted estimator of scikit-learn says of rows, for `taught_by`.

    Parameters
    ----------
    estimator : object
        With ``predict_proba``, ``decision_function`` or ``predict``.
    x : array, shape (rows, features)
    data : Dataset
    classes : array
        Those of `data`, as the estimator knows them; not used for quantities.

    Raises
    ------
    ValueError
        The estimator knows other classes, or gives other outputs.
    """
    if data.targets:
        said = np.asarray(estimator.predict(x), np.float64).reshape(len(x), -1)
    else:
        known = np.asarray(getattr(estimator, "classes_", classes))
        if set(known.tolist()) != set(classes.tolist()):
            raise ValueError(f"the teacher knows the classes {known}, the labels are {classes}")
        order = [known.tolist().index(c) for c in classes.tolist()]
        said = _class_scores(estimator, x, len(known))
        if said.ndim == 1:
            said = (said[:, None] == classes).astype(np.float64)
        else:
            said = said[:, order]
    if said.shape != (len(x), len(data.outputs)):
        raise ValueError(f"the teacher gives {said.shape}, need {(len(x), len(data.outputs))}")
    return said


def module_says(module: Any, x: NDArray, data: Dataset) -> NDArray:
    """Return what a module of torch says of rows in eval mode, for `taught_by`.

    Parameters
    ----------
    module : torch.nn.Module
        Its outputs are scores, log-probabilities or probabilities of all classes, in their order;
        the score or probability of the second of two; the number of the class; or quantities.
    x : array, shape (rows, features)
    data : Dataset

    Raises
    ------
    InputError
        It gives other outputs.
    """
    import torch

    parameter = next(module.parameters(), None)
    dtype = torch.float32 if parameter is None else parameter.dtype
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            said = module(torch.from_numpy(np.asarray(x)).to(dtype))
    finally:
        module.train(training)
    given = said.double() if said.is_floating_point() else said
    return _meant([given.reshape(len(x), -1).numpy()], data, type(module).__name__)


def _run(teacher: Path, data: Dataset) -> NDArray:
    """Return what a model says of the training rows: by itself, or as it is compiled."""
    x = data.x_train if data.order is None else data.x_train[:, np.argsort(data.order)]
    try:
        said = recognize(teacher).run(teacher, x)
    except NNLogicError as error:
        named = dict.fromkeys((str(teacher), error.where))
        raise error.at(", ".join(filter(None, named))) from error
    if said is None:
        return _said_by(load(teacher), data, teacher)
    return _meant(said, data, str(teacher))


def _meant(said: list[NDArray], data: Dataset, where: str) -> NDArray:
    """Return outputs of a model as scores of all classes, or as quantities."""
    found, wanted = said[0], len(data.outputs)
    if not np.isfinite(found).all():
        raise InputError("a teacher that says nothing", where=where, why="NaN or infinity")
    if len(said) == 1 and found.shape[1] == 1 and data.class_names:
        if found.dtype.kind in "iub" and found.min() >= 0 and found.max() < wanted:
            return _confusion(found[:, 0].astype(np.int64), data.y_train, wanted)
        if wanted == 2:
            if found.min() >= 0 and found.max() <= 1:
                return np.hstack([1 - found, found])
            return np.hstack([-found / 2, found / 2])
    if len(said) != 1 or found.shape[1] != wanted:
        kind = "quantities" if data.targets else "classes"
        raise InputError(
            "not a teacher for these rows", where=where,
            why=f"it gives {' and '.join(str(s.shape[1]) for s in said)} values a row, "
            f"for {wanted} {kind}",
            fix=f"a model that returns one tensor of {wanted} columns: {', '.join(data.outputs)}",
        )  # fmt: skip
    return found.astype(np.float64)


def _class_scores(estimator: Any, x: NDArray, classes: int) -> NDArray:
    """Return probabilities or scores of classes, or else the classes themselves, (rows,)."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(x), np.float64)
    if hasattr(estimator, "decision_function"):
        score = np.asarray(estimator.decision_function(x), np.float64)
        return np.stack([-score, score], 1) if classes == 2 and score.ndim == 1 else score
    return np.asarray(estimator.predict(x))


def _said_by(net: QuantNet, data: Dataset, where: Path) -> NDArray:
    """Return what an imported network says of the training rows, as exact as it is compiled."""
    names, features = [p.name for p in net.inputs], list(data.feature_names)
    problems = []
    if sorted(names) != sorted(features) and len(names) != len(features):
        why = f"it reads {len(names)} features, the rows have {len(features)}"
        problems.append(Problem("features", why, "give a model of these features"))
    column, places = net.class_output, [p.name for p in net.outputs]
    classes = len(data.class_names)
    if data.targets and [q.name for q in net.quantities] != list(data.targets):
        why = f"it gives {[q.name for q in net.quantities] or 'classes'}, need {data.targets}"
        problems.append(Problem("outputs", why))
    known = net.info.get("class_names", ())
    if data.class_names and (column is None or len(known or data.class_names) != classes):
        why = f"it names {len(known)} classes, the rows have {classes}"
        problems.append(Problem("outputs", why))
    if problems:
        raise InputError("not a teacher for these rows", where=str(where), problems=problems)
    by_name = sorted(names) == sorted(features)
    x = data.x_train[:, [features.index(n) for n in names]] if by_name else data.x_train
    try:
        outputs = net.evaluate(net.encode(x))
    except NNLogicError as error:
        raise error.at(str(where)) from error
    if data.targets:
        return net.decode(outputs)
    # Names decide where they are the same ones, places where they are not.
    names_of = list(known) if sorted(known) == sorted(data.class_names) else list(data.class_names)
    order = [names_of.index(c) for c in data.class_names]
    scores = [i for i, name in enumerate(places) if name.startswith("score_")]
    if len(scores) == classes:
        return outputs[:, [scores[i] for i in order]].astype(np.float64)
    assert column is not None  # without, it was refused
    said = np.array(order)[:, None] == outputs[:, column]
    return _confusion(said.argmax(0), data.y_train, classes)


def _confusion(said: NDArray, y: NDArray, classes: int) -> NDArray:
    """Return how often each class is right where a teacher that gives no scores says one."""
    counts = np.full((classes, classes), SMALLEST)
    np.add.at(counts, (said, y), 1.0)
    out: NDArray = (counts / counts.sum(1, keepdims=True))[said]
    return out


def _normal(scores: NDArray) -> NDArray:
    top = scores - scores.max(1, keepdims=True)
    out: NDArray = top - np.log(np.exp(top).sum(1, keepdims=True))
    return out


def _scaled(scores: NDArray, y: NDArray) -> NDArray:
    rows = np.arange(len(y))
    unit = scores / (scores.std() or 1.0)
    loss: Callable[[float], float] = lambda s: -_normal(s * unit)[rows, y].mean()  # noqa: E731
    best = min(SCALES, key=loss)
    out: NDArray = best * unit
    return out
