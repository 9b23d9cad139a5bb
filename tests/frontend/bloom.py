"""Pickles as BTHOWeN writes them: classes of its names, that exist only while one is written."""

import lzma
import pickle
import sys
import types

import numpy as np


def make(name, module):
    return type(name, (), {"__module__": module})


CLASSES = {
    "wisard": (make("WiSARD", "wisard"), make("Discriminator", "wisard")),
    "bloom_filter": (make("BloomFilter", "bloom_filter"),),
}


def filled(kind, **state):
    made = kind()
    made.__dict__.update(state)
    return made


def model(seed=0, features=3, levels=2, reads=2, hashes=2, entries=8, classes=3, counts=1, pad=0):
    """Return info and model of random filters; data count up to `counts`."""
    rng = np.random.default_rng(seed)
    (wisard, discriminator), (bloom,) = CLASSES.values()
    wires = features * levels + pad
    masks = rng.integers(0, entries, (hashes, reads))
    parts = [
        filled(
            discriminator,
            num_filters=wires // reads,
            filters=[
                filled(
                    bloom, num_inputs=reads, num_entries=entries, num_hashes=hashes,
                    hash_values=masks, index_bits=entries.bit_length() - 1,
                    data=rng.integers(0, counts + 1, entries), bleach=np.array(1),
                )
                for _ in range(wires // reads)
            ],
        )
        for _ in range(classes)
    ]  # fmt: skip
    state = {"input_order": rng.permutation(wires), "discriminators": parts}
    if pad:
        state["pad_zeros"] = pad
    info = {"num_inputs": features, "num_classes": classes, "bits_per_input": levels}
    return {"info": info, "model": filled(wisard, **state)}


def packed(content, protocol=4):
    """Return the bytes of a pickle, while the modules it names exist."""
    for name, kinds in CLASSES.items():
        sys.modules[name] = types.ModuleType(name)
        for kind in kinds:
            setattr(sys.modules[name], kind.__name__, kind)
    try:
        return pickle.dumps(content, protocol)
    finally:
        for name in CLASSES:
            del sys.modules[name]


def save(folder, content, name="m.pickle.lzma", protocol=4):
    path = folder / name
    data = packed(content, protocol)
    path.write_bytes(lzma.compress(data) if name.endswith(".lzma") else data)
    return path


def predict(content, bits):
    """The class of thermometer bits, as the peer's own program finds it, one filter at a time."""
    wisard = content["model"]
    x = np.pad(bits, (0, getattr(wisard, "pad_zeros", 0)))[wisard.input_order]
    responses = []
    for discriminator in wisard.discriminators:
        response = 0
        for reads, bloom in zip(
            x.reshape(len(discriminator.filters), -1), discriminator.filters, strict=True
        ):
            entries = []
            for row in bloom.hash_values:
                found = 0
                for bit, value in zip(reads, row, strict=True):
                    found ^= int(bit) * int(value)
                entries.append(bloom.data[found])
            response += min(entries) >= bloom.bleach
        responses.append(response)
    return responses.index(max(responses))
