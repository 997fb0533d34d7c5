"""The streams that a command writes to: one may be closed, or lack a sign that is to be written."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from batchgate.outcomes.document import scrubbed


def bear_any_sign() -> None:
    """Let a sign that a stream's encoding lacks be spelled out: it must not lose the line."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def put(text: str) -> None:
    """Write a line on standard output; where nobody reads any more, it goes nowhere."""
    try:
        click.echo(text)
    except BrokenPipeError:
        discard(sys.stdout)


def discard(stream: Any) -> None:
    """Let what is written from now on go nowhere: the pipe or the terminal is closed."""
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), stream.fileno())
    except OSError:
        return


def as_json(values: Mapping[str, Any], scrub: Callable[[str], str]) -> str:
    """Return a document for standard output, each text in it scrubbed.

    A password may look like a number or a key, or otherwise once its signs are escaped.
    """
    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    whole = scrubbed(dict(values), scrub)
    return json.dumps(whole, ensure_ascii=not unicode, allow_nan=False, indent=1)
