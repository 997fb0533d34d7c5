"""What is written for machines, read back by the libraries that machines use.

They are imported when a test asks for them: the README's first command collects all tests, and
installs neither of the two.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SCHEMA: Mapping[str, Any] = json.loads(
    (Path(__file__).parent.parent / "docs/report.schema.json").read_text(encoding="utf-8")
)


def validator() -> Any:
    """Return what holds a report to its schema; `validate` raises ValidationError."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(SCHEMA)


def validation_error() -> type[Exception]:
    """Return what a report that breaks the schema raises."""
    from jsonschema import ValidationError

    return ValidationError


def families(text: str) -> Iterator[Any]:
    """Read metrics as Prometheus does."""
    from prometheus_client.parser import text_string_to_metric_families

    yield from text_string_to_metric_families(text)
