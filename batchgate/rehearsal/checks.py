"""The checks that a batch's files owe, file by file, in the order in which they are read."""

from batchgate.psqlgates import is_ours
from batchgate.rehearsal.application import applies, second_run
from batchgate.rehearsal.chain import chain_down_and_up, ends_chain
from batchgate.rehearsal.data.later import keeps_later_rows
from batchgate.rehearsal.data.rows import restores_data
from batchgate.rehearsal.evidence import Check
from batchgate.rehearsal.failures.proof import (
    migration_fails_cleanly,
    online_fails_cleanly,
    rollback_fails_cleanly,
)
from batchgate.rehearsal.locks.proof import (
    migration_holds_no_lock,
    online_holds_no_lock,
    rollback_holds_no_lock,
)
from batchgate.rehearsal.noops.proof import no_silent_no_ops
from batchgate.rehearsal.order import harmless_out_of_order, later
from batchgate.rehearsal.roundtrip import (
    applies_again,
    harmless_a_second_time,
    harmless_where_absent,
    restores_schema,
)
from batchgate.rehearsal.routes.proof import ends_as_migration, second_online_run
from batchgate.rehearsal.traffic.proof import LETS_TRAFFIC_PASS, meets_traffic
from batchgate.rehearsal.traffic.queue import yields_in_lock_queue
from batchgate.rehearsal.validation.mutants import kills_every_mutant
from batchgate.rehearsal.validation.proof import (
    fails_without_batch,
    holds_on_empty_tables,
    is_current,
    leaves_no_trace,
    passes,
)
from batchgate.suite import Batch, Suite

Checks = dict[str, Check]


def checks_of(batch: Batch, suite: Suite) -> dict[str, Checks]:
    """Return what a batch's files have to prove: by file, by the check's name."""
    checks: dict[str, Checks] = {}
    if batch.migration:
        checks["migration.sql"] = _of_migration()
    if batch.online:
        checks["migration.online.sql"] = _of_online()
    if batch.validation:
        checks["validation.sql"] = _of_validation(batch)
    if batch.rollback:
        checks["rollback.sql"] = _of_rollback(batch, suite)
    if batch.migration:
        checks["migration.sql"]["yields-in-lock-queue"] = Check(yields_in_lock_queue, ("traffic",))
    if meets_traffic(batch, suite):
        for name in ("migration.sql", "migration.online.sql"):
            if name in checks:
                checks[name]["lets-traffic-pass"] = Check(LETS_TRAFFIC_PASS[name], ("traffic",))
    return checks


def _of_migration() -> Checks:
    return {
        "applies": Check(applies),
        "second-run": Check(second_run),
        "no-silent-no-ops": Check(no_silent_no_ops("migration.sql"), ("noops",)),
        "every-failure-is-clean": Check(migration_fails_cleanly, ("failures",)),
        "no-lock-while-working": Check(migration_holds_no_lock, ("locks",)),
    }


def _of_online() -> Checks:
    return {
        "ends-as-migration": Check(ends_as_migration, ("routes",)),
        "second-run": Check(second_online_run),
        "no-silent-no-ops": Check(no_silent_no_ops("migration.online.sql"), ("noops",)),
        "every-failure-is-clean": Check(online_fails_cleanly, ("failures",)),
        "no-lock-while-working": Check(online_holds_no_lock, ("locks",)),
    }


def _of_validation(batch: Batch) -> Checks:
    checks = {
        "passes": Check(passes),
        "leaves-no-trace": Check(leaves_no_trace),
    }
    if batch.migration:
        checks["fails-without-batch"] = Check(fails_without_batch)
        checks["holds-on-empty-tables"] = Check(holds_on_empty_tables, ("mutants",))
        checks["kills-every-mutant"] = Check(kills_every_mutant, ("mutants",))
    if is_ours(batch):
        checks["is-current"] = Check(is_current)
    return checks


def _of_rollback(batch: Batch, suite: Suite) -> Checks:
    checks = {
        "restores-schema": Check(restores_schema, ("rollback",)),
        "restores-data": Check(restores_data, ("rollback",)),
        "keeps-later-rows": Check(keeps_later_rows, ("rollback",)),
        "applies-again": Check(applies_again, ("rollback",)),
        "harmless-where-absent": Check(harmless_where_absent, ("rollback",)),
        "harmless-a-second-time": Check(harmless_a_second_time, ("rollback",)),
    }
    checks["no-silent-no-ops"] = Check(no_silent_no_ops("rollback.sql"), ("rollback", "noops"))
    checks["every-failure-is-clean"] = Check(rollback_fails_cleanly, ("rollback", "failures"))
    checks["no-lock-while-working"] = Check(rollback_holds_no_lock, ("rollback", "locks"))
    if later(suite, batch):
        checks["harmless-out-of-order"] = Check(harmless_out_of_order, ("rollback",))
    if ends_chain(suite, batch):
        checks["chain-down-and-up"] = Check(chain_down_and_up, ("rollback",))
    return checks
