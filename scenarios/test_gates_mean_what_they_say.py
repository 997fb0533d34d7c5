"""Does each gate find what a plain query for its sentence finds, however the planner reads it?"""

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import sql

from batchgate.fixtures import AtBatch
from batchgate.sessions import Session
from batchgate.suite import Gate

pytestmark = pytest.mark.gates

DISORDER = Path(__file__).parent / "rows" / "disorder.sql"
ALL = "07_tighten_constraints"
SEEDS = (1, 2, 3, 4, 5)
# As plain as can be: whole tables joined, counted and sorted, without a thought for their size.
PLAIN = {
    "01_leads_have_customer": """
        select id, name, phone, created_at
        from "Lead"
        where customer_id is null
        order by created_at, id
    """,
    "02_jobs_have_customer": """
        select id, lead_id, created_at
        from "Job"
        where customer_id is null
        order by created_at, id
    """,
    "03_lead_customers_exist": """
        select l.id, l.customer_id, l.created_at
        from "Lead" as l
        left join "Customer" as c on c.id = l.customer_id
        where l.customer_id is not null and c.id is null
        order by l.created_at, l.id
    """,
    "04_job_customers_exist": """
        select j.id, j.lead_id, j.customer_id, j.created_at
        from "Job" as j
        left join "Customer" as c on c.id = j.customer_id
        where j.customer_id is not null and c.id is null
        order by j.created_at, j.id
    """,
    "05_leads_with_history_have_conversation": """
        select distinct l.id, l.name, l.created_at
        from "Lead" as l
        join "Audit" as a on a.lead_id = l.id
        left join "Conversation" as c on c.lead_id = l.id
        where a.actor in ('customer', 'user', 'agent', 'assistant', 'system', 'tool')
            and c.id is null
        order by l.created_at, l.id
    """,
    "06_conversations_have_messages": """
        select c.id, c.lead_id, c.started_at
        from "Conversation" as c
        left join "Message" as m on m.conversation_id = c.id
        group by c.id
        having count(m.id) = 0
        order by c.started_at, c.id
    """,
    "08_messages_come_from_both_sides": """
        select
            role,
            count(m.id),
            round(100.0 * count(m.id) / (select count(*) from "Message"), 1),
            case when count(m.id) = 0 and role = 'assistant' then 'no assistant message' end
        from unnest(enum_range(null::"MessageRole")) as role
        left join "Message" as m using (role)
        group by role
        order by role
    """,
    "09_leads_have_at_most_one_open_conversation": """
        select lead_id, count(*)
        from "Conversation"
        where closed_at is null and lead_id is not null
        group by lead_id
        having count(*) > 1
        order by lead_id
    """,
    "10_linkage_is_complete": """
        select
            entity,
            total,
            linked,
            trunc(100.0 * linked / total, 1),
            case when linked < total then total - linked || ' without a customer' end
        from (
            select 1, 'customers', count(*), null from "Customer"
            union all select 2, 'leads', count(*), count(customer_id) from "Lead"
            union all select 3, 'jobs', count(*), count(customer_id) from "Job"
            union all select 4, 'conversations', count(*), null from "Conversation"
            union all select 5, 'messages', count(*), null from "Message"
        ) as counted (place, entity, total, linked)
        order by place
    """,
}
# Of every customer, what a sample would have to say: leads, jobs, jobs astray, conversations.
LINKS = """
    select
        c.id,
        (select count(*) from "Lead" as l where l.customer_id = c.id),
        (select count(*) from "Job" as j where j.customer_id = c.id),
        (
            select count(*)
            from "Job" as j
            left join "Lead" as l on l.id = j.lead_id
            where c.id in (j.customer_id, l.customer_id)
                and j.customer_id is distinct from l.customer_id
        ),
        (select count(*) from "Conversation" as v where v.customer_id = c.id),
        case jsonb_typeof(c.metadata -> 'leadCount')
            when 'string' then true
            when 'number' then c.metadata -> 'leadCount'
                <> to_jsonb((select count(*) from "Lead" as l where l.customer_id = c.id))
            else false
        end
    from "Customer" as c
"""
# Where a way is forbidden, the planner takes another to the same rows.
WAYS = {
    "enable_mergejoin": "off",
    "enable_hashjoin": "off",
    "enable_nestloop": "off",
    "enable_hashagg": "off",
    "enable_indexonlyscan": "off",
    "enable_seqscan": "off",
    "enable_sort": "off",
    "work_mem": "64kB",
}
ORPHANS, SILENT = "03_lead_customers_exist", "05_leads_with_history_have_conversation"
EMPTY, CROWDED = "06_conversations_have_messages", "09_leads_have_at_most_one_open_conversation"


