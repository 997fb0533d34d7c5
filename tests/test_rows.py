"""What a rollback loses is named by row, column and line; a sound one raises no alarm."""

import secrets
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from batchgate.config import Settings
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.data.later import keeps_later_rows
from batchgate.rehearsal.data.rows import restores_data
from batchgate.stores import Databases
from batchgate.suite import Batch, Suite


class Cycle(NamedTuple):
    """What stands, with its rows; what a batch does to it, and what its rollback undoes.

    `{m}` and `{r}` in an expected row are the lines of the first statements of the two.
    """

    stands: str
    migration: str
    rollback: str
    row: str = ""
    written: str = ""


def cycle(name, stands, migration, rollback, row="", written=""):
    return pytest.param(name, Cycle(stands, migration, rollback, row, written), id=name)


# Each on tables of its own, so that all of them are one batch.
LOST = [
    cycle(
        "zeros-in-front",
        "create table zip (id int primary key, code text); insert into zip values (1, '01234');",
        "alter table zip alter code type int using code::int;",
        "alter table zip alter code type text;",
        'changed: public.zip {"id": 1}: code by {m}; the rollback does not undo it',
    ),
    cycle(
        "scale-of-a-number",
        "create table price (id int primary key, net numeric(10, 4));"
        " insert into price values (1, 2.5), (2, 2.0001);",
        "alter table price alter net type numeric(10, 2);",
        "alter table price alter net type numeric(10, 4);",
        'changed: public.price {"id": 2}: net by {m}; {r} gives it another value',
    ),
    cycle(
        "precision-of-a-float",
        "create table ratio (id int primary key, f float8);"
        " insert into ratio values (1, 1e-9 / 3);",
        "alter table ratio alter f type float4;",
        "alter table ratio alter f type float8;",
        'changed: public.ratio {"id": 1}: f by {m}; {r} gives it another value',
    ),
    cycle(
        "hours-of-another-zone",
        "create table visit (id int primary key, at timestamptz);"
        " insert into visit values (1, '2024-05-01 10:00+00');",
        "alter table visit alter at type timestamp using at at time zone 'Europe/Berlin';",
        "alter table visit alter at type timestamptz using at at time zone 'UTC';",
        'changed: public.visit {"id": 1}: at by {m}; {r} gives it another value',
    ),
    cycle(
        "order-of-a-document",
        "create table doc (id int primary key, j json);"
        """ insert into doc values (1, '{"b":1, "a":2}'), (2, '{"a": 2}');""",
        "alter table doc alter j type jsonb;",
        "alter table doc alter j type json;",
        'changed: public.doc {"id": 1}: j by {m}; the rollback does not undo it',
    ),
    cycle(
        "null-of-a-document",
        "create table setting (id int primary key, j jsonb);"
        " insert into setting values (1, 'null');",
        "update setting set j = null where j = 'null';",
        "select 1;",
        'changed: public.setting {"id": 1}: j by {m}; the rollback does not undo it',
    ),
    cycle(
        "cut-text",
        "create table title (id int primary key, t varchar(20));"
        " insert into title values (1, 'abcd');",
        "alter table title alter t type varchar(3) using left(t, 3);",
        "alter table title alter t type varchar(20);",
        'changed: public.title {"id": 1}: t by {m}; the rollback does not undo it',
    ),
    cycle(
        "nothing-made-null",
        "create table memo (id int primary key, t text);"
        " insert into memo values (1, ''), (2, null);",
        "update memo set t = null where t = '';",
        "update memo set t = null where t is null;",
        'changed: public.memo {"id": 1}: t by {m}; the rollback does not undo it',
    ),
    cycle(
        "blanks-at-the-end",
        "create table pad (id int primary key, t text);"
        " insert into pad values (1, 'a  '), (2, 'abc');",
        "alter table pad alter t type char(3);",
        "alter table pad alter t type text;",
        'changed: public.pad {"id": 1}: t by {r}',
    ),
    cycle(
        "bounds-of-an-array",
        "create table tags (id int primary key, t int[]);"
        " insert into tags values (1, '[0:1]={1,2}');",
        "update tags set t = array(select unnest(t));",
        "select 1;",
        'changed: public.tags {"id": 1}: t by {m}; the rollback does not undo it',
    ),
    cycle(
        "columns-that-changed-places",
        "create table pair (id int primary key, a int, b int); insert into pair values (1, 2, 3);",
        "alter table pair rename a to c; alter table pair rename b to a;"
        " alter table pair rename c to b;",
        "select 1;",
        'changed: public.pair {"id": 1}: a, b by {m}; the rollback does not undo it',
    ),
    cycle(
        "time-of-the-last-change",
        "create table job (id int primary key, state text, updated_at timestamptz);"
        " insert into job values (1, 'new', '2024-01-01 00:00+00');",
        "update job set state = 'open', updated_at = now();",
        "update job set state = 'new', updated_at = now();",
        'changed: public.job {"id": 1}: updated_at by {m}; {r} gives it another value',
    ),
    cycle(
        "rows-of-a-history",
        "create table lead (id int primary key, state text); create table log (state text);"
        " create function keep() returns trigger language plpgsql as"
        " 'begin insert into log values (old.state); return null; end';"
        " create trigger keep after update on lead for each row execute function keep();"
        " insert into lead values (1, 'new');",
        "update lead set state = 'open';",
        "update lead set state = 'new';",
        "left behind: 2 rows of public.log (no key) by {m}; {r} does not undo it",
    ),
    cycle(
        "default-filled-in",
        "create table flag (id int primary key, f bool);"
        " insert into flag values (1, null), (2, true);",
        "update flag set f = false where f is null;",
        "alter table flag alter f drop not null;",
        'changed: public.flag {"id": 1}: f by {m}; the rollback does not undo it',
    ),
    cycle(
        "values-of-a-dropped-column",
        "create table person (id int primary key, nick text); insert into person values (1, 'a');",
        "alter table person drop nick;",
        "alter table person add nick text;",
        'changed: public.person {"id": 1}: nick by {m}; {r} gives it another value',
    ),
    cycle(
        "values-under-another-name",
        "create table thing (id int primary key, a text); insert into thing values (1, 'a');",
        "alter table thing rename a to b;",
        "alter table thing drop b; alter table thing add a text;",
        'changed: public.thing {"id": 1}: a by {r}',
    ),
    cycle(
        "one-of-two-alike",
        "create table loose (t text); insert into loose values ('same'), ('same');",
        "create table kept as select distinct t from loose; truncate loose;",
        "insert into loose table kept; drop table kept;",
        "destroyed: 1 row of public.loose (no key) by {m}; {r} does not bring it back",
    ),
    cycle(
        "sequence-set-back",
        "create table ticket (id serial primary key); insert into ticket select from"
        " generate_series(1, 3);",
        "comment on table ticket is 'x';",
        "comment on table ticket is null; select setval('ticket_id_seq', 1);",
        "changed: sequence public.ticket_id_seq: after 3 → after 1 by {r}",
    ),
]
LOST_ROWS = [
    cycle(
        "same-row-with-another-id",
        "create table note (id serial primary key, t text); insert into note (t) values ('a');",
        "delete from note;",
        "insert into note (t) values ('a');",
        'left behind: public.note {"id": 2} by {r}',
    ),
    cycle(
        "row-that-was-destroyed",
        'create table "Item" ("Id" uuid primary key); insert into "Item" values'
        " ('00000000-0000-4000-8000-000000000001');",
        "comment on table \"Item\" is 'x';",
        'comment on table "Item" is null; delete from "Item";',
        'destroyed: public."Item" {"Id": "00000000-0000-4000-8000-000000000001"} by {r}',
    ),
    cycle(
        "rows-that-fell-with-it",
        "create table above (id int primary key); insert into above values (1);"
        " create table under (id int primary key, a int references above on delete cascade);"
        " insert into under values (7, 1);",
        "delete from above where id = 1;",
        "insert into above values (1);",
        'destroyed: public.under {"id": 7} by {m}; the rollback does not undo it',
    ),
    cycle(
        "row-that-is-left",
        "create table kind (code text primary key); insert into kind values ('a');",
        "insert into kind values ('b');",
        "select 1;",
        'left behind: public.kind {"code": "b"} by {m}; the rollback does not undo it',
    ),
    cycle(
        "row-in-another-partition",
        "create table day (id int, y int, primary key (id, y)) partition by list (y);"
        " create table day_a partition of day for values in (1);"
        " create table day_b partition of day for values in (2); insert into day values (1, 2);",
        "update day set y = 1;",
        "select 1;",
        'destroyed: public.day {"y": 2, "id": 1} by {m}; the rollback does not undo it',
    ),
    cycle(
        "key-that-could-be-a-person",
        "create table account (email text primary key);"
        " insert into account values ('a@b.example');",
        "delete from account;",
        "select 1;",
        'destroyed: public.account {"email": "••••"} by {m}; the rollback does not undo it',
    ),
    cycle(
        "large-object",
        "select 1;",
        "select lo_create(7);",
        "select 1;",
        "left behind: large objects: 1 row by {m}",
    ),
]


