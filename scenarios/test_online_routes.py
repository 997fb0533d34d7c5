"""Does an online route that stopped anywhere go on or go back, and touch nothing but its own?"""

from collections.abc import Callable

import pytest
from prompt import ROOT, SQL, STRICT, by_psql

from batchgate.catalog import compare
from batchgate.fixtures import AtBatch, Database
from batchgate.script import Script, steps
from batchgate.states import State

pytestmark = pytest.mark.batches

BASELINE, ENTITIES, SEARCH = "00_baseline", "01_add_memory_entities", "02_add_message_fts_index"
ADDING_ENTITIES, ADDING_SEARCH = "Cannot add memory entities: ", "Cannot add message search: "
BUILDING = 'select \'create index concurrently "{}"'
LEAD_INDEX, JOB_INDEX = "Lead_customer_id_idx", "Job_customer_id_idx"
TEXT_INDEX, ROLE_INDEX = "Message_content_fts_idx", "Message_role_idx"

# Where each route may be interrupted: before a build, with what stands by then.
STOPS = [
    pytest.param(BASELINE, ENTITIES, LEAD_INDEX, ADDING_ENTITIES, id="1-lead"),
    pytest.param(BASELINE, ENTITIES, JOB_INDEX, ADDING_ENTITIES, id="1-job"),
    pytest.param(ENTITIES, SEARCH, ROLE_INDEX, ADDING_SEARCH, id="2-role"),
]


def stopped_before(database: Database, batch: str, index: str) -> None:
    """Run a batch's online route up to the building of an index, and end its session."""
    session = database.session("batch")
    walk = steps(session.connection, Script(SQL / batch / "migration.online.sql", ROOT))
    next(step for step in walk if step.statement.text.startswith(BUILDING.format(index)))
    session.close()


def left_invalid(database: Database, index: str, table: str, rest: str) -> None:
    """Interrupt the building of an index while it waits for a writer."""
    writer, builder = database.session("writer"), database.session("builder")
    writer.run("begin")
    writer.run(f'lock table "{table}" in row exclusive mode')
    building = builder.start(f'create index concurrently "{index}" on "{table}" {rest}')
    building.waits_on(writer)
    builder.connection.cancel_safe()
    building.fails_with("57014")
    writer.run("rollback")
    valid = "select indisvalid from pg_index where indexrelid = to_regclass(%s)"
    assert writer.run(valid, [f'"{index}"']) == [(False,)]


def refused(database: Database, file: str, sentence: str) -> None:
    """Expect a file to say this and to change nothing."""
    before = database.state()
    said = by_psql(database, file, *STRICT)
    assert (said.exit_code, said.error) == (3, f"ERROR: {sentence}"), said.lines
    assert database.changes_since(before) == []


def goes_on(database: Database, batch: str, _: State, whole: State) -> None:
    """Expect the online route to end where the migration ends, and the batch to be valid."""
    assert by_psql(database, f"{batch}/migration.online.sql").exit_code == 0
    # A column that is dropped leaves its place, and no more.
    assert all(each.soft for each in compare(database.state().schema, whole.schema))
    assert by_psql(database, f"{batch}/validation.sql").exit_code == 0


def goes_back(database: Database, batch: str, beneath: State, _: State) -> None:
    """Expect the rollback to take back what stands."""
    assert by_psql(database, f"{batch}/rollback.sql").exit_code == 0
    assert database.changes_since(beneath) == []


@pytest.mark.parametrize(("below", "batch", "index", "doing"), STOPS)
def test_a_route_that_was_interrupted_is_finished_or_taken_back(
    at_batch: AtBatch, below: str, batch: str, index: str, doing: str
) -> None:
    whole, database = at_batch(batch).state(), at_batch(below)
    beneath = database.state()
    stopped_before(database, batch, index)

    begun = f"{doing}migration.online.sql was begun, not finished"
    refused(database, f"{batch}/migration.sql", begun)
    goes_back(database, batch, beneath, whole)

    stopped_before(database, batch, index)
    goes_on(database, batch, beneath, whole)
    for file in ("migration.sql", "migration.online.sql"):
        refused(database, f"{batch}/{file}", f"{doing}{batch} is already applied")
    goes_back(database, batch, beneath, whole)


# What an interrupted build leaves behind.
BUILDS = [
    pytest.param(BASELINE, ENTITIES, LEAD_INDEX, ("Lead", "(customer_id)"), goes_on, id="1-lead"),
    pytest.param(BASELINE, ENTITIES, JOB_INDEX, ("Job", "(customer_id)"), goes_back, id="1-job"),
    pytest.param(
        ENTITIES,
        SEARCH,
        TEXT_INDEX,
        ("Message", "using gin (to_tsvector('english', coalesce(content, '')))"),
        goes_back,
        id="2-text",
    ),
    pytest.param(ENTITIES, SEARCH, ROLE_INDEX, ("Message", "(role)"), goes_on, id="2-role"),
]


@pytest.mark.parametrize(("below", "batch", "index", "definition", "finish"), BUILDS)
def test_what_an_interrupted_build_left_is_built_anew_or_taken_back(
    at_batch: AtBatch,
    below: str,
    batch: str,
    index: str,
    definition: tuple[str, str],
    finish: Callable[[Database, str, State, State], None],
) -> None:
    whole, database = at_batch(batch).state(), at_batch(below)
    beneath = database.state()
    stopped_before(database, batch, index)
    left_invalid(database, index, *definition)

    doing = ADDING_ENTITIES if batch == ENTITIES else ADDING_SEARCH
    begun = f"{doing}migration.online.sql was begun, not finished"
    refused(database, f"{batch}/migration.sql", begun)
    finish(database, batch, beneath, whole)


@pytest.mark.parametrize(
    ("below", "batch", "stop", "index", "definition", "doing"),
    [
        pytest.param(
            BASELINE, ENTITIES, LEAD_INDEX, JOB_INDEX, '"Job" (status)', ADDING_ENTITIES, id="1"
        ),
        pytest.param(
            ENTITIES, SEARCH, ROLE_INDEX, ROLE_INDEX, '"Lead" (channel)', ADDING_SEARCH, id="2"
        ),
        pytest.param(
            ENTITIES, SEARCH, TEXT_INDEX, TEXT_INDEX, '"Lead" (channel)', ADDING_SEARCH, id="2-text"
        ),
        pytest.param(
            ENTITIES,
            SEARCH,
            TEXT_INDEX,
            ROLE_INDEX,
            '"Message" (role)',
            ADDING_SEARCH,
            id="2-alone",
        ),
    ],
)
def test_an_index_of_the_application_is_not_taken_for_the_batchs_own(
    at_batch: AtBatch, below: str, batch: str, stop: str, index: str, definition: str, doing: str
) -> None:
    database = at_batch(below)
    stopped_before(database, batch, stop)
    database.session("application").run(f'create index "{index}" on {definition}')
    refused(database, f"{batch}/migration.online.sql", f'{doing}"{index}" already exists')


@pytest.mark.parametrize(
    ("below", "batch", "sentence"),
    [
        pytest.param(None, ENTITIES, f"{ADDING_ENTITIES}{BASELINE} is not applied", id="1"),
        pytest.param(BASELINE, SEARCH, f"{ADDING_SEARCH}{ENTITIES} is not applied", id="2"),
    ],
)
def test_a_route_does_not_begin_where_what_it_builds_on_is_missing(
    at_batch: AtBatch, below: str | None, batch: str, sentence: str
) -> None:
    refused(at_batch(below), f"{batch}/migration.online.sql", sentence)
