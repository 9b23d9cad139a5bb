"""Pickles. They are taken apart to see what they would import, and never opened."""

from nnlogic.frontend.foreign.kind import LIGHTGBM, SAVE_MODEL, TRAIN, XGBOOST, Kind
from nnlogic.frontend.look import inflated

SKLEARN = (
    "of boosted trees, where the model is: from nnlogic.frontend.trees.sklearn import from_sklearn;"
    " from nnlogic.frontend.trees.net import tree_net;"
    ' tree_net(from_sklearn(model)).save("model.safetensors"). Otherwise '
)

KINDS = (
    Kind(
        "a pickle of an nnlogic network",
        "save it with nnlogic.nn.save_checkpoint(network, 'model.safetensors')",
        look=lambda file: file.imports("nnlogic"),
    ),
    Kind(
        "a pickle of an xgboost model",
        f"open it where it was made, and {SAVE_MODEL}",
        look=lambda file: file.imports("xgboost"),
    ),
    Kind(
        "a pickle of a LightGBM model",
        f"open it where it was made, and {LIGHTGBM}",
        look=lambda file: file.imports("lightgbm"),
    ),
    Kind("a pickle of a CatBoost model", XGBOOST, look=lambda file: file.imports("catboost")),
    Kind(
        "a pickle of a scikit-learn model",
        SKLEARN + TRAIN,
        look=lambda file: file.imports("sklearn"),
    ),
    Kind(
        "a pickle of a Keras or TensorFlow model",
        TRAIN,
        look=lambda file: file.imports("keras", "tensorflow", "qkeras", "hgq"),
    ),
    Kind(
        "a pickle of a pandas table",
        "rows of a data set go to --rows, as CSV or .npz; as a model this says nothing",
        look=lambda file: file.imports("pandas"),
    ),
    Kind(
        "a pickle of torch objects that torch.save did not write",
        TRAIN,
        look=lambda file: file.imports("torch"),
    ),
    Kind(
        "a compressed joblib or pickle file",
        "decompress it to see what it holds; of a scikit-learn model " + SKLEARN + TRAIN,
        look=lambda file: inflated(file.head, 15)[:1] == b"\x80",
        suffixes=(".joblib",),
    ),
    Kind(
        "a Python pickle",
        "it could run code, and holds no network nnlogic knows: " + TRAIN,
        look=lambda file: file.is_pickle,
        suffixes=(".pkl", ".pickle"),
    ),
    Kind(
        "a scikit-learn model of skops",
        SKLEARN + TRAIN,
        look=lambda file: "schema.json" in file.members,
        suffixes=(".skops",),
    ),
)
