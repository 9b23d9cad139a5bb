"""Logic as a classifier of scikit-learn, which has to be installed: ``nnlogic[train]``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
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
NAME = "classifier"


class LogicClassifier(ClassifierMixin, BaseEstimator):
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

    def __init__(
        self,
        luts: int = 200,
        *,
        steps: int = 2000,
        candidates: int = 4,
        inputs: str = "fixed",
        balanced: bool = False,
        random_state: Any = None,
    ) -> None:
        self.luts = luts
        self.steps = steps
        self.candidates = candidates
        self.inputs = inputs
        self.balanced = balanced
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
        from nnlogic.run.trained import compiled_luts
        from nnlogic.train.budget import Pace, accuracies, within_budget
        from nnlogic.train.shapes import first_shapes, in_words

        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"there is nothing to tell apart: one class, {classes[0]!r}")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        data = self._dataset(X, codes.astype(np.int64), [str(c) for c in classes], seed)
        shapes = first_shapes(
            data, self.luts, method=self.inputs, balance=float(self.balanced), seed=seed
        )[: self.candidates]
        with tempfile.TemporaryDirectory() as folder:
            chosen, tried = within_budget(
                data, self.luts, shapes, out=Path(folder), pace=Pace(steps=self.steps),
                count=lambda path: compiled_luts(path, jobs=1)["total"],
            )  # fmt: skip
            self._checkpoint = chosen.result.checkpoint.read_bytes()
        figures = [accuracies(t.net, data.x_val, data.y_val) for t in tried]
        candidates = [
            {
                "shape": in_words(t.recipe), "luts": t.luts, "steps": t.recipe.steps,
                "validation": validation, "balanced": balanced,
            }
            for t, (validation, balanced) in zip(tried, figures, strict=True)
        ]  # fmt: skip
        best = candidates[tried.index(chosen)]
        self.classes_ = classes
        self.report_ = {
            "luts": chosen.luts, "budget": self.luts, "met": chosen.luts <= self.luts,
            "validation": best["validation"], "balanced": best["balanced"],
            "candidates": candidates,
        }  # fmt: skip
        self._net = chosen.net
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row, exactly as the logic gives it.

        Parameters
        ----------
        X : array or frame of finite numbers, shape (rows, features)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        net = self._network()
        return self.classes_[net.evaluate(net.encode(_float32(X)))[:, -1]]

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
            path = Path(folder) / f"{NAME}.safetensors"
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
        self, X: NDArray[Any], y: NDArray[np.int64], classes: list[str], seed: int
    ) -> Dataset:
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
        x = _float32(X)
        train, val = take(y, VALIDATION_SHARE, seed, stratified=True)
        if not len(val):
            val = train
        return Dataset(
            name=NAME, x_train=x[train], y_train=y[train], x_val=x[val], y_val=y[val],
            x_test=x[val], y_test=y[val], feature_names=tuple(map(str, names)),
            class_names=tuple(classes), digest=digest(x, y),
            provenance=f"{len(y):,} rows given to fit; no test rows, figures are of validation",
        )  # fmt: skip


def _float32(X: NDArray[Any]) -> NDArray[np.float32]:
    """Return rows as the network's inputs; beyond float32 is its largest number."""
    most = np.finfo(np.float32).max
    return np.clip(np.asarray(X, np.float64), -most, most).astype(np.float32)
