"""Does a batch that meets an open transaction wait for it, and does neither of the two fail?"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prompt import ROOT, SQL

from batchgate.fixtures import AtBatch, Database
from batchgate.script import Script, Step, steps
from batchgate.sessions import Attempt, Session

pytestmark = pytest.mark.batches

BASELINE, ENTITIES, SEARCH = "00_baseline", "01_add_memory_entities", "02_add_message_fts_index"
CUSTOMERS, CONVERSATIONS = "03_backfill_customers", "04_backfill_conversations_messages"
INDEXES, TIGHTENED = "05_add_integrity_indexes", "07_tighten_constraints"
GATES = "06_data_quality_gates"
NEW = "00000000-0000-4000-8000-0000000000c1"

INSERT_CUSTOMER = f"insert into \"Customer\" (id) values ('{NEW}')"
INSERT_CONVERSATION = f"insert into \"Conversation\" (id, channel) values ('{NEW}', 'sms')"
# A customer is made, and then what it has; or what it has is written before the customer is.
CUSTOMER_FIRST = (
    INSERT_CUSTOMER,
    f"""
        with lead as (
            insert into "Lead" (channel, customer_id) values ('sms', '{NEW}') returning *
        )
        update "Job" set updated_at = now()
    """,
)
LEAD_FIRST = ('update "Lead" set updated_at = now()', INSERT_CUSTOMER)
JOB_FIRST = ('update "Job" set updated_at = now()', 'update "Lead" set updated_at = now()')
JOB_SECOND = ('update "Lead" set updated_at = now()', 'update "Job" set updated_at = now()')
READ_FIRST = ('select from "Lead"', 'update "Lead" set updated_at = now()')
CONVERSATION_FIRST = (INSERT_CONVERSATION, 'update "Message" set content = content')
MESSAGE_FIRST = ('update "Message" set content = content', INSERT_CONVERSATION)

Pair = tuple[str, str]
Start = Callable[[Session, Iterator[Step]], Attempt]


@pytest.fixture
def start(at_batch: AtBatch) -> Iterator[Start]:
    """Run what is left of a file without waiting for its end; the answer is its error, or none."""
    running: list[Session] = []
    with ThreadPoolExecutor() as pool:

        def started(session: Session, walk: Iterator[Step]) -> Attempt:
            observer = at_batch.latest.session("observer").connection
            running.append(session)
            return Attempt(session, session.name, pool.submit(error_of, walk), lambda: observer)

        yield started
        # What a failed test left waiting would wait for ever.
        for session in running:
            session.connection.cancel_safe()


def walk_through(session: Session, file: str) -> Iterator[Step]:
    """Run one of the batches' files in a session, statement by statement."""
    return steps(session.connection, Script(SQL / file, ROOT))


def error_of(walk: Iterator[Step]) -> str | None:
    """Run a file to its end, and return what stopped it."""
    return next((step.error.message for step in walk if step.error), None)


def go_on_to(walk: Iterator[Step], words: str) -> None:
    """Go on until a statement that begins with these words is about to be sent."""
    next(step for step in walk if not step.ran and step.statement.text.startswith(words))


def go_on_until_said(walk: Iterator[Step], words: str) -> None:
    """Go on until the file printed these words."""
    next(step for step in walk if any(words in output.text for output in step.outputs))


def meet(database: Database, start: Start, walk: Iterator[Step], batch: Session, app: Pair) -> None:
    """Let a file run into a transaction that then goes on, and expect both to succeed."""
    first, second = app
    writer = database.session("writer")
    writer.run("begin")
    writer.run(first)
    attempt = start(batch, walk)
    attempt.waits_on(writer)
    writer.start(second).succeeds()
    writer.run("commit")
    assert attempt.succeeds() is None


@pytest.mark.parametrize(
    ("height", "file", "application"),
    [
        pytest.param(BASELINE, f"{ENTITIES}/migration.sql", JOB_FIRST, id="1-job-first"),
        pytest.param(BASELINE, f"{ENTITIES}/migration.sql", READ_FIRST, id="1-read-first"),
        pytest.param(BASELINE, f"{ENTITIES}/migration.online.sql", JOB_FIRST, id="1-online"),
        pytest.param(ENTITIES, f"{ENTITIES}/rollback.sql", CUSTOMER_FIRST, id="1-back"),
        pytest.param(SEARCH, f"{CUSTOMERS}/migration.sql", JOB_FIRST, id="3-job-first"),
        pytest.param(SEARCH, f"{CUSTOMERS}/migration.sql", JOB_SECOND, id="3-lead-first"),
        pytest.param(CUSTOMERS, f"{CUSTOMERS}/rollback.sql", JOB_FIRST, id="3-back-job-first"),
        pytest.param(CUSTOMERS, f"{CUSTOMERS}/rollback.sql", JOB_SECOND, id="3-back-lead-first"),
        pytest.param(CONVERSATIONS, f"{INDEXES}/migration.sql", CONVERSATION_FIRST, id="5"),
        pytest.param(CONVERSATIONS, f"{INDEXES}/migration.sql", MESSAGE_FIRST, id="5-message"),
        pytest.param(INDEXES, f"{INDEXES}/rollback.sql", CONVERSATION_FIRST, id="5-back"),
        pytest.param(INDEXES, f"{INDEXES}/rollback.sql", MESSAGE_FIRST, id="5-back-message"),
        pytest.param(GATES, f"{TIGHTENED}/migration.sql", CUSTOMER_FIRST, id="7"),
        pytest.param(GATES, f"{TIGHTENED}/migration.sql", LEAD_FIRST, id="7-lead"),
        pytest.param(GATES, f"{TIGHTENED}/migration.online.sql", CUSTOMER_FIRST, id="7-online"),
        pytest.param(GATES, f"{TIGHTENED}/migration.online.sql", LEAD_FIRST, id="7-online-lead"),
        pytest.param(TIGHTENED, f"{TIGHTENED}/rollback.sql", CUSTOMER_FIRST, id="7-back"),
        pytest.param(TIGHTENED, f"{TIGHTENED}/rollback.sql", LEAD_FIRST, id="7-back-lead"),
    ],
)
def test_a_file_waits_for_a_writer_whatever_the_order_of_its_tables(
    at_batch: AtBatch, start: Start, height: str, file: str, application: Pair
) -> None:
    database = at_batch(height)
    batch = database.session("batch")
    meet(database, start, walk_through(batch, file), batch, application)


