"""Factored forms of wide covers, chosen by how many K-LUTs they pack into.

Literal factoring ("quick factor" of Brayton's algebraic methods, with noise) gives a first tree.
Then parts of the tree are multiplied out and factored again, and kept when the packed tree does
not grow. Two-level covers of a hundred inputs have few common divisors; how literals fall into
LUTs decides.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

from nnlogic.logic.cone import ConeBuilder
from nnlogic.logic.network.covers import Cover, Cube
from nnlogic.logic.network.pack import Box, build_lut, pack
from nnlogic.tools.budget import budget

WIDEST_MOVE = 40  # cubes; moves with more are rarer
REORDER = 0.5  # share of moves that only exchange literals between LUTs
LEVEL_PRICE = 0.1  # LUTs one level is worth


class Tree:
    """An AND of literals and at most one OR, or an OR of ANDs.

    Attributes
    ----------
    literals, kids
        Operands.
    cover : list of cube
        The same function, multiplied out.
    luts : int
        LUTs closed below.
    box : Box
        The LUT left open at the root.
    """

    __slots__ = ("box", "cover", "is_or", "kids", "literals", "luts", "parent")
    box: Box
    luts: int

    def __init__(
        self, is_or: bool, literals: list[int], kids: list[Tree], cover: list[Cube], k: int
    ) -> None:
        self.is_or, self.literals, self.kids, self.cover = is_or, literals, kids, cover
        self.parent: Tree | None = None
        for kid in kids:
            kid.parent = self
        self.repack(k)

    def repack(self, k: int) -> None:
        """Count LUTs again, from the counts of the operands."""
        boxes = [kid.box for kid in self.kids]
        boxes += [Box(1 << (x >> 1), 0, 0, ()) for x in self.literals]
        closed = 0

        def close(box: Box) -> Box:
            nonlocal closed
            closed += 1
            return Box(0, 1, box.level + 1, ())

        self.box = pack(boxes, k, close)
        self.luts = closed + sum(kid.luts for kid in self.kids)

    def score(self, k: int) -> float:
        """LUTs, the open one counted by the inputs it uses, and a price for levels."""
        return self.luts + (self.box.size - 1) / (k - 1) + LEVEL_PRICE * self.box.level

    def ors(self) -> Iterator[Tree]:
        """All ORs of two or more operands, itself included."""
        if self.is_or and len(self.kids) > 1:
            yield self
        for kid in self.kids:
            yield from kid.ors()

    def wide_ands(self, k: int) -> Iterator[Tree]:
        """All ANDs that fill more than one LUT, so that the order of literals matters."""
        if not self.is_or and len(self.literals) + sum(t.box.size for t in self.kids) > k:
            yield self
        for kid in self.kids:
            yield from kid.wide_ands(k)

    def build(self, builder: ConeBuilder, k: int) -> Box:
        """Add the closed LUTs to a network; same packing as `repack`."""
        boxes = []
        for kid in self.kids:
            box = kid.build(builder, k)
            boxes.append(box._replace(parts=((kid.is_or, box.parts),)))
        boxes += [Box(1 << (x >> 1), 0, 0, (x,)) for x in self.literals]

        def close(box: Box) -> Box:
            return Box(0, 1, box.level + 1, (2 * build_lut(builder, self.is_or, box) + 1,))

        return pack(boxes, k, close)


def factored(cover: Cover, k: int, moves: int, seed: int) -> Tree:
    """Search for a factored form of `cover` that packs into few LUTs.

    Parameters
    ----------
    cover : Cover
        At least one cube, none of them empty.
    k : int
    moves : int
        Attempts to factor a part again.
    seed : int
    """
    rng = random.Random(seed)
    root = Tree(True, [], _terms(list(cover), k, rng, 0.3), list(cover), k)
    best = root.score(k)
    places, wide = list(root.ors()), list(root.wide_ands(k))
    for _ in range(moves if places else 0):
        if budget().spent:
            break
        if wide and rng.random() < REORDER:
            undo = _reorder(rng.choice(wide), k, rng)
        else:
            undo = _refactor(rng.choice(places), k, rng)
        score = root.score(k)
        if score > best:
            undo()
            continue
        best = score
        places, wide = list(root.ors()), list(root.wide_ands(k))
    return root


def build_tree(tree: Tree, builder: ConeBuilder, k: int) -> int:
    """Add a tree to a network and return its signal."""
    return build_lut(builder, tree.is_or, tree.build(builder, k))


def _terms(cubes: list[Cube], k: int, rng: random.Random, noise: float) -> list[Tree]:
    """Factor by the most frequent literal, again and again; returns the operands of an OR."""
    out: list[Tree] = []
    rest = cubes
    while rest:
        counts = Counter(x for cube in rest for x in sorted(cube))
        literal, uses = max(counts.items(), key=lambda c: c[1] + noise * rng.random())
        if len(rest) == 1 or uses < 2:
            out += [Tree(False, sorted(cube), [], [cube], k) for cube in rest]
            break
        group = [cube for cube in rest if literal in cube]
        rest = [cube for cube in rest if literal not in cube]
        common = frozenset.intersection(*group)
        quotient = [cube - common for cube in group]
        terms = _terms(quotient, k, rng, noise)
        if len(terms) == 1:
            literals = sorted(common) + terms[0].literals
            out.append(Tree(False, literals, terms[0].kids, group, k))
        else:
            inner = Tree(True, [], terms, quotient, k)
            out.append(Tree(False, sorted(common), [inner], group, k))
    return out


def _refactor(place: Tree, k: int, rng: random.Random) -> Callable[[], None]:
    """Multiply out some operands of an OR and factor them again; returns how to undo it."""
    count = len(place.kids)
    size = min(count, max(2, rng.choice((2, 3, 4, 6, 8, count))))
    picked = set(rng.sample(range(count), size))
    if sum(len(place.kids[i].cover) for i in picked) > WIDEST_MOVE and rng.random() < 0.7:
        picked = set(sorted(picked)[:2])
    cover = [cube for i in sorted(picked) for cube in place.kids[i].cover]
    kids = [kid for i, kid in enumerate(place.kids) if i not in picked]
    new = _terms(cover, k, rng, rng.choice((0.5, 1.0, 2.0, 4.0, 8.0)))
    old = place.kids
    place.kids = kids + new
    rng.shuffle(place.kids)
    for kid in new:
        kid.parent = place
    restore = _repack_above(place, k)

    def undo() -> None:
        place.kids = old
        for kid in old:
            kid.parent = place
        restore()

    return undo


def _reorder(place: Tree, k: int, rng: random.Random) -> Callable[[], None]:
    """Choose anew which literals of an AND stay in its open LUT; returns how to undo it."""
    old = place.literals
    place.literals = rng.sample(old, len(old))
    restore = _repack_above(place, k)

    def undo() -> None:
        place.literals = old
        restore()

    return undo


def _repack_above(place: Tree, k: int) -> Callable[[], None]:
    """Repack a node and all above it; returns how to restore the old counts."""
    path = []
    at: Tree | None = place
    while at is not None:
        path.append((at, at.luts, at.box))
        at.repack(k)
        at = at.parent

    def restore() -> None:
        for tree, luts, box in path:
            tree.luts, tree.box = luts, box

    return restore
