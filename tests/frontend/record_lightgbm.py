"""Record models of LightGBM and their predictions: python tests/frontend/record_lightgbm.py

Needs ``pip install lightgbm``; the tests read only what stands in ``data/lightgbm``. Data are our
own, drawn here. Scores are `Booster.predict(raw_score=True)` and classes the larger probability of
`Booster.predict`, both of the saved file.
"""

from pathlib import Path

import lightgbm as lgb
import numpy as np

OUT = Path(__file__).parent / "data" / "lightgbm"
ROWS = 400
BINARY = {"objective": "binary"}
MULTI = {"objective": "multiclass", "num_class": 3}
FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.7}
READ = {
    "binary": BINARY,
    "sigmoid": {**BINARY, "sigmoid": 2.5},
    "multi": MULTI,
    "ova": {**MULTI, "objective": "multiclassova"},
    "forest": {**BINARY, **FOREST},
    "forest_multi": {**MULTI, **FOREST},
    "missing": {**BINARY, "nan": True},
    "zeros": {**BINARY, "zero_as_missing": True},
    "no_missing": {**BINARY, "use_missing": False},
    "stop": {**BINARY, "early_stopping_round": 2, "learning_rate": 1.0, "rounds": 40},
    "stumps": {**MULTI, "min_data_in_leaf": 150, "rounds": 2},
}
REFUSED = {
    "regression": {"objective": "regression"},
    "ranking": {"objective": "lambdarank"},
    "categories": {**BINARY, "categories": True},
    "linear": {**BINARY, "linear_tree": True},
    "ova_sigmoid": {**MULTI, "objective": "multiclassova", "sigmoid": 2.0},
}


def data(seed, rows=ROWS):
    """Rows of five features, some of them equal, some zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    x[:, 3] = np.round(x[:, 3] * 2) / 2
    x[:, 4] *= rng.random(rows) < 0.6
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] - x[:, 4] + 0.6 * rng.normal(size=rows)
    return x, score


def labels(score, params):
    """Return classes, or what the objective wants instead."""
    if params["objective"] in ("regression", "lambdarank"):
        return np.abs(score).astype(int)
    edges = np.arange(1, params.get("num_class", 2)) / params.get("num_class", 2)
    return np.digitize(score, np.quantile(score, edges))


def train(params):
    """Return a booster."""
    params = {"num_leaves": 6, "verbose": -1, "num_threads": 1, "seed": 0, "max_bin": 31, **params}
    rounds, nan, categories = (
        params.pop(k, d) for k, d in (("rounds", 4), ("nan", False), ("categories", False))
    )
    (x, score), (vx, vscore) = data(1), data(2, 150)
    y = labels(score, params)
    if nan:
        x[np.random.default_rng(3).random(x.shape) < 0.2] = np.nan
    if categories:
        x[:, 4] = np.arange(ROWS) % 7
        y = np.isin(x[:, 4], [0, 3, 5]).astype(int)
    more = {"group": [20] * (ROWS // 20)} if params["objective"] == "lambdarank" else {}
    rows = lgb.Dataset(x, label=y, categorical_feature=[4] if categories else [], **more)
    stop = "early_stopping_round" in params
    valid = [lgb.Dataset(vx, label=labels(vscore, params), reference=rows)] if stop else []
    return lgb.train(params, rows, rounds, valid_sets=valid)


def main():
    """Write models, and the rows and predictions that belong to them."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = data(4, 2000)[0].astype(np.float32)
    # Around the zeros of LightGBM.
    rows[:6, 4] = np.float32([0, 1e-35, -1e-35, 1.0000001e-35, -2e-35, 1e-40])
    out = {"rows": rows}
    for name, params in {**READ, **REFUSED}.items():
        text = train(params).model_to_string()
        # Parameters of training are most of the text, and nobody reads them.
        text = text.partition("\nparameters:")[0] + "\n\npandas_categorical:null\n"
        (OUT / f"{name}.txt").write_text(text)
        if name not in READ:
            continue
        booster = lgb.Booster(model_str=text)
        wide = rows.astype(np.float64)
        chance = booster.predict(wide)
        chance = np.stack([1 - chance, chance], axis=1) if chance.ndim == 1 else chance
        out[f"{name}.scores"] = booster.predict(wide, raw_score=True)
        out[f"{name}.classes"] = chance.argmax(axis=1).astype(np.int8)
        out[f"{name}.rounds"] = np.array(booster.num_trees())
    np.savez_compressed(OUT / "predictions.npz", **out)


if __name__ == "__main__":
    main()
