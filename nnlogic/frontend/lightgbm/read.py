"""Classifiers that LightGBM saved as text, with the library's own idea of a prediction.

What counts is `LGBMClassifier.predict` of a model that was loaded from the file: all the rounds it
holds (an early stop saves those up to the best one), sums in float64, the larger probability, and
the first class of equal ones. A row goes left where a value is at most the threshold, compared in
float64. Where zero counts as missing, a split sends values around zero in its default direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.core.formats import IntArray
from nnlogic.core.limits import CLASSES, FEATURES
from nnlogic.frontend.trees.document import BeyondLimit, WrongValue, count, within
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Tree, TreeEnsemble
from nnlogic.frontend.trees.limits import BYTES, NODES, TREES
from nnlogic.frontend.trees.order import above, ordered

HALF = 1.5 * 2.0**-53
"""Largest score whose float64 probability is not above 0.5."""
VERSIONS = ("v2", "v3", "v4")
MULTI = {"multiclass": "softmax", "multiclassova": "sigmoid"}
END = "end of trees"
CATEGORIES, LEFT, ZERO = 1, 2, 4
"""Bits of a split's kind: by categories; missing values go left; zeros count as missing."""
ZEROS = np.float32(1e-35)
"""Values from minus this to this are zeros."""
UNFOLDED = 1 << 17
"""Nodes of one tree of splits in two."""
FIX = 'save it again with booster.save_model("model.txt")'


def read_lightgbm(path: Path) -> TreeEnsemble:
    """Read a classifier that LightGBM saved (``booster.save_model("model.txt")``).

    Raises
    ------
    CheckpointError
        The file is damaged, incomplete, larger than allowed, or not a model.
    UnsupportedModel
        It is no classifier of trees with numeric splits.
    """
    where = str(path)
    try:
        if problems := BYTES.problems("size", path.stat().st_size):
            raise BeyondLimit(problems)
        head, blocks = _sections(path.read_text(encoding="utf-8"))
        if head.get("version") not in VERSIONS:
            raise WrongValue(f"version is {head.get('version', '')[:20]!r}, none of {VERSIONS}")
        _require_classifier(head, blocks, where)
        return _ensemble(path, head, blocks)
    except BeyondLimit as error:
        raise CheckpointError(
            "the LightGBM model is larger than allowed", where=where, problems=error.problems
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            "the LightGBM model is damaged or incomplete", where=where, why=str(error), fix=FIX
        ) from error


