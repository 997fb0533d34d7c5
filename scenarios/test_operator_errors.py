"""What does the user see, and what changes, when a file finds something in its way?"""

import re
from pathlib import Path

import pytest
from prompt import STRICT, Said, by_harness, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.batches

BACKFILL = "03_backfill_customers/migration.sql"
CROWDED = "04_backfill_conversations_messages"
INDEXES = "05_add_integrity_indexes/migration.sql"
INDEXES_ONLINE = "05_add_integrity_indexes/migration.online.sql"
GATES = "06_data_quality_gates"
GATE_SCRIPT = f"{GATES}/validation.sql"
TIGHTENED = "07_tighten_constraints"
TIGHTENING = f"{TIGHTENED}/migration.sql"
TIGHTENING_ONLINE = f"{TIGHTENED}/migration.online.sql"

UNLINKED_LEADS = """
    insert into "Lead" (channel, "messengerPsid")
    select 'messenger', 'new ' || i from generate_series(1, {}) as i
"""
UNLINKED_JOBS = """
    insert into "Job" (lead_id, window_start, window_end)
    select id, now(), now()
    from "Lead"
    where customer_id is not null
    order by id
    limit {}
"""
# Each new lead one conversation more than the one before it, from two on.
CROWDED_LEADS = """
    with lead as (
        insert into "Lead" (channel, "messengerPsid")
        select 'messenger', 'crowded ' || i from generate_series(1, {}) as i
        returning id, "messengerPsid"
    )
    insert into "Conversation" (lead_id, channel, started_at)
    select lead.id, 'messenger', timestamptz '2025-05-01' + i * interval '1 day'
    from lead
    cross join lateral
        generate_series(0, substring("messengerPsid" from '[0-9]+')::integer) as i
"""
STILL_OPEN = """
    select count(*), count(distinct lead_id)
    from "Conversation"
    where closed_at is null
        and started_at >= '2025-05-01'
        and lead_id is not null
"""
A_LEAD = 'with l as (select id, customer_id from "Lead" where customer_id is not null limit 1)'
NOWHERE = "00000000-0000-4000-8000-00000000dead"
BATCH_5_ERROR = "ERROR: Cannot add integrity indexes: "


def application_does(database: Database, statement: str, *numbers: int) -> None:
    """Run statements as the application would."""
    database.session("application").connection.execute(statement.format(*numbers).encode())


def refused(database: Database, file: str, *, as_is: int = 0) -> Said:
    """Expect a file to change nothing and exit with 3, by psql as through the harness.

    `as_is` is what psql exits with under the user's own command.
    """
    before = database.state()
    plain, strict = by_psql(database, file), by_psql(database, file, *STRICT)
    same = by_harness(database, file)
    assert (plain.exit_code, strict.exit_code, same.exit_code) == (as_is, 3, 3), strict.lines
    assert plain.error == strict.error != ""
    assert same.steady == strict.steady
    assert database.changes_since(before) == []
    return strict


def statement(folder: Path, sql: str) -> Path:
    """Write a statement into a file of the user's own."""
    file = folder / "statement.sql"
    file.write_text(f"{sql};\n", encoding="utf-8")
    return file


def remedy(said: Said) -> str:
    """Return the statement that an error's hint gives to be run."""
    text = "\n".join(said.lines)
    found = re.search(r"^with ranked as \(.*?;$", text, re.MULTILINE | re.DOTALL)
    assert found, text
    return found[0]


