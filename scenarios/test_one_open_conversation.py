"""Can a lead have two open conversations, whoever opens, closes, reopens or moves them?"""

import pytest

pytestmark = [pytest.mark.constraints, pytest.mark.indexes]

INDEX = "Conversation_lead_open_unique"
LEAD = "00000000-0000-4000-8000-0000000000a1"
OTHER_LEAD = "00000000-0000-4000-8000-0000000000a2"
PREVIOUS_LEAD = "00000000-0000-4000-8000-0000000000a3"
FIRST = "00000000-0000-4000-8000-0000000000c1"
SECOND = "00000000-0000-4000-8000-0000000000c2"
THIRD = "00000000-0000-4000-8000-0000000000c3"
EARLIER, LATER = "2025-11-10 12:00+00", "2025-11-10 13:00+00"

LEADS = "insert into \"Lead\" (id, channel) values (%s, 'sms'), (%s, 'sms'), (%s, 'sms')"
START = """
insert into "Conversation" (id, lead_id, channel, closed_at)
values (%s, %s, 'sms', %s)
"""
START_TWO = """
insert into "Conversation" (lead_id, channel)
values (%s, 'sms'), (%s, 'sms')
"""
START_UNLESS_OPEN = """
insert into "Conversation" (id, lead_id, channel)
values (%s, %s, 'sms')
on conflict (lead_id) where closed_at is null do nothing
returning id::text
"""
CLOSE = 'update "Conversation" set closed_at = %s where id = %s'
REOPEN_ALL = 'update "Conversation" set closed_at = null where lead_id = %s'
MOVE = 'update "Conversation" set lead_id = %s where id = %s'
EXCHANGE_LEADS = """
update "Conversation"
set lead_id = case lead_id when %s then %s::uuid else %s::uuid end
"""
DELETE = 'delete from "Conversation" where id = %s'
DELETE_LEAD = 'delete from "Lead" where id = %s'
STANDING = """
select
    id::text,
    lead_id::text,
    closed_at is null
from "Conversation"
order by id
"""


# A step is a statement with its parameters.
def start(conversation, lead, closed_at=None):
    return START, [conversation, lead, closed_at]


def close(conversation):
    return CLOSE, [LATER, conversation]


def reopen(conversation):
    return CLOSE, [None, conversation]


def move(conversation, lead):
    return MOVE, [lead, conversation]


def delete(conversation):
    return DELETE, [conversation]


def delete_lead(lead):
    return DELETE_LEAD, [lead]


# The ways in which a second conversation comes to its lead and its end; the last step decides.
def inserted(lead, closed_at):
    return [start(SECOND, lead, closed_at)]


def updated(lead, closed_at):
    return [start(SECOND, lead, EARLIER), (CLOSE, [closed_at, SECOND])]


def moved(lead, closed_at):
    return [start(SECOND, PREVIOUS_LEAD, closed_at), move(SECOND, lead)]


@pytest.fixture
def worker(at_batch, session):
    """Open sessions by name where batch 5 and three leads stand, and no conversation yet."""
    at_batch("05_add_integrity_indexes", sample=False)
    session("setup").run(LEADS, [LEAD, OTHER_LEAD, PREVIOUS_LEAD])
    return session


ENDS = [pytest.param(None, id="open"), pytest.param(LATER, id="closed")]
LEADS_OF_SECOND = [
    pytest.param(LEAD, id="same-lead"),
    pytest.param(OTHER_LEAD, id="other-lead"),
    pytest.param(None, id="no-lead"),
]


