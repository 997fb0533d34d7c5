"""Read the report.json of an earlier run, and refuse what is none."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from batchgate.errors import SuiteError
from batchgate.outcomes.history import history_problems

FORMAT = "batchgate-report"
SCHEMA_VERSION = 1
_OTHER = "Name a report.json that batchgate wrote."
_NULLABLE_NUMBER = (int, type(None))
# What a comparison reads; the whole is said by docs/report.schema.json.
_VALUES: Mapping[str, type] = {
    "verdict": dict,
    "about": dict,
    "targets": list,
    "gates": list,
    "gates_not_run": list,
    "batches": list,
    "checks_not_run": list,
}
_PARTS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "targets": {"name": str, "address": str, "error": str},
    "gates": {
        **dict.fromkeys(("name", "target", "level", "state", "state_text", "cause_text"), str),
        **dict.fromkeys(("reason", "definition"), str),
        **{"count": _NULLABLE_NUMBER, "fails": bool, "figures": bool},
    },
    "gates_not_run": {"name": str, "target": str, "required": bool},
    "batches": {"name": str, "checks": list},
}
_CHECK = {"check": str, "state": str, "headline": str}


def read_document(path: Path) -> dict[str, Any]:
    """Read a document of this version or an older one.

    Raises SuiteError where there is none, where it is not ours, and where it is newer.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SuiteError(
            f"{path}: expected the report of an earlier run, found no file",
            fix="Keep the report.json of a run, and name it here; a first run has none.",
        ) from None
    except OSError as error:
        raise SuiteError(
            f"{path}: expected the report of an earlier run, found: {error.strerror or error}",
            fix=_OTHER,
        ) from None
    except UnicodeDecodeError:
        raise _no_json(path, "it is not UTF-8") from None
    document = _parsed(path, text)
    _ours(path, document)
    problem = next(_problems(document), "")
    if problem:
        raise SuiteError(
            f"{path}: expected a report of version {document['schema_version']}, found {problem}",
            fix="Take the file as batchgate wrote it, unedited and whole.",
        )
    return document


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        # The text itself is not shown: nobody knows what the file holds.
        raise _no_json(path, f"{error.msg.lower()} at line {error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise _no_json(path, type(error).__name__) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SuiteError(f"{path}: expected a report of batchgate, found other JSON", fix=_OTHER)
    return document


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _no_json(path: Path, cause: str) -> SuiteError:
    return SuiteError(
        f"{path}: expected the report of an earlier run, found no JSON", cause=cause, fix=_OTHER
    )


def _ours(path: Path, document: Mapping[str, Any]) -> None:
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SuiteError(
            f"{path}: expected a report with a schema_version, found none that is a number",
            fix=_OTHER,
        )
    if version > SCHEMA_VERSION:
        raise SuiteError(
            f"{path}: expected a report of version {SCHEMA_VERSION} or older, found {version}",
            fix="Upgrade batchgate to the version that wrote it, or name an older report.",
        )


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in _VALUES.items():
        if not isinstance(document.get(name), kind):
            yield f"no {name}"
            return
    for name in ("outcome", "text", "reason"):
        if not isinstance(document["verdict"].get(name), str):
            yield f"a verdict without {name}"
    for name in ("project", "started"):
        if not isinstance(document["about"].get(name), str):
            yield f"no {name} in about"
    for name, needed in _PARTS.items():
        for at, part in enumerate(document[name], 1):
            yield from _lacking(part, needed, f"{name}, entry {at}")
    for batch in document["batches"]:
        for at, check in enumerate(batch["checks"], 1):
            yield from _lacking(check, _CHECK, f"checks, entry {at}")
    yield from history_problems(document)


def _lacking(part: Any, needed: Mapping[str, Any], place: str) -> Iterator[str]:
    if not isinstance(part, dict):
        yield f"no object ({place})"
        return
    for name, kind in needed.items():
        if name not in part or not isinstance(part[name], kind):
            yield f"no {name} ({place})"
