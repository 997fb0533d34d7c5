"""What a command writes on standard output, as pytest writes on its terminal."""

from collections.abc import Callable
from shutil import get_terminal_size

import click

from batchgate.cli.streams import put
from batchgate.cli.width import in_colour

_COLOURS = ("green", "red", "yellow")


class Sheet:
    """Lines and headings, each through a scrubber; in colour on a terminal without NO_COLOR."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub

    def ensure_newline(self) -> None:
        """Be at the beginning of a line always."""

    def section(self, title: str, sep: str = "=") -> None:
        """Write a heading across the whole width."""
        width = get_terminal_size().columns
        self.write_line(f" {self._scrub(title)} ".center(width, sep))

    def write_line(self, line: str, **markup: bool) -> None:
        """Write a line, marked as told by names such as `red` and `bold`."""
        text = self._scrub(line)
        if in_colour():
            colour = next((name for name in _COLOURS if markup.get(name)), None)
            bold = markup.get("bold") or None
            text = click.style(text, fg=colour, bold=bold) if colour or bold else text
        put(text)
