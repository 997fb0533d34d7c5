"""Batch 3's online route ends as its migration does, wherever it was cut off, and locks little."""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from time import monotonic
from urllib.parse import quote

import pytest
from onlines import (
    CHUNK,
    MIGRATION,
    ONLINE,
    PATIENCE,
    ROLLBACK,
    ROOT,
    Prepared,
    stopped_at,
)

from batchgate.database import connect
from batchgate.script import Script, ScriptRun, run_script

BASE, BATCH = "00_baseline", "03_backfill_customers"
LEADS = 60

# What the application did: customers of its own that leads lead to, links, and jobs of those.
APPLICATION = """
    insert into "Customer" (phone, metadata, created_at)
    select '1-' || phone, '{"groupKey": "elsewhere"}', '2020-01-01' from "Lead"
    where phone like '555.%' order by id limit 2;
    insert into "Customer" (metadata, created_at)
    select jsonb_build_object('groupKey', 'psid:' || "messengerPsid"), '2020-01-01' from "Lead"
    where "messengerPsid" is not null order by id limit 1;
    update "Lead" set customer_id = (select min(id::text)::uuid from "Customer")
    where id in (select lead_id from "Job" order by id limit 2);
    update "Job" set customer_id = (select max(id::text)::uuid from "Customer")
    where id in (select id from "Job" order by id desc limit 2);
"""
# Persons whom the oldest lead and the newest know by different things, and one met in every chunk.
PERSONS = """
    insert into "Lead" (channel, "messengerPsid", phone, email, created_at)
    values
        ('sms', 'first', '555 000 0001', 'a@example.com', '2019-01-01'),
        ('sms', null, '(555) 000-0001', 'b@example.com', '2019-01-02'),
        ('sms', null, '+15550000001', null, '2031-01-01'),
        ('sms', null, null, 'A@example.com', '2031-01-02'),
        ('sms', null, null, ' b@example.com', '2031-01-03');
    insert into "Lead" (channel, "messengerPsid", name, created_at)
    select 'messenger', 'often', nullif('Person ' || i, 'Person 1'), created_at
    from (
        select created_at, row_number() over (order by created_at) as i from "Lead"
    ) as l
    where i % 4 = 1;
"""
# Leads that have come since, of new persons and of known ones; and some links that were undone.
LATER = """
    update "Lead" set customer_id = null where md5(id::text) > 'c';
    update "Job" set customer_id = null where md5(id::text) > 'c';
    insert into "Lead" (id, channel, phone, email, created_at)
    select md5('later' || id)::uuid, 'sms', phone, email, created_at + interval '1 second'
    from "Lead";
"""
OUTCOME = {
    "leads": """
        select l.id, l.updated_at, c.name, c.phone, c.email, c.metadata - 'createdAt',
            (select min(o.id::text) from "Lead" as o where o.customer_id = l.customer_id)
        from "Lead" as l left join "Customer" as c on c.id = l.customer_id
    """,
    "jobs": """
        select j.id, j.updated_at, j.customer_id = l.customer_id, (
            select min(o.id::text) from "Lead" as o where o.customer_id = j.customer_id
        ) from "Job" as j join "Lead" as l on l.id = j.lead_id
    """,
    "customers": "select name, phone, email, metadata - 'createdAt' from \"Customer\"",
    "record": """
        select r.entity, case when r.entity in ('lead', 'job') then r.id end, (
            select min(o.id::text) from "Lead" as o where o.customer_id = r.customer_id
        ) from backfill.customer_backfill as r
    """,
    "moments": """
        select a.payload -> 'stats', (
            select count(distinct (c.created_at, c.updated_at, c.metadata ->> 'createdAt'))
            from "Customer" as c
            where c.metadata ->> 'createdBy' = '03_backfill_customers'
        ) from "Audit" as a where a.action = 'backfill_customers'
    """,
    "log": """
        select a.actor, a.action, a.payload - 'timestamp', r.entity is not null
        from "Audit" as a
        left join backfill.customer_backfill as r on r.entity = 'audit' and r.id = a.id
        where a.action like 'backfill%'
    """,
    "left": "select relname, relkind from pg_class where relnamespace = 'backfill'::regnamespace",
}


class Due(Prepared):
    """What this batch's routes start from."""

    batch, parts = BATCH, OUTCOME
    tables = ("Lead", "Job", "Audit", "Customer")
    left = "select nspname from pg_namespace where nspname !~ '^pg_'"

    def due(self, table: str = "Lead") -> list[str]:
        """Return the rows that the route takes, in its order."""
        query = f'select id from "{table}" where customer_id is null order by created_at, id'
        return [str(found) for (found,) in self.ask(self.name, query)]