@pytest.mark.parametrize(
    ("leads", "jobs", "headline"),
    [
        pytest.param(1, 0, "1 lead has NULL customer_id", id="one-lead"),
        pytest.param(2, 0, "2 leads have NULL customer_id", id="two-leads"),
        pytest.param(0, 1, "1 job has NULL customer_id", id="one-job"),
        pytest.param(0, 3, "3 jobs have NULL customer_id", id="jobs-only"),
        pytest.param(2, 1, "2 leads have NULL customer_id, 1 job has NULL customer_id", id="both"),
    ],
)
def test_rows_without_a_customer_stop_batch_7_until_the_backfill_ran_again(
    at_batch: AtBatch, leads: int, jobs: int, headline: str
) -> None:
    database = at_batch(GATES)
    application_does(database, UNLINKED_LEADS, leads)
    application_does(database, UNLINKED_JOBS, jobs)

    said = refused(database, TIGHTENING)
    online = refused(database, TIGHTENING_ONLINE, as_is=3)

    assert said.error == online.error == f"ERROR: Cannot tighten constraints: {headline}"
    assert said.hint == online.hint
    assert f'psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f sql/{BACKFILL}' in said.hint
    assert by_psql(database, BACKFILL, *STRICT).exit_code == 0
    assert by_psql(database, TIGHTENING, *STRICT).exit_code == 0


@pytest.mark.parametrize(
    ("leads", "headline", "listed", "further"),
    [
        pytest.param(1, "1 lead has several open conversations", 1, "", id="one"),
        pytest.param(10, "10 leads have several open conversations", 10, "", id="ten"),
        pytest.param(12, "12 leads have several open conversations", 10, "and 2 more", id="twelve"),
    ],
)
def test_several_open_conversations_stop_batch_5_until_the_remedy_ran(
    at_batch: AtBatch, tmp_path: Path, leads: int, headline: str, listed: int, further: str
) -> None:
    database = at_batch(CROWDED)
    application_does(database, CROWDED_LEADS, leads)

    said = refused(database, INDEXES)
    assert said.error == BATCH_5_ERROR + headline
    assert len(re.findall(r"lead \S+: \d+ open conversations", "\n".join(said.lines))) == listed
    assert f"{leads + 1} open conversations" in said.lines[1], "the most crowded comes first"
    assert (further in said.lines) == bool(further)
    assert f"sql/{INDEXES_ONLINE}" in said.hint

    # As the hint has it: the online route adds the column and stops too.
    online = by_psql(database, INDEXES_ONLINE, *STRICT)
    assert (online.exit_code, online.error) == (3, BATCH_5_ERROR + headline)
    assert remedy(online) == remedy(said)
    assert by_psql(database, statement(tmp_path, remedy(said)), *STRICT).exit_code == 0
    assert database.session("reader").run(STILL_OPEN) == [(leads, leads)]
    assert by_psql(database, INDEXES_ONLINE, *STRICT).exit_code == 0
    assert by_psql(database, "05_add_integrity_indexes/validation.sql").exit_code == 0


def test_a_begun_online_route_can_be_taken_back(at_batch: AtBatch) -> None:
    database = at_batch(CROWDED)
    application_does(database, CROWDED_LEADS, 2)
    before = database.state()

    assert by_psql(database, INDEXES_ONLINE).exit_code == 3
    assert "was begun, not finished" in refused(database, INDEXES).error
    assert by_psql(database, "05_add_integrity_indexes/rollback.sql").exit_code == 0

    assert database.changes_since(before) == []


def test_a_second_open_conversation_is_refused_until_the_first_is_closed(
    at_batch: AtBatch, tmp_path: Path
) -> None:
    database = at_batch("05_add_integrity_indexes")
    opened = """
        insert into "Conversation" (lead_id, channel)
        select id, channel from "Lead" where id = '10000000-0000-4000-8000-000000000019'
    """
    closing = """
        update "Conversation" set closed_at = now()
        where lead_id = '10000000-0000-4000-8000-000000000019' and closed_at is null
    """
    before = database.state()

    said = by_psql(database, statement(tmp_path, opened), *STRICT)
    assert said.exit_code == 3
    violated = '"Conversation_lead_open_unique"'
    assert said.error == f"ERROR: duplicate key value violates unique constraint {violated}"
    assert database.changes_since(before) == []

    assert by_psql(database, statement(tmp_path, closing), *STRICT).exit_code == 0
    assert by_psql(database, statement(tmp_path, opened), *STRICT).exit_code == 0


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        pytest.param("Lead", UNLINKED_LEADS.format(1), id="insert-lead"),
        pytest.param("Job", UNLINKED_JOBS.format(1), id="insert-job"),
        pytest.param("Lead", 'update "Lead" set customer_id = null', id="update-lead"),
        pytest.param("Job", 'update "Job" set customer_id = null', id="update-job"),
    ],
)
def test_after_batch_7_nothing_is_without_a_customer(
    at_batch: AtBatch, tmp_path: Path, table: str, sql: str
) -> None:
    database = at_batch(TIGHTENED)
    before = database.state()

    said = by_psql(database, statement(tmp_path, sql), *STRICT)

    assert said.exit_code == 3
    column = f'null value in column "customer_id" of relation "{table}"'
    assert said.error == f"ERROR: {column} violates not-null constraint"
    assert database.changes_since(before) == []


