"""Batches that change what databases share are proven apart from each other."""

import pytest
from sound import FIRST, FIRST_BACK

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.shared import changes_server

ROLE = "create role clerk; grant select on orders to clerk;"
WITH_ROLE = {
    "sql/01_add_orders/migration.sql": FIRST.replace("commit;", f"{ROLE}\ncommit;"),
    "sql/01_add_orders/rollback.sql": FIRST_BACK.replace("commit;", "drop role clerk;\ncommit;"),
}
# The first makes a template in which the role stands; the others begin without it.
NODES = (
    "sql/01_add_orders/validation.sql::passes",
    "sql/01_add_orders/migration.sql::applies",
    "sql/01_add_orders/rollback.sql::restores-schema",
)


def test_a_batch_may_make_a_role_and_take_it_back(project):
    project(WITH_ROLE, *NODES).assert_outcomes(passed=3)


def test_a_rollback_that_leaves_a_role_is_red(project):
    result = project({**WITH_ROLE, "sql/01_add_orders/rollback.sql": FIRST_BACK}, NODES[-1])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["  row: left behind: role clerk (made by 01_add_orders, *migration.sql:7)"]
    )


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        pytest.param("create role clerk;", True, id="role"),
        pytest.param("do $$ begin execute format('create user %I', 'a'); end $$;", True, id="do"),
        pytest.param("drop group clerks;", True, id="group"),
        pytest.param("create user mapping for public server s;", False, id="user-mapping"),
        pytest.param('grant pg_monitor, "a" to b;', True, id="membership"),
        pytest.param("revoke a from b;", True, id="membership-revoked"),
        pytest.param("grant select, insert on t to b;", False, id="privilege"),
        pytest.param("alter system set work_mem = '1MB';", True, id="alter-system"),
        pytest.param("grant set on parameter work_mem to public;", True, id="parameter"),
        pytest.param("comment on role postgres is 'ours';", True, id="comment"),
        pytest.param("create subscription s connection '' publication p;", True, id="subscription"),
        pytest.param("select pg_replication_origin_create('a');", True, id="origin"),
        pytest.param("create table roles (role text, username text);", False, id="table"),
    ],
)
def test_what_other_databases_would_see_is_recognised(tmp_path, sql, seen):
    folder = tmp_path / "sql/01_add_x"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text(sql)
    (folder / "rollback.sql").write_text("select 1;")
    settings = Settings(
        root=tmp_path,
        sql=tmp_path / "sql",
        gates=tmp_path / "gates",
        sample=tmp_path / "sample",
        reports=tmp_path / "reports",
    )
    assert changes_server(discover(settings), settings) is seen
