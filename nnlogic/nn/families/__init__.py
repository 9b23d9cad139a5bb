"""Neuron families by name. A new one is a subclass with a `kind`: a file here, or an entry point.

Entry points of the group ``nnlogic.families`` name families of other packages, one class each.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import torch

from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.kinds import find_kinds
from nnlogic.nn.family import Codes, Family
from nnlogic.nn.spec import FamilySpec

ACCEPTED: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "tuple[int, ...]": (list, tuple),
    "tuple[FamilySpec, ...]": (list, tuple),
}


@cache
def families() -> Mapping[str, type[Family]]:
    """Return all families by the name a recipe uses.

    Raises
    ------
    UsageError
        An installed package offers what is no family, or takes a name that is taken.
    """
    # Found when first asked for: a family outside imports this package.
    return find_kinds(__name__, Family, "nnlogic.families")


def options_of(cls: type[Family]) -> dict[str, inspect.Parameter]:
    """Return the options of a family: the keyword-only arguments of its constructor."""
    found = inspect.signature(cls).parameters
    return {n: p for n, p in found.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def type_name(option: inspect.Parameter) -> str:
    """Return the type of an option as text; of those in `ACCEPTED` a recipe can give values."""
    found = option.annotation
    return found.__name__ if isinstance(found, type) else str(found)


def spec_problems(spec: FamilySpec) -> list[Problem]:
    """Return what is wrong with a layer of a recipe: values, family, options; all of it."""
    out = [Problem(spec.name, why) for why in spec.problems()]
    if spec.family not in families():
        names = ", ".join(sorted(families()))
        return [*out, Problem(spec.name, f"family {spec.family!r}, known are {names}")]
    known = options_of(families()[spec.family])
    inner = spec.options.get("layers", ())
    out += [problem for part in inner for problem in spec_problems(part)]
    for key, value in spec.options.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            fix = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            out.append(Problem(spec.name, f"unknown attribute {key!r}", fix))
            continue
        kind = type_name(known[key])
        types = ACCEPTED.get(kind, ())
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            out.append(Problem(spec.name, f"{key} is {value!r}, need {kind}"))
    return out


def shrinks(specs: Iterable[FamilySpec]) -> bool:
    """Whether training can make any of these layers cheaper, see `Family.cost`."""
    return any(
        shrinks(spec.options["layers"])
        if spec.options.get("layers")
        else families()[spec.family].shrinks
        for spec in specs
        if spec.family in families()
    )


def make_family(x: Codes, spec: FamilySpec, generator: torch.Generator) -> Family:
    """Return the layer a spec asks for.

    Parameters
    ----------
    x : Codes
        What it reads.
    spec : FamilySpec
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
