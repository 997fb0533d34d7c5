"""Every mutant is told with its end: what survived with the line that made what is damaged."""

import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.mutation.damage import Mutant
from batchgate.particulars import Mutant as Told
from batchgate.particulars import Particulars
from batchgate.rehearsal.validation import mutants, origins
from batchgate.rehearsal.validation.endings import endings
from batchgate.rehearsal.validation.mutants import kills_every_mutant
from batchgate.rehearsal.validation.trials import End, Trial

MIGRATION = """\
-- Orders can be kept.
-- irreversible: for the test

create table orders (id int check (true));
alter table orders add column currency text not null;
create index orders_currency on orders (currency);
"""
INDEX_ALONE = """\
select 1;
select 1 / count(*) from pg_indexes where indexname = 'orders_currency'
    and indexdef = 'CREATE INDEX orders_currency ON public.orders USING btree (currency)';
"""
ALL = f"""\
{INDEX_ALONE}
select 1 / (count(*) - 1) from pg_attribute
    where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped
        and (attnotnull or attname = 'id');
select 1 / count(*) from pg_constraint where conname = 'orders_check' and convalidated;
"""
IN_WORDS = f"""\
select 1 / count(*) from pg_class where relname = 'orders';
do $$
begin
    if to_regclass('orders_currency') is null then
        raise notice 'FAIL: no index {"at all " * 40}';
    end if;
end
$$;
{ALL.replace("1 / count(*) from pg_indexes", "count(*) from pg_indexes")}
"""
AT = "sql/01_add_orders"


@pytest.fixture
def seen(batchgate_server, tmp_path):
    """Return what was seen of the mutants of a batch, as it travels."""

    def run(validation: str, migration: str = MIGRATION) -> Particulars:
        files = {f"{AT}/migration.sql": migration, f"{AT}/validation.sql": validation}
        with heights_of(batchgate_server, tmp_path, files) as heights:
            try:
                found = kills_every_mutant(heights, heights.suite.batch("01_add_orders"))
            except BatchFailed as failure:
                return Particulars.from_dict(failure.particulars.as_dict())
        return Particulars.from_dict(found.particulars.as_dict())

    return run


def of(damage: str, seen: Particulars) -> Told:
    (told,) = [mutant for mutant in seen.mutants if mutant.name.endswith(damage)]
    return told


def trial(end: End, at: str = "", *, required: bool = True, name: str = "") -> Trial:
    name = name or f"{end}, {at or 'nowhere'}"
    return Trial(Mutant(name, ("column", name), None, (), required), end, at, "")


def test_what_survived_comes_first_with_the_line_that_made_what_is_damaged(seen):
    mutants = seen(INDEX_ALONE).mutants
    assert [(each.name, each.at) for each in mutants if each.ended == "survived"] == [
        ("column public.orders.id dropped", f"{AT}/migration.sql:4"),
        ("constraint orders_check on public.orders dropped", f"{AT}/migration.sql:4"),
        ("constraint orders_check on public.orders made not valid", f"{AT}/migration.sql:4"),
        ("column public.orders.currency: not null lifted", f"{AT}/migration.sql:5"),
        ("index public.orders_currency: made invalid", ""),
    ]
    assert [each.ended for each in mutants[5:]] == ["equivalent", *["killed"] * 4]
    assert {each.at for each in mutants[6:]} == {f"{AT}/validation.sql:2"}


def test_what_has_to_be_noticed_is_told_from_what_need_not_be(seen):
    told = seen(INDEX_ALONE)
    assert of("orders_check on public.orders dropped", told).required
    assert not of("orders_currency: made invalid", told).required


def test_where_all_is_noticed_every_mutant_is_told_with_the_line_that_noticed_it(seen):
    told = seen(ALL)
    assert of("orders.currency dropped", told) == Told(
        name="column public.orders.currency dropped",
        ended="killed",
        at=f"{AT}/validation.sql:2",
    )
    assert of("orders.id dropped", told).at == f"{AT}/validation.sql:5"
    assert len(told.mutants) == 10


def test_what_was_noticed_in_words_only_is_told_with_the_words_cut(seen):
    told = of("index public.orders_currency dropped", seen(IN_WORDS))
    assert (told.ended, told.at) == ("killed in words only", f"{AT}/validation.sql:5")
    assert told.reason.startswith("NOTICE:  FAIL: no index at all at all")
    assert told.reason.endswith("…")
    assert len(told.reason) == 200


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        pytest.param("alter table orders add column note text;", "orders.note dropped", id="asked"),
        pytest.param("create sequence numbers;", "public.numbers dropped", id="asked-for-its-name"),
        pytest.param(
            "create statistics stat on id, currency from orders;",
            "public.stat dropped",
            id="looked-at",
        ),
    ],
)
def test_a_line_is_found_whether_or_not_there_is_a_query_for_what_it_makes(seen, statement, damage):
    told = seen("select to_regclass('orders');", f"{MIGRATION}\n{statement}\n")
    assert of(damage, told).at == f"{AT}/migration.sql:8"
    assert of("orders.currency dropped", told).at == f"{AT}/migration.sql:5"


def test_of_very_many_survivors_the_lines_of_some_are_looked_for(seen, monkeypatch):
    monkeypatch.setattr(mutants, "SHOWN", 1)
    monkeypatch.setattr(origins, "_MOST", 2)
    found = seen("select 1 from pg_class where relname = 'orders';").mutants
    survived = [each for each in found if each.ended == "survived" and each.required]
    assert [bool(each.at) for each in survived] == [True, True, *[False] * (len(survived) - 2)]


def test_what_travels_are_plain_values(seen):
    for one in seen(ALL).as_dict()["mutants"]:
        assert {type(value) for value in one.values()} <= {str, bool}


def test_ends_are_told_in_the_order_of_what_they_ask_for_and_of_the_file():
    ended = [
        trial(End.KILLED, "v.sql:10"),
        trial(End.KILLED, "v.sql:9", required=False),
        trial(End.EQUIVALENT),
        trial(End.NOT_MADE),
        trial(End.TOLD, "v.sql:3"),
        trial(End.SURVIVED, required=False, name="harmless"),
        trial(End.SURVIVED, name="somewhere"),
        trial(End.SURVIVED, name="late"),
        trial(End.SURVIVED, name="early"),
    ]
    made_at = {ended[7].mutant: "m.sql:12", ended[8].mutant: "m.sql:4"}
    assert [(each.name, each.at) for each in endings(ended, made_at).mutants] == [
        ("early", "m.sql:4"),
        ("late", "m.sql:12"),
        ("somewhere", ""),
        ("harmless", ""),
        ("killed in words only, v.sql:3", "v.sql:3"),
        ("not made, nowhere", ""),
        ("equivalent, nowhere", ""),
        ("killed, v.sql:9", "v.sql:9"),
        ("killed, v.sql:10", "v.sql:10"),
    ]


def test_of_very_many_mutants_those_that_survived_are_kept():
    killed = [trial(End.KILLED, f"v.sql:{line}") for line in range(1, 302)]
    told = endings([*killed, trial(End.SURVIVED)], {})
    assert told.left_out == (("mutants", 2),)
    assert len(told.mutants) == 300
    assert (told.mutants[0].ended, told.mutants[-1].at) == ("survived", "v.sql:299")
