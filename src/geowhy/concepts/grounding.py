"""Groundings: where on Earth a concept holds, as an expression over the layers of the atlas.

What is true or false at a place grounds a *class*; what is a number, a *degree*, of which a place
has more or less. The words are those of Python, and Python's own parser reads them, but nothing is
ever evaluated as code: what isn't listed in docs/concepts.md is refused. Where a layer is silent,
so is the expression, unless the rest decides: *false and unknown* is false.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Floats32
from geowhy.errors import DataError, GroundingError
from geowhy.geo.atlas import Atlas, LayerInfo

__all__ = ["Grounding", "GroundingKind", "LayerValues", "parse_grounding"]

GroundingKind = Literal["class", "degree"]
Evaluate = Callable[["LayerValues"], Floats32]

LONGEST = 500  # characters; the parser's depth is bounded by it
LARGEST_NUMBER = 1e9
COORDINATES = {"latitude": 0, "longitude": 1}
ARITHMETIC: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
FUNCTIONS: dict[str, np.ufunc] = {
    "abs": np.absolute,
    "log": np.log,
    "sqrt": np.sqrt,
    "min": np.minimum,
    "max": np.maximum,
}
ORDER: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


class LayerValues:
    """Values of the atlas at fixed places; each layer is looked up once."""

    def __init__(self, atlas: Atlas, lat_lon: ArrayLike) -> None:
        """Places are degrees ``[N, 2]``."""
        self._atlas = atlas
        self._lat_lon = np.asarray(lat_lon, np.float64).reshape(-1, 2)
        self._found: dict[str, Floats32 | NDArray[np.int16]] = {}

    def __len__(self) -> int:
        return len(self._lat_lon)

    def __getitem__(self, name: str) -> Floats32 | NDArray[np.int16]:
        """A layer, or a coordinate in degrees; ``[N]``."""
        if name in COORDINATES:
            return self._lat_lon[:, COORDINATES[name]].astype(np.float32)
        if name not in self._found:
            self._found[name] = self._atlas.layer(name).at(self._lat_lon)
        return self._found[name]

    def truth(self, groundings: Sequence[Grounding | None]) -> Floats32:
        """What each of k groundings says of N places, ``[N, k]``; NaN where there is none."""
        truth = np.full((len(groundings), len(self._lat_lon)), np.nan, np.float32)
        for row, grounding in enumerate(groundings):
            if grounding is not None:
                truth[row] = grounding.at(self)
        return truth.T


@dataclass(frozen=True, slots=True)
class Grounding:
    """A parsed expression."""

    text: str  # as written
    kind: GroundingKind  # "class" if it is true or false, "degree" if it is a number
    layers: tuple[str, ...]  # names of those that it reads
    _evaluate: Evaluate = field(repr=False, compare=False)

    def at(self, places: LayerValues) -> Floats32:
        """1 or 0 for a class, a number for a degree, NaN where the atlas is silent; ``[N]``."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            values = self._evaluate(places)
        # A logarithm of nothing is unknown.
        return np.where(np.isfinite(values), values, np.float32(np.nan))


def parse_grounding(text: str, atlas: Atlas) -> Grounding:
    """Checks an expression against the layers of an atlas.

    Raises:
        GroundingError: if it isn't one of the expressions above, or names no layer or class of the
            atlas; says where, and what to write instead.
    """
    if len(text) > LONGEST:
        raise GroundingError(f"{len(text)} characters are too many: write at most {LONGEST}")
    try:
        root = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise GroundingError(
            f"{text!r} isn't an expression ({getattr(error, 'msg', error)}): write something like "
            "elevation < 100 or koppen_5 == 'B arid'"
        ) from None
    checker = _Checker(atlas)
    is_truth = isinstance(root, ast.BoolOp | ast.Compare) or (
        isinstance(root, ast.UnaryOp) and isinstance(root.op, ast.Not)
    )
    if isinstance(root, ast.Name) and root.id in atlas.infos:
        is_truth = atlas.infos[root.id].kind == "flag"
    evaluate = checker.truth(root) if is_truth else checker.number(root)
    if not checker.layers:
        raise GroundingError(f"{text!r} reads no layer, so it is the same everywhere: name one")
    kind: GroundingKind = "class" if is_truth else "degree"
    return Grounding(text.strip(), kind, tuple(sorted(checker.layers)), evaluate)


