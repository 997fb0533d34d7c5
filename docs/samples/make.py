"""Make the sample pages from real runs, and see that nothing of this machine is in them.

    python docs/samples/make.py [clean] [failing] [replica] [--redraw]

Each page is what pytest, with the plugin as it is installed, left in a folder of its own; beside it
lies the report.json that it is drawn from. With --redraw nothing is run: the pages are drawn again
from the reports that are there, as after a change of the page's looks.
"""

import argparse
import getpass
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from batchgate.report.redraw import draw_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHOP = HERE / "shop"
LARGEST = 1_000_000
# What a run is given of our surroundings: no option, no DSN, no CI server's summary.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
_SINCE = "--compare=reports/report.json"
_WEEKS = "scenarios/sample/02.sql"
# What the shop's change brings,
_NEW = (
    "sql/04_simplify_order_status",
    "sql/05_add_refunds",
    "gates/08_refunds_stay_within_the_order.sql",
    "gates/08_refunds_stay_within_the_order.red.sql",
    "scenarios/sample/05.sql",
    "scenarios/test_last_piece.py",
    "scenarios/test_refunds.py",
)
# and what it rewrites, with the words that stood there before.
_REWRITTEN = {
    "gates/05_open_orders_are_young.sql": {
        "than two weeks": "than thirty days",
        "04_simplify_order_status": "01_add_orders",
        "o.status = 'open'": "o.status in ('placed', 'paid', 'packed')",
        "> 14": "> 30",
    },
    "gates/05_open_orders_are_young.red.sql": {"'open'": "'placed'"},
}
# What tells of a machine or a person, whoever reads it.
_TELLING = {
    "a folder": r"(?<![\w.<:/*])/(?:bin|dev|etc|home|mnt|opt|private|proc|root|run|srv|tmp|usr|var"
    r"|Users|Volumes)/[\w.-]+",
    "a folder of packages": r"/site-packages",
    "a mail address": r"[\w.+-]{1,64}@(?!example\.(?:com|org))[\w-]+\.\w+",
}
# Names of users and hosts that are words of a page, too.
_COMMON = {"app", "build", "dev", "localhost", "main", "postgres", "root", "runner", "test", "user"}


def main() -> None:
    """Make the samples that are named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("samples", nargs="*", metavar="SAMPLE", help=", ".join(SAMPLES))
    parser.add_argument("--redraw", action="store_true", help="draw again what ran before")
    arguments = parser.parse_args()
    if unknown := set(arguments.samples) - SAMPLES.keys():
        parser.error(f"expected {', '.join(SAMPLES)}, found {', '.join(sorted(unknown))}")
    for name in arguments.samples or SAMPLES:
        report = HERE / f"{name}.json"
        if not arguments.redraw:
            _keep(report, _report_of(name))
        document = json.loads(report.read_text(encoding="utf-8"))
        _keep(HERE / f"{name}.html", draw_page(document))


def _report_of(name: str) -> str:
    """Run what a sample shows, and return the report of its last run."""
    with tempfile.TemporaryDirectory() as scratch:
        project = SAMPLES[name](Path(scratch).resolve())
        return (project / "reports/report.json").read_text(encoding="utf-8")


def _clean(scratch: Path) -> Path:
    """Prove this repository's own batches and gates, then these and its scenarios."""
    project = junk_removal(scratch)
    for chosen in (("sql", "gates"), ()):
        run_pytest(project, "-n", "2", _SINCE, *chosen, ends=(0,))
    return project


def _failing(scratch: Path) -> Path:
    """Look at the shop week by week; in the last one prove what is to be merged."""
    project = scratch / "shop"
    weeks = weeks_of(SHOP / _WEEKS)
    for week in range(1, len(weeks)):
        _copy(SHOP, project)
        _take_back_change(project)
        (project / _WEEKS).write_text("".join(weeks[:week]), encoding="utf-8")
        # Each week the gates; at last all of what the change is to be merged into.
        chosen = () if week == len(weeks) - 1 else ("-m", "gates")
        run_pytest(project, *chosen, _SINCE, ends=(0, 1))
    _copy(SHOP, project)
    run_pytest(project, _SINCE, ends=(1,))
    return project


