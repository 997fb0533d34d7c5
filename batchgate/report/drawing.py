"""The templates, and text that no browser takes for anything else."""

import re
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from batchgate.report.fixes import passages_of
from batchgate.report.words import grouped, visible, within
from batchgate.verdict import time_text

_HERE = Path(__file__).parent
_SHEETS = ("palette", "frame", "sections", "tables", "pytest-html", "narrow", "print")
_WORD_END = re.compile(r"([_.])")


class _Flush(FileSystemLoader):
    """Loads templates without their indentation, of which a page of many batches has much."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template, each of its lines from the first character on."""
        text, name, fresh = super().get_source(environment, template)
        return "\n".join(map(str.strip, text.splitlines())), name, fresh


@cache
def template(name: str) -> Template:
    """Return a template; what it is given is escaped, and what cannot be seen is written out."""
    environment = Environment(
        loader=_Flush(_HERE),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "grouped": grouped,
        "parted": parted,
        "passages": passages_of,
        "time": time_text,
        "within": within,
    }
    return environment.get_template(name)


def verbatim(name: str) -> Markup:
    """Return a style sheet or a script of ours, as it is."""
    return Markup((_HERE / name).read_text(encoding="utf-8"))


@cache
def style() -> Markup:
    """Return the page's style sheet."""
    return Markup("\n").join(verbatim(f"{sheet}.css") for sheet in _SHEETS)


def parted(name: str) -> Markup:
    """Return a name that may be broken where its words end."""
    return Markup(_WORD_END.sub(r"\1<wbr>", text_of(name)))


def text_of(value: object) -> str:
    """Return a value as text that no browser takes for anything else."""
    return escape(str(visible(str(value))))


def title_of(project: str) -> str:
    """Return what the page of a project's run is called."""
    return str(visible(f"{project} · batches and gates"))
