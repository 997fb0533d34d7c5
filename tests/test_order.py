"""A rollback while later batches stand refuses, or takes nothing that is theirs."""

import pytest
from heights import heights_of
from sound import FIRST, FIRST_BACK

from batchgate.errors import BatchFailed
from batchgate.rehearsal.checks import checks_of
from batchgate.rehearsal.order import harmless_out_of_order

BASE = (
    "-- Base.\n-- irreversible: It is the base.\n\ncreate table base (id int primary key, a int);"
)
ORDERS = "create table orders (id int primary key);"
TAKE = "drop table orders;"
LATER = "-- Later.\n-- present: to_regclass('later') is not null\n\n"
REQUIRING = LATER.replace("\n\n", "\n-- requires: 02_first\n\n")
REFUSING = (
    "begin;\ndo $$ begin\n    if to_regclass('later') is not null then\n"
    "        raise exception '03_second needs it';\n    end if;\nend $$;\n"
    "drop table orders;\ncommit;"
)


def suite(first: tuple[str, str], second: tuple[str, str]) -> dict[str, str]:
    """Return a base and two batches above it."""
    return {
        "sql/01_base/migration.sql": BASE,
        "sql/02_first/migration.sql": first[0],
        "sql/02_first/rollback.sql": first[1],
        "sql/03_second/migration.sql": second[0],
        "sql/03_second/rollback.sql": second[1],
        "sample/01.sql": "insert into base values (1, 1);",
    }


def prove(server, root, files):
    """Roll back the first batch while the second stands."""
    with heights_of(server, root, files) as heights:
        return harmless_out_of_order(heights, heights.suite.batch("02_first"))


HARMFUL = suite(
    (
        "create table orders (id int primary key);\ncreate table lines (id int primary key);\n"
        "grant select on base to public;\nalter table base alter a set default 1;",
        "do $$ begin\n    if to_regclass('written') is not null then delete from written; end if;\n"
        "end $$;\ndrop table orders;\ndrop table lines cascade;\n"
        "revoke all on base from public;\nalter table base alter a drop default;",
    ),
    (
        LATER + "create index later on orders (id);\ncreate view seen as select id from lines;\n"
        "grant insert on base to public;\nalter table base alter a set default 2;\n"
        "create table written (id int primary key);\ninsert into written values (7);",
        "drop table written;\nalter table base alter a set default 1;\n"
        "revoke insert on base from public;\ndrop view seen;\ndrop index later;",
    ),
)


@pytest.fixture(scope="module")
def harm(batchgate_server, tmp_path_factory):
    """Return what is said of a rollback that takes much of a later batch."""
    with pytest.raises(BatchFailed) as caught:
        prove(batchgate_server, tmp_path_factory.mktemp("suite"), HARMFUL)
    return caught.value.message


def test_harm_to_a_later_batch_is_named_with_the_first_line(harm):
    assert harm.headline == (
        "batch 02_first: expected rollback to take nothing of other batches while 03_second "
        "stands, found 6 differences"
    )
    assert harm.at == "sql/02_first/rollback.sql:6"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            "destroyed: index public.later (made by 03_second, sql/03_second/migration.sql:4) by "
            "sql/02_first/rollback.sql:4",
            id="an-index",
        ),
        pytest.param(
            "destroyed: relation public.seen * (made by 03_second, *) by *rollback.sql:5",
            id="a-view-by-cascade",
        ),
        pytest.param(
            "changed: * public.base, acl: * set by 03_second, *rollback.sql:6; 03_second had "
            "changed it",
            id="a-grant",
        ),
        pytest.param(
            "changed: column public.base.a, default: 2 → none * set by 03_second, *rollback.sql:7*",
            id="a-default",
        ),
        pytest.param(
            "changed: table public.written: 1 row → 0 rows (destroyed: public.written "
            '{"id": 7}) by sql/02_first/rollback.sql:1',
            id="a-row",
        ),
        pytest.param("ended: 03_second, whose `present` turned false", id="what-present-asks-of"),
    ],
)
def test_what_is_taken_of_a_later_batch_is_named_with_its_line(harm, matches, row):
    assert matches(row, harm.rows), harm.rows


@pytest.mark.parametrize(
    ("files", "expected", "at", "row"),
    [
        pytest.param(
            suite((ORDERS, TAKE), (REQUIRING + "create table later ();", "drop table later;")),
            "rollback to be refused while 03_second stands, found that it went through",
            "rollback.sql:1",
            "destroyed: relation public.orders * (made by 02_first, *",
            id="goes-through-though-required",
        ),
        pytest.param(
            suite(
                (f"{ORDERS}\ncreate table lines ();", f"select 1;\ndrop table lines;\n{TAKE}"),
                ("create view later as select id from orders;", "drop view later;"),
            ),
            "a rollback that is refused to change nothing, found 1 difference",
            "rollback.sql:2",
            "destroyed: relation public.lines*(made by 02_first, *",
            id="is-refused-half-way",
        ),
    ],
)
def test_a_rollback_that_is_not_refused_as_it_should_be_is_named(
    batchgate_server, tmp_path, matches, files, expected, at, row
):
    with pytest.raises(BatchFailed) as caught:
        prove(batchgate_server, tmp_path, files)
    message = caught.value.message
    assert message.headline == f"batch 02_first: expected {expected}"
    assert message.at == f"sql/02_first/{at}"
    assert matches(row, message.rows), message.rows


