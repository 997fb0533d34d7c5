"""Whether values are what the annotations of their fields promise: a file may hold anything."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

# Who reads JSON may have no larger number; neither has a reader's time or a picture.
LARGEST = 2**63 - 1


def misfit(value: Any, kind: Any, place: str = "") -> str:
    """Return by its fields' names where a value is not what `kind` promises, or nothing."""
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, kind):
            return place
        return _first(
            misfit(getattr(value, name), hint, f"{place}.{name}".lstrip("."))
            for name, hint in _hints(kind).items()
        )
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return place if all(misfit(value, each, place) for each in inner) else ""
    if origin is tuple and inner[-1] is not ...:
        if not isinstance(value, tuple) or len(value) != len(inner):
            return place
        return _first(misfit(*pair, place) for pair in zip(value, inner, strict=True))
    if origin in (tuple, Sequence):
        if not isinstance(value, tuple | list):
            return place
        return _first(misfit(each, inner[0], f"{place}, entry {n}") for n, each in _from_1(value))
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            return place
        return _first(misfit(each, inner[1], place) for each in value.values())
    return "" if _is_plain(value, kind) else place


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")


def _from_1(values: Sequence[Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(values, 1)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


def _is_plain(value: Any, kind: type) -> bool:
    """Tell whether a value is of a plain type; true and false are no numbers."""
    if kind in (int, float):
        whole = type(value) is int and abs(value) <= LARGEST
        return whole or (kind is float and type(value) is float and _is_short(value))
    if kind is NoneType or kind in (str, bool):
        return type(value) is kind
    return isinstance(kind, type) and issubclass(kind, Enum) and isinstance(value, kind)


def _is_short(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= LARGEST
