"""What a run says while it goes on: the file's own words, for people or kept for a document."""

import re
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import click

from batchgate.cli.live import Live
from batchgate.cli.width import columns, fitted, in_colour
from batchgate.printed import Failure, failures_in
from batchgate.script import Output, ScriptRun, Step
from batchgate.serverwords import shown_sql
from batchgate.signs import spelled_out

# Of very many notices the last are kept, for they sum up.
_KEPT = 200
_FIGURES = 100
_FIGURE = re.compile(r"^\W*(\w[^:]{0,60}?)\s*:\s+(\d{1,18})$")
_WARNING = ("WARNING", "ERROR")


class Telling:
    """Prints what a file says as it comes, or keeps it where a document is written at the end."""

    def __init__(
        self, live: Live, scrub: Callable[[str], str], *, as_json: bool, verbose: bool
    ) -> None:
        self._live = live
        self._scrub = scrub
        self._as_json = as_json
        self._verbose = verbose
        self._passed_over = ""
        self.begin()

    def begin(self, *, reads_failures: bool = False) -> None:
        """Begin with another file, whose printed failures are kept where they are read."""
        self.failures: list[Failure] = []
        self._reads_failures = reads_failures
        self._notices: deque[str] = deque(maxlen=_KEPT)
        self._count = 0
        self._figures: dict[str, int] = {}
        self._passed_over = ""

    def said(self, output: Output) -> None:
        """Take what the file says; rows are not shown, for they may be people's."""
        if self._reads_failures and len(self.failures) < _KEPT:
            self.failures += failures_in(ScriptRun((output,), None, 0))
        if output.kind not in ("notice", "echo"):
            return
        self.tell_passed_over()
        text = self._shown(output.words)
        warns = output.severity in _WARNING
        self._keep(f"warning: {text}" if warns else text)
        if not self._as_json:
            self.line(f"⚠ {text}" if warns else text, "yellow" if warns else None)

    def ran(self, step: Step, seconds: float) -> None:
        """Take a statement that ran."""
        self.tell_passed_over()
        if step.error:
            # Whether the file goes on after it is not known yet.
            self._passed_over = f"⚠ {step.error.at}: {step.error.message}"
        if self._verbose and not self._as_json:
            width = len(str(step.of))
            told = f"  [{step.number:>{width}}/{step.of}] {seconds:8.3f} s  {shown_sql(step.sent)}"
            # A log has room for all of it.
            shown = told[: columns()] if sys.stderr.isatty() else told
            self.line(shown, "bright_black", err=True)

    def tell_passed_over(self) -> None:
        """Tell of an error after which the file went on, or came to its end."""
        if self._passed_over:
            self.note(self._passed_over)
            self._passed_over = ""

    def note(self, text: str) -> None:
        """Take what the run itself has to say, which is none of the file's words."""
        self.line(fitted(self._shown(text), sys.stderr), "yellow", err=True)

    def again(self, text: str) -> None:
        """Take why the file is run again; what it said so far was of a run that is undone."""
        self.begin(reads_failures=self._reads_failures)
        self.note(text)

    def line(self, text: str = "", colour: str | None = None, *, err: bool = False) -> None:
        """Print a line, or several."""
        styled = click.style(text, fg=colour) if colour and in_colour() else text
        self._live.print(self._scrub(styled), err=err)

    def kept(self) -> Mapping[str, Any]:
        """Return what the file said, as values."""
        return {
            "figures": dict(self._figures),
            "notices": list(self._notices),
            "notices_left_out": self._count - len(self._notices),
        }

    def _keep(self, text: str) -> None:
        if not self._as_json:
            return
        self._count += 1
        self._notices.append(self._scrub(text))
        for line in text.splitlines():
            found = _FIGURE.match(line)
            if found and (found[1] in self._figures or len(self._figures) < _FIGURES):
                self._figures[found[1]] = int(found[2])

    def _shown(self, text: str) -> str:
        return spelled_out(text.expandtabs())