def test_the_remedy_is_a_refusal_to_paste(batchgate_server, tmp_path):
    files = suite((ORDERS, TAKE), (REQUIRING + "create table later ();", "drop table later;"))
    with pytest.raises(BatchFailed) as caught:
        prove(batchgate_server, tmp_path, files)
    pasted = caught.value.message.fix.partition("\n")[2]
    files["sql/02_first/rollback.sql"] = f"begin;\n{pasted}\n{TAKE}\ncommit;"
    evidence = prove(batchgate_server, tmp_path / "pasted", files)
    refused = "Cannot roll back 02_first: it is needed by 03_second"
    assert evidence.notes == (f"while 03_second stands: refused: {refused}",)


SOUND = {
    "sql/01_base/migration.sql": BASE,
    "sql/02_refuses/migration.sql": ORDERS,
    "sql/02_refuses/rollback.sql": REFUSING,
    "sql/03_is_refused/migration.sql": "create table lines (id int);",
    "sql/03_is_refused/rollback.sql": "drop table lines;",
    "sql/04_takes_its_own/migration.sql": "grant select on base to public;\n"
    "alter table base add column b int;",
    "sql/04_takes_its_own/rollback.sql": "alter table base drop column b;\n"
    "revoke select on base from public;",
    "sql/05_finds_nothing/migration.sql": "create table gone ();",
    "sql/05_finds_nothing/rollback.sql": "drop table if exists gone;",
    "sql/06_later/migration.sql": "-- Later.\n-- requires: 05_finds_nothing\n\n"
    "create table later ();\ncreate view seen as select id from lines;\ndrop table gone;\n"
    "grant insert on base to public;\nalter table base add column c int;",
    "sql/06_later/rollback.sql": "alter table base drop column c;\n"
    "revoke insert on base from public;\ncreate table gone ();\ndrop view seen;\n"
    "drop table later;",
}


@pytest.fixture(scope="module")
def sound(batchgate_server, tmp_path_factory):
    with heights_of(batchgate_server, tmp_path_factory.mktemp("suite"), SOUND) as given:
        yield given


@pytest.mark.parametrize(
    ("name", "note"),
    [
        pytest.param("02_refuses", "refused: 03_second needs it", id="refuses"),
        pytest.param(
            "03_is_refused",
            "refused: cannot drop table lines because other objects depend on it",
            id="is-refused-by-the-server",
        ),
        pytest.param(
            "04_takes_its_own",
            "it goes through and takes nothing of theirs",
            id="takes-its-own-part-only",
        ),
        pytest.param(
            "05_finds_nothing", "it goes through and changes nothing", id="finds-nothing-left"
        ),
    ],
)
def test_no_harm_is_a_note(sound, name, note):
    evidence = harmless_out_of_order(sound, sound.suite.batch(name))
    assert evidence.notes == (f"while 06_later stands: {note}",)


def test_it_is_tried_wherever_the_newest_batch_requires_it(batchgate_server, tmp_path):
    files = suite((ORDERS, TAKE), (REQUIRING + "create table later ();", "drop table later;"))
    files["sql/02_first/rollback.sql"] = REFUSING.replace("later", "topmost")
    files["sql/04_third/migration.sql"] = "create table topmost ();"
    files["sql/04_third/rollback.sql"] = "drop table topmost;"
    with pytest.raises(BatchFailed, match="refused while 03_second stands, found that it went"):
        prove(batchgate_server, tmp_path, files)


def test_the_last_batch_has_nothing_later(batchgate_server, tmp_path):
    files = suite((ORDERS, TAKE), (LATER + "create table later ();", "drop table later;"))
    files["sql/04_check/validation.sql"] = "select 1;"
    with heights_of(batchgate_server, tmp_path, files) as heights:
        first, second = (heights.suite.batch(name) for name in ("02_first", "03_second"))
        assert "harmless-out-of-order" in checks_of(first, heights.suite)["rollback.sql"]
        assert "harmless-out-of-order" not in checks_of(second, heights.suite)["rollback.sql"]


def test_the_item_is_red_where_the_refusal_is_missing(project):
    back = FIRST_BACK[: FIRST_BACK.index("do $$")] + "drop table orders;\ncommit;\n"
    files = {"sql/01_add_orders/migration.sql": FIRST, "sql/01_add_orders/rollback.sql": back}
    result = project(files, "sql/01_add_orders/rollback.sql::harmless-out-of-order")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*expected rollback to be refused while 02_index_orders stands*", "*rollback.sql:3*"]
    )
