"""A project in which whatever can be written by hand, or by a row, would be a script on its page.

Each place has a value of its own, so that one that became an element says which it was, and one
that is missing, too.
"""

from pages import Example
from sound import FIRST, FIRST_BACK, FIRST_CHECK, GATE, SOUND


def script(place: str) -> str:
    """Return a text that would be a script; it closes what it may stand in."""
    return f"</td></style></script><script>pwned=`{place}`</script>"


def image(place: str) -> str:
    """Return a text that would break out of an attribute; it has no slash, as names of files."""
    return f"\"'><img src=x onerror=pwned=`{place}`>"


def both(place: str) -> str:
    """Return both, behind what opens or closes a comment, a template or a line of Markdown."""
    return f"<!-- --> ]]> {{{{7*7}}}} {{% raw %}} `x` &amp;&lt; {script(place)} {image(place)}"


def name(place: str) -> str:
    """Return a name for PostgreSQL, which has 63 bytes, as SQL quotes it."""
    return '"' + f"<script>pwned=`{place}`</script>" + '"'


# A right-to-left override, an isolate and a mark; where lines may end at any sign that ends one,
# also a line separator, a bell, an escape and a tag.
MOVED = "\u202egnp.exe\u202c \u2066x\u2069\u200f"
UNSEEN = f"{MOVED} \u2028 \x07 \x1b[31m \U000e0001"
FIRST_HOSTILE = FIRST.replace("-- Orders can be kept.", f"-- Orders {both('batch')} are kept.")
MAKES_THINGS = f"""\
-- Things {both("batch")} are there {MOVED}.
-- requires: 01_add_orders
-- present: to_regclass('{name("table")}') is not null

begin;
-- {both("comment")} {UNSEEN}
create table {name("table")} (
    {name("column")} int primary key,
    note text default $${both("default")}$$
);
alter table orders add column {name("left")} text default $${both("forgotten")}$$;
commit;
"""
FORGETS = f"begin;\n-- {both('back')}\ndrop table {name('table')};\ncommit;\n"
REFUSES = f"do $$ begin raise exception using message = $m${both('message')}$m$; end $$;\n"
FINDS = f"""\
-- Every order {both("sentence")} has a currency {MOVED}.
-- title: {both("title")}
-- level: required
-- of: orders
-- show: id, email, {name("shown")[1:-1]}
-- fix: Do {both("fix")}

select id, /* {both("query")} */ email as {name("shown")}, email, 1 as {name("masked")}
from orders
where currency is null
order by id
"""
# By the planner's estimate dearer than what is allowed, so that its plan is shown; in truth it
# stops at once.
DEAR = f"""\
-- No order is dear.
-- level: informational
-- of: orders
-- fix: Do {both("costs")}

select a.id
from orders as a, generate_series(1, 100000) as {name("plan")} (n), generate_series(1, 100000) as c
where {name("plan")}.n > c and (select count(*) from orders) < 0
"""
CELL = f"<script>pwned=`cell`</script>{image('cell')}".replace("'", "''")
ROWS = f"""\
insert into orders values
    (1, null, '{CELL}'),
    (2, null, e'\\u202e\\u2028\\x07\\x1b[31m\\U000e0001'),
    (3, 'EUR', 'ann@example.com');
"""
TESTS = f'''\
import logging
import sys

import pytest

VALUES = [
    pytest.param(each, id=each)
    for each in ({script("id")!r}, {image("id")!r}, "\\\\N{{x}}", "\\\\x", "\\\\u12", "{UNSEEN!a}")
]


@pytest.mark.parametrize("value", VALUES)
def test_an_id(value):
    pass


@pytest.mark.parametrize("value", VALUES[:2])
def test_fails(value):
    print({both("stdout")!r}, {UNSEEN!a})
    print({both("stderr")!r}, "\\ud800\\udce9", file=sys.stderr)
    logging.getLogger({both("logger")!r}).warning({both("log")!r})
    assert value == {both("assertion")!r}, {both("words")!r} + {UNSEEN!a} + "\\ud800"


@pytest.fixture
def broken():
    raise RuntimeError({both("setup")!r})


def test_breaks(broken):
    pass


@pytest.mark.skip(reason={both("skipped")!r})
def test_is_skipped():
    pass


@pytest.mark.xfail(reason={both("expected")!r}, strict=False)
def test_is_known():
    assert {both("known")!r} == ""


def test_has_parts(subtests):
    with subtests.test(msg={both("part")!r}, value={both("value")!r}):
        assert 0
'''
# Names of files have no slash.
FOLDER = f"scenarios/{image('folder')}"
INI = """\
[pytest]
addopts = -p no:cacheprovider
disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true
batchgate_max_cost = 1000000
"""
METADATA = (
    *("--metadata", "Python", both("environment")),
    *("--metadata", both("key"), both("value")),
)
# What a reviewer has to be able to read; the others only have to do no harm.
PLACES = (
    *("batch", "table", "left", "comment", "message", "sentence", "title", "fix", "query", "plan"),
    *("shown", "masked", "cell", "id", "stdout", "stderr", "log", "assertion", "words", "setup"),
    *("folder", "file", "skipped", "part", "project"),
)
HOSTILE = Example(
    {
        **SOUND,
        "pytest.ini": INI,
        "sql/01_add_orders/migration.sql": FIRST_HOSTILE,
        "sql/01_add_orders/rollback.sql": FIRST_BACK,
        "sql/01_add_orders/validation.sql": FIRST_CHECK,
        "sql/03_add_things/migration.sql": MAKES_THINGS,
        "sql/03_add_things/rollback.sql": FORGETS,
        "sql/03_add_things/validation.sql": REFUSES,
        "gates/01_orders_have_currency.sql": FINDS,
        "gates/02_no_order_is_dear.sql": DEAR,
        "gates/02_no_order_is_dear.red.sql": "select 1;",
        "gates/03_all_is_well.sql": GATE,
        "gates/03_all_is_well.red.sql": SOUND["gates/01_orders_have_currency.red.sql"],
        "scenarios/sample/01.sql": ROWS,
        f"{FOLDER}/test_{image('file')}.py": TESTS,
    },
    METADATA,
    code=1,
    environment={"BUILD_URL": both("variable"), "JENKINS_URL": both("variable")},
)
