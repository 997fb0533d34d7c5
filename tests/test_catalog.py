"""Every planted defect is seen, and no clean cycle of doing and undoing raises an alarm.

``catalog/base.sql`` is what stands; each block of ``defects.sql`` is headed by the beginning of
the line it must cause (``since 15:`` where older servers cannot do it), each block of
``cycles.sql`` by what it does and undoes.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from batchgate.catalog import Difference, Kind, Snapshot, compare, take_snapshot

HERE = Path(__file__).parent / "catalog"
CLASSES = Path(__file__).parents[1] / "batchgate" / "queries"

Connection = psycopg.Connection[Any]


def blocks(name: str) -> list[Any]:
    """Return each block of a file: its head lines, and the statements that follow them."""
    found, seen = [], Counter[str]()
    for text in (HERE / name).read_text(encoding="utf-8").strip().split("\n\n"):
        lines = text.split("\n")
        heads = [line.removeprefix("-- ") for line in takewhile(lambda it: it[:3] == "-- ", lines)]
        name = heads[0].partition(": FOR")[0]
        seen[name] += 1
        number = f" {seen[name]}" if seen[name] > 1 else ""
        found.append(pytest.param(heads, "\n".join(lines[len(heads) :]), id=name + number))
    return found


@pytest.fixture(scope="module")
def database(batchgate_server: Any) -> Iterator[dict[str, Any]]:
    server, name = batchgate_server, f"catalog_{uuid4().hex}"
    address = {"host": server.host, "port": server.port, "user": server.user}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(**address, dbname=name) as connection:
                connection.execute((HERE / "base.sql").read_bytes())
            yield address | {"dbname": name}
        finally:
            maintenance.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def warm(database: dict[str, Any]) -> Iterator[Connection]:
    """Keep one session, whose caches make every snapshot after the first a fast one."""
    with psycopg.connect(**database) as connection:
        yield connection


@pytest.fixture(scope="module")
def base(warm: Connection) -> Snapshot:
    return take_snapshot(warm)


@pytest.fixture
def connection(warm: Connection) -> Iterator[Connection]:
    yield warm
    warm.rollback()


def of_this_major(connection: Connection, heads: list[str]) -> list[str]:
    """Return the heads without the majors before the first; skip where ours is none of them."""
    major = connection.info.server_version // 10000
    match = re.match(r"(?:since (\d+): )?(?:until (\d+): )?", heads[0])
    assert match is not None
    if match[1] and major < int(match[1]):
        pytest.skip(f"before PostgreSQL {match[1]} this cannot be done")
    if match[2] and major > int(match[2]):
        pytest.skip(f"after PostgreSQL {match[2]} this cannot be done")
    return [heads[0][match.end() :], *heads[1:]]


def differences(connection: Connection, statements: str) -> list[Difference]:
    """Compare what stood before the statements with what stands after them, uncommitted."""
    before = take_snapshot(connection)
    connection.execute(statements.encode())
    return compare(before, take_snapshot(connection))


def hard(found: list[Difference]) -> list[str]:
    return [str(difference) for difference in found if not difference.soft]


@pytest.mark.parametrize(("heads", "defect"), blocks("defects.sql"))
def test_a_planted_defect_is_seen(
    connection: Connection, base: Snapshot, heads: list[str], defect: str
) -> None:
    heads = of_this_major(connection, heads)
    connection.execute("set allow_system_table_mods = on")
    setup, then, defect = defect.rpartition("-- then\n")
    if then:
        connection.execute(setup.encode())
        base = take_snapshot(connection)
    connection.execute(defect.encode())
    found = hard(compare(base, take_snapshot(connection, like=base)))
    assert [line for line in heads if not any(seen.startswith(line) for seen in found)] == [], found


@pytest.mark.parametrize(("heads", "cycle"), blocks("cycles.sql"))
def test_a_clean_cycle_raises_no_alarm(
    connection: Connection, base: Snapshot, heads: list[str], cycle: str
) -> None:
    of_this_major(connection, heads)
    setup, then, cycle = cycle.rpartition("-- then\n")
    if then:
        connection.execute(setup.encode())
        base = take_snapshot(connection)
    connection.execute(cycle.encode())
    assert hard(compare(base, take_snapshot(connection))) == []


def test_what_stands_as_it_stood_is_kept_only_once(connection: Connection, base: Snapshot) -> None:
    assert take_snapshot(connection, like=base) is base
    connection.execute("comment on table depot.item is 'Other things.'")
    found = take_snapshot(connection, like=base)
    new = [key for key, attributes in found.facts.items() if base.facts.get(key) is not attributes]
    assert new == [("comment", "table depot.item")]
    assert found == take_snapshot(connection)


@pytest.fixture
def alone(batchgate_server: Any, database: dict[str, Any]) -> Iterator[Connection]:
    """Give a database of its own, for what no transaction may do."""
    name = f"{database['dbname']}_alone"
    identifier = sql.Identifier(name)
    with psycopg.connect(**database, autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("create database {}").format(identifier))
        try:
            with psycopg.connect(**database | {"dbname": name}, autocommit=True) as connection:
                connection.execute((HERE / "base.sql").read_bytes())
                yield connection
        finally:
            maintenance.execute(sql.SQL("drop database {}").format(identifier))


def test_what_no_transaction_may_do_leaves_nothing_or_is_seen(alone: Connection) -> None:
    before = take_snapshot(alone)
    for statement in (
        "vacuum full depot.item",
        "vacuum analyze",
        "cluster depot.item using item_name_idx",
        "alter table depot.item set without cluster",
        "create index concurrently extra_idx on depot.item (weight)",
        "drop index concurrently depot.extra_idx",
        "reindex table concurrently depot.item",
        "refresh materialized view concurrently depot.tally",
    ):
        alone.execute(statement.encode())
    assert compare(before, take_snapshot(alone)) == []
    alone.execute("insert into depot.item (id, weight) values (1, 1), (2, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        alone.execute("create unique index concurrently extra_idx on depot.item (weight)")
    after = take_snapshot(alone)
    assert str(compare(before, after)[0]) == "left behind: index depot.extra_idx"
    assert after.facts["index", "depot.extra_idx"]["valid"] is False


def test_whoever_may_not_read_secrets_gets_a_snapshot_without_them(connection: Connection) -> None:
    connection.execute(
        "create role snapshot_test_role; create subscription papers connection 'password=secret'"
        " publication news with (connect = false, slot_name = none)"
    )
    before = take_snapshot(connection)
    assert "secret" not in repr(before)
    connection.execute("set local role snapshot_test_role")
    found = {each.class_ for each in compare(before, take_snapshot(connection))}
    assert found == {"role password", "subscription connection", "user mapping"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            'alter table depot."Bin" add column extra integer; alter table depot."Bin" drop extra',
            'changed: column order depot."Bin", dropped slots: 0 → 1 '
            "(seen by select *, copy and row types only)",
            id="a column comes and goes",
        ),
        pytest.param(
            'alter table depot."Bin" drop note, add note varchar(40) default $$none$$',
            'changed: column order depot."Bin", columns: {id, Label, note, state, code, size, area,'
            " serial, counted, made_at} → {id, Label, state, code, size, area, serial, counted,"
            " made_at, note} (seen by select *, copy and row types only)",
            id="columns change places",
        ),
        pytest.param(
            "create or replace function depot.touch() returns trigger language plpgsql as"
            " 'begin new.weight:=1; /* or more */ return new; end'",
            "changed: routine depot.touch(), body: begin new.weight := 1; -- at least return new;"
            " end → begin new.weight:=1; /* or more */ return new; end"
            " (white space and comments only)",
            id="a body is spelled anew",
        ),
        pytest.param(
            "alter type depot.state add value 'late' after 'new'",
            "changed: type depot.state, labels: {new, open, done} → {new, late, open, done}"
            " (labels of an enum cannot be dropped)",
            id="an enum keeps a label",
        ),
    ],
)
def test_what_is_of_no_consequence_is_a_class_of_its_own(
    connection: Connection, statements: str, expected: str
) -> None:
    found = differences(connection, statements)
    assert str(found[0]) == expected
    assert hard(found) == []


def test_a_default_that_froze_the_clock_is_a_class_of_its_own(connection: Connection) -> None:
    freeze = "alter table depot.log alter column seen_at set default '{}'"
    connection.execute(freeze.format("2025-11-10 08:00:00.123456+00").encode())
    today = datetime.now(UTC).date().isoformat()
    found = differences(connection, freeze.format(f"{today} 08:00:01.654321+00"))
    assert {difference.note for difference in found} == {"the clock at the time of the statement"}
    for other in (f"{today} 00:00:00+00", "2001-01-01 08:00:00.654321+00"):
        found = differences(connection, freeze.format(other))
        assert {difference.note for difference in found} == {""}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("select 'a  b'", "select 'a b'", id="a string"),
        pytest.param("select e'\\' -- 1'", "select e'\\' -- 2'", id="an escaped string"),
        pytest.param('select "a  b"', 'select "a b"', id="a quoted name"),
        pytest.param("select $x$a  b$x$", "select $x$a b$x$", id="a dollar-quoted string"),
        pytest.param("select 1 -- one", "select 1 -- one\n + 1", id="code after a comment"),
        pytest.param("select a b", "select ab", id="two words"),
        pytest.param("begin --x\r return 1; end", "begin --x\r return 2; end", id="after a CR"),
        pytest.param("select 1 /* /* */ + 1 -- */", "select 1 + 1", id="a nested comment"),
        pytest.param("select 1. e5", "select 1.e5", id="a number"),
        pytest.param("select a\u00a0b", "select a b", id="a letter that looks like a space"),
        pytest.param("select x'ab'", "select x 'ab'", id="a bit string"),
    ],
)
def test_spacing_that_means_something_is_a_logical_difference(before: str, after: str) -> None:
    was, stands = (
        Snapshot({("routine", "f()"): {"language": "sql", "body": body}})
        for body in (before, after)
    )
    (difference,) = compare(was, stands)
    assert not difference.soft


def test_wholes_come_before_their_parts_and_notes_come_last(connection: Connection) -> None:
    found = differences(
        connection,
        "create table depot.extra (id integer primary key);"
        " alter type depot.state add value 'late'; drop index depot.item_name_idx",
    )
    assert str(found[0]) == "left behind: relation depot.extra"
    assert [difference.soft for difference in found] == sorted(d.soft for d in found)
    assert found[-1].identity == "depot.state"
    assert Difference(Kind.DESTROYED, "index", "depot.item_name_idx") in found


def test_the_order_of_differences_does_not_depend_on_chance(connection: Connection) -> None:
    before = take_snapshot(connection)
    connection.execute("drop schema depot cascade")
    after = take_snapshot(connection)
    backwards = Snapshot(dict(reversed(list(before.facts.items()))))
    assert compare(before, after) == compare(backwards, after)
    assert str(compare(before, after)[0]) == "destroyed: schema depot"


def test_an_idle_connection_is_left_idle_with_its_settings(database: dict[str, Any]) -> None:
    for autocommit in (False, True):
        with psycopg.connect(**database, autocommit=autocommit, row_factory=dict_row) as connection:
            connection.execute("set search_path = depot")
            connection.execute("set timezone = 'Asia/Tokyo'")
            connection.commit()
            take_snapshot(connection)
            assert connection.info.transaction_status == TransactionStatus.IDLE
            shown = connection.execute("select current_setting('search_path') as path").fetchone()
            assert shown == {"path": "depot"}


def test_an_open_transaction_keeps_its_settings_work_and_locks(connection: Connection) -> None:
    connection.execute("set local search_path = depot")
    connection.execute("create table kept ()")
    held = "select count(*) from pg_locks where pid = pg_backend_pid()"
    before = connection.execute(held).fetchone()
    snapshot = take_snapshot(connection)
    assert connection.execute(held).fetchone() == before
    assert connection.info.transaction_status == TransactionStatus.INTRANS
    assert connection.execute("show search_path").fetchone() == ("depot",)
    assert ("relation", "depot.kept") in snapshot.facts


@pytest.mark.parametrize("statement", ["discard all", "deallocate all", "discard plans"])
def test_a_session_may_forget_what_was_prepared_for_a_snapshot(
    database: dict[str, Any], statement: str
) -> None:
    with psycopg.connect(**database, autocommit=True) as connection:
        before = take_snapshot(connection)
        connection.execute(statement.encode())
        assert compare(before, take_snapshot(connection)) == []


def test_a_snapshot_does_not_depend_on_the_settings_of_the_session(connection: Connection) -> None:
    connection.execute(
        "alter table depot.item alter column closed_at set default '2025-01-01 00:00:00+00'"
    )
    before = take_snapshot(connection)
    connection.execute("set search_path = depot, public")
    connection.execute("set timezone = 'Asia/Tokyo'")
    connection.execute("set datestyle = 'German'")
    connection.execute("set quote_all_identifiers = on")
    assert compare(before, take_snapshot(connection)) == []


def test_columns_changed_by_the_server_alone_are_overlooked(connection: Connection) -> None:
    """PostgreSQL 15.20 and its contemporaries count re-typings of a column in its options."""
    found = differences(
        connection,
        "set allow_system_table_mods = on; update pg_attribute set attoptions = '{pg_attver=2}'"
        " where attrelid = 'depot.item'::regclass and attname = 'name'",
    )
    assert found == []


def test_what_another_session_dropped_meanwhile_has_no_name_and_is_passed_over(
    connection: Connection,
) -> None:
    found = differences(
        connection,
        "set allow_system_table_mods = on;"
        " insert into pg_description values (4000000001, 'pg_class'::regclass, 0, 'whose?')",
    )
    assert found == []


def test_secrets_are_not_in_a_snapshot(connection: Connection) -> None:
    assert "secret" not in repr(take_snapshot(connection).facts)


def test_no_two_objects_bear_the_same_identity(connection: Connection) -> None:
    assert [key for key in take_snapshot(connection).facts if key[1].endswith(" (2)")] == []


def attributes_by_class() -> dict[str, set[str]]:
    return {
        path.stem.removeprefix("class_").replace("_", " "): set(
            re.findall(r'as "([^"]+)"', path.read_text(encoding="utf-8"))
        )
        for path in CLASSES.glob("class_*.sql")
    }


def planted() -> set[tuple[str, str]]:
    """Return the class and attribute of every defect; none is named where a whole object is."""
    classes, found = attributes_by_class(), set()
    for heads, _ in (block.values for block in blocks("defects.sql")):
        for head in heads:
            kind, _, line = re.sub(r"(?:since|until) \d+: ", "", head).partition(": ")
            class_ = max((name for name in classes if line.startswith(f"{name} ")), key=len)
            named = [a for a in classes[class_] if re.search(rf", {re.escape(a)}(:|$)", line)]
            found |= {(class_, name) for name in named if kind == "changed"}
            found |= {(class_, "")} if kind != "changed" else set()
    return found


def test_every_class_and_attribute_has_a_planted_defect() -> None:
    """Where there is none, either a test of its own plants it or there is no way to."""
    beyond = {
        ("column order", ""): "stands and falls with its relation",
        ("column order", "columns"): "a class of its own, below",
        ("column order", "dropped slots"): "a class of its own, below",
        ("database", ""): "we are in it",
        ("privileges", "extension"): "a member is not handed over, it would be dropped and added",
        ("role password", ""): "stands and falls with its role",
        ("subscription connection", ""): "stands and falls with its subscription",
        ("tablespace", ""): "made outside of transactions, for all of the server",
        ("tablespace", "location"): "made outside of transactions, for all of the server",
    }
    owed = {
        (class_, attribute)
        for class_, attributes in attributes_by_class().items()
        for attribute in {"", *attributes}
    }
    assert sorted(owed - planted() - beyond.keys()) == []
    assert sorted(beyond.keys() & planted()) == []


def test_every_class_has_a_fact(connection: Connection) -> None:
    """A class that the base does not exercise would be compared without being seen."""
    connection.execute(
        "create role snapshot_role in role pg_monitor;"
        " alter role snapshot_role set work_mem = '1MB';"
        " grant execute on function pg_catalog.plpgsql_call_handler() to snapshot_role;"
        " create subscription papers connection 'dbname=x' publication news"
        " with (connect = false, slot_name = none);"
        " create transform for depot.place language sql"
        " (from sql with function prsd_lextype(internal))"
    )
    connection.execute(
        "select lo_create(0), pg_replication_origin_create('afar');"
        " alter function depot.twice depends on extension plpgsql"
    )
    if connection.info.server_version >= 150000:
        connection.execute("grant set on parameter work_mem to snapshot_role")
        connection.execute("create publication whole for tables in schema depot")
    files = {path.stem for path in CLASSES.glob("class_*.sql")}
    if connection.info.server_version < 150000:
        files -= {"class_parameter", "class_publication_table", "class_publication_schema"}
    untold = {"class_security_label", "class_text_search_parser", "class_text_search_template"}
    seen = {"class_" + key[0].replace(" ", "_") for key in take_snapshot(connection).facts}
    assert files - untold == seen - untold
