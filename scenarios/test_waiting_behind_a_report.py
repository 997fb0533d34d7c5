"""Do others get through while an online route waits for a transaction that will not end?"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from prompt import ROOT, SQL

from batchgate.fixtures import AtBatch, Database
from batchgate.script import Script, run_script
from batchgate.sessions import Attempt

pytestmark = pytest.mark.batches

CONVERSATIONS, INDEXES = "04_backfill_conversations_messages", "05_add_integrity_indexes"
GATES, TIGHTENED = "06_data_quality_gates", "07_tighten_constraints"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def started(database: Database, batch: str, pool: ThreadPoolExecutor) -> Attempt:
    """Run an online route without waiting for its end; the answer is its error, or none."""
    session, observer = database.session("batch"), database.session("observer").connection
    script = Script(SQL / batch / "migration.online.sql", ROOT)
    running: Future[object] = pool.submit(lambda: run_script(session.connection, script).error)
    return Attempt(session, session.name, running, lambda: observer)


@pytest.mark.parametrize(
    ("height", "batch", "table"),
    [
        pytest.param(CONVERSATIONS, INDEXES, "Conversation", id="5"),
        pytest.param(GATES, TIGHTENED, "Customer", id="7-customer"),
        pytest.param(GATES, TIGHTENED, "Lead", id="7-lead"),
        pytest.param(GATES, TIGHTENED, "Job", id="7-job"),
    ],
)
def test_writers_get_through_before_the_report_ends(
    at_batch: AtBatch, pool: ThreadPoolExecutor, height: str, batch: str, table: str
) -> None:
    database = at_batch(height)
    report, writer = database.session("report"), database.session("writer")
    report.run("begin")
    report.run(f'select from "{table}"')
    try:
        attempt = started(database, batch, pool)
        attempt.waits_on(report)
        for _ in range(5):
            writer.start(f'delete from "{table}" where false').succeeds()
    finally:
        # What a failed test left waiting would wait for ever.
        report.run("rollback")
    assert attempt.succeeds() is None
