"""Do all files do the same by psql and through the harness, in order, in reverse, out of turn?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prompt import BATCHES, ROOT, STRICT, Said, by_harness, by_psql

from batchgate.catalog import compare
from batchgate.fixtures import AtBatch, Database
from batchgate.states import State
from batchgate.suite import Batch, Suite

pytestmark = pytest.mark.batches

BACKFILLS = ("03_backfill_customers", "04_backfill_conversations_messages")
GATES = "06_data_quality_gates"
TOP = BATCHES[-1]
INTEGRITY = "05_add_integrity_indexes"
WITH_ONLINE = [name for name in BATCHES if (ROOT / f"sql/{name}/migration.online.sql").exists()]


def shape(state: State) -> dict[str, int]:
    """Return the number of rows in each table: ids and moments are each run's own."""
    return {name: table.rows for name, table in state.contents.tables.items()}


def way_up(*, sample: bool) -> Iterator[str]:
    """Give the files of all batches in order, and what the sample data adds at each height."""
    for name in BATCHES:
        files = (f"{name}/migration.sql", f"{name}/validation.sql")
        yield from (file for file in files if (ROOT / "sql" / file).exists())
        loaded = f"scenarios/sample/{name[:2]}.sql"
        if sample and (ROOT / loaded).exists():
            yield f"../{loaded}"


def way_down() -> Iterator[str]:
    """Give the rollbacks from the top, and after each the validations that still hold."""
    for index in reversed(range(len(BATCHES))):
        if (ROOT / f"sql/{BATCHES[index]}/rollback.sql").exists():
            yield f"{BATCHES[index]}/rollback.sql"
            below = f"{BATCHES[index - 1]}/validation.sql"
            if BATCHES[index - 1] != GATES and (ROOT / "sql" / below).exists():
                yield below


@pytest.mark.parametrize(
    ("sample", "options"),
    [
        pytest.param(True, (), id="sample"),
        pytest.param(True, STRICT, id="sample-stop-on-error"),
        pytest.param(False, (), id="empty"),
    ],
)
def test_the_way_up_and_down_is_the_same_by_psql_and_through_the_harness(
    at_batch: AtBatch, sample: bool, options: tuple[str, ...]
) -> None:
    by_hand, harnessed = at_batch(None), at_batch(None)

    for file in way_up(sample=sample):
        said, same = by_psql(by_hand, file, *options), by_harness(harnessed, file)
        not_exercised = GATES in file and not sample
        assert said.exit_code == (3 if not_exercised else 0), said.lines
        assert said.exit_code == same.exit_code
        assert said.steady == same.steady

    top = by_hand.state()
    assert compare(top.schema, harnessed.state().schema) == []
    assert compare(top.schema, at_batch(TOP, sample=False).state().schema) == []
    assert shape(top) == shape(harnessed.state())

    for file in way_down():
        said, same = by_psql(by_hand, file, *options), by_harness(harnessed, file)
        assert (said.exit_code, said.error) == (0, "")
        assert said.steady == same.steady

    assert by_hand.changes_since(at_batch("00_baseline", sample=sample).state()) == []
    assert harnessed.changes_since(by_hand.state()) == []


@dataclass(frozen=True)
class Turn:
    """Which batches stand at a height, and so whose turn it is."""

    suite: Suite
    height: str | None

    def stands(self, name: str) -> bool:
        """Tell whether a batch stands here."""
        return self.height is not None and name <= self.height

    def missing(self, batch: Batch) -> list[str]:
        """Return what a batch builds on and does not stand here."""
        return [name for name in batch.requires if not self.stands(name)]

    def needing(self, batch: Batch) -> list[str]:
        """Return the batches that stand here and build on this one, however far above."""
        found: list[str] = []
        for other in self.suite.batches:
            if self.stands(other.name) and {batch.name, *found} & set(other.requires):
                found.append(other.name)
        return found


