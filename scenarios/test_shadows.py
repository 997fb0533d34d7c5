"""Does what a session or an application brings along stand in for our tables, or for functions?"""

import pytest
from prompt import BATCHES, ROOT, SQL

from batchgate.catalog import compare
from batchgate.fixtures import AtBatch
from batchgate.script import Script, run_script

pytestmark = pytest.mark.batches

TABLES = ("Lead", "Job", "Audit", "Customer", "Conversation", "Message", "MemoryNote", "JobItem")
TEMPORARY = [f'create temporary table "{name}" (id uuid, customer_id uuid)' for name in TABLES]
# The server takes these before its own, whose arguments they match more closely.
FUNCTIONS = [
    f"create function public.{function}"
    for function in (
        "concat_ws(text, text, text) returns text language sql return 'captured'",
        "concat_ws(text, text, text, text) returns text language sql return 'captured'",
        "format(text, text) returns text language sql return 'captured'",
        "format(text, text, text) returns text language sql return 'captured'",
        "format(text, text, text, text) returns text language sql return 'captured'",
        "format(text, uuid) returns text language sql return 'select 1'",
        "pg_get_indexdef(regclass) returns text language sql return 'captured'",
        "array_agg(uuid) returns uuid[] language sql return array[]::uuid[]",
        "count(uuid) returns bigint language sql return 1 / 0",
        "count(timestamptz) returns bigint language sql return 1 / 0",
    )
]
# Each batch with the one below it, by each of its routes, but for the backfills.
ROUTES = [
    pytest.param(below, path.parent.name, path.name, id=f"{path.parent.name}-{path.name}")
    for below, name in zip([None, *BATCHES], BATCHES, strict=False)
    for path in sorted((SQL / name).glob("migration*.sql"))
    if "backfill" not in name
]


@pytest.mark.parametrize("made", [TEMPORARY, FUNCTIONS], ids=["temporary-tables", "functions"])
@pytest.mark.parametrize(("below", "name", "migration"), ROUTES)
def test_every_file_means_ours_and_the_servers(
    at_batch: AtBatch, below: str | None, name: str, migration: str, made: list[str]
) -> None:
    database = at_batch(below)
    user = database.session("user")
    for statement in made:
        user.run(statement)
    beneath, reached = database.state(), at_batch(name).state().schema

    for file in (migration, "validation.sql", "rollback.sql"):
        if (SQL / name / file).exists():
            ran = run_script(user.connection, Script(SQL / name / file, ROOT))
            assert ran.error is None, (file, ran.error)
        if file == migration:
            differing = compare(database.state().schema, reached)
            assert [each for each in differing if each.class_ != "routine"] == []
    if below:
        assert database.changes_since(beneath) == []