LATER = [
    cycle(
        "old-value-that-all-rows-hold",
        "create table buyer (id int primary key, tier int default 1);"
        " insert into buyer select i from generate_series(1, 6) as i;",
        "update buyer set tier = 2 where id in (3, 4);",
        "update buyer set tier = 1 where id in (3, 4);",
        'changed: public.buyer {"id": 3} (written since): tier by {r}',
    ),
    cycle(
        "deleted-by-range",
        "create table note (id int primary key, t text); insert into note values (1, 'a');",
        "insert into note values (70, 'b');",
        "delete from note where id >= 70;",
        'destroyed: public.note {"id": 1000071} (written since) by {r}',
    ),
    cycle(
        "brought-back-as-a-whole",
        "create table price (id int primary key, net int); insert into price values (1, 2);",
        "create table price_kept as table price; update price set net = 3;",
        "delete from price; insert into price table price_kept; drop table price_kept;",
        'destroyed: public.price {"id": 1000002} (written since) by {r}',
    ),
    cycle(
        "old-value-written-over-a-newer-one",
        "create table job (id int primary key, state text);"
        " insert into job values (1, 'new'), (2, 'done');",
        "create table job_was as select * from job where state = 'new';"
        " update job set state = 'done' where state = 'new';",
        "update job set state = w.state from job_was as w where w.id = job.id; drop table job_was;",
        'changed: public.job {"id": 1} (written since): state by {r}',
    ),
    cycle(
        "row-that-fell-with-one-of-the-batch",
        "create table owner (id int primary key); create table thing (id int primary key,"
        " owner int references owner on delete cascade); insert into owner values (1);"
        " insert into thing values (1, null);",
        "insert into owner values (9);",
        "delete from owner where id = 9;",
        'destroyed: public.thing {"id": 5} (written since) by {r}',
        written="insert into thing values (5, 9);",
    ),
    cycle(
        "link-that-fell-with-one-of-the-batch",
        "create table part (id int primary key, whole int references part on delete set null);"
        " insert into part values (1, null);",
        "insert into part values (9, null);",
        "delete from part where id = 9;",
        'changed: public.part {"id": 5} (written since): whole by {r}',
        written="insert into part values (5, 9);",
    ),
    cycle(
        "links-cleared-without-a-record",
        "create table boss (id int primary key); insert into boss values (1);"
        " create table clerk (id int primary key, boss int references boss);"
        " insert into clerk values (1, null);",
        "update clerk set boss = 1;",
        "update clerk set boss = null;",
        'changed: public.clerk {"id": 1000002} (written since): boss by {r}',
    ),
    cycle(
        "value-that-stood-for-none",
        "create table cat (id int primary key, mood text);"
        " insert into cat values (1, null), (2, 'a');",
        "update cat set mood = 'none' where mood is null;",
        "update cat set mood = null where mood = 'none';",
        'changed: public.cat {"id": 5} (written since): mood by {r}',
        written="insert into cat values (5, 'none');",
    ),
    cycle(
        "column-brought-back-from-before",
        "create table dog (id int primary key, name text); insert into dog values (1, 'a');",
        "alter table dog rename name to title;",
        "create table dog_kept as select * from dog where id < 100; alter table dog drop title;"
        " alter table dog add name text; update dog set name = k.title from dog_kept as k"
        " where k.id = dog.id; drop table dog_kept;",
        'changed: public.dog {"id": 1000002} (written since): name by {r}',
    ),
    cycle(
        "table-brought-back-from-before",
        "create table old (id int primary key, t text); insert into old values (1, 'a');",
        "alter table old rename to older; create table old (like older including all);"
        " insert into old table older;",
        "drop table old; alter table older rename to old;",
        'destroyed: public.old {"id": 1000002} (written since) by {r}',
    ),
    cycle(
        "row-without-a-key",
        "create table line (t text); insert into line values ('a');",
        "create table line_kept as table line; alter table line add more text;",
        "alter table line drop more; truncate line; insert into line table line_kept;"
        " drop table line_kept;",
        "destroyed: 1 row of public.line (no key) (written since) by {r}",
    ),
    cycle(
        "numbers-drawn-twice",
        "create table ticket (id serial primary key); insert into ticket default values;",
        "comment on table ticket is 'x';",
        "comment on table ticket is null; select setval('ticket_id_seq', 1);",
        "changed: sequence public.ticket_id_seq: after 2 → after 1 by {r}",
        written="insert into ticket default values;",
    ),
]
SOUND_CYCLES = [
    cycle(
        "values-by-a-record",
        "create table lead (id int primary key, state text);"
        " insert into lead values (1, 'new'), (2, 'a');",
        "create table lead_was as select * from lead where state = 'new';"
        " update lead set state = 'a' where state = 'new';",
        "update lead set state = w.state from lead_was as w where w.id = lead.id"
        " and lead.state = 'a'; drop table lead_was;",
    ),
    cycle(
        "rows-that-stay-as-others-refer-to-them",
        "create table owner (id int primary key); create table thing (id int primary key,"
        " owner int references owner); insert into owner values (1);"
        " insert into thing values (1, null);",
        "insert into owner values (9); create table linked as select id from thing where owner"
        " is null;"
        " update thing set owner = 9 where owner is null;",
        "update thing set owner = null from linked as l where l.id = thing.id and thing.owner = 9;"
        " delete from owner where id = 9 and not exists (select from thing where owner = 9);"
        " drop table linked;",
        written="insert into thing values (5, 9);",
    ),
    cycle(
        "rows-that-stay-as-others-name-them",
        "create table talk (id uuid primary key);"
        " create table memo (id int primary key, talk_id uuid);"
        " insert into talk values ('00000000-0000-4000-8000-000000000001');"
        " insert into memo values (1, null);",
        "insert into talk values ('00000000-0000-4000-8000-000000000002');",
        "delete from talk where id = '00000000-0000-4000-8000-000000000002'"
        " and not exists (select from memo where talk_id ="
        " '00000000-0000-4000-8000-000000000002');",
        written="insert into memo values (5, '00000000-0000-4000-8000-000000000002');",
    ),
    cycle(
        "cents",
        "create table price (id int primary key, net numeric(12, 4));"
        " insert into price values (1, 1.25), (2, 7);",
        "update price set net = net * 100;",
        "update price set net = net / 100;",
        written="insert into price values (5, 300);",
    ),
    cycle(
        "words-for-words",
        "create table job (id int primary key, state text);"
        " insert into job values (1, 'new'), (2, 'done');",
        "update job set state = 'NEW' where state = 'new';",
        "update job set state = 'new' where state = 'NEW';",
        written="insert into job values (5, 'NEW');",
    ),
    cycle(
        "wider-keys",
        "create table parent (id int primary key, t text); create table child (id int primary key,"
        " parent int references parent); insert into parent values (1, 'a');"
        " insert into child values (1, 1);",
        "alter table parent alter id type bigint; alter table child alter parent type bigint;",
        "alter table child alter parent type int; alter table parent alter id type int;",
    ),
    cycle(
        "other-names",
        "create table old (id int primary key, t text); insert into old values (1, 'a');",
        "alter table old rename to young; alter table young rename t to u;",
        "alter table young rename u to t; alter table young rename to old;",
    ),
    cycle(
        "a-view-in-its-place",
        "create table base (id int primary key, t text); insert into base values (1, 'a');",
        "alter table base rename to base_rows; create view base as select * from base_rows;",
        "drop view base; alter table base_rows rename to base;",
    ),
    cycle(
        "another-schema",
        "create table moved (id int primary key, t text); insert into moved values (1, 'a');",
        "create schema apart; alter table moved set schema apart;",
        "alter table apart.moved set schema public; drop schema apart;",
    ),
    cycle(
        "partitions",
        "create table log (id int primary key, t text); insert into log values (1, 'a');",
        "alter table log rename to log_was; create table log (id int primary key, t text)"
        " partition by hash (id); create table log_all partition of log for values with"
        " (modulus 1, remainder 0); insert into log table log_was; drop table log_was;",
        "create table log_now (id int primary key, t text); insert into log_now table log;"
        " drop table log; alter table log_now rename to log;"
        " alter index log_now_pkey rename to log_pkey;",
    ),
    cycle(
        "a-column-kept-apart",
        "create table person (id int primary key, nick text); insert into person values (1, 'a');",
        "create table nick as select id, nick from person; alter table person drop nick;",
        "alter table person add nick text; update person set nick = n.nick from nick as n"
        " where n.id = person.id; drop table nick;",
    ),
    cycle(
        "a-required-column",
        "create table form (id int primary key); insert into form values (1);",
        "alter table form add t text; update form set t = 'x';"
        " alter table form alter t set not null;",
        "alter table form drop t;",
    ),
    cycle(
        "a-history-kept-by-a-trigger",
        "create table shelf (id int primary key, t text);"
        " create table shelf_log (id serial primary key,"
        " t text); insert into shelf values (1, 'a'); insert into shelf_log (t) values ('b');",
        "create function log_shelf() returns trigger language plpgsql as 'begin insert into"
        " shelf_log (t)"
        " values (''shelf''); return null; end'; create trigger log_shelf after insert on shelf"
        " for each row execute function log_shelf();",
        "drop trigger log_shelf on shelf; drop function log_shelf;"
        " delete from shelf_log where t = 'shelf';",
    ),
    cycle(
        "an-index-that-forbids",
        "create table code (id int primary key, c text);"
        " insert into code values (1, 'a'), (2, 'b');",
        "create unique index code_c on code (c);",
        "drop index code_c;",
    ),
    cycle(
        "another-kind-of-key",
        "create table token (id int primary key, t text);"
        " insert into token values (1, 'a'), (2, 'b');",
        "create table token_ids as select id, gen_random_uuid() as u from token;"
        " alter table token add u uuid default gen_random_uuid(); update token set u = i.u"
        " from token_ids as i where i.id = token.id; alter table token drop id;"
        " alter table token rename u to id; alter table token add primary key (id);",
        "alter table token drop constraint token_pkey; alter table token rename id to u;"
        " alter table token add id int; update token set id = i.id from token_ids as i where i.u"
        " = token.u;"
        " update token set id = 1000 + n from (select u, row_number() over (order by u) as n"
        " from token"
        " where id is null) as late where late.u = token.u;"
        " alter table token drop u; alter table token add primary key (id); drop table token_ids;",
    ),
    cycle(
        "times-of-a-named-zone",
        "create table visit (id int primary key, at timestamptz);"
        " insert into visit values (1, now());",
        "alter table visit alter at type timestamp using at at time zone 'Europe/Berlin';",
        "alter table visit alter at type timestamptz using at at time zone 'Europe/Berlin';",
    ),
    cycle(
        "numbers-that-are-not-given-back",
        "create table ticket (id serial primary key, t text); insert into ticket (t) values ('a');",
        "insert into ticket (t) values ('b');",
        "delete from ticket where t = 'b';",
    ),
]


