"""Logic as estimators of scikit-learn, which has to be installed: ``nnlogic[train]``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from nnlogic.core.archive import digest
from nnlogic.data import Dataset
from nnlogic.data.split import take
from nnlogic.frontend import load

if TYPE_CHECKING:
    from nnlogic.job.directory import Run
    from nnlogic.quant.ir import QuantNet

VALIDATION_SHARE = 0.2


class _Logic(BaseEstimator):
    """What both estimators share: the network within a budget, and what is made of it."""

    _name: ClassVar[str]
    luts: int
    steps: int
    candidates: int
    inputs: str
    teacher: Any
    random_state: Any

    def _train(
        self, X: NDArray[Any], y: NDArray[Any], seed: int, names: dict[str, tuple[str, ...]],
        classes: NDArray[Any], **how: Any,
    ) -> None:  # fmt: skip
        from nnlogic.run.trained import compiled_luts
        from nnlogic.train.budget import Pace, rates, within_budget
        from nnlogic.train.shapes import first_shapes, in_words

        data = self._dataset(X, y, seed, **names)
        if self.teacher is not None:
            data = self._taught(X, data, classes)
        shapes = first_shapes(data, self.luts, method=self.inputs, seed=seed, **how)
        shapes = shapes[: self.candidates]
        with tempfile.TemporaryDirectory() as folder:
            chosen, tried = within_budget(
                data, self.luts, shapes, out=Path(folder), pace=Pace(steps=self.steps),
                count=lambda path: compiled_luts(path, jobs=1)["total"],
            )  # fmt: skip
            self._checkpoint = chosen.result.checkpoint.read_bytes()
        figures = [rates(t.net, data.x_val, data.y_val) for t in tried]
        candidates = [
            {
                "shape": in_words(t.recipe), "luts": t.luts, "steps": t.recipe.steps,
                "validation": validation, "balanced": balanced,
            }
            for t, (validation, balanced) in zip(tried, figures, strict=True)
        ]  # fmt: skip
        best = candidates[tried.index(chosen)]
        self.report_ = {
            "luts": chosen.luts, "budget": self.luts, "met": chosen.luts <= self.luts,
            "validation": best["validation"], "balanced": best["balanced"],
            "candidates": candidates,
        }  # fmt: skip
        self._net = chosen.net

    def _taught(self, X: NDArray[Any], data: Dataset, classes: NDArray[Any]) -> Dataset:
        import torch

        from nnlogic.train.given_teacher import estimator_says, module_says, taught_by

        if isinstance(self.teacher, torch.nn.Module):
            return taught_by(data, module_says(self.teacher, X[data.train_rows], data))
        check_is_fitted(self.teacher)
        said = estimator_says(self.teacher, X[data.train_rows], data, classes)
        return taught_by(data, said)

    def _outputs(self, X: Any) -> tuple[QuantNet, NDArray[np.int64]]:
        """Return the network, and its exact outputs for rows."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        net = self._network()
        return net, net.evaluate(net.encode(_float32(X)))

    def to_verilog(self, out: Path | str, **options: Any) -> Run:
        """Compile to proved Verilog in a new run directory.

        Parameters
        ----------
        out : Path
            The Verilog is in ``out/rtl``.
        **options
            Of `nnlogic.compile`; the target is one with LUTs of six inputs unless told otherwise.
        """
        import nnlogic

        check_is_fitted(self)
        target = nnlogic.Target.default_vivado().name
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{self._name}.safetensors"
            path.write_bytes(self._checkpoint)
            return nnlogic.compile(path, out, **{"target": target, **options})

    def save(self, path: Path | str) -> None:
        """Write the checkpoint, which `nnlogic.load` and ``nnlogic compile`` read."""
        check_is_fitted(self)
        Path(path).write_bytes(self._checkpoint)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__getstate__().items() if key != "_net"}

    def _network(self) -> QuantNet:
        if not hasattr(self, "_net"):
            handle, name = tempfile.mkstemp(suffix=".safetensors")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self._checkpoint)
                self._net = load(name)
            finally:
                os.unlink(name)
        return self._net

    def _dataset(
        self, X: NDArray[Any], y: NDArray[Any], seed: int, *,
        class_names: tuple[str, ...] = (), targets: tuple[str, ...] = (),
    ) -> Dataset:  # fmt: skip
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
        x = _float32(X)
        train, val = take(y, VALIDATION_SHARE, seed, stratified=not targets)
        if not len(val):
            val = train
        return Dataset(
            name=self._name, x_train=x[train], y_train=y[train], x_val=x[val], y_val=y[val],
            x_test=x[val], y_test=y[val], feature_names=tuple(map(str, names)),
            class_names=class_names, targets=targets, digest=digest(x, y), train_rows=train,
            provenance=f"{len(y):,} rows given to fit; no test rows, figures are of validation",
        )  # fmt: skip