@pytest.mark.parametrize(
    ("damage", "failing"),
    [
        pytest.param(UNLINKED_LEADS.format(1), ["01_leads_have_customer"], id="lead-unlinked"),
        pytest.param(UNLINKED_JOBS.format(1), ["02_jobs_have_customer"], id="job-unlinked"),
        pytest.param(
            f"""
                alter table "Lead" drop constraint "Lead_customer_id_fkey";
                {A_LEAD} update "Lead" set customer_id = '{NOWHERE}' from l where "Lead".id = l.id
            """,
            ["03_lead_customers_exist"],
            id="lead-orphaned",
        ),
        pytest.param(
            f"""
                alter table "Job" drop constraint "Job_customer_id_fkey";
                update "Job" set customer_id = '{NOWHERE}'
            """,
            ["04_job_customers_exist"],
            id="jobs-orphaned",
        ),
        pytest.param(
            f"""
                drop index "Conversation_lead_open_unique";
                {A_LEAD} insert into "Conversation" (lead_id, customer_id, channel)
                select l.id, l.customer_id, 'sms' from l cross join generate_series(1, 2)
            """,
            ["09_leads_have_at_most_one_open_conversation"],
            id="two-open",
        ),
        pytest.param(
            UNLINKED_LEADS.format(2) + ";" + UNLINKED_JOBS.format(2),
            ["01_leads_have_customer", "02_jobs_have_customer"],
            id="two-gates",
        ),
    ],
)
def test_a_failing_gate_is_named_after_all_gates_ran(
    at_batch: AtBatch, damage: str, failing: list[str]
) -> None:
    database = at_batch(GATES)
    application_does(database, damage)

    said = refused(database, GATE_SCRIPT, as_is=3)

    named = ", ".join(f"{gate} (failed)" for gate in failing)
    assert said.error == f"ERROR: required gates without a pass: {named}"
    assert said.shows("=== GATE 11: Index Usage ===\n=== BATCH 6 VALIDATION COMPLETE ===")
    assert len([line for line in said.lines if line.startswith("✗ FAIL: ")]) == len(failing)


def test_gates_over_empty_tables_are_not_exercised(at_batch: AtBatch) -> None:
    said = refused(at_batch(GATES, sample=False), GATE_SCRIPT, as_is=3)

    assert said.shows(
        """
        === GATE 1: Lead Coverage ===
        … not exercised: "Lead" is empty
        === GATE 2: Job Coverage ===
        … not exercised: "Job" is empty
        === GATE 9: Conversation Integrity ===
        … not exercised: "Conversation" is empty
        === BATCH 6 VALIDATION COMPLETE ===
        """
    )
    assert said.error.count("(not exercised)") == 5
    assert [line for line in said.lines if "PASS" in line] == []


def test_before_batch_5_its_gate_is_not_applicable_yet(at_batch: AtBatch) -> None:
    said = refused(at_batch(CROWDED), GATE_SCRIPT, as_is=3)

    assert said.shows(
        """
        === GATE 9: Conversation Integrity ===
        … not applicable yet: needs 05_add_integrity_indexes
        === BATCH 6 VALIDATION COMPLETE ===
        """
    )
    assert said.error == (
        "ERROR: required gates without a pass:"
        " 09_leads_have_at_most_one_open_conversation (not applicable yet)"
    )
