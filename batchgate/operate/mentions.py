"""Which batch's files speak of what is too much on a database: a route may have ended half way."""

import re
from dataclasses import replace

from batchgate.config import Settings
from batchgate.operate.departures import Departure, Sort
from batchgate.sqltext import read_sql
from batchgate.suite import Suite

_LAST = re.compile(r'(?:^|\.)(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^".]+))$')
# Names that say less are spoken of everywhere.
_TELLING = 6


def named_in_files(suite: Suite, settings: Settings, departure: Departure) -> Departure:
    """Return what is too much with the file that names it, where one batch alone does."""
    name = _name_of(departure)
    if departure.sort is not Sort.EXTRA or departure.batch or len(name) < _TELLING:
        return departure
    word = re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])")
    found: dict[str, str] = {}
    for batch in suite.batches:
        for path in filter(None, (batch.migration, batch.online)):
            if word.search(read_sql(path)):
                found.setdefault(batch.name, settings.relative(path))
    if len(found) != 1:
        return departure
    (batch_name, path_shown), *_ = found.items()
    note = "; ".join(filter(None, (departure.note, f"{path_shown} speaks of it")))
    return replace(departure, batch=batch_name, note=note)


def _name_of(departure: Departure) -> str:
    """Return an object's own name, without its schema, its table and its quotes."""
    last = _LAST.search(departure.name.partition(" on ")[0])
    if last is None:
        return ""
    return last["plain"] or last["quoted"].replace('""', '"')