class Rehearsal:
    """A batch made of many cycles, on top of one that makes what they need."""

    def __init__(self, root, server, cycles):
        self.root = root
        self.cycles = [parameter.values for parameter in cycles]
        two = [each for _, each in self.cycles]
        self.write("sample/01.sql", "select 1;")
        written = "\n".join(each.written for each in two)
        if written.strip():
            self.write("sample/02.sql", written)
        self.one = self.batch(1, "01_make", migration="\n".join(each.stands for each in two))
        self.two = self.batch(
            2,
            "02_change",
            migration="\n".join(each.migration for each in two),
            rollback="\n".join(each.rollback for each in two),
        )
        settings = Settings(
            root=root,
            sql=root / "sql",
            gates=root / "gates",
            sample=root / "sample",
            reports=root / "reports",
        )
        store = Databases(server, secrets.token_hex(4))
        suite = Suite(batches=(self.one, self.two))
        self.heights = Heights(store, settings, suite, lambda applied: None)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def batch(self, number, name, **files):
        for file, text in files.items():
            self.write(f"sql/{name}/{file}.sql", text)
        return Batch(name, number, self.root / "sql" / name)

    def line(self, name):
        """Return on which line of both files a cycle's statements are."""
        return [each for each, _ in self.cycles].index(name) + 1

    def expected(self, name, row):
        line = self.line(name)
        for short, file in (("{m}", "migration"), ("{r}", "rollback")):
            row = row.replace(short, f"sql/02_change/{file}.sql:{line}")
        return row


