"""Neuron families by name. A new one is a subclass with a `kind`.

A file here names its own as ``FAMILY``, another package as an entry point of `GROUP`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import torch

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.plugins import discover
from nnlogic.model.keys import key_problems, keys_of, type_problems
from nnlogic.model.layer import SUMS, LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import kind_of, kinds
from nnlogic.nn.family import Family
from nnlogic.nn.quantizers import LearnedBits, activation_problems

GROUP = "nnlogic.families"


@cache
def families() -> Mapping[str, type[Family]]:
    """Return all families by the name a recipe uses.

    Raises
    ------
    UsageError
        An installed package cannot be used, offers what is no family, or takes a name that is
        taken.
    """
    # Found when first asked for: a family outside imports this package.
    out: dict[str, type[Family]] = {}
    for cls in discover(__name__, "FAMILY", GROUP):
        if not (inspect.isclass(cls) and issubclass(cls, Family) and cls.kind):
            why = f"{cls!r} is no subclass of {Family.__module__}.{Family.__name__} with a kind"
            raise UsageError("what is offered is no neuron family", where=GROUP, why=why)
        known = out.setdefault(cls.kind, cls)
        if known is not cls:
            why = f"{cls.kind!r} is that of {known!r} and of {cls!r}"
            raise UsageError("two neuron families have one name", where=GROUP, why=why)
    return out


def options_of(cls: type[Family]) -> dict[str, inspect.Parameter]:
    """Return the options of a family: the keyword-only arguments of its constructor."""
    return {n: p for n, p in keys_of(cls).items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def spec_problems(spec: LayerSpec) -> list[Problem]:
    """Return what is wrong with a layer of a recipe: values, family, options; all of it."""
    out = [Problem(spec.name, why) for why in spec.problems()]
    also = (LearnedBits.kind, SUMS)
    out += [Problem(spec.name, w) for w in activation_problems(spec.activation, spec.bits, also)]
    if not any(kind.matches(spec.connect) for kind in kinds()):
        shown = ", ".join(kind.name for kind in kinds())
        why = f"connect {spec.connect!r}, known are {shown}"
        out.append(Problem(spec.name, why))
    if spec.family not in families():
        names = tuple(sorted(families()))
        return [*out, Problem(spec.name, f"family {spec.family!r}, known are {', '.join(names)}")]
    known = options_of(families()[spec.family])
    out += key_problems(spec.name, spec.options, known, optional=known)
    out += type_problems(spec.name, spec.options, known)
    inner = spec.options.get("layers", ())
    return out + [problem for part in inner for problem in spec_problems(part)]


def shrinks(specs: Iterable[LayerSpec]) -> bool:
    """Whether training can make any of these layers cheaper, see `Family.cost`."""
    return any(
        shrinks(spec.options["layers"])
        if spec.options.get("layers")
        else families()[spec.family].shrinks
        for spec in specs
        if spec.family in families()
    )


def prunes(specs: Iterable[LayerSpec]) -> bool:
    """Whether training cuts connections of any of these layers, see `Family.prune`."""
    return any(
        prunes(spec.options["layers"])
        if spec.options.get("layers")
        else kind_of(spec.connect).groups is not None
        and families()[spec.family].prune is not Family.prune
        for spec in specs
        if spec.family in families()
    )


def make_family(x: Codes, spec: LayerSpec, generator: torch.Generator) -> Family:
    """Return the layer a spec asks for.

    Parameters
    ----------
    x : Codes
        What it reads.
    spec : LayerSpec
    generator : torch.Generator
        Source of connections and initial weights.

    Raises
    ------
    UsageError
        The spec contradicts itself; all problems are listed.
    UnsupportedModel
        The family cannot read these codes.
    """
    problems = spec_problems(spec)
    if problems:
        raise UsageError("layer not understood", where=spec.name, problems=problems)
    build: Any = families()[spec.family]
    layer: Family = build(x, spec, generator, **spec.options)
    return layer
