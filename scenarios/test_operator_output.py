"""Does the user see what the five documents, and the batches' own READMEs, show?"""

import re
from collections.abc import Callable

import pytest
from prompt import BATCHES, SQL, STRICT, Said, bare, by_harness, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.batches

Run = Callable[[Database, str], Said]
EITHER_WAY = pytest.mark.parametrize("run", [by_psql, by_harness])

# Three leads with a PSID each, of whom one has a job, and three entries of history each.
ROWS = """
    insert into "Lead" (channel, name, "messengerPsid")
    select 'messenger', 'Person ' || i, '123456789' || i from generate_series(1, 3) as i;
    insert into "Job" (lead_id, window_start, window_end)
    select id, now(), now() from "Lead" where name = 'Person 1';
    insert into "Audit" (lead_id, actor, action, payload)
    select l.id, a.actor, 'chat', jsonb_build_object('text', 'from ' || a.actor)
    from "Lead" as l
    cross join (values ('customer'), ('agent'), ('assistant')) as a (actor);
"""
# Where the verbose mode has lines for each customer, their totals.
BATCH_3_FIRST_RUN = """
🚀 Starting Batch 3: Customer Backfill
   Mode: ✏️  WRITE

[1/4] Grouping leads by customer identifiers...
📊 Found 3 total leads
🔗 Grouped into 3 potential customers
   - By PSID: 3
   - By Phone: 0
   - By Email: 0
   - Individual: 0

[2/4] Creating customers and linking leads...
   ✓ Created 3 customer(s)
   ✓ Linked 3 lead(s) to customers

[3/4] Linking jobs to customers...
   ✓ Linked 1 job(s) to customers

[4/4] Recording audit log...
   ✓ Audit log created

✅ BACKFILL COMPLETE

📊 Statistics:
   Customers created:      3
   Customers reused:       0
   Leads linked:           3
   Leads already linked:   0
   Jobs linked:            1
   Jobs already linked:    0
   Errors:                 0
"""
BATCH_3_SECOND_RUN = """
Customers created:      0
Customers reused:       3
Leads linked:           0
Leads already linked:   3
"""
BATCH_5_VALIDATION = """
✓ Partial unique index created
✓ Composite index created (message recency)
✓ Composite index created (conversation recency)
✓ Created test conversation (open)
✓ Constraint working: Prevented duplicate open conversation
✓ Created first closed conversation
✓ Created second closed conversation (allowed)
"""
# Without the lines in brackets, which stand for figures.
BATCH_6_VALIDATION = """
=== GATE 1: Lead Coverage ===
✓ PASS: All leads linked to customers

=== GATE 2: Job Coverage ===
✓ PASS: All jobs linked to customers

=== GATE 3: Customer-Lead Consistency ===
✓ PASS: All lead.customer_id valid

=== GATE 4: Customer-Job Consistency ===
✓ PASS: All job.customer_id valid

=== GATE 5: Conversation Coverage ===
✓ PASS: All leads with history have conversations

=== GATE 6: Message History Presence ===
✓ PASS: All conversations have messages

=== GATE 7: Random Sampling - Customer Linkage ===

=== GATE 8: Message Role Distribution ===

=== GATE 9: Conversation Integrity ===
✓ OK: Single open conversation (for each lead)

=== GATE 10: Overall Data Completeness ===

=== GATE 11: Index Usage ===

=== BATCH 6 VALIDATION COMPLETE ===
"""
BATCH_7_MIGRATION = """
NOTICE: ✓ Pre-flight check passed: All leads and jobs have customer_id
NOTICE: ✓ Lead.customer_id is now NOT NULL
NOTICE: ✓ Job.customer_id is now NOT NULL
NOTICE: ✓ Verification passed: Both constraints in place

=== Batch 7 Migration Complete ===

Changes applied:
  ✓ Lead.customer_id SET NOT NULL
  ✓ Job.customer_id SET NOT NULL

Impact:
  - New leads MUST have customer_id
  - New jobs MUST have customer_id
  - Database enforces customer relationship
"""
BATCH_7_VALIDATION = """
=== TEST 1: Verify NOT NULL Constraints ===
✓ PASS: NOT NULL enforced (both tables)

=== TEST 2: Reject Lead Without customer_id ===
✓ PASS: Lead insertion rejected (constraint working)

=== TEST 3: Reject Job Without customer_id ===
✓ PASS: Job insertion rejected (constraint working)

=== TEST 4: Allow Lead WITH customer_id ===
✓ PASS: Lead with customer_id inserted successfully

=== TEST 5: Allow Job WITH customer_id ===
✓ PASS: Job with customer_id inserted successfully

=== TEST 6: Reject UPDATE to NULL customer_id ===
✓ PASS: UPDATE to NULL rejected (constraint working)

=== TEST 7: Verify Existing Data Integrity ===
✓ PASS: All existing records have customer_id
"""
SEEDS = {
    "03_backfill_customers/migration.sql": BATCH_3_FIRST_RUN,
    "05_add_integrity_indexes/validation.sql": BATCH_5_VALIDATION,
    "06_data_quality_gates/validation.sql": BATCH_6_VALIDATION,
    "07_tighten_constraints/migration.sql": BATCH_7_MIGRATION,
    "07_tighten_constraints/validation.sql": BATCH_7_VALIDATION,
}