@pytest.fixture(scope="module")
def batch_of(batchgate_server, tmp_path_factory):
    """Make one batch of cycles."""
    with ExitStack() as stack:

        def make(cycles):
            rehearsal = Rehearsal(tmp_path_factory.mktemp("rows"), batchgate_server, cycles)
            stack.callback(rehearsal.heights.close)
            return rehearsal

        yield make


@pytest.fixture(scope="module")
def rehearse(batch_of):
    """Rehearse cycles as one batch; return what is said of them."""

    def run(cycles, check):
        rehearsal = batch_of(cycles)
        with pytest.raises(BatchFailed) as raised:
            check(rehearsal.heights, rehearsal.two)
        return rehearsal, raised.value.message

    return run


@pytest.fixture(scope="module")
def sound(batch_of):
    return batch_of(SOUND_CYCLES)


@pytest.fixture(scope="module")
def lost(rehearse):
    return rehearse(LOST, restores_data)


@pytest.fixture(scope="module")
def lost_rows(rehearse):
    return rehearse(LOST_ROWS, restores_data)


@pytest.mark.parametrize(("name", "case"), LOST)
def test_a_value_that_is_not_restored_is_named_with_its_line(lost, name, case):
    rehearsal, message = lost
    assert rehearsal.expected(name, case.row) in message.rows


