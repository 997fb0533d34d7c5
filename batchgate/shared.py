"""What all databases of a server share: roles, tablespaces, subscriptions, its own settings."""

import re
from collections.abc import Iterator
from pathlib import Path

from batchgate.config import Settings
from batchgate.samples import sample_of
from batchgate.sqltext import read_sql
from batchgate.suite import Suite

_NAME = r'(?:\w+|"[^"]+"|%\w+)'
# Read in the whole text, since DO blocks and functions make roles too; a comment that speaks of
# one costs time and nothing else.
_CHANGES = re.compile(
    rf"""\b(?:create|alter|drop)\s+(?:role|user(?!\s+mapping)|group|tablespace|subscription)\b
    | \bpg_replication_origin_(?:create|drop)\b
    | \balter\s+system\b
    | \bon\s+(?:role|tablespace|parameter)\b
    | \b(?:grant|revoke)\s+{_NAME}(?:\s*,\s*{_NAME})*\s+(?:to|from)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def changes_server(suite: Suite, settings: Settings) -> bool:
    """Tell whether a batch or its sample data would be seen in the server's other databases."""
    return any(_CHANGES.search(read_sql(path)) for path in _files(suite, settings))


def _files(suite: Suite, settings: Settings) -> Iterator[Path]:
    for batch in suite.batches:
        yield from (path for path in batch.folder.glob("*.sql") if path.is_file())
        if sample := sample_of(batch, settings):
            yield sample