def refused(database: Database, file: str, *words: str) -> None:
    """Expect a file to be refused with these words, by psql and through the harness alike."""
    plain, same = by_psql(database, file), by_harness(database, file)
    assert all(word in plain.error + plain.hint for word in words), (words, plain.lines)
    assert [line for line in plain.commands if "-v ON_ERROR_STOP=1" not in line] == []
    if file.endswith("/migration.sql"):
        # The user's own command goes on after the error, in a transaction that is given up.
        assert plain.exit_code == 0
        plain = by_psql(database, file, *STRICT)
    assert (plain.exit_code, same.exit_code) == (3, 3)
    assert plain.steady == same.steady


def fails_at_its_end(database: Database, path: Path, folder: Path) -> None:
    """Run a file whose last statement before the commit fails, by the user's own command."""
    before, commit, after = path.read_text(encoding="utf-8").rpartition("\ncommit;\n")
    broken = folder / path.name
    broken.write_text(f"{before}\nselect 1 / 0;\n{commit}{after}", encoding="utf-8")
    said = by_psql(database, broken)
    assert said.error == "ERROR: division by zero", said.lines
    assert said.exit_code == (0 if path.name == "migration.sql" else 3)


@pytest.mark.parametrize("height", [None, *BATCHES], ids=str)
def test_what_is_refused_or_fails_changes_nothing(
    at_batch: AtBatch, height: str | None, tmp_path: Path
) -> None:
    database = at_batch(height)
    before = database.state()
    turn = Turn(database.harness.suite, height)

    for batch in turn.suite.batches:
        name, stands = batch.name, turn.stands(batch.name)
        if batch.migration and stands and name in BACKFILLS:
            again = by_psql(database, f"{name}/migration.sql")
            assert (again.exit_code, again.error) == (0, "")
            assert "Nothing changed, nothing to record" in again.lines
        elif batch.migration and stands:
            refused(database, f"{name}/migration.sql", f"{name} is already applied")
        elif batch.migration and (missing := turn.missing(batch)):
            refused(database, f"{name}/migration.sql", *missing, "not applied")
        elif batch.migration:
            fails_at_its_end(database, batch.migration, tmp_path)

        if batch.rollback and not stands:
            refused(database, f"{name}/rollback.sql", f"{name}: it is not applied")
        elif batch.rollback and (needing := turn.needing(batch)):
            words = f"{name}: it is needed by {', '.join(needing)}"
            refused(database, f"{name}/rollback.sql", words)
        elif batch.rollback:
            fails_at_its_end(database, batch.rollback, tmp_path)

        if batch.validation:
            said = by_psql(database, f"{name}/validation.sql")
            proven = turn.stands(INTEGRITY) if name == GATES else stands
            assert (said.exit_code, bool(said.error)) == ((0, False) if proven else (3, True))

    assert database.changes_since(before) == []


def test_every_migration_runs_as_one_query_as_prisma_sends_it(at_batch: AtBatch) -> None:
    database = at_batch(None)
    prisma = database.session("prisma")

    for batch in database.harness.suite.batches:
        if batch.migration:
            prisma.connection.execute(batch.migration.read_bytes())

    assert compare(database.state().schema, at_batch(TOP, sample=False).state().schema) == []


@pytest.mark.parametrize("run", [by_psql, by_harness])
@pytest.mark.parametrize("name", WITH_ONLINE)
def test_the_online_route_ends_in_the_schema_of_the_other(
    at_batch: AtBatch, name: str, run: Callable[[Database, str], Said]
) -> None:
    below = BATCHES[BATCHES.index(name) - 1]
    database, beneath = at_batch(below), at_batch(below).state()

    said = run(database, f"{name}/migration.online.sql")
    assert (said.exit_code, said.error) == (0, "")
    reached = database.state()
    assert compare(reached.schema, at_batch(name).state().schema) == []

    again = run(database, f"{name}/migration.online.sql")
    if name in BACKFILLS:
        assert (again.exit_code, again.error) == (0, "")
    else:
        assert again.exit_code == 3
        assert f"{name} is already applied" in again.error
    assert database.changes_since(reached) == []

    assert run(database, f"{name}/validation.sql").exit_code == 0
    assert run(database, f"{name}/rollback.sql").exit_code == 0
    assert database.changes_since(beneath) == []