@pytest.fixture
def first(at_batch, batchgate_server) -> Iterator[Due]:
    """Give leads with jobs that nothing was made of yet, some awkward."""
    database = at_batch(BASE, sample=False)
    with connect(batchgate_server, database.name) as session:
        session.execute("select set_config('generate.leads', %s, false)", [str(LEADS)])
        session.execute("select set_config('generate.seed', '3', false)")
        run_script(session, Script(ROOT / "scenarios/generate.sql", ROOT))
        session.execute(PERSONS)
    for batch in ("01_add_memory_entities", "02_add_message_fts_index"):
        assert database.apply(batch).succeeded
    with connect(batchgate_server, database.name) as session:
        session.execute(APPLICATION)
    prepared = Due(batchgate_server, database.name)
    yield prepared
    prepared.drop_copies()


@pytest.fixture
def later(first: Prepared) -> Due:
    """Give the same after a run, and after what has come and gone since."""
    assert first.run(first.name, MIGRATION).exit_code == 0
    with connect(first.server, first.name) as session:
        session.execute(LATER)
    return first


@pytest.fixture(params=["first", "later"])
def prepared(request: pytest.FixtureRequest) -> Due:
    """Give what a first run finds, or a later one."""
    given: Due = request.getfixturevalue(request.param)
    return given


