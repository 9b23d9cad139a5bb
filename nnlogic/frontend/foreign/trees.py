"""Trees of other libraries, and forms of xgboost that cannot be read back."""

import re

from nnlogic.frontend.foreign.kind import LIGHTGBM, SAVE_MODEL, XGBOOST, Kind
from nnlogic.frontend.look import Look

_TEXT_DUMP = re.compile(r"(booster\[0\]:?\s*)?0:(\[\S+\] yes=\d+,no=\d+|leaf=)")
_BINARY = re.compile(rb"\x06\0{7}gbtree|\x08\0{7}gblinear|\x04\0{7}dart")
_DOT = re.compile(r"digraph\b.*\byes\b", re.DOTALL)


def _binary(file: Look) -> bool:
    return file.head.startswith((b"binf", b"bs64")) or _BINARY.search(file.head) is not None


KINDS = (
    Kind(
        "a JSON dump of a LightGBM model",
        LIGHTGBM,
        look=lambda file: {"tree_info", "num_tree_per_iteration"} <= file.keys,
    ),
    Kind(
        "a text dump of an xgboost model, without base score and objective",
        SAVE_MODEL,
        look=lambda file: _TEXT_DUMP.match(file.text.lstrip()) is not None,
    ),
    Kind(
        "a JSON dump of an xgboost model, without base score and objective",
        SAVE_MODEL,
        look=lambda file: file.text.lstrip().startswith("[") and {"nodeid"} <= file.keys,
    ),
    Kind(
        "an xgboost model in the binary format of versions before 2",
        f"open it with xgboost 1.7, and {SAVE_MODEL}",
        look=_binary,
    ),
    Kind(
        "a drawing of a tree",
        SAVE_MODEL,
        look=lambda file: _DOT.match(file.text) is not None,
        suffixes=(".dot", ".gv"),
    ),
    Kind(
        "a CatBoost model",
        XGBOOST,
        (b"CBM1",),
        (".cbm",),
        look=lambda file: bool(file.keys & {"oblivious_trees", "model_info"}),
    ),
    Kind(
        "a model in PMML",
        f"if it is boosted trees: {XGBOOST}",
        look=lambda file: "<PMML" in file.text,
        suffixes=(".pmml",),
    ),
    Kind("an H2O model", XGBOOST, look=lambda file: "model.ini" in file.members),
    Kind("a model of R", XGBOOST, (b"RDX2\n", b"RDX3\n"), (".rds", ".rda", ".rdata")),
)
