"""The 200 small checks of tests200.py, once, and as each runner has them written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

OTHER, NOBODY = 90, 99
AT = "'2025-11-10 12:00+00'"
NULL, FOREIGN_KEY, UNIQUE, ENUM = "23502", "23503", "23505", "22P02"


def key(number: int) -> str:
    """Return a row's key."""
    return f"'00000000-0000-4000-8000-{number:012d}'"


# A whole row of each table; what it refers to comes before it.
ROWS: Mapping[str, Mapping[str, str]] = {
    "Customer": {"id": key(1), "name": "'Ada'", "metadata": "'{}'"},
    "CustomerAddress": {
        "id": key(2),
        "customer_id": key(1),
        "address": "'1 Elm Street'",
        "is_primary": "true",
    },
    "Lead": {"id": key(3), "customer_id": key(1), "channel": "'sms'", "phone": "'5551234567'"},
    "Job": {
        "id": key(4),
        "lead_id": key(3),
        "customer_id": key(1),
        "window_start": AT,
        "window_end": AT,
        "status": "'booked'",
    },
    "Audit": {
        "id": key(5),
        "lead_id": key(3),
        "actor": "'user'",
        "action": "'message_received'",
        "payload": """'{"text": "hello"}'""",
    },
    "Conversation": {
        "id": key(6),
        "customer_id": key(1),
        "lead_id": key(3),
        "channel": "'sms'",
        "started_at": AT,
        "metadata": "'{}'",
    },
    "Message": {
        "id": key(7),
        "conversation_id": key(6),
        "role": "'user'",
        "content": "'hello'",
        "metadata": "'{}'",
    },
    "MemoryNote": {
        "id": key(8),
        "customer_id": key(1),
        "content": "'prefers mornings'",
        "metadata": "'{}'",
    },
    "JobItem": {
        "id": key(9),
        "job_id": key(4),
        "description": "'sofa'",
        "quantity": "1",
        "unit_price": "80",
        "total": "80",
        "metadata": "'{}'",
    },
    "JobEvent": {"id": key(10), "job_id": key(4), "event_type": "'booked'", "metadata": "'{}'"},
}
PARENTS = {"customer_id": "Customer", "lead_id": "Lead", "job_id": "Job"} | {
    "conversation_id": "Conversation"
}
# A note's conversation is a plain column.
LINKS = [(table, column) for table, row in ROWS.items() for column in row if column in PARENTS]
NULLABLE = {("Customer", "name"), ("Lead", "phone"), ("Audit", "lead_id")} | {
    ("Conversation", "customer_id"),
    ("Conversation", "lead_id"),
}
STAMPED = {"created_at": set(ROWS) - {"Conversation"}} | {
    "updated_at": {"Customer", "CustomerAddress", "Lead", "Job"}
}
VALUES = {
    ("Lead", "channel"): ("messenger", "sms"),
    ("Conversation", "channel"): ("messenger", "sms"),
    ("Job", "status"): ("tentative", "booked", "completed", "cancelled"),
    ("Message", "role"): ("user", "assistant", "system", "tool"),
}
DEFAULTS = {("CustomerAddress", "is_primary"): "false", ("Job", "status"): "tentative"} | {
    (table, "metadata"): "{}" for table, row in ROWS.items() if "metadata" in row
}
# What becomes of a child's rows where its parent is deleted.
DELETED = {("CustomerAddress", "customer_id"): "gone", ("MemoryNote", "customer_id"): "gone"} | {
    ("Job", "lead_id"): "gone",
    ("Message", "conversation_id"): "gone",
    ("JobItem", "job_id"): "gone",
    ("JobEvent", "job_id"): "gone",
    ("Audit", "lead_id"): "unlinked",
    ("Conversation", "lead_id"): "unlinked",
    ("Conversation", "customer_id"): "unlinked",
    ("Lead", "customer_id"): "refused",
    ("Job", "customer_id"): "refused",
}


@dataclass(frozen=True)
class Check:
    """Statements that are given, and one more that answers a text or is refused."""

    name: str
    given: tuple[str, ...]
    asked: str
    answer: str = ""
    sqlstate: str = ""


def checks(major: int) -> list[Check]:
    """Return the checks for a server of that major version."""
    kinds = (_rows, _not_null, _links, _values, _defaults, _deletes(major), _open, _external)
    first = [check for kind in kinds for check in (kind if isinstance(kind, list) else kind())]
    return (first + list(_counts(200 - len(first))))[:200]


def insert(table: str, **others: str) -> str:
    """Return the insertion of a table's row, with some columns otherwise."""
    row = {**ROWS[table], **others}
    columns = ", ".join(f'"{column}"' for column in row)
    return f'insert into "{table}" ({columns}) values ({", ".join(row.values())})'


