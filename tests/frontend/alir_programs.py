"""Random programs in the JSON of alkaid, with every operation and intervals that hold."""

from __future__ import annotations

import math

import numpy as np


class Builder:
    """Operations one after another; intervals are in steps, ``(lo, hi, frac)``."""

    def __init__(self, inputs, seed):
        self.rng = np.random.default_rng(seed)
        self.inputs, self.records, self.bounds, self.tables = inputs, [], [], []

    def put(self, code, args, data, lo, hi, frac):
        step = 2.0**-frac
        self.records.append([list(args), code, list(data), [lo * step, hi * step, step], 0.0, 0.0])
        self.bounds.append((lo, hi, frac))
        return len(self.records) - 1

    def pick(self, count=1, bits=99):
        """Return values at random, none of more bits, none that is always zero."""
        good = [i for i, b in enumerate(self.bounds) if width(b) <= bits and b[:2] != (0, 0)]
        return [int(self.rng.choice(good)) for _ in range(count)]

    def format(self, bits):
        """Return the interval of a fixed-point number."""
        signed, frac = bool(self.rng.integers(2)), int(self.rng.integers(0, 3))
        half = 1 << bits - signed
        return (-half if signed else 0, half - 1, frac)

    def input(self, number, bits=5):
        return self.put(-1, [], [number], *self.format(bits))

    def add(self, code):
        rng = self.rng
        shift = int(rng.integers(-1, 2))
        if code == -2:
            (a,) = self.pick()
            lo, hi, frac = self.bounds[a]
            return self.put(code, [a], [], -hi, -lo, frac)
        if code in (0, 1, 11):
            count = 2 if code < 2 else 3
            args = self.pick(count, 14)
            shifts = [0, shift] if code < 2 else [int(s) for s in rng.integers(-1, 2, count)]
            signs = [1, 1 - code] if code < 2 else [int(s) for s in rng.integers(0, 2, count)]
            frac = max(self.bounds[a][2] - s for a, s in zip(args, shifts, strict=True))
            lo = hi = 0
            for a, s, plus in zip(args, shifts, signs, strict=True):
                low, high, own = self.bounds[a]
                gain = 1 << frac - (own - s)
                low, high = (low * gain, high * gain) if plus else (-high * gain, -low * gain)
                lo, hi = lo + low, hi + high
            data = [shift] if code < 2 else [v for p in zip(signs, shifts, strict=True) for v in p]
            return self.put(code, args, data, lo, hi, frac)
        if code == 2:
            (a,) = self.pick(1, 12)
            return self.put(code, [a], [], 0, 7, self.bounds[a][2] - int(rng.integers(0, 2)))
        if code == 3:
            (a,) = self.pick(1, 12)
            # Interpreters shift to the right only: the step of what is cut is no coarser.
            lo, hi, _ = self.format(int(rng.integers(2, 5)))
            frac = self.bounds[a][2] - shift - int(rng.integers(0, 2))
            return self.put(code, [a], [shift], lo, hi, frac)
        if code == 4:
            (a,) = self.pick(1, 14)
            lo, hi, frac = self.bounds[a]
            value, point = int(rng.integers(-9, 10)), int(rng.integers(0, 3))
            fine = max(frac, point)
            add = value << fine - point
            return self.put(
                code,
                [a],
                [value, point],
                (lo << fine - frac) + add,
                (hi << fine - frac) + add,
                fine,
            )
        if code == 5:
            value = int(rng.choice([-5, -1, 3, 6]))
            return self.put(code, [], [value], value, value, 1)
        if code == 6:
            a, b, c = self.pick(3, 7)
            frac = max(self.bounds[a][2], self.bounds[b][2])
            # Interpreters move one of the two only.
            shift = self.bounds[b][2] - frac
            lo, hi, _ = self.format(4)
            return self.put(code, [a, b, c], [shift], lo, hi, frac)
        if code == 7:
            a, b = self.pick(2, 6)
            (la, ha, fa), (lb, hb, fb) = self.bounds[a], self.bounds[b]
            ends = [x * y for x in (la, ha) for y in (lb, hb)]
            return self.put(code, [a, b], [], min(ends), max(ends), fa + fb)
        if code == 8:
            (a,) = self.pick(1, 8)
            lo, hi, _ = self.bounds[a]
            values = rng.integers(-6, 6, hi - lo + 1).tolist()
            table = {"hash": str(len(self.tables)), "inp_width": width(self.bounds[a]),
                     "out_qint": {"min": -3.0, "max": 2.5, "step": 0.5}}  # fmt: skip
            self.tables.append({"spec": table, "table": values})
            return self.put(code, [a], [len(self.tables) - 1], -6, 5, 1)
        if code == 9:
            (a,) = self.pick(1, 8)
            lo, hi, frac = self.bounds[a]
            which = int(rng.integers(3))
            if which:
                return self.put(code, [a], [which], 0, 1, 0)
            ones = (1 << width(self.bounds[a])) - 1
            return self.put(code, [a], [0], *((-hi - 1, -lo - 1) if lo < 0 else (0, ones)), frac)
        a, b = self.pick(2, 6)
        (la, ha, fa), (lb, hb, fb) = self.bounds[a], self.bounds[b]
        frac = max(fa, fb - shift)
        top = max(
            width((la << frac - fa, ha << frac - fa, 0)),
            width((lb << frac - fb + shift, hb << frac - fb + shift, 0)),
        ) + 1  # fmt: skip
        signed = la < 0 or lb < 0
        lo, hi = (-(1 << top), (1 << top) - 1) if signed else (0, (1 << top) - 1)
        return self.put(code, [a, b], [shift, int(rng.integers(3))], lo, hi, frac)

    def done(self, outputs):
        rng = self.rng
        out = [int(i) for i in rng.choice(len(self.records), outputs)]
        # The last ones reach furthest back.
        out[: outputs // 2] = range(len(self.records) - outputs // 2, len(self.records))
        model = [
            [self.inputs, outputs],
            rng.integers(-1, 2, self.inputs).tolist(),
            out,
            rng.integers(-1, 2, outputs).tolist(),
            [bool(b) for b in rng.integers(0, 2, outputs)],
            self.records, 1, 1,
        ]  # fmt: skip
        if self.tables:
            model.append(self.tables)
        return {"model": model, "meta": "ALIRModel", "spec_version": 4}


def width(bound):
    """Return the bits of a fixed-point number, its sign among them."""
    lo, hi = bound[:2]
    return math.ceil(math.log2(max(-lo, hi + 1, 1))) + (lo < 0)


def program(seed, count=40, inputs=4, outputs=6, codes=(-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)):
    """Return a program whose operations are drawn from some codes."""
    made = Builder(inputs, seed)
    for i in range(inputs):
        made.input(i)
    for _ in range(count):
        made.add(int(made.rng.choice(codes)))
    return made.done(outputs)
