"""Record models of xgboost and their predictions: python tests/frontend/record_xgboost.py

Needs ``pip install xgboost-cpu``; the tests read only what stands in ``data/xgboost``. Data are our
own, drawn here. Margins are `Booster.predict(output_margin=True)` and classes
`XGBClassifier.predict` of the saved file, on the rounds that XGBClassifier uses.
"""

import json
from pathlib import Path

import numpy as np
import xgboost as xgb

OUT = Path(__file__).parent / "data" / "xgboost"
ROWS = 400
LOGISTIC = {"objective": "binary:logistic"}
SOFT = {"objective": "multi:softprob", "num_class": 3}
FOREST = {"num_parallel_tree": 6, "subsample": 0.7, "colsample_bynode": 0.6, "eta": 1.0}
STOP = {"early_stopping_rounds": 2, "rounds": 40}
READ = {
    "logistic": LOGISTIC,
    "logistic_base": {**LOGISTIC, "base_score": 0.3},
    "logistic_missing": {**LOGISTIC, "missing": True},
    "logistic_stop": {**LOGISTIC, **STOP, "eta": 1.0, "max_depth": 6},
    "logitraw": {"objective": "binary:logitraw", "base_score": 0.2},
    "hinge": {"objective": "binary:hinge"},
    "softmax": {**SOFT, "objective": "multi:softmax"},
    "softprob": SOFT,
    "softprob_base": {**SOFT, "base_score": 0.4},
    "softprob_stop": {**SOFT, **STOP, "eta": 1.0, "max_depth": 4},
    "softmax_two": {"objective": "multi:softmax", "num_class": 2},
    "softprob_two": {"objective": "multi:softprob", "num_class": 2},
    "forest": {**LOGISTIC, **FOREST, "rounds": 1},
    "forest_multi": {**SOFT, **FOREST, "rounds": 1},
    "forest_stop": {**SOFT, **FOREST, "num_parallel_tree": 2, **STOP},
    "ties": {**LOGISTIC, "max_depth": 1, "base_score": 0.5, "rounds": 1, "coarse": True},
}
REFUSED = {
    "dart": {**LOGISTIC, "booster": "dart", "rate_drop": 0.5},
    "gblinear": {**LOGISTIC, "booster": "gblinear"},
    "regression": {"objective": "reg:squarederror"},
    "ranking": {"objective": "rank:pairwise"},
    "survival": {"objective": "survival:cox"},
    "targets": {"objective": "binary:logistic", "targets": True},
    "vector_leaves": {**SOFT, "multi_strategy": "multi_output_tree"},
    "categories": {**LOGISTIC, "categories": True},
}


def data(seed, rows=ROWS):
    """Rows of five features with noise, some of them equal."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5)).astype(np.float32)
    x[:, 3] = np.round(x[:, 3] * 2) / 2
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.6 * rng.normal(size=rows)
    return x, score.astype(np.float32)


def labels(score, params):
    """Return classes, or what the objective wants instead."""
    classes = params.get("num_class", 2)
    if params["objective"].startswith(("reg", "survival")):
        return np.abs(score)
    y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)).astype(np.float32)
    return np.stack([y, 1 - y], axis=1) if params.get("targets") else y


def train(params):
    """Return a booster."""
    params = {"max_depth": 3, "nthread": 1, "seed": 0, "rounds": 5, **params}
    rounds, stop = params.pop("rounds"), params.pop("early_stopping_rounds", None)
    coarse, missing = params.pop("coarse", False), params.pop("missing", False)
    categories = params.pop("categories", False)
    (x, score), (vx, vscore) = data(1), data(2, 150)
    y, vy = labels(score, params), labels(vscore, params)
    params.pop("targets", None)
    more = {"qid": np.repeat(np.arange(20), ROWS // 20)} if "rank" in params["objective"] else {}
    if missing:
        x[np.random.default_rng(3).random(x.shape) < 0.2] = np.nan
    if categories:
        x[:, 4] = np.arange(ROWS) % 7
        y = np.isin(x[:, 4], [0, 3, 5]).astype(np.float32)
        more = {"feature_types": ["q"] * 4 + ["c"], "enable_categorical": True}
    if coarse:
        # As many rows of each class on both sides of the split: leaves of 0, which tie.
        x, y = np.tile(np.eye(5, dtype=np.float32)[:2], (50, 1)), np.repeat([0.0, 1.0], 50)
    found = xgb.train(
        params,
        xgb.DMatrix(x, label=y, **more),
        rounds,
        evals=[(xgb.DMatrix(vx, label=vy), "v")] if stop else (),
        early_stopping_rounds=stop,
        verbose_eval=False,
    )
    found.feature_names = ["a", "b b", "c", "d", "y"] if "forest" not in params else None
    return found


def main():
    """Write models, and the rows and predictions that belong to them."""
    OUT.mkdir(exist_ok=True)
    rows, _ = data(4, 2000)
    out = {"rows": rows}
    for name, params in {**READ, **REFUSED}.items():
        booster = train(params)
        booster.save_model(OUT / f"{name}.ubj")
        booster.save_model(OUT / f"{name}.json")
        # Statistics of training are most of the text, and nobody needs them here.
        model = json.loads((OUT / f"{name}.json").read_text())
        booster_of = model["learner"]["gradient_booster"]
        for tree in booster_of.get("gbtree", booster_of)["model"].get("trees", []):
            for key in ("loss_changes", "sum_hessian", "base_weights", "parents"):
                tree.pop(key, None)
        (OUT / f"{name}.json").write_text(json.dumps(model, separators=(",", ":")))
        if name not in READ:
            (OUT / f"{name}.ubj").unlink()
            continue
        if name not in ("logistic", "softprob_stop", "forest_multi"):
            (OUT / f"{name}.ubj").unlink()
        booster.save_model("full.json")
        model = xgb.XGBClassifier()
        model.load_model("full.json")
        booster = model.get_booster()
        booster.feature_names = None
        used = model._get_iteration_range(None)
        margins = booster.predict(xgb.DMatrix(rows), output_margin=True, iteration_range=used)
        classes = booster.predict(xgb.DMatrix(rows), iteration_range=used)
        classes = classes.argmax(axis=1) if classes.ndim == 2 else model.predict(rows)
        out[f"{name}.margins"], out[f"{name}.classes"] = margins, classes.astype(np.int8)
        out[f"{name}.rounds"] = np.array([used[1], booster.num_boosted_rounds()])
        Path("full.json").unlink()
    np.savez_compressed(OUT / "predictions.npz", **out)


if __name__ == "__main__":
    main()