def above(table: str) -> tuple[str, ...]:
    """Return the insertions of all that a table's row refers to."""
    parents = {PARENTS[column]: None for column in ROWS[table] if column in PARENTS}
    needed: dict[str, None] = {}
    for parent in parents:
        needed |= dict.fromkeys(above(parent)) | {insert(parent): None}
    return tuple(needed)


def without(table: str, column: str) -> str:
    """Return the insertion of a table's row that leaves a column to its default."""
    row = {name: value for name, value in ROWS[table].items() if name != column}
    columns = ", ".join(f'"{name}"' for name in row)
    return f'insert into "{table}" ({columns}) values ({", ".join(row.values())})'


def _named(*parts: str) -> str:
    return re.sub(r"\W+", "_", " ".join(parts)).lower()


def _count(table: str, where: str = "true") -> str:
    return f'select count(*) from "{table}" where {where}'


def _rows() -> Iterator[Check]:
    for table in ROWS:
        given = (*above(table), insert(table))
        yield Check(_named(table, "takes a row"), given, _count(table), "1")
        yield Check(_named(table, "key is unique"), given, insert(table), sqlstate=UNIQUE)


def _not_null() -> Iterator[Check]:
    for table, row in ROWS.items():
        stamps = [column for column, tables in STAMPED.items() if table in tables]
        for column in (*row, *stamps):
            if (table, column) not in NULLABLE:
                name = _named(table, column, "is never null")
                yield Check(name, above(table), insert(table, **{column: "null"}), sqlstate=NULL)


def _links() -> Iterator[Check]:
    for table, column in LINKS:
        parent = PARENTS[column]
        asked = insert(table, **{column: key(NOBODY)})
        name = _named(table, column, "refers to a row")
        yield Check(name, above(table), asked, sqlstate=FOREIGN_KEY)
        moved = f'update "{parent}" set id = {key(OTHER)}'
        name = _named(table, column, "follows its parent")
        given = (*above(table), insert(table), moved)
        yield Check(name, given, f'select {column} from "{table}"', key(OTHER).strip("'"))


def _values() -> Iterator[Check]:
    for (table, column), values in VALUES.items():
        for value in values:
            given = (*above(table), insert(table, **{column: f"'{value}'"}))
            name = _named(table, column, "takes", value)
            yield Check(name, given, f'select {column} from "{table}"', value)
        asked = insert(table, **{column: "'fax'"})
        name = _named(table, column, "refuses fax")
        yield Check(name, above(table), asked, sqlstate=ENUM)


def _defaults() -> Iterator[Check]:
    for table in ROWS:
        given = (*above(table), without(table, "id"))
        yield Check(_named(table, "makes a key"), given, _count(table, "id is not null"), "1")
    for (table, column), value in DEFAULTS.items():
        given = (*above(table), without(table, column))
        asked = f'select {column}::text from "{table}"'
        yield Check(_named(table, column, "by default"), given, asked, value)


def _deletes(major: int) -> list[Check]:
    found = []
    for (table, column), fate in DELETED.items():
        parent = PARENTS[column]
        deletion = f'delete from "{parent}"'
        given = (*above(table), insert(table))
        name = _named(table, fate, "when its", parent, "is deleted")
        if fate == "refused":
            # Said in words of its own from version 18 on.
            refused = "23001" if major >= 18 else FOREIGN_KEY
            found.append(Check(name, given, deletion, sqlstate=refused))
            continue
        if parent == "Customer":
            # Which no lead may hold.
            unlinked = [each for each in given if 'into "Lead"' not in each]
            given = tuple(each.replace(f", {key(3)}", ", null") for each in unlinked)
        where = f"{column} is null" if fate == "unlinked" else "true"
        left = "1" if fate == "unlinked" else "0"
        found.append(Check(name, (*given, deletion), _count(table, where), left))
    return found


def _open() -> Iterator[Check]:
    given = (*above("Conversation"), insert("Conversation"))
    for channel in ("'sms'", "'messenger'"):
        second = insert("Conversation", id=key(OTHER), channel=channel)
        tag = channel.strip("'")
        yield Check(_named("one open a lead, by", tag), given, second, sqlstate=UNIQUE)
        closed = (*given, f'update "Conversation" set closed_at = {AT}', second)
        found = _count("Conversation", "closed_at is null")
        yield Check(_named("closing makes room, by", tag), closed, found, "1")
        reopened = 'update "Conversation" set closed_at = null'
        name = _named("reopening is refused, by", tag)
        yield Check(name, closed, reopened, sqlstate=UNIQUE)
    for number in range(2, 7):
        many = tuple(insert("Conversation", id=key(OTHER + n), closed_at=AT) for n in range(number))
        name = _named(str(number), "closed of a lead")
        yield Check(name, (*above("Conversation"), *many), _count("Conversation"), str(number))
        nobodys = tuple(
            insert("Conversation", id=key(OTHER + n), lead_id="null") for n in range(number)
        )
        name = _named(str(number), "open of no lead")
        yield Check(name, (*above("Conversation"), *nobodys), _count("Conversation"), str(number))