def with_rows(at_batch: AtBatch) -> Database:
    """Give a database with the three leads, on which no batch stands yet."""
    database = at_batch("00_baseline", sample=False)
    database.session("application").connection.execute(ROWS.encode())
    return database


def all_said(database: Database, run: Run) -> dict[str, Said]:
    """Apply and validate every batch above the baseline, and return what each file said."""
    return {
        f"{name}/{file}": run(database, f"{name}/{file}")
        for name in BATCHES[1:]
        for file in ("migration.sql", "validation.sql")
        if (SQL / name / file).exists()
    }


@EITHER_WAY
def test_the_user_sees_what_the_documents_show(at_batch: AtBatch, run: Run) -> None:
    said = all_said(with_rows(at_batch), run)

    for file, expected in SEEDS.items():
        assert said[file].shows(expected), (file, said[file].lines)
        assert said[file].exit_code == 0


@EITHER_WAY
def test_a_second_backfill_reuses_every_customer(at_batch: AtBatch, run: Run) -> None:
    database = with_rows(at_batch)
    database.apply("01_add_memory_entities")
    run(database, "03_backfill_customers/migration.sql")
    before = database.state()

    again = run(database, "03_backfill_customers/migration.sql")

    assert again.exit_code == 0
    assert again.shows(BATCH_3_SECOND_RUN), again.lines
    assert "Jobs already linked: 1" in again.lines
    assert database.changes_since(before) == []


@EITHER_WAY
@pytest.mark.parametrize("sample", [True, False], ids=["sample", "empty"])
def test_schema_batches_say_the_same_whatever_the_data(
    at_batch: AtBatch, run: Run, sample: bool
) -> None:
    indexes = run(
        at_batch("05_add_integrity_indexes", sample=sample),
        "05_add_integrity_indexes/validation.sql",
    )
    assert indexes.shows(BATCH_5_VALIDATION), indexes.lines

    database = at_batch("06_data_quality_gates", sample=sample)
    tightening = run(database, "07_tighten_constraints/migration.sql")
    assert tightening.shows(BATCH_7_MIGRATION), tightening.lines

    probing = run(database, "07_tighten_constraints/validation.sql")
    seventh = bare(BATCH_7_VALIDATION)[-1]
    assert probing.shows(BATCH_7_VALIDATION.strip().removesuffix(seventh)), probing.lines
    assert (seventh in probing.lines) == sample
    assert ("Leads: not exercised, there are none" in probing.lines) != sample


def test_the_user_sees_what_each_readme_shows(at_batch: AtBatch) -> None:
    database = with_rows(at_batch)

    for file, said in all_said(database, by_psql).items():
        name, _, kind = file.partition("/")
        readme = (SQL / name / "README.md").read_text(encoding="utf-8")
        expected = readme.partition("\n## Expected output\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```\n(.*?)^```$", expected, re.MULTILINE | re.DOTALL)
        is_first = kind == "migration.sql" or not (SQL / name / "migration.sql").exists()
        shown = blocks[0 if is_first else 1]
        steady = Said(said.exit_code, bare(shown)).steady
        assert said.shows("\n".join(steady)), (file, said.lines)


def test_a_rollback_says_what_goes_with_it(at_batch: AtBatch) -> None:
    database = at_batch("05_add_integrity_indexes")
    reader = database.session("reader")
    closed = reader.value('select count(closed_at) from "Conversation"')
    messages = reader.value('select count(*) from "Message"')
    notes = reader.value('select count(*) from "MemoryNote"')
    assert min(closed, messages, notes) > 0

    said = [by_psql(database, f"{name}/rollback.sql", *STRICT) for name in reversed(BATCHES[1:6])]

    assert [one.exit_code for one in said] == [0] * 5
    assert f"Closing times that go with the column: {closed}" in said[0].lines
    backfilled = next(line for line in said[1].lines if line.startswith("Messages to delete: "))
    kept = messages - int(backfilled.split()[3])
    assert said[4].shows(f"Message: {kept}\nMemoryNote: {notes}"), said[4].lines
