"""Random small networks of every neuron family: recipes, and what they are trained on."""

from __future__ import annotations

import dataclasses

import numpy as np

from nnlogic.data import Dataset
from nnlogic.model.layer import LayerSpec
from nnlogic.train import Recipe

TABLES = ("linear", "poly", "subnet", "additive", "kan", "tree")
ADDED = ("additive", "kan")
FORMATS = ("", "posit(4,1)", "shift(4)", "ternary()", "minifloat(2,1)")
EPOCHS = (0, 0, 1, 3)
ROWS, OTHER_ROWS = 2048, 256
Rng = np.random.Generator


def _pick(rng: Rng, *values):
    return values[int(rng.integers(len(values)))]


def part_of(data: Dataset, rng: Rng) -> Dataset:
    """Return a data set of fewer features, classes and rows."""
    width = min(data.x_train.shape[1], int(rng.integers(6, 25)))
    used = np.sort(rng.choice(data.x_train.shape[1], width, replace=False))
    classes = min(len(data.class_names), int(rng.integers(2, 6)))

    def rows(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
        kept = np.flatnonzero(y < classes)
        kept = rng.choice(kept, min(most, len(kept)), replace=False)
        return np.ascontiguousarray(x[kept][:, used]), y[kept]

    x_train, y_train = rows(data.x_train, data.y_train, ROWS)
    x_val, y_val = rows(data.x_val, data.y_val, OTHER_ROWS)
    x_test, y_test = rows(data.x_test, data.y_test, OTHER_ROWS)
    names = tuple(f"x{i}" for i in range(width))
    return dataclasses.replace(
        data, x_train=x_train, y_train=y_train, x_val=x_val, y_val=y_val, x_test=x_test,
        y_test=y_test, feature_names=names, class_names=data.class_names[:classes],
    )  # fmt: skip


def recipe_of(number: int, data: Dataset, rng: Rng) -> Recipe:
    """Return a random recipe for a data set."""
    classes = len(data.class_names)
    bits = 1 if data.name == "nid" else _pick(rng, 2, 3, 4, 6)
    others = (_adders, _hamming, _ensemble, _front)
    make = _pick(rng, *[_tables] * 6, *[_luts] * 4, *others)
    return Recipe(
        name=f"net{number}",
        dataset=data.name,
        layers=tuple(make(rng, bits, classes)),
        input_bits=bits,
        fan_in_limit=96,
        epochs=max(1, EPOCHS[number % len(EPOCHS)]),
        batch=128,
        learning_rate=0.02,
        float_epochs=0,
        seed=number,
    )


def _fan_in(rng: Rng, before: int, most: int = 9) -> int:
    """Return wires that a table of so many input bits can read; wide tables are rare."""
    bits = int(rng.choice([4, 5, 6, 7, 8, most], p=[0.2, 0.25, 0.35, 0.1, 0.07, 0.03]))
    return max(1, bits // before)


def _encoder(rng: Rng, bits: int) -> list[LayerSpec]:
    if bits == 1 or rng.random() < 0.3:
        return []
    if rng.random() < 0.5:
        own = {"width": int(rng.integers(8, 48)), "fan_in": 1, "activation": "pact", "bits": 2}
        return [LayerSpec("enc", family="linear", role="encoder", **own)]
    family = _pick(rng, "functions", "thermometer")
    return [LayerSpec("enc", int(rng.integers(8, 48)), family, role="encoder", bits=1)]


def _neurons(rng: Rng, name: str, family: str, width: int, before: int, last: bool) -> LayerSpec:
    activation = "signed_uniform" if last else _pick(rng, "pact", "signed_uniform", "sign")
    if last and family in ADDED and rng.random() < 0.5:
        activation = "none"
    bits = 1 if activation == "sign" else _pick(rng, 2, 3, 4, 5) if last else _pick(rng, 1, 2, 2, 3)
    options = {
        "subnet": {"hidden": 4, "depth": 2, "skip": 0},
        "additive": {"parts": _pick(rng, 2, 3), "part_bits": _pick(rng, 2, 3), "degree": 2},
        "kan": {"knots": 8, "part_bits": _pick(rng, 2, 3, 4)},
        "tree": {"branches": (2,), "node": "poly"},
        "poly": {"degree": _pick(rng, 1, 2)},
    }.get(family, {})
    fan_in = _fan_in(rng, before)
    if family in (*ADDED, "tree"):
        fan_in = min(max(1, 6 // before), _pick(rng, 1, 2, 3))
    if family == "kan":
        fan_in = _pick(rng, 3, 4, 6)
    connect = _pick(rng, "random", "learned") if family != "linear" else "random"
    return LayerSpec(
        name, width, family, fan_in=fan_in, activation=activation, bits=bits, connect=connect,
        options=options,
    )  # fmt: skip


def _tables(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    layers = _encoder(rng, bits)
    before = layers[-1].bits if layers else bits
    family = _pick(rng, *TABLES)
    for i in range(int(rng.integers(0, 3))):
        width = int(rng.integers(4, 25))
        layers.append(_neurons(rng, f"fc{i}", family, width, before, False))
        before = layers[-1].bits
    return [*layers, _neurons(rng, "score", family, classes, before, True)]


def _luts(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    family = "functions" if bits > 1 else "luts"
    layers = [LayerSpec("enc", int(rng.integers(12, 65)), family, fan_in=6 * (bits == 1), bits=1)]
    gates = rng.random() < 0.2
    for i in range(int(rng.integers(1, 3))):
        width = classes * int(rng.integers(2, 16))
        layers.append(
            LayerSpec(
                f"luts{i}",
                width,
                "luts",
                fan_in=2 if gates else _pick(rng, 3, 4, 5, 6, 6),
                bits=1,
                connect=_pick(rng, "random", "learned"),
                options={"gates": True} if gates else {},
            )
        )
    return [*layers, LayerSpec("score", classes, "votes")]


def _adders(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    layers = []
    for i in range(int(rng.integers(0, 3))):
        activation = _pick(rng, "pact", "sign")
        own = {"activation": activation, "bits": 1 if activation == "sign" else _pick(rng, 1, 2)}
        layers.append(_sums(rng, f"fc{i}", int(rng.integers(3, 7)), own))
    own = {"activation": "signed_uniform", "bits": _pick(rng, 3, 4, 5)}
    return [*layers, _sums(rng, "score", classes, own)]


def _sums(rng: Rng, name: str, width: int, own: dict) -> LayerSpec:
    weights = _pick(rng, *FORMATS)
    options = {"weights": weights} if weights else {"weight_bits": _pick(rng, 2, 3, 4, 6)}
    return LayerSpec(name, width, "linear", fan_in=_pick(rng, 0, 6, 8), options=options, **own)


def _hamming(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    first = "functions" if bits > 1 else "luts"
    return [
        LayerSpec("enc", int(rng.integers(12, 49)), first, fan_in=6 * (bits == 1), bits=1),
        LayerSpec(
            "bundle",
            int(rng.integers(12, 41)),
            "linear",
            fan_in=_pick(rng, 3, 5, 6),
            activation="sign",
            bits=1,
            options={"weights": "binary()"},
        ),
        LayerSpec("score", classes, "hamming"),
    ]


def _ensemble(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    family = _pick(rng, "poly", "linear", "subnet")
    inner = _encoder(rng, bits)
    before = inner[-1].bits if inner else bits
    inner.append(_neurons(rng, "fc", family, int(rng.integers(4, 17)), before, False))
    inner.append(_neurons(rng, "score", family, classes, inner[-1].bits, True))
    options = {"members": _pick(rng, 2, 3), "layers": tuple(inner)}
    return [LayerSpec("sum", classes, "ensemble", options=options)]


def _front(rng: Rng, bits: int, classes: int) -> list[LayerSpec]:
    options = {
        "method": _pick(rng, "pca", "random"), "weights": _pick(rng, "shift(4)", "binary()"),
    }  # fmt: skip
    front = LayerSpec(
        "components", int(rng.integers(4, 13)), "projection", fan_in=_pick(rng, 4, 6),
        role="encoder", bits=_pick(rng, 2, 3), options=options,
    )  # fmt: skip
    hidden = _neurons(rng, "fc", "linear", int(rng.integers(4, 25)), front.bits, False)
    return [front, hidden, _neurons(rng, "score", "linear", classes, hidden.bits, True)]
