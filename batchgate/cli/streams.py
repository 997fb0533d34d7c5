"""The streams that a command writes to, of which any may be closed, full or nobody's any more."""

import io
import json
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import click

from batchgate.outcomes.document import scrubbed

# Of what was said so much is kept, for whoever asks what it was.
_KEPT = 16_384
_LAST = 2  # of the numbers of standard streams


class Outlet(io.RawIOBase):
    """Where a stream leads; what cannot be written goes nowhere, and the work goes on.

    `failure` is why the first could not; `said` is the end of what was to be written.
    """

    def __init__(self, stream: TextIO) -> None:
        # Kept, for it would close what it leads to.
        self._stream = stream
        self._to: Any = getattr(stream.buffer, "raw", stream.buffer)
        self.failure: OSError | None = None
        self.said = b""

    def writable(self) -> bool:
        """Say that it takes what is written, always."""
        return True

    def isatty(self) -> bool:
        """Tell whether it leads to a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the number of the file that it leads to."""
        return self._stream.fileno()

    def write(self, data: Any) -> int:
        """Write, or pretend to."""
        taken = self._taken(data)
        self.said = (self.said + bytes(data[:taken]))[-_KEPT:]
        return taken

    def _taken(self, data: Any) -> int:
        while self.failure is None:
            try:
                if (written := self._to.write(data)) is not None:
                    return int(written)
                # Who shares a terminal or a pipe with us has told it not to wait.
                select.select([], [self._to], [])
            except OSError as error:
                self.failure = error
        return len(data)

    def text(self) -> TextIO:
        """Return a stream of text that leads here; signs that its encoding lacks are spelled."""
        like: Any = self._stream
        return io.TextIOWrapper(
            io.BufferedWriter(self),
            encoding=like.encoding,
            errors="backslashreplace",
            line_buffering=like.line_buffering,
            write_through=like.write_through,
        )


class Streams:
    """Standard output and standard error of a call.

    A call `as_document` writes that alone on standard output. It is kept until the call has ended;
    whatever else is printed, as by a project's own conftest.py, goes to the other stream. `left` is
    what the output tells of what was done.
    """

    def __init__(self, out: TextIO, err: TextIO, *, as_document: bool) -> None:
        self._outlet, self._beside = Outlet(out), Outlet(err)
        self.out, self.err = self._outlet.text(), self._beside.text()
        self.as_document = as_document
        self.document: dict[str, Any] = {}
        self.left = ""

    @property
    def failure(self) -> OSError | None:
        """Return why the output could not be written; that nobody reads it is no reason."""
        failure = self._outlet.failure
        return None if isinstance(failure, BrokenPipeError) else failure

    @property
    def said(self) -> str:
        """Return the end of what was said on standard error."""
        self.err.flush()
        return self._beside.said.decode(self.err.encoding, "replace")

    def put(self, text: str) -> None:
        """Write a line on standard output, or keep it where it is the document."""
        if self.as_document:
            self.document = json.loads(text)
        else:
            click.echo(text, file=self.out)

    def write_document(self, values: Mapping[str, Any]) -> None:
        """Write the document of the call."""
        unicode = self.out.encoding.lower().startswith("utf")
        text = json.dumps(values, ensure_ascii=not unicode, allow_nan=False, indent=1)
        click.echo(text, file=self.out)


@contextmanager
def lasting_streams(*, as_document: bool) -> Iterator[Streams]:
    """Put streams in the place of the standard ones which bear whatever happens to those."""
    _open_closed()
    before = sys.stdin, sys.stdout, sys.stderr
    given = [stream or _nowhere(mode) for stream, mode in zip(before, "rww", strict=True)]
    streams = Streams(*given[1:], as_document=as_document)
    sys.stdin, sys.stderr = given[0], streams.err
    sys.stdout = streams.err if as_document else streams.out
    try:
        yield streams
    finally:
        streams.out.flush()
        streams.err.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def _open_closed() -> None:
    """Let no connection take the place of a standard stream that is closed."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        os.set_inheritable(opened, True)
    os.close(opened)


def _nowhere(mode: str) -> Any:
    return open(os.devnull, mode)  # noqa: PTH123


def put(text: str) -> None:
    """Write a line, or the document, on standard output."""
    _of_call().put(text)


def leave(text: str) -> None:
    """Say what was done, for whoever does not read it on standard output."""
    _of_call().left = text


def _of_call() -> Streams:
    streams = click.get_current_context().find_object(Streams)
    assert streams is not None, "every call has streams"
    return streams


def as_json(values: Mapping[str, Any], scrub: Callable[[str], str]) -> str:
    """Return a document to put, each text in it scrubbed.

    A password may look like a number or a key, or otherwise once its signs are escaped.
    """
    return json.dumps(scrubbed(dict(values), scrub), allow_nan=False)
