"""What was read from a file is what the fields promise, or it is said which is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from batchgate.outcomes.typed import misfit
from batchgate.verdict import Outcome


@dataclass(frozen=True)
class Inner:
    number: int = 1


@dataclass(frozen=True)
class Outer:
    word: str = "a"
    flag: bool = True
    share: float = 0.5
    count: int | None = None
    names: tuple[str, ...] = ("a",)
    pairs: tuple[tuple[str, int], ...] = (("a", 1),)
    parts: Sequence[Inner] = (Inner(),)
    named: Mapping[str, str] | None = None
    outcome: Outcome = Outcome.NONE


@pytest.mark.parametrize(
    "sound",
    [{}, {"share": 3}, {"count": 2**63 - 1}, {"named": {"a": "b"}}, {"parts": [], "names": ()}],
    ids=str,
)
def test_what_is_promised_fits(sound):
    assert misfit(replace(Outer(), **sound), Outer) == ""


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("word", 1, "word"),
        ("word", None, "word"),
        ("flag", 1, "flag"),
        ("share", "0.5", "share"),
        ("share", True, "share"),
        ("share", float("nan"), "share"),
        ("share", float("inf"), "share"),
        ("share", 1e300, "share"),
        ("count", 2**63, "count"),
        ("count", "1", "count"),
        ("count", False, "count"),
        ("names", "a", "names"),
        ("names", ("a", 1), "names, entry 2"),
        ("pairs", (("a", "1"),), "pairs, entry 1"),
        ("pairs", (("a", 1, 2),), "pairs, entry 1"),
        ("parts", (Inner(), Inner("1")), "parts, entry 2.number"),  # type: ignore[arg-type]
        ("parts", ("a",), "parts, entry 1"),
        ("named", {"a": 1}, "named"),
        ("named", [1], "named"),
        ("outcome", "none", "outcome"),
    ],
)
def test_what_is_not_promised_is_named(field: str, value: Any, place: str):
    assert misfit(replace(Outer(), **{field: value}), Outer) == place
