"""A validation is proven able to fail: without its batch, on mutants of it, and on empty tables."""

import secrets

import pytest
from sound import FIRST_CHECK, SOUND

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.errors import BatchFailed
from batchgate.harness import Harness
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.validation.mutants import kills_every_mutant
from batchgate.rehearsal.validation.proof import holds_on_empty_tables

VALIDATION = "sql/01_add_orders/validation.sql"
EXISTS = """\
do $$
begin
    if to_regclass('orders') is null then
        raise exception 'orders is missing';
    end if;
end
$$;
"""
SWALLOWS = """\
do $$
begin
    if to_regclass('orders') is null then
        raise exception 'orders is missing';
    end if;
    raise notice 'PASS: orders';
exception
    when others then
        raise notice 'done: %', sqlerrm;
end
$$;
"""
PRINTS = """\
select 1;
select 'orders' as checked, case when to_regclass('orders') is null then 'FAIL' else 'PASS' end;
"""
STARVED = """\
do $$
begin
    perform 1 / count(*) from orders;
end
$$;
"""
# A key is tried with the rows that are there: where there are none, it is not tried at all.
SILENTLY_STARVED = (
    (
        FIRST_CHECK
        + """
do $$
declare
    one record;
    refused boolean;
begin
    for one in select * from orders loop
        begin
            insert into orders (id) values (one.id);
            refused := false;
        exception
            when unique_violation then
                refused := true;
        end;
        if not refused then
            raise exception 'the key lets a number in twice';
        end if;
    end loop;
end
$$;
"""
    )
    .replace("c.contype = 'p'", "true")
    .replace("if not exists", "if false and not exists")
)