def _sections(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the header and one block per tree, as names and values."""
    lines = [line.strip() for line in text.splitlines()]
    if END not in lines:
        raise WrongValue(f"it ends before {END!r}")
    sections: list[dict[str, str]] = [{}]
    for line in lines[1 : lines.index(END)]:
        name, _, value = line.partition("=")
        if name == "Tree":
            if value != str(len(sections) - 1):
                raise WrongValue(f"tree {value[:20]!r} stands where {len(sections) - 1} should")
            sections.append({})
            within(TREES, len(sections) - 1, "trees")
        elif name in sections[-1]:
            raise WrongValue(f"{name[:40]!r} stands twice in one part")
        elif name:
            sections[-1][name] = value
    return sections[0], sections[1:]


def _require_classifier(
    head: Mapping[str, str], blocks: Sequence[Mapping[str, str]], where: str
) -> None:
    """Refuse models of other kinds, one line for each reason."""
    problems = []
    objective, *options = head.get("objective", "").split() or [""]
    if objective != "binary" and objective not in MULTI:
        problems.append(
            Problem(
                f"objective {objective[:40] or 'of your own'}",
                "is no classifier",
                f"one of binary, {', '.join(MULTI)}",
            )
        )
    slopes = [option for option in options if option.startswith("sigmoid:")]
    if objective == "multiclassova" and slopes not in ([], ["sigmoid:1"]):
        problems.append(Problem(slopes[0][:40], "changes which probabilities are equal", "1"))
    for name, what, fix in (
        ("num_cat", "splits on categories", "numeric features"),
        ("is_linear", "linear models at the leaves", "linear_tree=False"),
    ):
        at = [i for i, block in enumerate(blocks) if block.get(name, "0") != "0"]
        if at:
            more = f" and {len(at) - 1} more" if len(at) > 1 else ""
            problems.append(Problem(f"tree {at[0]}{more}", what, fix))
    if problems:
        raise UnsupportedModel("no classifier of numeric trees", where=where, problems=problems)


def _ensemble(
    path: Path, head: Mapping[str, str], blocks: Sequence[Mapping[str, str]]
) -> TreeEnsemble:
    objective = head["objective"].split()[0]
    features = count(head.get("max_feature_idx"), "max_feature_idx", FEATURES) + 1
    classes = count(head.get("num_class"), "num_class", CLASSES)
    scores = count(head.get("num_tree_per_iteration"), "num_tree_per_iteration", CLASSES)
    if scores != (1 if objective == "binary" else classes) or not scores:
        raise WrongValue(f"{scores} trees a round for {classes} classes, objective {objective}")
    sizes = head.get("tree_sizes", "").split()
    if len(blocks) != len(sizes) or len(blocks) % scores:
        raise WrongValue(f"{len(blocks):,} trees, tree_sizes of {len(sizes):,}, {scores} a round")
    names = head.get("feature_names", "").split()
    if len(names) != features:
        raise WrongValue(f"{len(names):,} feature_names for {features:,} features")
    nodes, trees = 0, []
    for i, block in enumerate(blocks):
        trees.append(_tree(i % scores, block, f"tree {i}"))
        nodes = within(NODES, nodes + len(trees[-1].left), f"trees 0 to {i}")
    slope = next((o[8:] for o in head["objective"].split() if o.startswith("sigmoid:")), "1")
    if objective == "binary" and not 1e-9 < (*_floats(slope, "sigmoid"), 0.0)[0] < 1e9:
        raise WrongValue(f"sigmoid is {slope[:20]}")
    ensemble = TreeEnsemble(
        path.stem,
        tuple(names),
        tuple(str(i) for i in range(2 if objective == "binary" else classes)),
        tuple(trees),
        np.zeros(scores),
        cut=Cut(strict=True, slack=HALF / float(slope)) if objective == "binary" else Cut(),
        link=MULTI.get(objective, ""),
        averaged=len(blocks) // scores if "average_output" in head else 1,
    )
    ensemble.verify(str(path))
    return ensemble


def _floats(text: str | None, name: str) -> NDArray[np.float64]:
    try:
        found = np.array([float(part) for part in (text or "").split()], np.float64)
    except ValueError:
        raise WrongValue(f"{name} holds what is no number: {(text or '')[:40]!r}") from None
    if np.isnan(found).any():
        raise WrongValue(f"{name} is NaN")
    return found


def _integers(text: str | None, name: str) -> IntArray:
    found = _floats(text, name)
    if not (np.abs(found) < 1 << 31).all() or (found != np.rint(found)).any():
        raise WrongValue(f"{name} holds what is no integer")
    return found.astype(np.int64)


def _tree(output: int, block: Mapping[str, str], name: str) -> Tree:
    leaves = count(block.get("num_leaves"), f"{name}: num_leaves")
    value = _floats(block.get("leaf_value"), f"{name}: leaf_value")
    threshold = _floats(block.get("threshold"), f"{name}: threshold")
    feature, kind, left, right = (
        _integers(block.get(part), f"{name}: {part}")
        for part in ("split_feature", "decision_type", "left_child", "right_child")
    )
    inner = len(threshold)
    lengths = {inner, len(feature), len(kind), len(left), len(right)}
    if len(value) != leaves or leaves != inner + 1 or len(lengths) > 1:
        raise WrongValue(f"{name}: {leaves} leaves, {len(value)} values, {sorted(lengths)} splits")
    if np.any(kind & CATEGORIES) or np.any((kind < 0) | (kind > 11)):
        raise WrongValue(f"{name}: decision_type {kind.min()} to {kind.max()}")
    if np.any((left >= inner) | (right >= inner) | (left < -leaves) | (right < -leaves)):
        raise WrongValue(f"{name}: a child that is none of its nodes")
    # Inner nodes first, then leaves, which children name by their complement.
    first, second = (np.where(side < 0, inner + ~side, side) for side in (left, right))
    end = np.full(leaves, LEAF)
    first, second = np.concatenate([first, end]), np.concatenate([second, end])
    value = np.concatenate([np.zeros(inner), value])
    number = np.arange(len(value))
    shape = ordered(output, number, np.zeros(len(value)), first, second, value, name)
    if len(shape.left) != len(value):
        raise WrongValue(f"{name}: {len(value) - len(shape.left)} nodes that nothing leads to")
    parts = [_parts(threshold[i], int(kind[i]), first[i], second[i]) for i in range(inner)]
    return _unfolded(output, feature, parts, value, name)


def _parts(threshold: float, kind: int, left: int, right: int) -> list[tuple[float, int]]:
    """Return where a split sends float32 values: the first of each interval, and its child."""
    cuts = above(np.array([threshold])).tolist()
    if kind & ZERO:
        cuts += [-float(ZEROS), float(np.nextafter(ZEROS, np.float32(1)))]
    found: list[tuple[float, int]] = []
    for at in [-np.inf, *sorted(cut for cut in cuts if np.isfinite(cut))]:
        missing = bool(kind & ZERO) and -ZEROS <= at <= ZEROS
        child = left if (bool(kind & LEFT) if missing else at <= threshold) else right
        if not found or found[-1][1] != child:
            found.append((at, int(child)))
    return found


def _unfolded(
    output: int,
    feature: IntArray,
    parts: Sequence[list[tuple[float, int]]],
    value: NDArray[np.float64],
    name: str,
) -> Tree:
    """Return a tree of splits in two; more intervals become splits one behind another."""
    nodes: list[list[float]] = []
    waiting = [(0, [(-np.inf, 0)], -1, 0)]
    while waiting:
        of, intervals, parent, side = waiting.pop()
        while len(intervals) == 1 and intervals[0][1] < len(parts):
            at = intervals[0][1]
            of, intervals = int(feature[at]), parts[at]
        number = len(nodes)
        if number == UNFOLDED:
            raise UnsupportedModel(
                "splits around zero that unfold to too many",
                where=name,
                why=f"more than {UNFOLDED:,} splits in two, since zeros count as missing",
                fix="train with zero_as_missing=False",
            )
        if parent >= 0:
            nodes[parent][2 + side] = number
        if len(intervals) == 1:
            nodes.append([0, 0.0, LEAF, LEAF, float(value[intervals[0][1]])])
            continue
        nodes.append([of, intervals[-1][0], LEAF, LEAF, 0.0])
        waiting += [(of, intervals[-1:], number, 1), (of, intervals[:-1], number, 0)]
    columns = np.array(nodes)
    index = columns[:, [0, 2, 3]].astype(np.int64)
    return ordered(
        output, index[:, 0], columns[:, 1], index[:, 1], index[:, 2], columns[:, 4], name
    )
