"""Write or read at a steady pace until told to stop, and print how long each transaction took.

    python benchmarks/writers.py CONNINFO NAME PACE

It runs until its standard input ends. What it writes fits every batch from 1 on, and no two
writers write the same row, so that a writer waits for nobody but a migration. Each line says when
a transaction was begun, on the clock that all processes share, and the seconds it took.
"""

import gc
import random
import select
import sys
from collections.abc import Callable
from threading import Event
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg

KNOWN = 500
# Seconds that a report's transaction lasts.
HOLDS = 0.3
# Each session knows some of a sixteenth of its own, by the first digit of their ids.
SAMPLE = """
select
    l.id as lead,
    c.id as conversation,
    j.id as job
from (
    select l.id
    from "Lead" as l
    where l.id between %(first)s and %(last)s
    order by l.id
    limit %(known)s
) as l
left join "Conversation" as c
    on c.lead_id = l.id
left join "Job" as j
    on j.lead_id = l.id
"""


def take_in(session: psycopg.Connection[Any], _: "Rows") -> None:
    """Take in a customer with lead, job, conversation and message."""
    customer = _id(session, """insert into "Customer" (name) values ('Jon') returning id""")
    lead = _id(
        session,
        "insert into \"Lead\" (channel, name, customer_id) values ('sms', 'Jon', %s) returning id",
        customer,
    )
    session.execute(
        'insert into "Job" (lead_id, customer_id, window_start, window_end)'
        " values (%s, %s, now() + interval '1 day', now() + interval '1 day 2 hours')",
        (lead, customer),
    )
    conversation = _id(
        session,
        'insert into "Conversation" (customer_id, lead_id, channel)'
        " values (%s, %s, 'sms') returning id",
        customer,
        lead,
    )
    session.execute(
        'insert into "Message" (conversation_id, role, content)'
        " values (%s, 'user', 'Can you come on Monday?')",
        (conversation,),
    )


def tell(session: psycopg.Connection[Any], rows: "Rows") -> None:
    """Write a message into a conversation, which is then the latest."""
    conversation = rows.draw("conversation")
    session.execute(
        'insert into "Message" (conversation_id, role, content)'
        " values (%s, 'assistant', 'We can come on Monday.')",
        (conversation,),
    )
    session.execute(
        'update "Conversation" set last_message_at = now() where id = %s', (conversation,)
    )


def confirm(session: psycopg.Connection[Any], rows: "Rows") -> None:
    """Confirm a job, and say so of a lead."""
    session.execute(
        """update "Job" set status = 'booked', updated_at = now() where id = %s""",
        (rows.draw("job"),),
    )
    session.execute(
        'update "Lead" set updated_at = now() where id = %s',
        (rows.draw("lead"),),
    )


def look(session: psycopg.Connection[Any], rows: "Rows") -> None:
    """Read the newest leads with their jobs, and the newest messages of a conversation."""
    session.execute(
        'select l.id, l.name, j.status from "Lead" as l left join "Job" as j on j.lead_id = l.id'
        " order by l.created_at desc limit 20"
    ).fetchall()
    session.execute(
        'select m.role, m.content from "Message" as m where m.conversation_id = %s'
        " order by m.created_at desc limit 20",
        (rows.draw("conversation"),),
    ).fetchall()


def report(session: psycopg.Connection[Any], rows: "Rows") -> None:
    """Read of all tables, and hold them for a while before the end of the transaction."""
    look(session, rows)
    session.execute('select count(*) from "Customer" where created_at > now()').fetchall()
    Event().wait(HOLDS)


ROLES: dict[str, tuple[Callable[[psycopg.Connection[Any], "Rows"], None], ...]] = {
    "writer": (take_in, tell, confirm, tell),
    "reader": (look,),
    "report": (report,),
}


class Rows:
    """The rows that one session writes to, and no other."""

    def __init__(self, session: psycopg.Connection[Any], place: int) -> None:
        first, last = (UUID(f"{place:x}" + digit * 31) for digit in "0f")
        given = {"first": first, "last": last, "known": KNOWN}
        found = session.execute(SAMPLE, given).fetchall()
        columns = zip(*found, strict=True)
        names = ("lead", "conversation", "job")
        self._known = {
            name: [each for each in column if each]
            for name, column in zip(names, columns, strict=True)
        }
        self._random = random.Random(place)

    def draw(self, name: str) -> Any:
        """Return the id of one of the rows."""
        return self._random.choice(self._known[name])


def _id(session: psycopg.Connection[Any], statement: str, *given: Any) -> Any:
    row = session.execute(statement, given).fetchone()
    assert row is not None
    return row[0]


def main() -> None:
    """Take turns among the role's transactions; one that comes late is not made up for."""
    conninfo, name, pace = sys.argv[1:]
    role, _, place = name.partition("-")
    took: list[tuple[float, float]] = []
    with psycopg.connect(conninfo, application_name=name) as session:
        rows = Rows(session, int(place))
        session.commit()
        for work in ROLES[role]:
            for _ in range(6):
                work(session, rows)
                session.commit()
        gc.disable()
        print("ready", flush=True)
        turn, due = 0, perf_counter()
        while not select.select([sys.stdin], [], [], max(0.0, due - perf_counter()))[0]:
            begun = perf_counter()
            ROLES[role][turn % len(ROLES[role])](session, rows)
            session.commit()
            took.append((begun, perf_counter() - begun))
            turn, due = turn + 1, max(due + float(pace), perf_counter())
    for begun, seconds in took:
        print(begun, seconds)


if __name__ == "__main__":
    main()
