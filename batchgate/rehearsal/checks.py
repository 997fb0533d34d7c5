"""The checks that a batch's files owe, file by file, in the order in which they are read."""

from batchgate.gatescript import is_ours
from batchgate.rehearsal.application import applies, second_run
from batchgate.rehearsal.evidence import Check
from batchgate.rehearsal.roundtrip import applies_again, harmless_where_absent, restores_schema
from batchgate.rehearsal.rows import restores_data
from batchgate.rehearsal.validation import (
    fails_without_batch,
    is_current,
    leaves_no_trace,
    passes,
)
from batchgate.suite import Batch

Checks = dict[str, Check]


def checks_of(batch: Batch) -> dict[str, Checks]:
    """Return what a batch's files have to prove: by file, by the check's name."""
    checks: dict[str, Checks] = {}
    if batch.migration:
        checks["migration.sql"] = _of_migration()
    if batch.validation:
        checks["validation.sql"] = _of_validation(batch)
    if batch.rollback:
        checks["rollback.sql"] = _of_rollback()
    return checks


def _of_migration() -> Checks:
    return {
        "applies": Check(applies),
        "second-run": Check(second_run),
    }


def _of_validation(batch: Batch) -> Checks:
    checks = {
        "passes": Check(passes),
        "leaves-no-trace": Check(leaves_no_trace),
    }
    if batch.migration:
        checks["fails-without-batch"] = Check(fails_without_batch)
    if is_ours(batch):
        checks["is-current"] = Check(is_current)
    return checks


def _of_rollback() -> Checks:
    return {
        "restores-schema": Check(restores_schema, ("rollback",)),
        "restores-data": Check(restores_data, ("rollback",)),
        "applies-again": Check(applies_again, ("rollback",)),
        "harmless-where-absent": Check(harmless_where_absent, ("rollback",)),
    }