@pytest.mark.parametrize("way", [inserted, updated, moved])
@pytest.mark.parametrize("lead", LEADS_OF_SECOND)
@pytest.mark.parametrize("second", ENDS)
@pytest.mark.parametrize("first", ENDS)
def test_only_two_open_ones_of_the_same_lead_are_refused(worker, first, second, lead, way):
    bot = worker("bot")
    *before, (statement, parameters) = way(lead, second)
    for step in [start(FIRST, LEAD, first), *before]:
        bot.run(*step)

    if first is second is None and lead == LEAD:
        bot.is_refused(statement, "23505", by=INDEX, parameters=parameters)
        assert (SECOND, LEAD, True) not in bot.run(STANDING)
    else:
        bot.run(statement, parameters)
        assert (SECOND, lead, second is None) in bot.run(STANDING)


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        pytest.param(
            [start(FIRST, LEAD), close(FIRST)], start(SECOND, LEAD), id="open-after-closing"
        ),
        pytest.param(
            [start(FIRST, LEAD), delete(FIRST)], start(SECOND, LEAD), id="open-after-deleting"
        ),
        pytest.param(
            [start(FIRST, LEAD), move(FIRST, None)], start(SECOND, LEAD), id="open-after-unlinking"
        ),
        pytest.param(
            [start(FIRST, LEAD, EARLIER), start(SECOND, LEAD), close(SECOND)],
            reopen(FIRST),
            id="reopen-after-closing-the-other",
        ),
        pytest.param(
            [start(FIRST, LEAD, EARLIER), start(SECOND, LEAD, LATER)],
            start(THIRD, LEAD),
            id="open-after-several-closed",
        ),
        pytest.param(
            [start(FIRST, None), start(SECOND, None)], start(THIRD, None), id="several-without-lead"
        ),
        pytest.param(
            [start(FIRST, LEAD), start(SECOND, OTHER_LEAD)],
            start(THIRD, PREVIOUS_LEAD),
            id="one-for-each-of-several-leads",
        ),
        pytest.param(
            [start(FIRST, LEAD), start(SECOND, OTHER_LEAD), delete_lead(LEAD)],
            delete_lead(OTHER_LEAD),
            id="leads-deleted-one-after-another",
        ),
        pytest.param(
            [("begin", None), start(FIRST, LEAD), close(FIRST), start(SECOND, LEAD)],
            ("commit", None),
            id="close-and-open-in-one-transaction",
        ),
    ],
)
def test_a_lead_without_an_open_one_may_get_one(worker, steps, last):
    bot = worker("bot")
    for step in [*steps, last]:
        bot.run(*step)


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        pytest.param(
            [start(FIRST, LEAD), close(FIRST), start(SECOND, LEAD)],
            reopen(FIRST),
            id="reopen-while-another-is-open",
        ),
        pytest.param(
            [start(FIRST, LEAD, EARLIER), start(SECOND, LEAD, LATER)],
            (REOPEN_ALL, [LEAD]),
            id="reopen-all-at-once",
        ),
        pytest.param([], (START_TWO, [LEAD, LEAD]), id="two-in-one-statement"),
        pytest.param(
            [start(FIRST, LEAD), start(SECOND, None)], move(SECOND, LEAD), id="link-a-second-one"
        ),
        pytest.param(
            [start(FIRST, LEAD), start(SECOND, OTHER_LEAD)],
            # A unique index looks at each row as it is written, not at the statement's end.
            (EXCHANGE_LEADS, [LEAD, OTHER_LEAD, LEAD]),
            id="exchange-leads-in-one-statement",
        ),
        pytest.param(
            [("begin", None), start(FIRST, LEAD)],
            start(SECOND, LEAD),
            id="open-before-closing-in-one-transaction",
        ),
    ],
)
def test_a_second_open_one_is_refused(worker, steps, last):
    bot = worker("bot")
    for step in steps:
        bot.run(*step)
    statement, parameters = last
    bot.is_refused(statement, "23505", by=INDEX, parameters=parameters)


def held_up(first, second, before, step):
    """Return the second session's attempt to open one, waiting for the first's open step."""
    for each in before:
        first.run(*each)
    first.run("begin")
    first.run(*step)
    attempt = second.start(*start(SECOND, LEAD))
    attempt.waits_on(first)
    return attempt


def ends_as(attempt, *, refused):
    if refused:
        attempt.fails_with("23505", by=INDEX)
    else:
        attempt.succeeds()


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("bot", "agent", id="bot-first"),
        pytest.param("agent", "bot", id="agent-first"),
    ],
)
def test_of_two_who_open_the_second_waits_and_loses_to_a_commit(worker, earlier, later, end):
    first, second = worker(earlier), worker(later)
    attempt = held_up(first, second, [], start(FIRST, LEAD))
    first.run(end)
    ends_as(attempt, refused=end == "commit")
    winner = FIRST if end == "commit" else SECOND
    assert first.run(STANDING) == [(winner, LEAD, True)]


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize(
    ("before", "step", "loses_to"),
    [
        pytest.param([start(FIRST, LEAD, EARLIER)], reopen(FIRST), "commit", id="reopened"),
        pytest.param([start(FIRST, OTHER_LEAD)], move(FIRST, LEAD), "commit", id="moved-here"),
        pytest.param([start(FIRST, LEAD)], close(FIRST), "rollback", id="closed"),
        pytest.param([start(FIRST, LEAD)], delete(FIRST), "rollback", id="deleted"),
        pytest.param([start(FIRST, LEAD)], move(FIRST, OTHER_LEAD), "rollback", id="moved-away"),
    ],
)
def test_who_opens_while_another_one_changes_waits_for_its_end(worker, before, step, loses_to, end):
    bot, agent = worker("bot"), worker("agent")
    attempt = held_up(bot, agent, before, step)
    bot.run(end)
    ends_as(attempt, refused=end == loses_to)


@pytest.mark.parametrize(
    ("end", "made"),
    [
        pytest.param("commit", [], id="commit"),
        pytest.param("rollback", [(SECOND,)], id="rollback"),
    ],
)
def test_who_opens_unless_one_is_open_waits_and_never_fails(worker, end, made):
    bot, agent = worker("bot"), worker("agent")
    bot.run("begin")
    bot.run(*start(FIRST, LEAD))
    attempt = agent.start(START_UNLESS_OPEN, [SECOND, LEAD])
    attempt.waits_on(bot)
    bot.run(end)
    assert attempt.succeeds() == made


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(start(SECOND, OTHER_LEAD), id="another-lead"),
        pytest.param(start(SECOND, None), id="no-lead"),
        pytest.param(start(SECOND, LEAD, EARLIER), id="closed-one"),
    ],
)
def test_who_opens_for_someone_else_does_not_wait(worker, step):
    bot, agent = worker("bot"), worker("agent")
    bot.run("begin")
    bot.run(*start(FIRST, LEAD))
    agent.start(*step).succeeds()
    bot.run("commit")
    assert [conversation for conversation, *_ in bot.run(STANDING)] == [FIRST, SECOND]