def _take_back_change(project: Path) -> None:
    for name in _NEW:
        path = project / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, words in _REWRITTEN.items():
        text = (project / name).read_text(encoding="utf-8")
        for now, before in words.items():
            assert now in text, f"{name}: {now}"
            text = text.replace(now, before)
        (project / name).write_text(text, encoding="utf-8")


def _replica(scratch: Path) -> Path:
    """Look at a primary and its standby week by week."""
    # The servers of the plugin's own tests, which a redrawn page does not need.
    sys.path.append(str(ROOT / "tests"))
    from replica import looked_at

    project = junk_removal(scratch)
    for targets in looked_at(project, weeks_of(HERE / "replica.sql")):
        run_pytest(project, "-m", "gates", *targets, _SINCE, ends=(0, 1))
    return project


SAMPLES: Mapping[str, Callable[[Path], Path]] = {
    "clean": _clean,
    "failing": _failing,
    "replica": _replica,
}


def junk_removal(scratch: Path) -> Path:
    """Copy this repository's own batches, gates and scenarios into a project."""
    project = scratch / "junk-removal"
    for name in ("sql", "gates", "scenarios"):
        _copy(ROOT / name, project / name)
    (project / "pytest.ini").write_text("[pytest]\ntestpaths = sql gates scenarios\n")
    return project


def _copy(folder: Path, to: Path) -> None:
    """Copy a folder over what is there, without what a run of its own has left in it."""
    left = shutil.ignore_patterns("__pycache__", ".pytest_cache", "reports")
    shutil.copytree(folder, to, ignore=left, dirs_exist_ok=True)


def weeks_of(path: Path) -> list[str]:
    """Return a file's weeks, each from its heading on, what stands above them with the first."""
    above, *weeks = re.split(r"(?m)^(?=-- Week \d+: )", path.read_text(encoding="utf-8"))
    return [above + weeks[0], *weeks[1:]]


def run_pytest(project: Path, *arguments: str, ends: tuple[int, ...]) -> None:
    """Run pytest in a project; end all where it does not end with one of these exit codes."""
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ran = subprocess.run(
        command,
        cwd=project,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    last = ran.stdout.rstrip().rpartition("\n")[2]
    print(f"  {project.name}: {last.strip('= ')}", flush=True)
    if ran.returncode not in ends:
        wanted = " or ".join(map(str, ends))
        raise SystemExit(f"{ran.stdout}\nexpected exit code {wanted}, found {ran.returncode}")


def _keep(file: Path, content: str) -> None:
    """Write what is fit to be shown; end all where it tells of this machine or is too large."""
    if found := list(leaks(content, own_signs())):
        raise SystemExit(f"{file.name}: expected nothing of this machine, found {found}")
    if (size := len(content.encode())) > LARGEST:
        raise SystemExit(f"{file.name}: expected at most {LARGEST:,} bytes, found {size:,}")
    file.write_text(content, encoding="utf-8")
    print(f"{file.name}: {size:,} bytes", flush=True)


def leaks(content: str, own: Iterable[str] = ()) -> Iterator[str]:
    """Find what a published page must not tell, and any of a machine's own signs in it."""
    for what, pattern in _TELLING.items():
        if found := re.search(pattern, content):
            yield f"{what}, {found[0]}"
    for sign in own:
        if re.search(rf"(?<![\w-]){re.escape(sign)}(?![\w-])", content):
            yield f"this machine's {sign}"


def own_signs() -> set[str]:
    """Return this machine's folders, its kernel, its name and its user's."""
    folders = (ROOT, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()).resolve())
    node = platform.node()
    names = {getpass.getuser(), node, node.partition(".")[0]}
    return {*map(str, folders), *(names - _COMMON), platform.release()} - {"", "/"}


if __name__ == "__main__":
    main()
