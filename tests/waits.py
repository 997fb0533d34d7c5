"""Waiting for what has been observed, and for parts that a machine may lack."""

import os
from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import NoReturn, TypeVar

import pytest

PATIENCE = 60.0
NEEDS = "BATCHGATE_NEEDS"

_LOOK_AGAIN = 0.005

Observed = TypeVar("Observed")


def until(observe: Callable[[], Observed], what: str) -> Observed:
    """Look until something true is observed, and return it."""
    deadline = monotonic() + PATIENCE
    never = Event()
    while not (found := observe()):
        if monotonic() > deadline:
            raise TimeoutError(f"expected {what} within {PATIENCE:.0f} s")
        never.wait(_LOOK_AGAIN)
    return found


def absent(part: str, reason: str) -> NoReturn:
    """Skip a test for want of a part, or fail it where BATCHGATE_NEEDS names the part."""
    if part in os.environ.get(NEEDS, "").split():
        pytest.fail(f"{NEEDS} names {part}: {reason}", pytrace=False)
    pytest.skip(reason)