def cut_off(prepared: Due, place: str) -> str:
    """Kill the route somewhere; return the database that it leaves."""
    leads, jobs, name = prepared.due(), prepared.due("Job"), prepared.copy()
    row = "select from \"{}\" where id = '{}' for update"
    statement = {
        "grouping": 'lock table "Lead" in access exclusive mode',
        "first-chunk": row.format("Lead", leads[0]),
        "chunk": row.format("Lead", leads[len(leads) // 2]),
        "last-chunk": row.format("Lead", leads[-1]),
        "first-job": row.format("Job", jobs[0]),
        "last-job": row.format("Job", jobs[-1]),
        "log": 'lock table "Audit" in share mode',
    }[place]
    with connect(prepared.server, name) as other, stopped_at(prepared, name, statement) as stopped:
        stopped[0].killed_by(other)
    return name


def bare(ran: ScriptRun) -> list[str]:
    """Return what was said, without white space and the server's prefix."""
    lines = (line.removeprefix("NOTICE:").strip() for line in ran.text.splitlines())
    return [line for line in lines if line]


PLACES = ("grouping", "first-chunk", "chunk", "last-chunk", "first-job", "last-job", "log")
ANYWHERE = pytest.mark.parametrize("place", PLACES)
BEGUN = pytest.mark.parametrize("place", PLACES[1:])


def test_both_routes_end_alike(prepared):
    ordinary, said = prepared.done(MIGRATION)
    by_default, online = prepared.done(ONLINE)
    in_chunks, _ = prepared.done(ONLINE, chunk=str(CHUNK))
    one_by_one, _ = prepared.done(ONLINE, chunk="1")
    expected = prepared.outcome(ordinary)
    assert len(expected["leads"]) > LEADS
    assert None not in [row[-1] for row in prepared.ask(ordinary, OUTCOME["leads"])]
    for name in (by_default, in_chunks, one_by_one):
        assert prepared.outcome(name) == expected
    progress = re.compile(r"[0-9,]+ of [0-9,]+ |Commits every ")
    assert [line for line in bare(online) if not progress.match(line)] == bare(said)


def test_a_second_run_changes_nothing(prepared):
    name, _ = prepared.done(ONLINE, chunk=str(CHUNK))
    before = prepared.data(name)
    ran = prepared.run(name, ONLINE, chunk=str(CHUNK))
    assert "Nothing changed, nothing to record" in ran.text
    assert prepared.data(name) == before


@ANYWHERE
def test_what_was_cut_off_goes_on_by_either_route_without_loss_or_duplicate(prepared, place):
    whole = prepared.outcome(prepared.done(MIGRATION)[0])
    cut = cut_off(prepared, place)
    for file in (ONLINE, MIGRATION):
        name = prepared.copy(cut)
        assert prepared.run(name, file, chunk=str(CHUNK)).exit_code == 0
        assert prepared.outcome(name) == whole


def test_what_was_cut_off_again_and_again_goes_on(first):
    whole, name = first.done(MIGRATION)[0], first.copy()
    for lead in first.due()[::11]:
        statement = f"select from \"Lead\" where id = '{lead}' for update"
        with connect(first.server, name) as other, stopped_at(first, name, statement) as stopped:
            stopped[0].killed_by(other)
    ran = first.run(name, ONLINE)
    assert re.search(r"Goes on with a run that was cut off after [1-9]\d* leads", ran.text)
    assert first.outcome(name) == first.outcome(whole)


@BEGUN
def test_what_was_cut_off_is_rolled_back(first, place):
    name = cut_off(first, place)
    assert first.run(name, ROLLBACK).exit_code == 0
    assert first.data(name) == first.data(first.name)


def test_what_was_cut_off_before_it_wrote_leaves_nothing(first):
    assert first.data(cut_off(first, "grouping")) == first.data(first.name)


def test_what_was_cut_off_does_not_stand_until_it_is_finished(first):
    header = (ROOT / "sql" / BATCH / MIGRATION).read_text().partition("\n\n")[0]
    present = header.partition("-- present: ")[2]
    name = cut_off(first, "log")
    assert first.ask(name, f"select {present}") == [(False,)]
    assert first.run(name, ONLINE).exit_code == 0
    assert first.ask(name, f"select {present}") == [(True,)]


def test_what_was_cut_off_is_not_valid(first):
    ran = first.run(cut_off(first, "log"), "validation.sql")
    assert ran.exit_code == 3
    assert "its online route is not finished" in ran.text


def test_a_chunk_is_one_transaction(first):
    name, ran = first.done(ONLINE, chunk=str(CHUNK))
    query = """
        select count(*) from "{0}" as t
        join backfill.customer_backfill as r on r.id = t.id
        group by t.xmin::text
    """
    for table, word in (("Lead", "leads"), ("Job", "jobs")):
        due = len(first.due(table))
        sizes = [size for (size,) in first.ask(name, query.format(table))]
        assert sorted(sizes) == sorted([CHUNK] * (due // CHUNK) + [due % CHUNK] * (due % CHUNK > 0))
        assert f"   {CHUNK} of {due} {word}\n" in ran.text
        assert ran.text.count(f" of {due} {word}\n") == math.ceil(due / CHUNK)
    assert f"   Commits every {CHUNK} leads\n" in ran.text


def test_ten_thousand_leads_are_a_chunk_by_default(first):
    with connect(first.server, first.name) as session:
        session.execute(
            'insert into "Lead" (channel, created_at)'
            " select 'sms', timestamptz '2030-01-01' from generate_series(1, 10000)"
        )
    name, ran = first.done(ONLINE, chunk="")
    query = 'select count(*) from "Lead" group by xmin::text order by 1 desc limit 1'
    assert first.ask(name, query) == [(10_000,)]
    assert "   10,000 of 10,0" in ran.text


@pytest.mark.parametrize("chunk", ["0", "-1", "ten", "1.5", "1e3", " 7", "10000000000"])
def test_a_chunk_that_is_no_number_of_leads_is_refused(first, chunk):
    name = first.copy()
    ran = first.run(name, ONLINE, chunk=chunk)
    assert f'batchgate.chunk is "{chunk}", not a whole number from 1' in ran.text
    assert first.data(name) == first.data(first.name)


def test_a_dry_run_of_what_commits_in_between_is_refused(first):
    name = first.copy()
    ran = first.run(name, ONLINE, dry_run="on")
    assert "this route commits in between, and cannot be tried dry" in ran.text
    assert first.data(name) == first.data(first.name)


def test_psql_alone_takes_the_chunk_from_its_options(first):
    psql = shutil.which("psql", path=f"{first.server.bin_directory}:{os.environ['PATH']}")
    if psql is None:
        pytest.skip("psql is not installed")
    name, whole = first.copy(), first.done(MIGRATION)[0]
    server = first.server
    url = f"postgresql://{server.user}@/{name}?host={quote(server.host)}&port={server.port}"
    ran = subprocess.run(
        [psql, "-X", url, "-f", str(ROOT / "sql" / BATCH / ONLINE)],
        env={**os.environ, "PGOPTIONS": f"-c batchgate.chunk={CHUNK}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"   {CHUNK} of " in ran.stderr
    assert first.outcome(name) == first.outcome(whole)


def test_only_the_chunk_at_work_is_locked(first):
    due, name = first.due(), first.copy()
    last = f"select from \"Lead\" where id = '{due[-1]}' for update"
    with connect(first.server, name) as app, stopped_at(first, name, last):
        app.execute("set lock_timeout = '5s'")
        app.execute("update \"Lead\" set name = 'x' where id = any (%s)", [due[:CHUNK]])
        app.execute('update "Job" set updated_at = now()')
        app.execute("update \"Customer\" set name = 'x'")
        app.execute('select from "Lead" where id = %s for update nowait', [due[-2 * CHUNK]])
    assert first.ask(name, 'select count(*) from "Lead" where customer_id is null') == [(0,)]


def test_a_writer_who_wants_what_the_chunk_holds_gets_it(first):
    due, name = first.due(), first.copy()
    held = f"select from \"Lead\" where id = '{due[1]}' for update"
    with stopped_at(first, name, held) as (route, app):
        app.execute("update \"Lead\" set name = 'x' where id = %s", [due[0]])
        app.execute("commit")
        assert route.running.result(PATIENCE).exit_code == 0
    assert first.ask(name, 'select count(*) from "Lead" where customer_id is null') == [(0,)]


def test_what_the_application_changes_meanwhile_is_grouped_again(first):
    due, name = first.due(), first.copy()
    held = f"select from \"Lead\" where id = '{due[0]}' for update"
    with stopped_at(first, name, held) as (route, app):
        app.execute('update "Lead" set "messengerPsid" = \'changed\' where id = %s', [due[-1]])
        app.execute('delete from "Lead" where id = %s', [due[-2]])
        query = "select id from \"Customer\" where metadata ->> 'groupKey' = 'elsewhere' limit 1"
        ((other,),) = app.execute(query).fetchall()
        linking = 'update "Lead" set customer_id = %s where id = %s'
        app.execute(linking, [other, due[-3]])
        app.execute("insert into \"Lead\" (channel, \"messengerPsid\") values ('sms', 'come')")
        app.execute("commit")
        assert route.running.result(PATIENCE).exit_code == 0
    keys = first.ask(
        name,
        """
        select l."messengerPsid", c.metadata ->> 'groupKey'
        from "Lead" as l left join "Customer" as c on c.id = l.customer_id
        where l."messengerPsid" in ('changed', 'come') order by 1
    """,
    )
    assert keys == [("changed", "psid:changed"), ("come", "psid:come")]
    query = f"select customer_id from \"Lead\" where id = '{due[-3]}'"
    assert first.ask(name, query) == [(other,)]
    assert first.ask(name, 'select count(*) from "Lead" where customer_id is null') == [(0,)]


def test_each_customer_is_named_when_asked_by_either_route(first):
    told = {}
    for file in (MIGRATION, ONLINE):
        name, ran = first.done(file, verbose="on", chunk="1000")
        lines = bare(ran)
        begin = lines.index("[2/4] Creating customers and linking leads...")
        end = lines.index("[3/4] Linking jobs to customers...")
        told[file] = [line for line in lines[begin + 1 : end] if " of " not in line]
        made = first.ask(
            name,
            "select left(id::text, 8) from backfill.customer_backfill"
            " where entity = 'customer' order by 1",
        )
        named = re.findall(r"✓ Created customer (\w{8})\.\.\. \(\w+, \d+ leads?\)", ran.text)
        assert sorted(named) == [short for (short,) in made]
        linked = re.findall(r"✓ Linked (\d+) lead\(s\) to customer", ran.text)
        assert sum(map(int, linked)) == len(first.due())
    plain = [[re.sub(r"\w{8}\.\.\.", "", line) for line in each] for each in told.values()]
    assert plain[0] == plain[1]


def test_a_dry_run_says_so_in_its_mode(first):
    assert "   Mode: 🔍 DRY RUN\n" in first.done(MIGRATION, dry_run="on")[1].text
    assert "   Mode: ✏️  WRITE\n" in first.done(MIGRATION)[1].text


def test_two_runs_at_once_are_one_after_the_other(first):
    due, name = first.due(), first.copy()
    held = f"select from \"Lead\" where id = '{due[0]}' for update"
    with stopped_at(first, name, held) as (route, app), first.under_way(name) as second:
        query = "select %s = any (pg_blocking_pids(%s))"
        with connect(first.server, name) as observer:
            until = monotonic() + PATIENCE
            while not observer.execute(query, [route.pid, second.pid]).fetchone()[0]:
                assert monotonic() < until
        app.execute("commit")
        assert route.running.result(PATIENCE).exit_code == 0
        assert "Nothing changed, nothing to record" in second.running.result(PATIENCE).text


def test_both_routes_read_a_person_alike():
    texts = [(ROOT / "sql" / BATCH / file).read_text() for file in (MIGRATION, ONLINE)]
    shared = [
        re.findall(r"create (?:function|aggregate) pg_temp\..*?;\n", text, re.S) for text in texts
    ]
    assert len(shared[0]) == 7
    assert shared[0] == shared[1]
