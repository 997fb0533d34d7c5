"""Batch 4's online route ends as its migration does, wherever it was cut off, and locks little."""

import math
import os
import shutil
import subprocess
from collections.abc import Iterator
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
from batchgate.script import Script, run_script

BELOW, BATCH = "03_backfill_customers", "04_backfill_conversations_messages"
LEADS = 60
STAGES = ((2, "conversations"), (3, "messages"))

# What the application did: conversations and an external id of its own, one phone for many leads,
# and of some leads but one entry is left.
APPLICATION = """
    insert into "Conversation" (lead_id, channel, started_at, last_message_at)
    select id, channel, created_at, created_at
    from "Lead" order by created_at limit 3;
    insert into "Conversation" (channel, external_id)
    select channel, "messengerPsid" from "Lead"
    where "messengerPsid" is not null order by created_at desc limit 1;
    update "Lead" set "messengerPsid" = null, phone = '+1 (555) 123-4567', channel = 'sms'
    where id in (select id from "Lead" order by md5(id::text) limit 12);
    delete from "Audit" where lead_id in (
        select lead_id from "Audit" group by lead_id having min(actor) <> 'dispatcher'
        order by md5(lead_id::text) limit 4
    ) and id not in (select min(id::text)::uuid from "Audit" group by lead_id);
"""
# Some leads are new, others told in part; of those, some had no customer, some lost what was told.
LATER = """
    insert into "Audit" (id, lead_id, actor, action, payload, created_at)
    select md5('later' || id)::uuid, id, 'customer', 'chat', '{"text": "again"}', now()
    from "Lead" where md5(id::text) < '8';
    update "Lead" as l set customer_id = coalesce(l.customer_id, (select min(id::text)::uuid
    from "Customer"));
    delete from "Conversation" where id in (
        select id from "Conversation" where metadata ->> 'source' = 'audit_backfill'
        order by md5(lead_id::text) limit 5
    );
"""
OUTCOME = {
    "conversations": """
        select lead_id, customer_id, channel, external_id, started_at, last_message_at, metadata
        from "Conversation"
    """,
    "messages": """
        select c.lead_id, m.role, m.content, m.metadata, m.created_at
        from "Message" as m join "Conversation" as c on c.id = m.conversation_id
    """,
    "record": """
        select r.entity, r.lead_id, r.customer_id, r.audit_id, c.lead_id as told
        from backfill.conversation_backfill as r
        left join "Conversation" as c on c.id = r.id
    """,
    "log": """
        select a.actor, a.action, a.payload - 'timestamp', r.entity is not null
        from "Audit" as a
        left join backfill.conversation_backfill as r on r.entity = 'audit' and r.id = a.id
        where a.action like 'backfill%'
    """,
    "left": "select relname, relkind from pg_class where relnamespace = 'backfill'::regnamespace",
}


class Due(Prepared):
    """What this batch's routes start from."""

    batch, parts = BATCH, OUTCOME
    tables = ("Lead", "Job", "Audit", "Customer", "Conversation", "Message")
    left = OUTCOME["left"]

    def due(self) -> list[str]:
        """Return leads that the route takes, in its order: of a later run, those told anew."""
        query = """
            select l.id::text
            from "Lead" as l
            where exists (
                select from "Audit" as a
                where a.lead_id = l.id
                    and a.actor <> 'dispatcher'
                    and a.payload <> '{}'
                    and (a.payload ->> 'text' = 'again') = exists (
                        select from "Audit" as o where o.payload ->> 'text' = 'again'
                    )
            )
            order by l.created_at, l.id
        """
        return [str(lead) for (lead,) in self.ask(self.name, query)]


