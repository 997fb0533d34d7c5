"""Heights of a small suite written for a test, on the server of the whole run."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.heights import Heights
from batchgate.server import Server
from batchgate.stores import Databases


@contextmanager
def heights_of(server: Server, root: Path, files: Mapping[str, str]) -> Iterator[Heights]:
    """Write a suite's files and give databases at each of its batches."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    folders = {name: root / name for name in ("sql", "gates", "sample", "reports", "traffic")}
    settings = Settings(root=root, **folders)
    suite = discover(settings)
    assert suite.problems == ()
    heights = Heights(
        Databases(server, secrets.token_hex(4)), settings, suite, lambda application: None
    )
    try:
        yield heights
    finally:
        heights.close()