class LogicClassifier(ClassifierMixin, _Logic):
    """A classifier that is logic of at most `luts` LUTs of six inputs.

    What `predict` computes is the integer network that is compiled, bit for bit. The state that is
    pickled is the checkpoint, which holds data only.

    Parameters
    ----------
    luts : int
        Most LUT6, encoder and output logic included; `report_` says what was reached.
    steps : int
        Of training, of the shape that is trained longest. The same data, steps and seed give the
        same classifier on every machine.
    candidates : int
        Shapes to start from; one alone is trained once.
    inputs : {"fixed", "quantile", "uniform"}
        How features become codes, see `nnlogic.nn.fit_thresholds`.
    balanced : bool
        All classes count alike, however rare they are.
    teacher : fitted estimator or torch.nn.Module, optional
        To learn from as well as from the labels: its probabilities or scores. It is a parameter,
        and goes into a pickle; `save` does without it.
    random_state : int, RandomState or None
        Seed of the split and of the networks.

    Attributes
    ----------
    classes_ : array, shape (classes,)
    n_features_in_ : int
    report_ : dict
        ``"luts"``, ``"budget"``, ``"met"``, ``"validation"`` (accuracy on the rows it was chosen
        by), ``"balanced"``, and the ``"candidates"``, each with these.
    """

    _name = "classifier"

    def __init__(
        self,
        luts: int = 200,
        *,
        steps: int = 2000,
        candidates: int = 4,
        inputs: str = "fixed",
        balanced: bool = False,
        teacher: Any = None,
        random_state: Any = None,
    ) -> None:
        self.luts = luts
        self.steps = steps
        self.candidates = candidates
        self.inputs = inputs
        self.balanced = balanced
        self.teacher = teacher
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LogicClassifier:
        """Train shapes on rows, and keep the best within the budget.

        Parameters
        ----------
        X : array or frame of finite numbers, shape (rows, features)
        y : array of classes, shape (rows,)

        Raises
        ------
        ValueError
            Rows or classes are none; or there is only one class.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"there is nothing to tell apart: one class, {classes[0]!r}")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        names = {"class_names": tuple(str(c) for c in classes)}
        self._train(X, codes.astype(np.int64), seed, names, classes, balance=float(self.balanced))
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row, exactly as the logic gives it.

        Parameters
        ----------
        X : array or frame of finite numbers, shape (rows, features)
        """
        _, outputs = self._outputs(X)
        return self.classes_[outputs[:, -1]]


class LogicRegressor(RegressorMixin, MultiOutputMixin, _Logic):
    """A regressor that is logic of at most `luts` LUTs of six inputs.

    What `predict` computes is the integer network that is compiled, bit for bit, and the exact
    decoding of its codes, `quantities_`. The state that is pickled is the checkpoint, which holds
    data only.

    Parameters
    ----------
    luts : int
        Most LUT6, encoder and output logic included; `report_` says what was reached.
    steps, candidates, inputs, teacher, random_state
        See `LogicClassifier`.
    loss : {"squared", "absolute", "quantile"}
    quantile : float
        For ``"quantile"``: the share of rows that are to lie below what is predicted.

    Attributes
    ----------
    n_features_in_ : int
    quantities_ : tuple of Quantity
        What the output codes of the logic stand for: ``(code + offset) * 2**exponent``.
    report_ : dict
        As of `LogicClassifier`; ``"validation"`` is R squared, ``"balanced"`` the lowest of several
        quantities.
    """

    _name = "regressor"

    def __init__(
        self,
        luts: int = 200,
        *,
        steps: int = 2000,
        candidates: int = 4,
        inputs: str = "fixed",
        loss: str = "squared",
        quantile: float = 0.5,
        teacher: Any = None,
        random_state: Any = None,
    ) -> None:
        self.luts = luts
        self.steps = steps
        self.candidates = candidates
        self.inputs = inputs
        self.loss = loss
        self.quantile = quantile
        self.teacher = teacher
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LogicRegressor:
        """Train shapes on rows, and keep the best within the budget.

        Parameters
        ----------
        X : array or frame of finite numbers, shape (rows, features)
        y : array of finite numbers, shape (rows,) or (rows, quantities)

        Raises
        ------
        ValueError
            There are no rows, or `loss` or `quantile` make no sense.
        """
        from nnlogic.train.tasks.regression import LOSSES

        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True)
        if self.loss not in LOSSES or not 0 < self.quantile < 1:
            raise ValueError(f"loss {self.loss!r}, quantile {self.quantile}; known: {LOSSES}")
        values = _columns(np.asarray(y, np.float64))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        many = range(values.shape[1])
        names = {"targets": ("y",) if np.ndim(y) == 1 else tuple(f"y{i}" for i in many)}
        how = {"loss": self.loss, "quantile": self.quantile}
        self._train(X, values, seed, names, np.zeros(0), **how)
        self.quantities_ = self._net.quantities
        self._flat = np.ndim(y) == 1
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the quantity of each row, exactly as the logic gives it.

        Parameters
        ----------
        X : array or frame of finite numbers, shape (rows, features)

        Returns
        -------
        float64 array, shape (rows,), or (rows, quantities) as `y` was
        """
        net, outputs = self._outputs(X)
        found = net.decode(outputs)
        return found[:, 0] if self._flat else found


def _columns(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return y[:, None] if y.ndim == 1 else y


def _float32(X: NDArray[Any]) -> NDArray[np.float32]:
    """Return rows as the network's inputs; beyond float32 is its largest number."""
    most = np.finfo(np.float32).max
    return np.clip(np.asarray(X, np.float64), -most, most).astype(np.float32)
