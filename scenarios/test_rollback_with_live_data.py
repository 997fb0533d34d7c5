"""Does a rollback leave what the application wrote, before the batch and since, as it was?"""

from pathlib import Path

import pytest
from application import (
    add_conversation,
    add_customer,
    add_job,
    add_lead,
    add_message,
    link,
)
from prompt import BATCHES

from batchgate.catalog import compare
from batchgate.fixtures import AtBatch, Database
from batchgate.states import State

pytestmark = pytest.mark.rollback

ROWS = Path(__file__).parent / "rows"
MEMORY, SEARCH, CUSTOMERS, CONVERSATIONS, INDEXES, _, TIGHT = BATCHES[1:]
ROLLED_BACK = [MEMORY, SEARCH, CUSTOMERS, CONVERSATIONS, INDEXES, TIGHT]


def below(batch: str) -> str:
    """Return the height at which a batch is the next."""
    return BATCHES[BATCHES.index(batch) - 1]


def lived_in(at_batch: AtBatch, batch: str) -> Database:
    """Give a database below a batch into which the application has written."""
    database = at_batch(below(batch))
    app = database.session("app")
    for file in sorted((ROWS / "before").glob("*.sql")):
        if file.stem <= batch[:2]:
            app.run(file.read_text(encoding="utf-8"))
    return database


def live_on(database: Database, batch: str) -> None:
    """Write what the application writes while a batch stands."""
    written = (ROWS / "since" / f"{batch[:2]}.sql").read_text(encoding="utf-8")
    database.session("app since").run(written)


def differing(before: State, after: State) -> list[str]:
    """List what differs in the schema; places of dropped columns are of no consequence."""
    return [str(each) for each in compare(before.schema, after.schema) if not each.soft]


@pytest.mark.parametrize("batch", ROLLED_BACK)
def test_a_batch_rolled_back_might_never_have_been(at_batch, batch):
    never, rolled_back = lived_in(at_batch, batch), lived_in(at_batch, batch)
    assert rolled_back.changes_since(never.state()) == []

    live_on(never, batch)
    assert rolled_back.apply(batch).run.error is None
    live_on(rolled_back, batch)
    assert rolled_back.roll_back(batch).run.error is None

    assert rolled_back.changes_since(never.state()) == []


def test_every_step_down_ends_where_the_step_up_began_and_leads_up_again(at_batch):
    database = at_batch(TIGHT)
    top = database.state()

    for batch in reversed(ROLLED_BACK):
        assert database.roll_back(batch).run.error is None
        beneath = at_batch(below(batch), sample=False).state()
        assert differing(beneath, database.state()) == []
    for batch in ROLLED_BACK:
        assert database.apply(batch).run.error is None
        assert database.validate(batch).run.error is None

    assert differing(top, database.state()) == []


@pytest.mark.parametrize(
    ("batch", "above"),
    [
        pytest.param(MEMORY, [SEARCH], id="01-under-02"),
        pytest.param(MEMORY, [CUSTOMERS], id="01-under-03"),
        pytest.param(MEMORY, [CUSTOMERS, CONVERSATIONS], id="01-under-03-and-04"),
        pytest.param(MEMORY, [INDEXES], id="01-under-05"),
        pytest.param(MEMORY, [CUSTOMERS, TIGHT], id="01-under-03-and-07"),
        pytest.param(CUSTOMERS, [CONVERSATIONS], id="03-under-04"),
        pytest.param(CUSTOMERS, [TIGHT], id="03-under-07"),
        pytest.param(CUSTOMERS, [CONVERSATIONS, TIGHT], id="03-under-04-and-07"),
    ],
)
def test_a_batch_that_is_needed_stays(at_batch, batch, above):
    database = at_batch(batch)
    for name in above:
        assert database.apply(name).run.error is None
    before = database.state()

    error = database.roll_back(batch).run.error

    assert error is not None
    assert [name for name in ROLLED_BACK if name != batch and name in error.message] == above
    assert error.hint
    assert database.changes_since(before) == []


@pytest.mark.parametrize(
    ("batch", "made"),
    [
        pytest.param(MEMORY, ['create view public.v as select id from "Customer"'], id="01-view"),
        pytest.param(
            MEMORY,
            ['create table vip (customer_id uuid references "Customer" on delete cascade)'],
            id="01-table",
        ),
        pytest.param(MEMORY, ['create index on "Lead" (customer_id, name)'], id="01-index"),
        pytest.param(MEMORY, ['create table line (role "MessageRole")'], id="01-enum"),
        pytest.param(
            MEMORY,
            [
                'alter table "Job" add constraint linked_late'
                " check (customer_id is null or created_at > '2020-01-01')"
            ],
            id="01-check",
        ),
        pytest.param(
            CUSTOMERS,
            ["create table backfill.notes (id int)", "insert into backfill.notes values (1)"],
            id="03-schema",
        ),
        pytest.param(
            CUSTOMERS, ["create view v as select * from backfill.customer_backfill"], id="03-view"
        ),
        pytest.param(
            CONVERSATIONS,
            ["create view v as select * from backfill.conversation_backfill"],
            id="04-view",
        ),
        pytest.param(INDEXES, ['create index on "Conversation" (closed_at)'], id="05-index"),
        pytest.param(
            INDEXES, ['create view v as select closed_at from "Conversation"'], id="05-view"
        ),
    ],
)
def test_what_the_application_built_on_a_batch_is_not_torn_down(at_batch, session, batch, made):
    database = at_batch(batch)
    app = session("app")
    for statement in made:
        app.run(statement)
    before = database.state()

    error = database.roll_back(batch).run.error

    assert error is not None
    assert database.changes_since(before) == []


def test_the_first_batch_counts_what_goes_with_its_tables(at_batch, session):
    database = at_batch(MEMORY, sample=False)
    app = session("app")
    lead, customer = add_lead(app), add_customer(app)
    link(app, lead, customer)
    job = add_job(app, lead, customer)
    for _ in range(2):
        add_message(app, add_conversation(app, lead), "hello")
    app.run(
        'insert into "JobItem" (job_id, description, quantity, unit_price, total)'
        " values (%s, 'sofa', 1, 80, 80)",
        [job],
    )

    text = database.roll_back(MEMORY).run.text

    counted = ["Customer: 1", "CustomerAddress: 0", "Conversation: 2", "Message: 2"]
    counted += ["MemoryNote: 0", "JobItem: 1", "JobEvent: 0"]
    counted += ["Lead.customer_id: 1", "Job.customer_id: 1"]
    said = [line.strip() for line in text.splitlines()]
    assert [line for line in said if line in counted] == counted
    assert said.index(counted[-1]) < next(n for n, line in enumerate(said) if "dropped" in line)
    assert app.value('select count(*) from "Lead"') == 1
    assert app.value('select count(*) from "Job"') == 1


def test_the_fifth_batch_counts_the_closing_times_that_go_with_its_column(at_batch, session):
    database = at_batch(INDEXES, sample=False)
    app = session("app")
    lead = add_lead(app)
    for started in ("2025-01-01", "2025-01-02", "2025-01-03"):
        app.run('update "Conversation" set closed_at = now()')
        add_conversation(app, lead, started=started)
    before = app.run("""select to_jsonb(c) - 'closed_at' from "Conversation" as c order by id""")

    text = database.roll_back(INDEXES).run.text

    assert "Closing times that go with the column: 2" in text
    assert "Leads that will have several open conversations: 1" in text
    assert app.run('select to_jsonb(c) from "Conversation" as c order by id') == before