@pytest.mark.parametrize(
    ("changes", "check", "lines"),
    [
        pytest.param(
            {VALIDATION: "select 1;"},
            "fails-without-batch",
            [
                "batch 01_add_orders: expected validation to fail without the batch, "
                "it is vacuous: it passed",
                f"  at: {VALIDATION}:1",
            ],
            id="vacuous",
        ),
        pytest.param(
            {VALIDATION: "select 1;\ndo $$ begin raise notice '✓ PASS'; end $$;"},
            "fails-without-batch",
            ["*it is vacuous: it passed", f"  at: {VALIDATION}:2"],
            id="vacuous-where-it-claims-to-pass",
        ),
        pytest.param(
            {VALIDATION: SWALLOWS},
            "fails-without-batch",
            [
                "*it is vacuous: it passed",
                f"  at: {VALIDATION}:8",
                "  cause: this handler takes any exception and raises none of its own",
            ],
            id="swallows-its-own-exception",
        ),
        pytest.param(
            {VALIDATION: PRINTS},
            "fails-without-batch",
            [
                "*without the batch, it printed a failure and exited 0",
                f"  at: {VALIDATION}:2",
                "  row: checked=orders | case=FAIL",
            ],
            id="prints-a-failure-and-exits-0",
        ),
        pytest.param(
            {VALIDATION: "select to_regclass('orders') is not null as there;"},
            "fails-without-batch",
            ["*it printed a failure and exited 0", f"  at: {VALIDATION}:1", "  row: there=f"],
            id="prints-false-and-exits-0",
        ),
        pytest.param(
            {VALIDATION: "select 1;\nselect * from ordres;"},
            "passes",
            [
                "batch 01_add_orders: expected validation to pass, "
                "it always fails: statement 2 of 2 failed",
                f"  at: {VALIDATION}:2",
            ],
            id="always-fails",
        ),
        pytest.param(
            {VALIDATION: FIRST_CHECK + "\\echo FAIL: no currency\n"},
            "passes",
            ["*expected validation to pass, it printed a failure*", f"  at: {VALIDATION}:*"],
            id="fails-in-words-where-the-batch-stands",
        ),
        pytest.param(
            {VALIDATION: STARVED},
            "holds-on-empty-tables",
            [
                "batch 01_add_orders: expected validation to pass on empty tables, "
                "it is data-starved: statement 1 of 1 failed",
                f"  at: {VALIDATION}:3",
                "  fix: Let the check bring its own rows *",
            ],
            id="data-starved",
        ),
        pytest.param(
            {VALIDATION: EXISTS},
            "kills-every-mutant",
            [
                "batch 01_add_orders: expected its validation to notice every change, "
                "5 of 6 mutants survived",
                f"  at: {VALIDATION}:3",
                "  row: survived: column public.orders.currency dropped"
                " (made by sql/01_add_orders/migration.sql:5)",
                "  row: survived: constraint orders_pkey on public.orders made a plain index*",
                "  cause: 6 mutants: 1 killed, 5 survived, 0 equivalent, 0 not made",
                "  fix: Check what is there, the first of them so:",
                "       do $check$",
            ],
            id="survived",
        ),
        pytest.param(
            {VALIDATION: SWALLOWS},
            "kills-every-mutant",
            [
                "*expected its validation to notice every change, 6 of 6 mutants survived",
                f"  at: {VALIDATION}:8",
                "  row: survived: table public.orders dropped, and 5 mutants of its parts*",
                f"  cause: {VALIDATION}:8: the handler takes any exception and raises none*",
            ],
            id="survived-behind-a-handler",
        ),
        pytest.param(
            {VALIDATION: FIRST_CHECK.replace("raise exception 'the key", "raise notice 'FAIL")},
            "kills-every-mutant",
            [
                "batch 01_add_orders: expected its validation to end in an error where it prints a "
                "failure, 2 of 6 mutants ended with exit code 0",
                f"  at: {VALIDATION}:*",
                "  row: exit code 0: constraint orders_pkey on public.orders dropped: NOTICE:*"
                f"({VALIDATION}:*)",
            ],
            id="killed-in-words-only",
        ),
    ],
)
def test_a_validation_that_proves_too_little_is_named_with_its_line(project, changes, check, lines):
    result = project(changes, f"{VALIDATION}::{check}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.fixture
def proof(tmp_path, batchgate_server):
    """Write a sound project with the given changes and run one check of it, in this process."""

    def run(check, batch: str, changes: dict[str, str | None], limit: int = 1000) -> Evidence:
        for path, text in {**SOUND, **changes}.items():
            if text is not None:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(text)
        places = {name: tmp_path / name for name in ("sql", "gates", "reports")}
        sample = tmp_path / "scenarios/sample"
        settings = Settings(root=tmp_path, sample=sample, mutants=limit, **places)
        harness = Harness(settings, discover(settings))
        harness.lend(batchgate_server, secrets.token_hex(4))
        try:
            return check(harness.heights, harness.suite.batch(batch))
        finally:
            harness.close()

    return run


@pytest.mark.parametrize(
    "way",
    [
        pytest.param("{}", id="without-a-transaction"),
        pytest.param("begin;\n{}rollback;", id="rolled-back"),
        pytest.param("begin;\n{}commit;", id="committed"),
        pytest.param("begin read only;\n{}rollback;", id="read-only"),
        pytest.param("begin;\nselect 1;\nrollback;\nbegin;\n{}rollback;", id="two-transactions"),
        pytest.param("{}vacuum orders;", id="outside-of-any-transaction"),
    ],
)
def test_mutants_end_alike_however_the_file_is_run(proof, way):
    with pytest.raises(BatchFailed, match="notice every change, 5 of 6 mutants survived"):
        proof(kills_every_mutant, "01_add_orders", {VALIDATION: way.format(EXISTS)})


@pytest.mark.parametrize(
    ("batch", "migration", "validation", "note"),
    [
        pytest.param(
            "01_add_orders",
            SOUND["sql/01_add_orders/migration.sql"],
            FIRST_CHECK,
            "6 mutants: 6 killed, 0 survived, 0 equivalent, 0 not made",
            id="sound",
        ),
        pytest.param(
            "02_index_orders",
            "alter table orders add check (true);",
            "select 1 / count(*) from pg_constraint"
            " where conname = 'orders_check' and convalidated;",
            "equivalent: constraint orders_check on public.orders made true",
            id="equivalent",
        ),
        pytest.param(
            "02_index_orders",
            "insert into orders values (2, 'EUR');"
            "create unique index one_dollar on orders (currency) where currency = 'USD';",
            "select 1 / count(*) from pg_indexes where indexdef = 'CREATE UNIQUE INDEX one_dollar"
            " ON public.orders USING btree (currency) WHERE (currency = ''USD''::text)';",
            "6 mutants: 5 killed, 1 survived (1 of them need not be noticed), 0 equivalent,"
            " 0 not made",
            id="where-rows-are-in-the-way-on-empty-tables",
        ),
        pytest.param(
            "01_add_orders",
            SOUND["sql/01_add_orders/migration.sql"],
            SILENTLY_STARVED,
            "data-starved: sql/01_add_orders/validation.sql:",
            id="noticed-by-rows-alone",
        ),
        pytest.param(
            "02_index_orders",
            "update orders set currency = 'USD';",
            "select 1 / count(*) from orders where currency = 'USD';",
            "1 mutant: 1 killed, 0 survived, 0 equivalent, 0 not made",
            id="of-a-batch-that-changes-rows-alone",
        ),
        pytest.param(
            "02_index_orders",
            "select 1;",
            "select 1 / 0;",
            "no mutant: the batch changes nothing in schema or data",
            id="of-a-batch-that-changes-nothing",
        ),
        pytest.param(
            "01_add_orders",
            SOUND["sql/01_add_orders/migration.sql"],
            "select * from ordres;",
            "no mutant was tried: the validation does not pass where the batch stands",
            id="of-a-validation-that-does-not-pass",
        ),
    ],
)
def test_what_became_of_the_mutants_is_told(proof, batch, migration, validation, note):
    changes = {
        "sql/02_index_orders/migration.online.sql": None,
        f"sql/{batch}/migration.sql": migration,
        f"sql/{batch}/validation.sql": validation,
    }
    evidence = proof(kills_every_mutant, batch, changes)
    assert bool(evidence.unexercised) is note.startswith("no mutant")
    told = "\n".join((*evidence.notes, *evidence.unexercised))
    assert note in told


def test_of_many_mutants_an_even_choice_is_tried_and_that_is_no_pass(proof):
    evidence = proof(kills_every_mutant, "01_add_orders", {}, limit=2)
    assert evidence.unexercised == ("2 of 6 mutants were tried: --mutants 6 tries all",)
    assert evidence.notes[0].startswith("2 mutants: 2 killed")


def test_a_batch_that_does_not_apply_to_empty_tables_is_not_exercised_there(proof):
    changes = {
        "sql/02_index_orders/migration.sql": "select 1 / count(*) from orders;",
        "sql/02_index_orders/validation.sql": "select 1;",
    }
    evidence = proof(holds_on_empty_tables, "02_index_orders", changes)
    [reason] = evidence.unexercised
    assert reason.startswith("without the sample data, batch 02_index_orders: expected migration")


def test_the_number_of_mutants_is_a_number(project):
    result = project({}, "--mutants", "-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --mutants: expected a number*"])