class _Checker:
    """Turns nodes into functions of the layers, and refuses what isn't in the grammar."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self.layers: set[str] = set()

    def truth(self, node: ast.expr) -> Evaluate:
        """A node that is true or false."""
        match node:
            case ast.BoolOp(op, values):
                return _joined([self.truth(value) for value in values], isinstance(op, ast.And))
            case ast.UnaryOp(ast.Not(), operand):
                inner = self.truth(operand)
                return lambda places: 1 - inner(places)
            case ast.Compare(left, operators, rights):
                sides = [left, *rights]
                pairs = zip(sides[:-1], operators, sides[1:], strict=True)
                return _joined([self._comparison(*pair) for pair in pairs], both=True)
            case ast.Name(name) if name in self._atlas.infos:
                kind = self._info(node).kind
                if kind != "flag":
                    raise _refusal(node, f"is {kind}, not true or false: compare it")
                return lambda places: places[name].astype(np.float32)
        raise _refusal(node, "is neither true nor false: compare it with something")

    def number(self, node: ast.expr) -> Evaluate:
        """A node that is a number."""
        match node:
            case ast.Constant(int() | float() as value) if not isinstance(value, bool):
                if abs(value) > LARGEST_NUMBER:
                    raise _refusal(node, "is beyond every layer: write a smaller number")
                constant = np.float32(value)
                return lambda places: np.full(len(places), constant)
            case ast.UnaryOp(ast.USub(), operand):
                inner = self.number(operand)
                return lambda places: -inner(places)
            case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
                return _applied(ARITHMETIC[type(operator)], [self.number(left), self.number(right)])
            case ast.Call(ast.Name(name), arguments, []) if name in FUNCTIONS:
                function = FUNCTIONS[name]
                if len(arguments) != function.nin:
                    takes = f"takes {function.nin} numbers, not {len(arguments)}"
                    raise _refusal(node, f"{name} {takes}")
                return _applied(function, [self.number(argument) for argument in arguments])
            case ast.Name(name):
                if name in COORDINATES:
                    self.layers.add(name)
                elif (kind := self._info(node).kind) != "continuous":
                    raise _refusal(node, f"has no numbers: it is {kind}; write {name} ==")
                return lambda places: places[name].astype(np.float32)
        allowed = f"a number, a continuous layer, + - * / and {', '.join(FUNCTIONS)}"
        raise _refusal(node, f"isn't a number: allowed are {allowed}")

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Evaluate:
        if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            return self._membership(left, operator, right)
        if type(operator) not in ORDER:
            raise _refusal(left, "can't be compared like that: use < <= > >= == != in")
        compare, one, other = ORDER[type(operator)], self.number(left), self.number(right)

        def evaluate(places: LayerValues) -> Floats32:
            low, high = one(places), other(places)
            unknown = np.isnan(low) | np.isnan(high)
            return np.where(unknown, np.nan, compare(low, high)).astype(np.float32)

        return evaluate

    def _membership(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Evaluate:
        if not isinstance(left, ast.Name):
            raise _refusal(left, "isn't a class layer, and == and in are for those alone")
        name, info = left.id, self._info(left)
        if info.kind != "class":
            raise _refusal(left, f"is {info.kind}, and == and in are for classes: use < or >=")
        several = isinstance(operator, ast.In | ast.NotIn)
        listed = isinstance(right, ast.List | ast.Tuple)
        labels = right.elts if isinstance(right, ast.List | ast.Tuple) else [right]
        if several != listed or not labels:
            form = "in ['…', '…']" if several else "== '…'"
            raise _refusal(right, f"doesn't fit: write {name} {form}")
        numbers = []
        for node in labels:
            label = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(label, str):
                raise _refusal(node, f"isn't a label in quotes, such as '{info.labels[0]}'")
            if label not in info.labels:
                near = difflib.get_close_matches(label, info.labels, n=3) or info.labels
                raise _refusal(node, f"is no class of {name}: there are {', '.join(near)}")
            numbers.append(info.labels.index(label))
        negated = isinstance(operator, ast.NotEq | ast.NotIn)
        holds = np.isin(np.arange(len(info.labels)), numbers, invert=negated)
        truth_of = np.append(holds, np.nan).astype(np.float32)  # the last, at -1, where missing
        return lambda places: truth_of[places[name]]

    def _info(self, node: ast.Name) -> LayerInfo:
        try:
            info = self._atlas.infos.get(node.id) or self._atlas.layer(node.id).info
        except DataError as error:
            raise _refusal(node, f"is unknown: {error}") from None
        self.layers.add(node.id)
        return info


def _refusal(node: ast.expr, reason: str) -> GroundingError:
    return GroundingError(f"character {node.col_offset + 1}: {ast.unparse(node)} {reason}")


def _applied(function: np.ufunc, arguments: list[Evaluate]) -> Evaluate:
    return lambda places: function(*(argument(places) for argument in arguments))


def _joined(parts: list[Evaluate], both: bool) -> Evaluate:
    """Kleene's *and*, or *or*: one part that decides makes up for parts that are unknown."""
    deciding = np.float32(0 if both else 1)
    # One of these reads past NaN, so that it finds the part that decides; the other doesn't.
    past_unknown, both_known = (np.fmin, np.minimum) if both else (np.fmax, np.maximum)

    def evaluate(places: LayerValues) -> Floats32:
        values = parts[0](places)
        for part in parts[1:]:
            other = part(places)
            decided = past_unknown(values, other) == deciding
            values = np.where(decided, deciding, both_known(values, other))
        return values

    return evaluate
