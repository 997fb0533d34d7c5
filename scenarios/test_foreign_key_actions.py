"""What becomes of the rows that name a row which is deleted, before and after batch 7?"""

from dataclasses import dataclass

import pytest
from psycopg import sql

pytestmark = pytest.mark.constraints

HEIGHTS = {"before-7": "05_add_integrity_indexes", "after-7": "07_tighten_constraints"}
CASCADE, SET_NULL, RESTRICT = "c", "n", "r"

FOREIGN_KEYS = """
select
    c.conname,
    c.conrelid::regclass::text,
    c.confrelid::regclass::text,
    c.confdeltype::text,
    c.confupdtype::text
from pg_catalog.pg_constraint as c
where c.contype = 'f'
order by c.conname
"""


@dataclass(frozen=True)
class Key:
    """A foreign key at a height, and what it does when its parent is deleted."""

    when: str
    child: str
    column: str
    parent: str
    action: str

    @property
    def name(self) -> str:
        """Return the constraint's name."""
        return f"{self.child}_{self.column}_fkey"

    def delete_parent(self) -> str:
        """Return the statement that deletes the row which the child's row names."""
        return self._composed("delete from {parent} where id = (select {column} from {child})")

    def linked(self) -> str:
        """Return the query for what the child's rows name."""
        return self._composed("select {column} from {child}")

    def _composed(self, statement: str) -> str:
        names = {"child": self.child, "column": self.column, "parent": self.parent}
        identifiers = {label: sql.Identifier(name) for label, name in names.items()}
        return sql.SQL(statement).format(**identifiers).as_string()

    def __str__(self) -> str:
        return f"{self.child}.{self.column}-{self.when}"


def keys(when: str, customer_of_lead_and_job: str) -> list[Key]:
    """Return all foreign keys at a height; batch 7 changes what two of them do."""
    return [
        Key(when, "Job", "lead_id", "Lead", CASCADE),
        Key(when, "Audit", "lead_id", "Lead", SET_NULL),
        Key(when, "Lead", "customer_id", "Customer", customer_of_lead_and_job),
        Key(when, "Job", "customer_id", "Customer", customer_of_lead_and_job),
        Key(when, "CustomerAddress", "customer_id", "Customer", CASCADE),
        Key(when, "Conversation", "customer_id", "Customer", SET_NULL),
        Key(when, "Conversation", "lead_id", "Lead", SET_NULL),
        Key(when, "Message", "conversation_id", "Conversation", CASCADE),
        Key(when, "MemoryNote", "customer_id", "Customer", CASCADE),
        Key(when, "JobItem", "job_id", "Job", CASCADE),
        Key(when, "JobEvent", "job_id", "Job", CASCADE),
    ]


KEYS = [*keys("before-7", SET_NULL), *keys("after-7", RESTRICT)]


def with_action(action):
    chosen = [key for key in KEYS if key.action == action]
    return pytest.mark.parametrize("key", chosen, ids=str)


def refusal_of_restrict(session):
    """Return the SQLSTATE of RESTRICT: version 18 made it the standard's own."""
    return "23001" if session.connection.info.server_version >= 180000 else "23503"


@with_action(CASCADE)
def test_the_row_goes_with_its_parent(one_row_each, key):
    writer = one_row_each(HEIGHTS[key.when])
    assert len(writer.run(key.linked())) == 1
    writer.run(key.delete_parent())
    assert writer.run(key.linked()) == []


@with_action(SET_NULL)
def test_the_row_stays_and_names_no_one(one_row_each, key):
    writer = one_row_each(HEIGHTS[key.when])
    assert writer.value(key.linked()) is not None
    writer.run(key.delete_parent())
    assert writer.run(key.linked()) == [(None,)]


@with_action(RESTRICT)
def test_the_parent_cannot_be_deleted(one_row_each, key):
    writer = one_row_each(HEIGHTS[key.when])
    parent = writer.value(key.linked())
    writer.is_refused(key.delete_parent(), refusal_of_restrict(writer), by=key.name)
    assert writer.run(key.linked()) == [(parent,)]


@pytest.mark.parametrize("when", HEIGHTS)
def test_no_foreign_key_is_left_out_here(at_batch, session, when):
    at_batch(HEIGHTS[when], sample=False)
    listed = {
        (key.name, f'"{key.child}"', f'"{key.parent}"', key.action, CASCADE)
        for key in KEYS
        if key.when == when
    }
    assert listed == set(session("reader").run(FOREIGN_KEYS))


def test_a_customer_can_be_deleted_once_the_last_lead_is_gone(one_row_each):
    writer = one_row_each(HEIGHTS["after-7"])
    customer = writer.value('select customer_id from "Lead"')
    delete = 'delete from "Customer" where id = %s returning id'

    writer.is_refused(
        delete, refusal_of_restrict(writer), by="Lead_customer_id_fkey", parameters=[customer]
    )
    writer.run('delete from "Lead"')

    assert writer.run(delete, [customer]) == [(customer,)]


@pytest.mark.parametrize("when", HEIGHTS)
def test_a_customer_deleted_while_a_lead_arrives_waits_for_the_lead(one_row_each, session, when):
    bot, owner = one_row_each(HEIGHTS[when]), session("owner")
    customer = bot.value("insert into \"Customer\" (name) values ('new') returning id")
    lead = "insert into \"Lead\" (channel, customer_id) values ('sms', %s) returning id"

    bot.run("begin")
    arrived = bot.value(lead, [customer])
    deletion = owner.start('delete from "Customer" where id = %s', [customer])
    deletion.waits_on(bot)
    bot.run("commit")

    if when == "before-7":
        deletion.succeeds()
        left = None
    else:
        deletion.fails_with(refusal_of_restrict(owner), by="Lead_customer_id_fkey")
        left = customer
    assert owner.value('select customer_id from "Lead" where id = %s', [arrived]) == left
