"""Network intrusion: UNSW-NB15 as binary inputs, and NSL-KDD."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.data.dataset import Raw
from nnlogic.data.local import LABELS, NUMBER, ROWS, TEXTS, read_local, read_table
from nnlogic.data.split import take

CLASSES = ("normal", "attack")
NID_BITS, NID_ROWS = 575, 82_332
NID_LOCAL = "unsw_nb15_82k_bits.npz"
# The two partitions change names between copies: the file with 82,332 rows is the one meant.
NID_CSV = ("UNSW_NB15_training-set.csv", "UNSW_NB15_testing-set.csv")
NID_NOT_FEATURES = ("id", "attack_cat", "label")
NID_WORDS = ("proto", "service", "state")
NID_SEED, NID_TEST_SHARE = 15, 0.2
NSL_LOCAL = "nsl_kdd_20pct.npz"
NSL_TEXT = ("KDDTrain+_20Percent.txt", "KDDTest+.txt")
NSL_WORDS = {1: "protocol_type", 2: "service", 3: "flag"}
LARGEST_CODE = 2**32 - 1


def load_nid(data_dir: Path | None) -> Raw:
    """UNSW-NB15, the partition of 82,332 rows, as 575 binary inputs; 0 normal, 1 attack.

    The binary inputs are made as in Umuroglu's version of the data: a column whose smallest
    positive value is below one is divided by it, words are numbered in alphabetical order, values
    are rounded (a half goes up) and written in as many bits as the largest needs, first column
    first, high bit first. That version joins both partitions (593 bits); here only the rows used
    count. The set has no public file without a form: a local copy is needed.
    """
    if data_dir is None:
        raise InputError(
            "the data set UNSW-NB15 cannot be fetched",
            why="its source asks for a form to be filled in",
            fix="get the file with 82,332 rows of the 'Training and Testing Sets' "
            f"({' or '.join(NID_CSV)}) from "
            "https://research.unsw.edu.au/projects/unsw-nb15-dataset and pass its folder (--data)",
        )
    path = ""
    if (data_dir / NID_LOCAL).exists():
        path = str(data_dir / NID_LOCAL)
        x, y, names = _nid_npz(Path(path))
    else:
        x, y, names = _nid_csv(data_dir)
    train, test = take(y, NID_TEST_SHARE, NID_SEED, stratified=True)
    return Raw(
        x[train],
        y[train],
        x[test],
        y[test],
        names,
        CLASSES,
        "UNSW-NB15 (Moustafa and Slay 2015, academic use), the partition of 82,332 rows as 575 "
        "binary inputs; own seeded split, stratified: a fifth for testing. Published figures use "
        "another partition and are not comparable. The set repeats itself: two fifths of the test "
        "rows also occur among the training rows.",
        stratified=True,
        file=path,
    )


def _nid_npz(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    kinds = {"X_packed": ROWS, "n_bits": NUMBER, "y": LABELS, "col_names": TEXTS,
             "col_bits": LABELS}  # fmt: skip
    file = read_local(path, kinds)
    packed, count, widths = file["X_packed"], int(file["n_bits"]), file["col_bits"]
    fits = packed.dtype == np.uint8 and packed.ndim == 2 and len(packed) == len(file["y"])
    if (
        not fits
        or len(widths) != len(file["col_names"])
        or widths.min(initial=0) < 0
        or (not int(widths.sum()) == count <= 8 * packed.shape[1])
    ):
        why = f"{count} bits, columns of {int(widths.sum())}, X_packed of shape {packed.shape}"
        raise InputError("data set is damaged", where=str(path), why=why)
    x = np.unpackbits(packed, axis=1)[:, :count]
    return x, file["y"], bit_names(dict(zip(file["col_names"], widths, strict=True)))


def _nid_csv(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    rows: dict[str, int] = {}
    for name in NID_CSV:
        if not (folder / name).exists():
            continue
        table = read_table(folder / name)
        rows[name] = len(next(iter(table.values()), ()))
        if rows[name] == NID_ROWS:
            return _nid_rows(table, folder / name)
    found = ", ".join(f"{name} has {count} rows" for name, count in rows.items())
    raise InputError(
        "no local copy of the data set",
        where=str(folder),
        why=found or f"it holds none of {NID_LOCAL}, {', '.join(NID_CSV)}",
        fix=f"put the partition with {NID_ROWS} rows there",
    )


def _nid_rows(
    table: dict[str, NDArray], path: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    if "label" not in table:
        raise InputError("the data set lacks labels", where=str(path), why="no column 'label'")
    columns, problems = {}, []
    for name, cells in table.items():
        if name in NID_NOT_FEATURES:
            continue
        if name in NID_WORDS:
            columns[name] = np.unique(cells, return_inverse=True)[1].astype(np.float64)
            continue
        try:
            columns[name] = cells.astype(np.float64)
        except ValueError as error:
            problems.append(Problem(name, str(error)))
    if problems:
        raise InputError("cannot read the data set", where=str(path), problems=problems)
    x, widths = binary_inputs(columns)
    if x.shape[1] != NID_BITS:
        raise InputError(
            "the data set is not the one expected",
            where=str(path),
            why=f"it needs {x.shape[1]} bits, expected {NID_BITS}",
            fix="use the file as published, all 45 columns unchanged",
        )
    return x, table["label"].astype(np.int64), bit_names(widths)


def binary_inputs(
    columns: dict[str, NDArray[np.float64]],
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """Write columns of nonnegative numbers in binary, as `load_nid` describes.

    Returns
    -------
    bits : uint8 array, shape (rows, sum of widths)
    widths : dict of str to int
        Bits of each column.
    """
    parts, widths = [], {}
    for name, values in columns.items():
        positive = values[values > 0]
        least = float(positive.min()) if positive.size else 1.0
        scaled = values * (1.0 / least) if least < 1 else values
        width = max(1, int(np.ceil(np.log2(scaled.max(initial=0.0) + 1.0))))
        clipped = np.clip(scaled, 0, LARGEST_CODE)
        down = np.floor(clipped)
        codes = np.where(clipped - down < 0.5, down, np.ceil(clipped)).astype(np.int64)
        parts.append((codes[:, None] >> np.arange(width)[::-1] & 1).astype(np.uint8))
        widths[name] = width
    return np.concatenate(parts, axis=1), widths


def bit_names(widths: dict[str, int]) -> tuple[str, ...]:
    """Return a name for each bit, ``column_position``, high bits first."""
    return tuple(f"{name}_{i}" for name, w in widths.items() for i in reversed(range(int(w))))


def load_nsl_kdd(data_dir: Path | None) -> Raw:
    """NSL-KDD, the fifth of the training rows and KDDTest+: 38 numbers, 81 indicators.

    ``nsl_kdd_20pct.npz``, or the two text files. The test rows hold attacks that the training
    rows lack.
    """
    if data_dir is None:
        raise InputError(
            "the data set NSL-KDD cannot be fetched",
            why="its source asks for a form to be filled in",
            fix=f"get {' and '.join(NSL_TEXT)} from https://www.unb.ca/cic/datasets/nsl.html and "
            "pass their folder (--data)",
        )
    read = _nsl_npz if (data_dir / NSL_LOCAL).exists() else _nsl_text
    numbers, words, attacks, names = read(data_dir)
    x, labels = list(numbers), list(names)
    for key in NSL_WORDS.values():
        known = np.unique(np.concatenate(words[key]))
        labels += [f"{key}_{value}" for value in known]
        x = [
            np.concatenate([rows, part[:, None] == known], axis=1, dtype=np.float32)
            for rows, part in zip(x, words[key], strict=True)
        ]
    return Raw(
        x[0],
        attacks[0],
        x[1],
        attacks[1],
        tuple(labels),
        CLASSES,
        "NSL-KDD (Tavallaee et al. 2009), KDDTrain+_20Percent and KDDTest+ as published.",
        stratified=True,
        file=str(data_dir / NSL_LOCAL if read is _nsl_npz else data_dir),
    )


_Pair = tuple[NDArray, NDArray]


def _nsl_npz(folder: Path) -> tuple[_Pair, dict[str, _Pair], _Pair, list[str]]:
    parts = {"names": TEXTS, "train20": LABELS, "test": LABELS}
    keys = {f"{w}_{part}": k for w in NSL_WORDS.values() for part, k in parts.items()}
    fixed = {"X_num_train20": ROWS, "X_num_test": ROWS, "label_train20": LABELS,
             "label_test": LABELS, "num_names": TEXTS}  # fmt: skip
    file = read_local(folder / NSL_LOCAL, {**keys, **fixed})
    problems = []
    for w in NSL_WORDS.values():
        for part in ("train20", "test"):
            codes, known, rows = file[f"{w}_{part}"], len(file[f"{w}_names"]), f"X_num_{part}"
            if len(codes) != len(file[rows]) or not ((codes >= 0) & (codes < known)).all():
                why = f"not a number below {known} for each of {len(file[rows])} rows"
                problems.append(Problem(f"{w}_{part}", why))
    if problems:
        raise InputError("data set is damaged", where=str(folder / NSL_LOCAL), problems=problems)
    words = {
        w: (
            file[f"{w}_names"][file[f"{w}_train20"]],
            file[f"{w}_names"][file[f"{w}_test"]],
        )
        for w in NSL_WORDS.values()
    }
    numbers = (file["X_num_train20"], file["X_num_test"])
    attacks = (file["label_train20"], file["label_test"])
    return numbers, words, attacks, [str(n) for n in file["num_names"]]


NSL_COLUMNS = 43
NSL_NUMBERS = tuple(i for i in range(41) if i not in NSL_WORDS)


def _nsl_text(folder: Path) -> tuple[_Pair, dict[str, _Pair], _Pair, list[str]]:
    train, test = (
        read_table(folder / name, tuple(f"c{i}" for i in range(NSL_COLUMNS))) for name in NSL_TEXT
    )
    try:
        numbers = tuple(
            np.stack([t[f"c{i}"].astype(np.float32) for i in NSL_NUMBERS], axis=1)
            for t in (train, test)
        )
    except ValueError as error:
        raise InputError("cannot read the data set", where=str(folder), why=str(error)) from error
    words = {w: (train[f"c{i}"], test[f"c{i}"]) for i, w in NSL_WORDS.items()}
    attacks = tuple((t["c41"] != "normal").astype(np.int64) for t in (train, test))
    names = [f"f{i}" for i in NSL_NUMBERS]
    return (numbers[0], numbers[1]), words, (attacks[0], attacks[1]), names