@pytest.mark.parametrize(("name", "case"), LOST_ROWS)
def test_a_row_that_is_not_restored_is_named_with_its_line(lost_rows, name, case):
    rehearsal, message = lost_rows
    assert rehearsal.expected(name, case.row) in message.rows


@pytest.fixture(scope="module")
def later(rehearse):
    return rehearse(LATER, keeps_later_rows)


@pytest.mark.parametrize(("name", "case"), LATER)
def test_what_was_written_since_and_is_lost_is_named_with_its_line(later, name, case):
    rehearsal, message = later
    assert rehearsal.expected(name, case.row) in message.rows


def test_sound_cycles_raise_no_alarm(sound):
    for check in (restores_data, keeps_later_rows):
        evidence = check(sound.heights, sound.two)
        assert evidence.unexercised == ()
        print(evidence.notes)
        assert not [note for note in evidence.notes if note.startswith("refused")]


def test_nothing_else_is_named(lost, lost_rows):
    assert len(lost[1].rows) == len(LOST)
    # What has another id is destroyed besides, as is what stands in another partition.
    assert len(lost_rows[1].rows) == len(LOST_ROWS) + 2


ROLLBACK = "sql/02_index_orders/rollback.sql"
NODE = f"{ROLLBACK}::keeps-later-rows"
HALF = {
    "sql/02_index_orders/migration.sql": "create index orders_currency on orders (currency);\n"
    "create table made as select count(*) as orders from orders;",
    "sql/02_index_orders/migration.online.sql": None,
    ROLLBACK: "drop index orders_currency;\n"
    "do $$ begin if (select count(*) from orders) > (select orders from made) then"
    " raise exception 'there are new orders'; end if; end $$;\n"
    "drop table made;",
}