@pytest.fixture
def first(at_batch, batchgate_server) -> Iterator[Due]:
    """Give leads with history that nothing was made of yet, some awkward."""
    database = at_batch("00_baseline", sample=False)
    with connect(batchgate_server, database.name) as session:
        session.execute("select set_config('generate.leads', %s, false)", [str(LEADS)])
        session.execute("select set_config('generate.seed', '4', false)")
        run_script(session, Script(ROOT / "scenarios/generate.sql", ROOT))
    for batch in ("01_add_memory_entities", "02_add_message_fts_index", BELOW):
        assert database.apply(batch).succeeded
    with connect(batchgate_server, database.name) as session:
        session.execute(APPLICATION)
    prepared = Due(batchgate_server, database.name)
    yield prepared
    prepared.drop_copies()


@pytest.fixture
def later(first: Prepared) -> Due:
    """Give the same after a run, and after what has come and gone since."""
    with connect(first.server, first.name) as session:
        session.execute(
            'create temporary table aside as select id, customer_id from "Lead"'
            " where md5(id::text) > 'c'; update \"Lead\" set customer_id = null"
            " where md5(id::text) > 'c'"
        )
        ran = run_script(session, Script(ROOT / "sql" / BATCH / MIGRATION, ROOT))
        assert ran.exit_code == 0, ran.text
        session.execute(LATER)
    return first


@pytest.fixture(params=["first", "later"])
def prepared(request: pytest.FixtureRequest) -> Due:
    """Give what a first run finds, or a later one."""
    given: Due = request.getfixturevalue(request.param)
    return given


def held(lead: str) -> str:
    """Return what makes the chunk of a lead wait."""
    return f"select from \"Lead\" where id = '{lead}' for update"


def cut_off(prepared: Due, share: float) -> str:
    """Kill the route in a chunk, or after all of them; return the database that it leaves."""
    due, name = prepared.due(), prepared.copy()
    lead = due[min(int(len(due) * share), len(due) - 1)]
    with connect(prepared.server, name) as other, stopped_at(prepared, name, held(lead)) as stopped:
        route, holder = stopped
        if share == 1:
            other.execute("begin")
            other.execute("select from backfill.conversation_backfill_run")
            holder.execute("rollback")
            route.waits_on(other)
        route.killed_by(other)
    return name


ANYWHERE = pytest.mark.parametrize(
    "share",
    [
        pytest.param(0.0, id="in the first chunk"),
        pytest.param(0.4, id="in a chunk"),
        pytest.param(0.99, id="in the last chunk"),
        pytest.param(1.0, id="in the last transaction"),
    ],
)


def test_both_routes_end_alike(prepared):
    ordinary, _ = prepared.done(MIGRATION)
    by_default, _ = prepared.done(ONLINE)
    in_chunks, _ = prepared.done(ONLINE, chunk=str(CHUNK))
    one_by_one, _ = prepared.done(ONLINE, chunk="1")
    expected = prepared.outcome(ordinary)
    assert len(expected["messages"]) > LEADS
    for name in (by_default, in_chunks, one_by_one):
        assert prepared.outcome(name) == expected


@pytest.mark.parametrize("file", [MIGRATION, ONLINE])
def test_ids_are_of_version_7_and_grow_with_time(first, file):
    name, _ = first.done(file)
    query = """
        select
            substr(id::text, 15, 1) = '7' and substr(id::text, 20, 1) in ('8', '9', 'a', 'b'),
            ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
                = trunc(date_part('epoch', {}) * 1000)
        from "{}"
        where metadata ->> 'source' = 'audit_backfill'
    """
    for column, table in (("created_at", "Message"), ("started_at", "Conversation")):
        assert set(first.ask(name, query.format(column, table))) == {(True, True)}


def test_a_second_run_changes_nothing(prepared):
    name, _ = prepared.done(ONLINE, chunk=str(CHUNK))
    before = prepared.data(name)
    ran = prepared.run(name, ONLINE, chunk=str(CHUNK))
    assert "Nothing changed, nothing to record" in ran.text
    assert prepared.data(name) == before


@ANYWHERE
def test_what_was_cut_off_goes_on_by_either_route_without_loss_or_duplicate(prepared, share):
    whole = prepared.outcome(prepared.done(MIGRATION)[0])
    cut = cut_off(prepared, share)
    assert prepared.ask(cut, "select count(*) from backfill.conversation_backfill_run") == [(1,)]
    for file in (ONLINE, MIGRATION):
        name = prepared.copy(cut)
        assert prepared.run(name, file, chunk=str(CHUNK)).exit_code == 0
        assert prepared.outcome(name) == whole


