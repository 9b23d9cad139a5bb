"""Record models of conifer and their predictions: python tests/frontend/record_conifer.py

Needs ``pip install conifer``; the tests read only what stands in ``data/conifer``. Data are our
own, drawn here. Scores are those of conifer's Python backend on the saved file.
"""

import json
from pathlib import Path

import conifer
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

OUT = Path(__file__).parent / "data" / "conifer"


def data(seed, rows):
    """Rows of four features, some of them equal."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    x[:, 3] = np.round(x[:, 3] * 2) / 2
    return x, x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * x[:, 3]


def main():
    """Write models, and the rows and scores that belong to them."""
    OUT.mkdir(parents=True, exist_ok=True)
    (x, score), (rows, _) = data(1, 400), data(2, 1000)
    out = {"rows": rows}
    for name, classes in (("binary", 2), ("multi", 3), ("tmva", 2), ("forest", 2)):
        y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
        kind = RandomForestClassifier if name == "forest" else GradientBoostingClassifier
        model = kind(n_estimators=4, max_depth=3, random_state=0).fit(x, y)
        found = conifer.converters.convert_from_sklearn(model)
        path = OUT / f"{name}.json"
        found.save(str(path))
        document = json.loads(path.read_text())
        # What conifer remembers of the machine it ran on is nobody's business.
        document = {k: v for k, v in document.items() if k not in ("metadata", "config")}
        if name == "tmva":
            # As its converter of TMVA writes it, on features that are equal to thresholds.
            document |= {"library": "tmva", "splitting_convention": "<", "norm": 0.25}
            for group in document["trees"]:
                group[0]["threshold"] = [
                    float(np.round(t * 2) / 2) if f == 3 else t
                    for f, t in zip(group[0]["feature"], group[0]["threshold"], strict=True)
                ]
        path.write_text(json.dumps(document, separators=(",", ":")))
        if name != "forest":
            again = conifer.model.ModelBase(document, {**conifer.backends.cpp.auto_config(),
                                                       "backend": "python"})  # fmt: skip
            out[f"{name}.scores"] = again.decision_function(rows)
    np.savez_compressed(OUT / "predictions.npz", **out)


if __name__ == "__main__":
    main()
