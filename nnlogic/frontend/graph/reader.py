"""One operation after another, on what flows between them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from nnlogic.core.limits import FEATURES, NEURONS
from nnlogic.frontend.graph import ops, windows
from nnlogic.frontend.graph.circuit import Circuit, labelled
from nnlogic.frontend.graph.linear import pair, sums
from nnlogic.frontend.graph.maps import Windows
from nnlogic.frontend.graph.outputs import Scores
from nnlogic.frontend.graph.program import Node, Ref, Symbol
from nnlogic.frontend.graph.values import Coded, Lost, Pending, Raw, Sums, dtype_of, fits, longer
from nnlogic.frontend.wiring import TABLE_BITS, Refusal

SYMBOLIC = Coded | Pending | Scores
ADDS = {"add.Tensor": 1, "sub.Tensor": -1}
QUANTIZE = "quantize before, e.g. torch.round(y).clamp(0, 3)"


class Reader:
    """Values by name, and what operations make of them.

    Parameters
    ----------
    circuit : Circuit
        Gets the layers.
    batch : int
        The first size of the example.
    values : dict
        Tensors that are constants, and the input.
    nodes : sequence of Node
        All that will come.
    """

    def __init__(
        self,
        circuit: Circuit,
        batch: int,
        values: Mapping[str, Any],
        nodes: Sequence[Node],
    ) -> None:
        self.circuit, self.batch = circuit, batch
        self.made = 0
        self.values: dict[str, Any] = dict(values)
        self.uses = Counter(
            a.name
            for node in nodes
            for a in _flat([*node.args, *node.kwargs.values()])
            if isinstance(a, Ref)
        )
        # The keys are held as well: an identity is one only while its object lives.
        self.cut: dict[int, tuple[Pending, Coded]] = {}

    def step(self, node: Node) -> None:
        """Apply an operation.

        Raises
        ------
        Refusal
            It cannot be compiled.
        """
        args = [self._resolved(a) for a in node.args]
        kwargs = {k: self._resolved(v) for k, v in node.kwargs.items()}
        flat = [*_flat(args), *_flat(list(kwargs.values()))]
        if any(isinstance(a, Lost) for a in flat):
            out: Any = Lost()
        elif node.op in ops.NOTHING:
            out = None
        elif not any(isinstance(a, SYMBOLIC) for a in flat):
            out = self._constant(node, args, kwargs)
        else:
            out = self._symbolic(node, args, kwargs)
        outs = out if isinstance(out, tuple | list) else [out]
        for name, value in zip(node.outputs, outs, strict=False):
            shared = isinstance(value, Pending) and value.steps and self.uses[name] > 1
            if shared and not isinstance(value.base, Raw):
                value = self.code(value, name)
            self.values[name] = value
        for name in node.outputs[len(outs) :]:
            self.values[name] = Lost()

    def code(self, value: Coded | Pending, name: str) -> Coded:
        """Return a value in codes; one that is used twice is cut once."""
        if isinstance(value, Coded):
            return value
        if id(value) not in self.cut:
            self.cut[id(value)] = value, self.circuit.code(value, name)
        return self.cut[id(value)][1]

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self.values.get(value.name, Lost())
        if isinstance(value, list | tuple):
            return [self._resolved(v) for v in value]
        return value

    def _constant(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
        made = node.op in ops.MADE
        if not (made or node.op in ops.CONSTANT) or any(isinstance(a, Symbol) for a in _flat(args)):
            raise _unknown(node)
        if made:
            self.made += math.prod(args[0])
            if self.made > ops.MOST:
                why = f"a constant of shape {args[0]}, and those before it"
                raise Refusal(f"{why}, limit {ops.MOST:,} values together")
        out = ops.call(node.op, tuple(args), kwargs)
        for part in out if isinstance(out, tuple | list) else [out]:
            if isinstance(part, torch.Tensor) and part.numel() > ops.MOST:
                raise Refusal(f"a constant of {part.numel():,} values, limit {ops.MOST:,}")
        return out

    def _symbolic(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
        op = node.op
        x = args[0]
        if op in ops.SAME:
            if "dropout" in op and args[2]:
                raise Refusal("drops at random, as in training", "module.eval() before the export")
            return [x] if op != "native_dropout.default" else [x, Lost()]
        if isinstance(x, Scores) or any(isinstance(a, Scores) for a in _flat(args)):
            if op in ops.CAST or op in ops.SHAPE:
                return x
            raise Refusal("a class that is reckoned with", "return the argmax as it is")
        if op in ops.CAST:
            kept = {k: v for k, v in kwargs.items() if k == "dtype" and v is not None}
            found = (dtype_of(a) for a in args[1:])
            dtype = next((d for d in found if d is not None), kept.get("dtype"))
            if isinstance(x, torch.Tensor):
                return x if dtype is None else x.to(dtype)
            return self._unary(x, lambda t: t if dtype is None else t.to(dtype), monotone=True)
        if op in ops.SHAPE:
            return self._moved(node, x, args, kwargs)
        if op in ops.JOIN:
            return self._joined(node, args, kwargs)
        if op in ops.CONVOLVE:
            return windows.convolution(self.circuit, self.code, node, args, kwargs)
        if op in ops.POOL:
            return windows.pooling(self.circuit, self.code, node, args, kwargs)
        if op in ops.LINEAR:
            return self._linear(node, args, kwargs)
        if op == "argmax.default":
            return self._argmax(node, args, kwargs)
        if op == "max.dim":
            return [Lost(), self._argmax(node, args, kwargs)]
        if op in ops.ELEMENTWISE:
            return self._elementwise(node, args, kwargs)
        raise _unknown(node)

    def _unary(
        self,
        x: Coded | Pending,
        function: Callable[[torch.Tensor], torch.Tensor],
        *,
        monotone: bool,
        move: Callable[[torch.Tensor], torch.Tensor] | None = None,
        steps: bool = False,
    ) -> Coded | Pending:
        ids = x.ids if move is None else move(x.ids)
        if isinstance(x, Coded):
            values = function(x.values)
            shape = (len(x.values), *ids.shape[1:])
            return Coded(ids, fits(values, shape))
        before = x.function

        def after(t: torch.Tensor) -> torch.Tensor:
            return fits(function(before(t)), (len(t), *ids.shape[1:]))

        plain = x.plain and move is not None
        return Pending(x.base, ids, after, x.monotone and monotone, plain, x.steps or steps)

    def _elementwise(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Any:
        op = node.op
        if op in ops.NORM and "no_training" not in op and args[5]:
            raise Refusal("batch statistics of training", "module.eval() before the export")
        at = [i for i, a in enumerate(args) if isinstance(a, SYMBOLIC)]
        if len(at) > 1:
            return self._several(node, args, kwargs, at)
        if not at:
            raise Refusal("options that are computed from inputs")
        place = at[0]
        x = args[place]
        for a in args:
            if isinstance(a, torch.Tensor) and a.dim() == x.ids.dim() and a.shape[0] != 1:
                raise Refusal("a constant for every row of the batch", "one for all rows")
        monotone = op in ops.MONOTONE and (place == 0 or not op.startswith("div"))
        if not monotone and isinstance(x, Pending) and isinstance(x.base, Raw) and x.steps:
            x = self.code(x, f"{node.name}_in")

        def function(t: torch.Tensor) -> torch.Tensor:
            out = ops.call(op, (*args[:place], t, *args[place + 1 :]), kwargs)
            return out[0] if isinstance(out, tuple) else out

        return self._unary(x, function, monotone=monotone, steps=op in ops.STEPS)

    def _several(
        self, node: Node, args: list[Any], kwargs: dict[str, Any], at: list[int]
    ) -> Coded | Pending:
        """Return a function of several values: of one base, of few bits, or a sum."""
        given = [args[i] for i in at]
        if len({id(g.base) for g in given if isinstance(g, Pending)}) > 1 or any(
            isinstance(g, Coded) for g in given
        ):
            given = [self._whole(g, f"{node.name}_{i}") for i, g in enumerate(given)]
        shape = torch.broadcast_shapes(*(g.ids.shape for g in given))

        def apply(*parts: torch.Tensor) -> torch.Tensor:
            whole = list(args)
            for i, part in zip(at, parts, strict=True):
                whole[i] = part
            out = ops.call(node.op, tuple(whole), kwargs)
            return out[0] if isinstance(out, tuple) else out

        bases = {id(g.base) if isinstance(g, Pending) else 0 for g in given}
        same = all(g.ids.shape == shape and bool((g.ids == given[0].ids).all()) for g in given)
        # What is made of steps of features need not be monotone: the steps are cut first.
        cut = all(isinstance(g, Pending) and isinstance(g.base, Raw) and g.steps for g in given)
        if same and len(bases) == 1 and 0 not in bases and not cut:
            functions = [g.function for g in given]
            return Pending(
                given[0].base, given[0].ids, lambda t: apply(*(f(t) for f in functions)),
                monotone=False, plain=False, steps=any(g.steps for g in given),
            )  # fmt: skip
        coded = [self.code(g, f"{node.name}_{i}") for i, g in enumerate(given)]
        if all(bool((c.ids.expand(shape) == coded[0].ids.expand(shape)).all()) for c in coded):
            longest = max(len(c.values) for c in coded)
            values = apply(*(longer(c.values, longest) for c in coded))
            return Coded(coded[0].ids.expand(shape), values)
        counts = [
            [self.circuit.wires[w].count for w in c.ids.expand(shape).reshape(-1).tolist()]
            for c in coded
        ]
        bits = [
            sum(self.circuit.wires[w].format.bits for w in {*ws})
            for ws in zip(*(c.ids.expand(shape).reshape(-1).tolist() for c in coded), strict=True)
        ]
        if max(bits) > TABLE_BITS - 2 and node.op in ADDS and len(coded) == 2:
            wide = [Coded(c.ids.expand(shape), c.values.expand(-1, *shape[1:])) for c in coded]
            total = pair(self.circuit, wide[0], wide[1], ADDS[node.op], f"{node.name}_levels")
            return _pending(total)
        if max(bits) > TABLE_BITS:
            raise Refusal(f"a function of {max(bits)} bits, limit {TABLE_BITS}", QUANTIZE)
        return self._tabled(node, coded, counts, shape, apply)

    def _tabled(
        self,
        node: Node,
        coded: list[Coded],
        counts: list[list[int]],
        shape: torch.Size,
        apply: Callable[..., torch.Tensor],
    ) -> Coded:
        """Return a function of several wires an element, by all their codes."""
        lengths = [len(c.values) for c in coded]
        grids = torch.meshgrid(*(torch.arange(n) for n in lengths), indexing="ij")
        index = [g.permute(*reversed(range(g.dim()))).reshape(-1) for g in grids]
        parts = [c.values.expand(-1, *shape[1:])[i] for c, i in zip(coded, index, strict=True)]
        out = apply(*parts)
        table = out.double().reshape(len(out), -1).numpy()
        every = torch.stack(index, 1).numpy()
        inputs, codes, levels = [], [], []
        ids = [c.ids.expand(shape).reshape(-1).tolist() for c in coded]
        for p in range(table.shape[1]):
            wires = tuple(one[p] for one in ids)
            mine = (every < [n[p] for n in counts]).all(axis=1)
            if len(set(wires)) != len(wires):
                raise Refusal("one wire in two places", QUANTIZE)
            found, inverse = np.unique(table[mine, p], return_inverse=True)
            inputs.append(wires)
            codes.append(inverse.astype(np.int64))
            levels.append(found)
        new = self.circuit.tables(node.name, inputs, codes)
        return labelled(self.circuit, new, levels, out.dtype, shape)

    def _moved(self, node: Node, x: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        op = node.op
        x = self._whole(x, node.name)
        rest = args[1:]
        dims = len(x.ids.shape)
        if op.startswith(("view", "reshape", "_unsafe_view")):
            size = list(rest[0])
            head = size[0]
            if not (isinstance(head, Symbol) or head in (-1, self.batch)):
                raise Refusal(f"reshape to {size}, which mixes rows", "keep the first size")
            if head == -1:
                size = [self.batch or 1, *size[1:]]

            def move(t: torch.Tensor) -> torch.Tensor:
                return t.reshape(len(t), *[int(s) for s in size[1:]])
        else:
            touched = rest[:1] if not isinstance(rest[0], list) else rest[0][:1]
            if op == "permute.default" and rest[0][0] % dims != 0:
                raise Refusal("a permutation that moves the rows", "keep the first dimension")
            if op == "transpose.int" and 0 in (rest[0] % dims, rest[1] % dims):
                raise Refusal("a transpose that moves the rows", "keep the first dimension")
            if op.startswith(("flatten", "squeeze", "unsqueeze", "slice", "select", "unflatten",
                              "index_select", "flip")):  # fmt: skip
                limit = dims + (op == "unsqueeze.default")
                if any(int(d) % limit == 0 for d in touched) and not _all_rows(op, rest):
                    raise Refusal(f"{op} of the rows", "keep the first dimension")

            def move(t: torch.Tensor) -> torch.Tensor:
                if _all_rows(op, rest) and touched and int(touched[0]) % dims == 0:
                    return t
                return ops.call(op, (t, *rest), kwargs)

        return self._unary(x, move, monotone=True, move=move)

    def _joined(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Coded | Pending:
        parts = args[0]
        dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        if any(not isinstance(p, Coded | Pending) for p in parts):
            raise Refusal("joins constants with inputs", "give them to the next layer as bias")
        dims = len(parts[0].ids.shape) + (node.op == "stack.default")
        if dim % dims == 0:
            raise Refusal("joins rows", "join features: dim=1")
        count = sum(p.ids.numel() for p in parts)
        if why := FEATURES.why(count, "elements joined"):
            raise Refusal(why, FEATURES.fix(count))
        coded = [self.code(p, f"{node.name}_{i}") for i, p in enumerate(parts)]
        longest = max(len(c.values) for c in coded)
        join = torch.stack if node.op == "stack.default" else torch.cat
        return Coded(
            join([c.ids for c in coded], dim),
            join([longer(c.values, longest) for c in coded], dim),
        )

    def _linear(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Pending:
        if kwargs.get("beta", 1) != 1 or kwargs.get("alpha", 1) != 1:
            raise Refusal("beta or alpha that is not 1")
        if node.op == "addmm.default":
            bias, x, weights = args
            weights = weights.t() if isinstance(weights, torch.Tensor) else weights
        elif node.op == "linear.default":
            x, weights, bias = [*args, None][:3]
        else:
            x, weights = args
            bias = None
            weights = weights.t() if isinstance(weights, torch.Tensor) else weights
        if not isinstance(x, Coded | Pending) or not isinstance(weights, torch.Tensor):
            raise Refusal("a product of two inputs", "products of inputs and constants alone")
        if why := NEURONS.why(len(weights)):
            raise Refusal(why, NEURONS.fix(len(weights)))
        if bias is not None and not isinstance(bias, torch.Tensor):
            raise Refusal("a bias that is no constant", "add it after the product")
        return _pending(
            sums(
                self.circuit, self.code(x, f"{node.name}_in"), weights, bias, f"{node.name}_levels"
            )
        )

    def _whole(self, x: Any, name: str) -> Any:
        """Return a value with all positions of a map; windows become codes for that."""
        if isinstance(x, Pending) and isinstance(x.base, Windows):
            return self.code(x, name)
        return x

    def _argmax(self, node: Node, args: list[Any], kwargs: dict[str, Any]) -> Scores:
        x = args[0]
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
        if len(x.ids.shape) != 2 or dim is None or dim % 2 != 1:
            raise Refusal("an argmax that is not over the features", "argmax(dim=1)")
        return Scores(x)


def _pending(base: Sums) -> Pending:
    size = torch.Size((1, *base.shape))
    return Pending(base, torch.arange(size.numel()).reshape(size), lambda t: t)


def _flat(values: list[Any]) -> list[Any]:
    out = []
    for v in values:
        out += _flat(v) if isinstance(v, list) else [v]
    return out


def _all_rows(op: str, rest: list[Any]) -> bool:
    """Whether a slice takes all rows."""
    if op != "slice.Tensor":
        return False
    start = rest[1] if len(rest) > 1 else None
    stop = rest[2] if len(rest) > 2 else None
    step = rest[3] if len(rest) > 3 else 1
    return start in (None, 0) and (stop is None or stop >= 1 << 40) and step == 1


def _unknown(node: Node) -> Refusal:
    if node.op.partition(".")[0].endswith("_"):
        again = "torch.export.export(module.eval(), (example,)).run_decompositions()"
        return Refusal("changes a tensor in place", again)
    fix = ops.instead(node.op) or "one of the operations that the guide page from-torch lists"
    return Refusal("not an operation that logic can be made of", fix)