def test_a_rollback_that_stops_half_way_beside_later_rows_is_named(project):
    result = project(HALF, NODE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "batch 02_index_orders: expected rollback to change all or nothing where rows were"
            " written since, statement 2 of 3 failed",
            f"  at: {ROLLBACK}:2",
            "  row: destroyed: index public.orders_currency",
            "  cause: there are new orders*",
        ]
    )


def test_a_rollback_that_refuses_beside_later_rows_and_changes_nothing_is_sound(project, pytester):
    project(
        {**HALF, ROLLBACK: f"begin;\n{HALF[ROLLBACK]}\ncommit;"}, NODE, page=True
    ).assert_outcomes(passed=1)
    page = (pytester.path / "reports/report.html").read_text()
    assert "refused: there are new orders, where rows were inserted since" in page


def test_a_table_into_which_nothing_can_be_written_is_named_not_proven(project, pytester):
    result = project({"scenarios/sample/01.sql": None}, NODE, page=True)
    result.stdout.fnmatch_lines(["*1 not exercised*"])
    page = (pytester.path / "reports/report.html").read_text()
    assert "public.orders, into which nothing could be written" in page


def test_what_lives_in_an_object_of_the_batch_goes_with_it_and_is_counted(project, pytester):
    changes = {
        "sql/02_index_orders/migration.sql": "alter table orders add note text;"
        " create table note (words text);",
        "sql/02_index_orders/migration.online.sql": None,
        "sql/02_index_orders/rollback.sql": "alter table orders drop note; drop table note;",
        "scenarios/sample/02.sql": "insert into orders values (5, 'EUR', null, 'a');"
        " insert into note values ('a'), ('b');",
    }
    project(changes, NODE, page=True).assert_outcomes(passed=1)
    page = (pytester.path / "reports/report.html").read_text()
    assert "2 rows in public.note go with it" in page
    assert "1 value in public.orders, column note, goes with it" in page