@pytest.mark.parametrize(
    ("height", "name", "table"),
    [
        pytest.param(BASELINE, ENTITIES, "Lead", id="1"),
        pytest.param(BASELINE, ENTITIES, "Job", id="1-second-table"),
        pytest.param(CONVERSATIONS, INDEXES, "Conversation", id="5"),
        pytest.param(GATES, TIGHTENED, "Lead", id="7"),
    ],
)
def test_whoever_comes_after_an_online_route_that_waits_gets_through(
    at_batch: AtBatch, start: Start, height: str, name: str, table: str
) -> None:
    database = at_batch(height)
    batch, writer = database.session("batch"), database.session("writer")
    writer.run("begin")
    writer.run(f'lock table "{table}" in row exclusive mode')
    attempt = start(batch, walk_through(batch, f"{name}/migration.online.sql"))
    attempt.waits_on(writer)

    database.session("reader").start(f'select from "{table}"').succeeds()

    writer.run("commit")
    assert attempt.succeeds() is None


@pytest.mark.parametrize("application", [CUSTOMER_FIRST, LEAD_FIRST], ids=["customer", "lead"])
def test_the_online_route_waits_for_a_writer_at_its_end_too(
    at_batch: AtBatch, start: Start, application: Pair
) -> None:
    database = at_batch(GATES)
    batch = database.session("batch")
    walk = walk_through(batch, f"{TIGHTENED}/migration.online.sql")
    go_on_to(walk, 'alter table public."Job" validate constraint "Job_customer_id_fkey_restrict"')
    go_on_to(walk, "begin")
    meet(database, start, walk, batch, application)


@pytest.mark.parametrize(
    ("height", "name"),
    [
        pytest.param(BASELINE, ENTITIES, id="1"),
        pytest.param(ENTITIES, SEARCH, id="2"),
        pytest.param(CONVERSATIONS, INDEXES, id="5"),
        pytest.param(GATES, TIGHTENED, id="7"),
    ],
)
def test_of_two_runs_at_once_the_second_waits_and_finds_the_batch_applied(
    at_batch: AtBatch, start: Start, height: str, name: str
) -> None:
    database = at_batch(height)
    first, second = database.session("first"), database.session("second")
    walk = walk_through(first, f"{name}/migration.sql")
    go_on_to(walk, "commit")

    attempt = start(second, walk_through(second, f"{name}/migration.sql"))
    attempt.waits_on(first)

    assert error_of(walk) is None
    assert f"{name} is already applied" in str(attempt.succeeds())


@pytest.mark.parametrize(
    ("height", "name", "insert", "sqlstate"),
    [
        pytest.param(
            CONVERSATIONS,
            INDEXES,
            'insert into "Conversation" (lead_id, channel)'
            ' select lead_id, channel from "Conversation" where lead_id is not null limit 1',
            "23505",
            id="5",
        ),
        pytest.param(
            GATES, TIGHTENED, "insert into \"Lead\" (channel) values ('sms')", "23502", id="7"
        ),
    ],
)
def test_what_the_pre_flight_check_found_stays_true(
    at_batch: AtBatch, height: str, name: str, insert: str, sqlstate: str
) -> None:
    database = at_batch(height)
    batch, writer = database.session("batch"), database.session("writer")
    walk = walk_through(batch, f"{name}/migration.sql")
    go_on_until_said(walk, "Pre-flight check passed")

    attempt = writer.start(insert)
    attempt.waits_on(batch)

    assert error_of(walk) is None
    attempt.fails_with(sqlstate)


def test_a_time_limit_of_the_users_ends_the_waiting(at_batch: AtBatch, start: Start) -> None:
    database = at_batch(GATES)
    before = database.state()
    writer, batch = database.session("writer"), database.session("batch")
    writer.run("begin")
    writer.run('update "Lead" set updated_at = now()')
    batch.run("set lock_timeout = '100ms'")

    attempt = start(batch, walk_through(batch, f"{TIGHTENED}/migration.sql"))

    assert attempt.succeeds() == "canceling statement due to lock timeout"
    writer.run("rollback")
    assert database.changes_since(before) == []
