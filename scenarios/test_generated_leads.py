"""Do the same size and seed give the same leads, on any server and at any time?"""

from pathlib import Path

import pytest

from batchgate.batches import run_file

pytestmark = pytest.mark.backfill

GENERATE = Path(__file__).parent / "generate.sql"
TABLES = ("Lead", "Job", "Audit")


@pytest.fixture
def generated(at_batch):
    """Generate leads on a baseline of their own and return its contents."""

    def generate(leads: int, seed: int):
        database = at_batch("00_baseline", sample=False)
        harness = database.harness
        with harness.heights.connect(database.name) as connection:
            connection.execute("select set_config('generate.leads', %s, false)", [str(leads)])
            connection.execute("select set_config('generate.seed', %s, false)", [str(seed)])
            batch = harness.suite.batch("00_baseline")
            assert run_file(connection, harness.settings, batch, GENERATE).succeeded
        contents = database.state().contents.tables
        return {name: contents[f'public."{name}"'] for name in TABLES}

    return generate


def test_the_same_seed_gives_the_same_rows(generated):
    assert generated(200, 1) == generated(200, 1)


def test_another_seed_gives_other_rows(generated):
    one, two = generated(200, 1), generated(200, 2)
    assert all(one[name].checksum != two[name].checksum for name in TABLES)


def test_a_lead_has_five_audit_rows_and_a_third_of_a_job(generated):
    made = generated(1000, 1)
    assert made["Lead"].rows == 1000
    assert made["Audit"].rows == 5000
    assert made["Job"].rows == 300


def test_what_is_generated_goes_through_every_batch(at_batch, session):
    database = at_batch("00_baseline", sample=False)
    app = session("app")
    app.run("select set_config('generate.leads', '300', false)")
    app.run("select set_config('generate.seed', '7', false)")
    app.run(GENERATE.read_text())
    for batch in database.harness.suite.batches[1:]:
        if batch.migration:
            assert database.apply(batch.name).succeeded, batch.name
            assert database.validate(batch.name).succeeded, batch.name
    assert database.validate("06_data_quality_gates").succeeded