def _external() -> Iterator[Check]:
    for value in ("'psid-1'", "'5551234567'"):
        tag = value.strip("'").replace("-", "_")
        given = (*above("Conversation"), insert("Conversation", external_id=value))
        second = {"id": key(OTHER), "lead_id": "null", "external_id": value}
        twice = insert("Conversation", **second)
        yield Check(_named("external id twice", tag), given, twice, sqlstate=UNIQUE)
        other = insert("Conversation", **second, channel="'messenger'")
        name = _named("external id by channel", tag)
        yield Check(name, (*given, other), _count("Conversation"), "2")


def _counts(number: int) -> Iterator[Check]:
    given = (*above("Message"),)
    roles = VALUES["Message", "role"]
    for size in range(1, number + 1):
        rows = tuple(
            insert(
                "Message",
                id=key(100 + n),
                role=f"'{roles[n % len(roles)]}'",
                created_at=f"{AT}::timestamptz + interval '{n} minutes'",
            )
            for n in range(size % 10 + 1)
        )
        role = roles[size % len(roles)]
        found = sum(n % len(roles) == size % len(roles) for n in range(size % 10 + 1))
        asked = (
            'select count(m.id) from "Lead" as l join "Conversation" as c on c.lead_id = l.id'
            f" join \"Message\" as m on m.conversation_id = c.id where m.role = '{role}'"
        )
        yield Check(_named("count", str(size), role), (*given, *rows), asked, str(found))


def numbered(found: Sequence[Check]) -> list[Check]:
    """Give each check its number, so that names keep apart and in order."""
    return [replace(check, name=f"{n:03d}_{check.name}") for n, check in enumerate(found, 1)]


def as_batchgate(found: Sequence[Check], top: str) -> str:
    """Return a module of tests on batchgate's fixtures."""
    parts = [f'"""Checks of the schema, each undone."""\n\nTOP = "{top}"\n']
    for check in found:
        lines = [f"def test_{check.name}(undone):", "    db = undone(TOP, sample=False)"]
        lines += [f"    db.run({statement!r})" for statement in check.given]
        if check.sqlstate:
            lines.append(f'    db.is_refused({check.asked!r}, "{check.sqlstate}")')
        else:
            lines.append(f'    assert str(db.value({check.asked!r})) == "{check.answer}"')
        parts.append("\n".join(lines) + "\n")
    return "\n\n".join(parts)


def as_batchgate_clones(found: Sequence[Check], top: str) -> str:
    """Return the same module with a clone and a session for each test."""
    text = as_batchgate(found, top).replace("(undone)", "(at_batch, session)")
    return text.replace(
        "    db = undone(TOP, sample=False)",
        '    at_batch(TOP, sample=False)\n    db = session("alone")',
    )


def as_pytest_postgresql(found: Sequence[Check]) -> str:
    """Return a module of tests on pytest-postgresql's fixtures."""
    parts = [
        '"""Checks of the schema, each in a database of its own."""\n\n'
        "import psycopg\nimport pytest\n"
    ]
    for check in found:
        lines = [f"def test_{check.name}(postgresql):", "    db = postgresql.cursor()"]
        lines += [f"    db.execute({statement!r})" for statement in check.given]
        if check.sqlstate:
            lines.append("    with pytest.raises(psycopg.Error) as refused:")
            lines.append(f"        db.execute({check.asked!r})")
            lines.append(f'    assert refused.value.sqlstate == "{check.sqlstate}"')
        else:
            lines.append(f"    db.execute({check.asked!r})")
            lines.append(f'    assert str(db.fetchone()[0]) == "{check.answer}"')
        parts.append("\n".join(lines) + "\n")
    return "\n\n".join(parts)


def as_pgtap(check: Check) -> str:
    """Return a file of one test, as pgTAP's users write them."""
    given = "".join(f"{statement};\n" for statement in check.given)
    return (
        f"begin;\n\nselect plan(1);\n\n{given}\nselect {_asserted(check)};\n\n"
        "select * from finish();\n\nrollback;\n"
    )


def as_pgtap_function(check: Check) -> str:
    """Return a test for pgTAP's runtests, which undoes each."""
    given = "".join(f"    {statement};\n" for statement in check.given)
    return (
        f"create function tests.test_{check.name}() returns setof text\nlanguage plpgsql\n"
        f"as $test$\nbegin\n{given}    return next {_asserted(check)};\nend\n$test$;\n"
    )


def _asserted(check: Check) -> str:
    if check.sqlstate:
        return f"throws_ok($q${check.asked}$q$, '{check.sqlstate}', null, '{check.name}')"
    return f"is(({check.asked})::text, '{check.answer}', '{check.name}')"