def test_what_was_cut_off_twice_goes_on(first):
    whole, _ = first.done(ONLINE)
    name = cut_off(first, 0.3)
    with (
        connect(first.server, name) as other,
        stopped_at(first, name, held(first.due()[40])) as stopped,
    ):
        stopped[0].killed_by(other)
    assert first.run(name, ONLINE).exit_code == 0
    assert first.outcome(name) == first.outcome(whole)


@ANYWHERE
def test_what_was_cut_off_is_rolled_back(first, share):
    name = cut_off(first, share)
    assert first.run(name, ROLLBACK).exit_code == 0
    assert first.data(name) == first.data(first.name)


def test_what_was_cut_off_does_not_stand_until_it_is_finished(first):
    header = (ROOT / "sql" / BATCH / MIGRATION).read_text().partition("\n\n")[0]
    present = header.partition("-- present: ")[2]
    name = cut_off(first, 1.0)
    assert first.ask(name, f"select {present}") == [(False,)]
    assert first.run(name, ONLINE).exit_code == 0
    assert first.ask(name, f"select {present}") == [(True,)]


def test_what_was_cut_off_is_not_valid(first):
    ran = first.run(cut_off(first, 1.0), "validation.sql")
    assert "its online route is not finished" in ran.text


def test_a_chunk_is_one_transaction(first):
    name, ran = first.done(ONLINE, chunk=str(CHUNK))
    due = len(first.due())
    query = """
        select count(distinct xmin::text) from "Conversation"
        where metadata ->> 'source' = 'audit_backfill'
    """
    ((commits,),) = first.ask(name, query)
    assert math.ceil(due / CHUNK) - 1 <= commits <= math.ceil(due / CHUNK) + 1
    assert f"   Commits every {CHUNK} leads\n" in ran.text
    assert f"   {CHUNK} of " in ran.text


def test_ten_thousand_leads_are_a_chunk_by_default(first):
    with connect(first.server, first.name) as session:
        session.execute(
            """
            with made as (
                insert into "Lead" (channel, created_at)
                select 'sms', timestamptz '2030-01-01' from generate_series(1, 10000)
                returning id
            )
            insert into "Audit" (lead_id, actor, action, payload)
            select id, 'user', 'chat', '{"text": "hello"}' from made
            """
        )
    name, ran = first.done(ONLINE)
    query = 'select count(*) from "Conversation" group by xmin::text order by 1 desc limit 1'
    ((largest,),) = first.ask(name, query)
    assert 9_900 < largest <= 10_000
    assert "   10,000 of 10,05" in ran.text


@pytest.mark.parametrize("chunk", ["0", "-1", "ten", "1.5", "1e3", " 7", "10000000000"])
def test_a_chunk_that_is_no_number_of_leads_is_refused(first, chunk):
    name = first.copy()
    ran = first.run(name, ONLINE, chunk=chunk)
    assert f'batchgate.chunk is "{chunk}", not a whole number from 1' in ran.text
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
    with connect(first.server, name) as app, stopped_at(first, name, held(due[-1])):
        app.execute('delete from "Lead" where id = %s', [due[0]])
        app.execute('update "Conversation" set metadata = metadata where lead_id = %s', [due[1]])
        app.execute('select from "Lead" where id = %s for update nowait', [due[CHUNK]])
    assert first.ask(name, "select to_regclass('backfill.conversation_backfill_run')") == [(None,)]


