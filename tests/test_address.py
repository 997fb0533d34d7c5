"""A target is found in every form of connection string, and never tells its password."""

import copy
import pickle
import re
import socket
import traceback
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from wires import password_server, pgbouncer, tls_server

from batchgate.database import connect as on_server
from batchgate.errors import ServerUnavailable, SuiteError
from batchgate.findings import MASK
from batchgate.targets.address import Dsn, TargetUnavailable, connect, read_targets, secrets_of
from batchgate.targets.refusals import Fault, refusal_of

SECRET = "Tr0ub4dor&3"
ENCODED = "Tr0ub4dor%263"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    """Leave libpq nothing of the machine's own: no variables, no services, no passwords."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))
    monkeypatch.setenv("PGUSER", "gate_reader")


@pytest.fixture(scope="module")
def guarded():
    with password_server(password=SECRET) as server:
        yield server


def one(text: str):
    (target,) = read_targets([text], None, None)
    return target


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        pytest.param(
            f"postgresql://app:{ENCODED}@db1:6000/shop",
            "",
            "host=db1 port=6000 dbname=shop user=app",
            id="url",
        ),
        pytest.param(
            "postgres://db1/shop", "", "host=db1 port=5432 dbname=shop user=gate_reader", id="short"
        ),
        pytest.param(
            f"host=db1 dbname=shop password='{SECRET}'",
            "",
            "host=db1 port=5432 dbname=shop user=gate_reader",
            id="keywords",
        ),
        pytest.param(
            "service=shop", "", "host=db9 port=7000 dbname=books user=clerk", id="service"
        ),
        pytest.param(
            "service=shop dbname=other",
            "",
            "host=db9 port=7000 dbname=other user=clerk",
            id="service-overruled",
        ),
        pytest.param(
            "postgresql:///?service=shop",
            "",
            "host=db9 port=7000 dbname=books user=clerk",
            id="service-in-a-url",
        ),
        pytest.param(
            "postgresql://",
            "",
            "host=[local] port=5432 dbname=gate_reader user=gate_reader",
            id="environment-alone",
        ),
        pytest.param(
            "eu=postgresql://db1/shop",
            "eu",
            "host=db1 port=5432 dbname=shop user=gate_reader",
            id="named-url",
        ),
        pytest.param(
            "shard-1.a=host=db1 dbname=shop",
            "shard-1.a",
            "host=db1 port=5432 dbname=shop user=gate_reader",
            id="named-keywords",
        ),
        pytest.param(
            "eu = service=shop",
            "eu",
            "host=db9 port=7000 dbname=books user=clerk",
            id="named-service",
        ),
        pytest.param(
            "host=postgresql://db1/shop",
            "host",
            "host=db1 port=5432 dbname=shop user=gate_reader",
            id="keyword-for-a-name",
        ),
        pytest.param(
            "postgresql://db1:1,db2:2/shop?target_session_attrs=any",
            "",
            "host=db1,db2 port=1,2 dbname=shop user=gate_reader",
            id="several-hosts",
        ),
        pytest.param(
            "postgresql://a%40b@[::1]/my%20shop%0Ax",
            "",
            "host=::1 port=5432 dbname='my shop\\x0ax' user=a@b",
            id="decoded-and-visible",
        ),
        pytest.param(
            "hostaddr=127.0.0.1 dbname=shop",
            "",
            "host=127.0.0.1 port=5432 dbname=shop user=gate_reader",
            id="address-alone",
        ),
        pytest.param(
            f"host=db1 dbname=postgresql://u:{ENCODED}@db2/shop",
            "",
            f"host=db1 port=5432 dbname=postgresql://u:{MASK}@db2/shop user=gate_reader",
            id="url-for-a-database",
        ),
    ],
)
def test_a_target_is_read_and_shown_without_its_password(tmp_path, text, name, address):
    (tmp_path / "services").write_text(
        f"[shop]\nhost=db9\nport=7000\ndbname=books\nuser=clerk\npassword={SECRET}\n"
    )
    target = one(text)
    assert (target.name, target.address, target.source) == (name, address, "--dsn")
    assert target.dsn.reveal() in text


def test_the_environment_fills_what_a_string_leaves_open(monkeypatch):
    for name, value in (("PGHOST", "db7"), ("PGPORT", "7"), ("PGDATABASE", "seven")):
        monkeypatch.setenv(name, value)
    assert one("postgresql://").address == "host=db7 port=7 dbname=seven user=gate_reader"
    assert one("dbname=eight").address == "host=db7 port=7 dbname=eight user=gate_reader"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("service=nosuch", "service=nosuch", id="alone"),
        pytest.param("eu=service=nosuch", "service=nosuch", id="named"),
        pytest.param("service=nosuch host=db1", "service=nosuch host=db1", id="with-more"),
        pytest.param(
            f"postgresql://u:{ENCODED}@/db?service=nosuch",
            "service=nosuch dbname=db user=u",
            id="url",
        ),
    ],
)
def test_a_service_that_is_not_there_is_shown_by_its_name(text, address):
    assert one(text).address == address


def test_a_service_of_the_environment_that_is_not_there_is_shown_too(monkeypatch):
    monkeypatch.setenv("PGSERVICE", "nosuch")
    assert one("dbname=shop").address == "service=nosuch dbname=shop"


def test_an_environment_with_a_service_is_what_it_was_afterwards(tmp_path, monkeypatch):
    (tmp_path / "services").write_text("[shop]\nhost=db9\n[home]\nhost=db3\n")
    monkeypatch.setenv("PGSERVICE", "home")
    assert one("service=shop").address.startswith("host=db9 ")
    assert one("dbname=x").address.startswith("host=db3 ")


@pytest.mark.parametrize(
    ("given", "names", "source"),
    [
        pytest.param((["a=service=o"], "b=service=e", "c=service=i"), ["a"], "--dsn", id="option"),
        pytest.param((None, "b=service=e", "c=service=i"), ["b"], "BATCHGATE_DSN", id="variable"),
        pytest.param(([], "", "c=service=i"), ["c"], "batchgate_dsn", id="setting"),
        pytest.param((None, " \n ", "c=service=i"), ["c"], "batchgate_dsn", id="blank-variable"),
        pytest.param((None, None, None), [], "", id="none"),
        pytest.param((None, "", ""), [], "", id="empty"),
        pytest.param(
            (["a=service=o", "b=service=p"], None, None), ["a", "b"], "--dsn", id="several"
        ),
        pytest.param(
            (None, None, "\na=service=o\n\n  b=service=p\n"),
            ["a", "b"],
            "batchgate_dsn",
            id="one-a-line",
        ),
    ],
)
def test_the_first_place_that_names_targets_names_all_of_them(given, names, source):
    targets = read_targets(*given)
    assert [target.name for target in targets] == names
    assert {target.source for target in targets} <= {source}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param([""], "--dsn: expected a connection string, found none", id="empty"),
        pytest.param(["  "], "--dsn: expected a connection string, found none", id="blank"),
        pytest.param(
            ["eu="], "--dsn eu: expected a connection string after the name, found none", id="name"
        ),
        pytest.param(
            ["eu=service=o", ""],
            "--dsn number 2: expected a connection string, found none",
            id="second-empty",
        ),
        pytest.param(
            ["eu=service=o", "service=p"],
            "--dsn number 2: expected a name, for there are several targets, found none",
            id="second-without-a-name",
        ),
        pytest.param(
            ["eu=service=o", "eu=service=p"],
            "--dsn number 2: expected a name of its own, found eu a second time",
            id="name-twice",
        ),
        pytest.param(
            ["my shard=postgresql://db1"],
            "--dsn: expected a name of letters, digits, _ . and -, found my shard",
            id="space-in-a-name",
        ),
        pytest.param(
            ["a[1]=postgresql://db1"],
            "--dsn: expected a name of letters, digits, _ . and -, found other signs",
            id="bracket-in-a-name",
        ),
        pytest.param(
            ["=postgresql://db1"],
            "--dsn: expected a name of letters, digits, _ . and -, found other signs",
            id="no-name-before-the-sign",
        ),
    ],
)
def test_a_wrong_list_of_targets_is_refused(given, said):
    with pytest.raises(SuiteError, match=re.escape(said)):
        read_targets(given, None, None)


def test_an_empty_option_says_how_to_take_the_environment_alone():
    with pytest.raises(SuiteError, match="say --dsn postgresql://"):
        read_targets([""], None, None)


MALFORMED = [
    pytest.param("postgresql://u:{0}@word@host/db", "another @", id="at-in-the-password"),
    pytest.param("postgresql://u:{0}/x@host/db", "another @", id="slash-in-the-password"),
    pytest.param("postgresql://u:{0}%zz@host/db", "a URL that libpq", id="percent"),
    pytest.param("postgresql://u:{0} x@host/db", "a URL that libpq", id="space"),
    pytest.param("postgresql://u:{0}%00@host/db", "a URL that libpq", id="zero-byte-encoded"),
    pytest.param("postgresql://u:{0}\0@host/db", "zero byte", id="zero-byte"),
    pytest.param("postgresql://u:{0}@[::1/db", "a URL that libpq", id="bracket"),
    pytest.param("postgresql://u:x@host:{0}/db", "a port", id="password-for-a-port"),
    pytest.param("postgresql://u:{0}@host/db?passwort=x", "a URL that libpq", id="parameter"),
    pytest.param("postgresql://u:{0}@host/db?{0}", "a URL that libpq", id="no-value"),
    pytest.param("host=h password={0} word", "a keyword string that", id="unquoted-space"),
    pytest.param("host=h password='{0}", "a keyword string that", id="unterminated"),
    pytest.param("host=h passwort={0}", "a keyword string that", id="unknown-keyword"),
    pytest.param("host=h password=x {0}=y", "a keyword string that", id="secret-for-a-keyword"),
    pytest.param("passwort={0} host=h", "neither", id="unknown-first-keyword"),
    pytest.param("{0}", "neither", id="secret-alone"),
    pytest.param("u:{0}@host/db", "neither", id="no-scheme"),
    pytest.param("postgresql:/u:{0}@host/db", "postgresql:", id="one-slash"),
    pytest.param("POSTGRESQL://u:{0}@host/db", "POSTGRESQL:", id="capitals"),
    pytest.param("postgresql+psycopg://u:{0}@host/db", "psycopg:", id="dialect"),
    pytest.param("jdbc:postgresql://u:{0}@host/db", "jdbc:postgresql:", id="jdbc"),
    pytest.param("mysql://u:{0}@host/db", "neither", id="other-database"),
    pytest.param("host=h port=0 password={0}", "a port", id="port-zero"),
    pytest.param("eu=postgresql://u:{0}@word@host/db", "--dsn eu: ", id="named"),
]


@pytest.mark.parametrize(("text", "said"), MALFORMED)
def test_a_malformed_string_is_refused_without_a_sign_of_it(text, said):
    given = text.format("geheimnis")
    with pytest.raises(SuiteError) as caught:
        read_targets([given], None, None)
    assert said in str(caught.value)
    assert "geheimnis" not in everything_told(caught)
    assert "word" not in str(caught.value).replace("password", "").replace("keyword", "")
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("text", "said"), MALFORMED)
def test_the_scrubber_knows_the_password_of_a_malformed_string(text, said):
    given = text.format("geheimnis")
    assert "geheimnis" not in secrets_of([given], None, None).scrubber()(f"libpq says: {given}")


@pytest.mark.parametrize(
    "given",
    [["host=x hosst=1"], ["x"], ["a b=postgresql://h"], ["", "x"], ["service=a", "service=b"]],
)
def test_the_scrubber_leaves_our_own_advice_whole(given):
    with pytest.raises(SuiteError) as caught:
        read_targets(given, None, None)
    said = str(caught.value)
    assert secrets_of(given, None, None).scrubber()(said) == said


def test_an_unknown_keyword_is_answered_by_the_one_that_was_meant():
    with pytest.raises(SuiteError, match="Perhaps host= was meant"):
        one("hots=db1 dbname=shop")
    with pytest.raises(SuiteError) as caught:
        one("host=db1 password=x geheim=y")
    assert "erhaps" not in str(caught.value)


def test_a_dsn_shows_its_address_in_every_way_of_looking_at_it():
    dsn = Dsn(f"postgresql://app:{ENCODED}@db1/shop")
    address = "host=db1 port=5432 dbname=shop user=app"
    assert str(dsn) == f"{dsn}" == dsn.address == address
    assert repr(dsn) == f"Dsn({address})"
    assert f"{dsn:>50}".strip() == address
    assert dsn == Dsn(dsn.reveal())
    for look in (pickle.dumps, copy.copy, copy.deepcopy, vars):
        with pytest.raises(TypeError):
            look(dsn)


FORMS = [
    pytest.param("postgresql://{user}:{encoded}@127.0.0.1:{port}/postgres", {}, id="url"),
    pytest.param(
        "host=127.0.0.1 port={port} user={user} dbname=postgres password='{secret}'",
        {},
        id="keywords",
    ),
    pytest.param("service=shop dbname=postgres", {}, id="service"),
    pytest.param(
        "host=127.0.0.1 port={port} user={user} dbname=postgres",
        {"PGPASSWORD": SECRET},
        id="variable",
    ),
    pytest.param("host=127.0.0.1 port={port} user={user} dbname=postgres", {}, id="password-file"),
    pytest.param(
        "postgresql://",
        {
            "PGHOST": "127.0.0.1",
            "PGPORT": "{port}",
            "PGDATABASE": "postgres",
            "PGPASSWORD": SECRET,
        },
        id="environment-alone",
    ),
]


@pytest.mark.parametrize(("form", "variables"), FORMS)
def test_a_target_is_reached_and_its_password_known_to_the_scrubber(
    guarded, monkeypatch, tmp_path, form, variables
):
    port = guarded.server.port
    (tmp_path / "services").write_text(
        f"[shop]\nhost=127.0.0.1\nport={port}\nuser={guarded.user}\npassword={SECRET}\n"
    )
    if not variables and "password" not in form and "encoded" not in form:
        passwords = tmp_path / "passwords"
        passwords.write_text(f"# ours\n127.0.0.1:{port}:*:{guarded.user}:{SECRET}\n")
        passwords.chmod(0o600)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(port=port))
    text = form.format(port=port, user=guarded.user, secret=SECRET, encoded=ENCODED)
    target = one(text)
    with connect(target, application_name="batchgate/test") as session:
        row = session.execute("select current_user, current_setting('application_name')").fetchone()
        assert row == (guarded.user, "batchgate/test")
        assert session.autocommit
        assert session.prepare_threshold is None
        assert SECRET not in f"{session!r} {session.info.dsn} {target!r}"
        used = session.info.password
    scrub = secrets_of([text], None, None).scrubber()
    assert used == SECRET
    assert SECRET not in scrub(f"it was {used}")
    assert ENCODED not in scrub(text)


def test_a_silent_network_is_noticed_within_half_a_minute(guarded):
    text = guarded.conninfo()
    with connect(one(text), application_name="batchgate") as session:
        given = session.info.get_parameters()
        patience = ("connect_timeout", "keepalives_idle", "tcp_user_timeout")
        assert [given[name] for name in patience] == ["10", "10", "30000"]
    with connect(
        one(make_conninfo(text, connect_timeout="3", keepalives_idle="77")),
        application_name="batchgate",
    ) as session:
        given = session.info.get_parameters()
        assert [given[name] for name in patience] == ["3", "77", "30000"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param({"password": "Wr0ngTr0ub4dor"}, Fault.PASSWORD_REFUSED, id="password"),
        pytest.param({"user": "nobody-here"}, Fault.PASSWORD_REFUSED, id="user"),
        pytest.param({"password": ""}, Fault.NO_PASSWORD, id="no-password"),
        pytest.param({"dbname": "nowhere"}, Fault.NO_SUCH_DATABASE, id="database"),
        pytest.param({"port": "1"}, Fault.REFUSED, id="port"),
        pytest.param({"host": "nowhere.invalid"}, Fault.UNKNOWN_HOST, id="host"),
        pytest.param({"host": "/nowhere"}, Fault.REFUSED, id="socket"),
        pytest.param({"sslmode": "require"}, Fault.TLS_NOT_OFFERED, id="no-encryption"),
        pytest.param({"options": "-c no.such=1 -c nosuch=1"}, Fault.SETTING_REFUSED, id="setting"),
        pytest.param({"target_session_attrs": "standby"}, Fault.WRONG_KIND, id="kind-of-session"),
    ],
)
def test_a_connection_that_does_not_come_tells_why_and_nothing_else(guarded, changes, fault):
    target = one(guarded.conninfo(**changes))
    with pytest.raises(TargetUnavailable) as caught:
        connect(target, application_name="batchgate")
    message = caught.value.message
    assert caught.value.fault is fault, message
    assert message.headline.startswith("target: expected a connection, ")
    assert ("found no such database" in message.headline) == (fault is Fault.NO_SUCH_DATABASE)
    assert message.at == target.address
    assert message.fix
    told = everything_told(caught)
    for secret in (SECRET, ENCODED, "Wr0ngTr0ub4dor"):
        assert secret not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert {Path(frame.filename).name for frame in traceback.extract_tb(caught.tb)} == {
        "address.py",
        "test_address.py",
    }


def test_a_role_that_may_not_connect_is_told_from_a_database_that_is_none(guarded):
    name = "not_for_all"
    with on_server(guarded.server, "postgres") as session:
        session.execute(f"create database {name}")
        session.execute(f"revoke connect on database {name} from public")
        try:
            with pytest.raises(TargetUnavailable) as caught:
                connect(one(guarded.conninfo(dbname=name)), application_name="batchgate")
        finally:
            session.execute(f"drop database {name}")
    assert caught.value.fault is Fault.NOT_ALLOWED
    message = caught.value.message
    assert message.headline == (
        "target: expected a connection, the role may not connect to this database"
    )
    assert message.fix == "Let its owner say: grant connect on database … to …;"


def test_encryption_asked_for_by_the_server_and_a_wrong_certificate_are_told(tmp_path):
    with tls_server(password=SECRET) as guarded:
        with connect(one(guarded.conninfo()), application_name="batchgate") as session:
            query = "select ssl from pg_catalog.pg_stat_ssl where pid = pg_backend_pid()"
            assert session.execute(query).fetchone() == (True,)
        for changes, fault in (
            ({"sslmode": "disable"}, Fault.TLS_REQUIRED),
            ({"sslrootcert": str(tmp_path / "none")}, Fault.CERTIFICATE_WRONG),
        ):
            with pytest.raises(TargetUnavailable) as caught:
                connect(one(guarded.conninfo(**changes)), application_name="batchgate")
            assert caught.value.fault is fault, caught.value
            assert SECRET not in everything_told(caught)


def test_a_server_without_room_says_so(guarded):
    role = "crowded"
    with psycopg.connect(guarded.server.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"create role {role} login password '{SECRET}' connection limit 1")
    target = one(guarded.conninfo(user=role))
    with (
        connect(target, application_name="batchgate"),
        pytest.raises(TargetUnavailable) as caught,
    ):
        connect(target, application_name="batchgate")
    assert caught.value.fault is Fault.TOO_MANY_CONNECTIONS


def test_a_pooler_is_reached_and_its_refusal_of_settings_told(guarded):
    with pgbouncer(guarded.server) as conninfo:
        with connect(one(conninfo), application_name="batchgate/01") as session:
            assert session.execute("select 1").fetchone() == (1,)
        with pytest.raises(TargetUnavailable) as caught:
            connect(one(make_conninfo(conninfo, options="-c jit=off")), application_name="b")
        assert caught.value.fault is Fault.SETTING_REFUSED
        assert "PgBouncer" in caught.value.message.fix


def test_what_failed_twice_alike_is_told_once_and_no_pooler_blamed_for_it(guarded):
    info = guarded.conninfo(options="-c nosuch=1")
    with pytest.raises(TargetUnavailable) as caught:
        connect(one(info), application_name="b")
    assert caught.value.fault is Fault.SETTING_REFUSED
    assert caught.value.message.fix.startswith("Look at options= and PGOPTIONS")
    assert caught.value.message.cause.endswith(
        'FATAL: unrecognized configuration parameter "nosuch"'
    )
    assert caught.value.message.cause.count("nosuch") == 1


def test_what_several_hosts_said_alike_is_told_once():
    with pytest.raises(TargetUnavailable) as caught:
        connect(one("host=127.0.0.1,127.0.0.1 port=1"), application_name="b")
    assert caught.value.message.cause.count("Connection refused") == 1
    assert "\n" not in caught.value.message.cause


def test_a_host_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TargetUnavailable) as caught:
            connect(
                one(f"host=127.0.0.1 port={port} connect_timeout=1"), application_name="batchgate"
            )
    assert caught.value.fault is Fault.TIMEOUT


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        pytest.param("connection timeout expired", Fault.TIMEOUT, id="timeout"),
        pytest.param(
            "FATAL:  the database system is starting up", Fault.STARTING_UP, id="starting"
        ),
        pytest.param(
            "FATAL:  the database system is not yet accepting connections\n"
            "DETAIL:  Consistent recovery state has not been yet reached.",
            Fault.STARTING_UP,
            id="recovering",
        ),
        pytest.param(
            "FATAL:  the database system is shutting down", Fault.SHUTTING_DOWN, id="shutting"
        ),
        pytest.param(
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", SSL on',
            Fault.NOT_ALLOWED,
            id="rules",
        ),
        pytest.param("FATAL:  sorry, too many clients already", Fault.TOO_MANY_CONNECTIONS, id="n"),
        pytest.param(
            "failed: No route to host\n\tIs the server running?", Fault.UNREACHABLE, id="route"
        ),
        pytest.param("SSL error: certificate verify failed", Fault.CERTIFICATE_WRONG, id="verify"),
        pytest.param(
            'server certificate for "a" does not match host name "b"',
            Fault.CERTIFICATE_WRONG,
            id="other-name",
        ),
        pytest.param("SSL connection has been closed unexpectedly", Fault.OTHER, id="other"),
        pytest.param("server closed the connection unexpectedly", Fault.CLOSED, id="closed"),
        pytest.param('definition of service "x" not found', Fault.UNKNOWN_SERVICE, id="service"),
    ],
)
def test_the_words_of_a_refusal_are_understood(words, fault):
    assert refusal_of(words).fault is fault


def test_an_interrupt_while_connecting_leaves_no_frame_that_knows_the_password(monkeypatch):
    def interrupted(conninfo: str, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(psycopg.Connection, "connect", interrupted)
    target = one(f"postgresql://u:{ENCODED}@127.0.0.1:1/db")
    with pytest.raises(KeyboardInterrupt) as caught:
        connect(target, application_name="batchgate")
    assert ENCODED not in everything_told(caught)
    assert "interrupted" not in {frame.name for frame in traceback.extract_tb(caught.tb)}


def test_a_target_unavailable_is_an_error_of_the_users():
    assert issubclass(TargetUnavailable, ServerUnavailable)


def everything_told(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """Return all that pytest can be made to say, of our frames; this file's own know the secret."""
    parts = [str(caught.value), repr(caught.value)]
    for entry in caught.traceback:
        if Path(entry.path).name != Path(__file__).name:
            parts += [f"{name} = {value!r}" for name, value in entry.locals.items()]
    return "\n".join(parts)
