"""The end of a call: what it says on standard error, its document, and its exit code."""

import io
import logging
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import click

from batchgate.cli.endings import Ended, Ending, untold
from batchgate.cli.signals import deaf
from batchgate.cli.streams import Streams, lasting_streams
from batchgate.cli.width import fitted
from batchgate.errors import Message

_DOCUMENT = "--json"
# What is read by people is no document.
_FOR_PEOPLE = ("-h", "--help")
# pytest says by itself what it refuses.
_OF_PYTEST = re.compile(r"^ERROR: ", re.MULTILINE)


def conclude(run: Callable[[Streams], Any], words: Sequence[str], commands: Collection[str]) -> int:
    """Run a call of these words, say how it ended, and return its exit code."""
    as_document = _DOCUMENT in words and not set(_FOR_PEOPLE).intersection(words)
    command = next((word for word in words if word in commands), None)
    # What the driver logs is said, where it matters, by whoever asked it.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    with lasting_streams(as_document=as_document) as streams:
        code, text = _ended(run, streams, words)
        with deaf():
            if as_document:
                streams.write_document(_document(command, code, text, streams.document))
            streams.out.flush()
            if streams.failure:
                code = code or Ending.FILES
                _say(Ended(str(untold(streams.failure, streams.left)), Ending.FILES), words)
    return code


def _ended(
    run: Callable[[Streams], Any], streams: Streams, words: Sequence[str]
) -> tuple[int, str]:
    """Run it; return its exit code, and the message where it failed."""
    error: click.ClickException | None = None
    try:
        code = int(run(streams) or Ending.DONE)
    except click.Abort:
        error = Ended("interrupted", Ending.INTERRUPTED)
    except click.ClickException as raised:
        error = raised
    except SystemExit as left:
        # A project's own conftest.py may go so far.
        code = left.code if isinstance(left.code, int) else Ending.DONE
        error = Ended(left.code, Ending.FAILED) if isinstance(left.code, str) else None
    if error is None:
        said = streams.said if code and not streams.document else ""
        return code, _scrubbed(_OF_PYTEST.sub("", said).strip(), words)
    _say(error, words)
    return error.exit_code, _scrubbed(error.format_message(), words)


def _document(
    command: str | None, code: int, text: str, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return a command's document with how the call ended, which is all where it gave none."""
    return {
        "command": command,
        **given,
        "message": text or given.get("message"),
        "exit_code": code,
        "error": Message.read(text).as_dict() if text else None,
    }


def _say(error: click.ClickException, words: Sequence[str]) -> None:
    said = io.StringIO()
    error.show(file=said)
    text = _scrubbed(said.getvalue().rstrip("\n"), words)
    click.echo(fitted(text, sys.stderr), err=True)


def _scrubbed(text: str, words: Sequence[str]) -> str:
    """Hide the passwords of what was called wrongly: a DSN may stand where another word should."""
    if not text:
        return ""
    # Of use to a call that failed alone, and it takes a moment to be loaded.
    from batchgate.targets.secrets import secrets_in

    return secrets_in(word for word in words if "://" in word).scrubber()(text)