@pytest.fixture
def disorder(at_batch: AtBatch) -> Callable[[int], Session]:
    """Open a session on a database where the rows of a seed offend every gate."""

    def made(seed: int) -> Session:
        reader = at_batch(ALL, sample=False).session("reader")
        reader.run("select set_config('generate.seed', %s, false)", [str(seed)])
        reader.run(DISORDER.read_text(encoding="utf-8"))
        return reader

    return made


@pytest.fixture
def gates(at_batch: AtBatch) -> Callable[[], dict[str, Gate]]:
    """Name the gates of the suite that the database given last belongs to."""
    return lambda: {gate.name: gate for gate in at_batch.latest.harness.suite.gates}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gate_finds_what_a_plain_query_finds(disorder, gates, seed):
    reader = disorder(seed)
    found = {name: reader.run(gates()[name].sql) for name in PLAIN}
    plain = {name: reader.run(query) for name, query in PLAIN.items()}
    assert found == plain
    assert all(plain.values())


@pytest.mark.parametrize("known", [False, True], ids=["without-statistics", "with-statistics"])
def test_a_gate_finds_the_same_whichever_way_the_planner_takes(disorder, gates, known):
    reader = disorder(SEEDS[0])
    if known:
        reader.run("vacuum (analyze)")
    plain = {name: reader.run(query) for name, query in PLAIN.items()}
    for setting, value in WAYS.items():
        reader.run("select set_config(%s, %s, false)", [setting, value])
        found = {name: reader.run(gates()[name].sql) for name in PLAIN}
        assert found == plain, setting
        reader.connection.execute(sql.SQL("reset {}").format(sql.Identifier(setting)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sampled_customer_has_the_figures_it_has(disorder, gates, seed):
    reader = disorder(seed)
    links = {customer: figures for customer, *figures in reader.run(LINKS)}
    sample = reader.run(gates()["07_sampled_customers_match_their_links"].sql)
    assert len({row[0] for row in sample}) == 3
    for customer, _, _, leads, jobs, astray, conversations, finding in sample:
        miscounted = "leadCount" in (finding or "")
        assert [leads, jobs, astray, conversations, miscounted] == links[customer]
        assert bool(astray) == ("a job and its lead" in (finding or ""))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        pytest.param(ORPHANS, "select distinct", "select", id="a-lead-as-often-as-its-customer"),
        pytest.param(ORPHANS, "by\n    l.created_at,", "by", id="leads-by-id"),
        pytest.param(SILENT, "'tool'", "'dispatcher'", id="a-dispatcher-writes-history"),
        pytest.param(SILENT, "c.lead_id = s.id", "false", id="whether-they-have-one-or-not"),
        pytest.param(SILENT, "a.lead_id = l.id", "true", id="the-history-of-anyone"),
        pytest.param(EMPTY, "not exists", "exists", id="those-with-messages"),
        pytest.param(EMPTY, "by\n    c.started_at,", "by", id="conversations-by-id"),
        pytest.param(CROWDED, "c.closed_at is null", "true", id="closed-ones-too"),
        pytest.param(CROWDED, "and c.lead_id is not null", "", id="those-of-no-lead-together"),
        pytest.param(CROWDED, "> 1", "> 2", id="from-three-on"),
    ],
)
def test_a_gate_that_is_a_little_wrong_finds_something_else(disorder, gates, name, right, wrong):
    reader = disorder(SEEDS[0])
    statement = gates()[name].sql
    assert right in statement
    assert reader.run(statement.replace(right, wrong)) != reader.run(PLAIN[name])