def test_an_external_id_that_the_application_takes_meanwhile_is_left_to_it(first):
    name = first.copy()
    query = """
        select l.id, l.channel, l."messengerPsid" from "Lead" as l
        where l."messengerPsid" is not null and l.id::text = any (%s)
            and not exists (
                select from "Conversation" as c
                where c.external_id = l."messengerPsid" or c.lead_id = l.id
            )
        order by l.created_at, l.id
    """
    taking = 'insert into "Conversation" (channel, external_id) values (%s, %s)'
    told = "select external_id, metadata ->> 'note' from \"Conversation\" where lead_id = %s"
    with connect(first.server, name) as app:
        lead, *taken = app.execute(query, [first.due()[CHUNK:]]).fetchall()[0]
        app.execute("begin")
        app.execute(taking, taken)
        with first.under_way(name, chunk=str(CHUNK)) as route:
            route.waits_on(app)
            app.execute("commit")
            assert route.running.result(PATIENCE).exit_code == 0
        note = f"external_id {taken[1]} belongs to another conversation"
        assert app.execute(told, [lead]).fetchall() == [(None, note)]


@pytest.mark.parametrize("file", [MIGRATION, ONLINE])
def test_the_route_of_customers_has_to_be_finished_first(first, file):
    name = first.copy()
    with connect(first.server, name) as session:
        session.execute("create table backfill.customer_backfill_run (started_at timestamptz)")
    before = first.data(name)
    ran = first.run(name, file)
    assert f"the online route of {BELOW} is not finished" in ran.text
    assert first.data(name) == before


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        pytest.param(MIGRATION, "conversation_backfill_run is not as this batch", id="migration"),
        pytest.param(ONLINE, "conversation_backfill_run is not as this batch makes", id="online"),
        pytest.param(ROLLBACK, "what stands is not what it made", id="rollback"),
    ],
)
def test_another_table_of_that_name_is_left_alone(first, file, sentence):
    name = first.done(MIGRATION)[0] if file == ROLLBACK else first.copy()
    with connect(first.server, name) as session:
        session.execute("create table backfill.conversation_backfill_run (started_at timestamptz)")
    before = first.data(name)
    assert sentence in first.run(name, file).text
    assert first.data(name) == before


def test_what_an_index_cannot_hold_is_found_before_anything_is_made(first):
    name = first.copy()
    with connect(first.server, name) as session:
        words = "(select string_agg(md5(i::text), ' ') from generate_series(1, 60000) as i)"
        session.execute(
            'insert into "Audit" (lead_id, actor, action, payload)'
            f" select id, 'user', 'chat', jsonb_build_object('text', {words}) from \"Lead\" limit 1"
        )
    before = first.data(name)
    ran = first.run(name, ONLINE)
    assert "1 audit entry has a text too long for an index" in ran.text
    assert first.data(name) == before


@pytest.mark.parametrize("file", [MIGRATION, ONLINE])
def test_a_verbose_run_names_each_conversation_as_it_is_made(first, file):
    name, ran = first.done(file, verbose="on", chunk=str(CHUNK))
    lines = [line.removeprefix("NOTICE:  ") for line in ran.text.splitlines()]
    query = """
        select left(c.id::text, 8), c.channel, count(m.id)
        from "Conversation" as c left join "Message" as m on m.conversation_id = c.id
        where c.metadata ->> 'source' = 'audit_backfill'
        group by c.id order by c.started_at, c.lead_id
    """
    told = [
        f"   ✓ Created conversation {id_}... ({channel}, {n} message{'s' * (n != 1)})"
        for id_, channel, n in first.ask(name, query)
    ]
    assert [line for line in lines if "Created conversation " in line] == told
    begun, ended = (lines.index(f"[{n}/4] Creating {what}...") for n, what in STAGES)
    assert all(begun < lines.index(line) < ended for line in told)


def test_a_dry_run_says_so_and_nothing_else_differs(first):
    dry, wet = first.done(MIGRATION, dry_run="on")[1], first.done(MIGRATION)[1]
    assert "   Mode: 🔍 DRY RUN\n" in dry.text
    assert dry.text.replace("🔍 DRY RUN", "✏️  WRITE") == wet.text


def test_the_route_that_commits_in_between_cannot_be_tried_dry(first):
    name = first.copy()
    ran = first.run(name, ONLINE, dry_run="on")
    assert "this route commits in between, and cannot be tried dry" in ran.text
    assert first.data(name) == first.data(first.name)
