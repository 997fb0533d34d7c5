"""The test log as values: how each test ended, in what order, and where it is listed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

from batchgate.outcomes.words import cut_text
from batchgate.report.words import Tone, grouped
from batchgate.run import Run, TestResult
from batchgate.signs import spelled_out

# Rows of the table, which pytest-html draws anew whenever it is sorted or filtered: of 200 that
# takes a slow machine 0.15 s.
ROWS = 200
_HEADLINE = 240
# Bytes that one test may say here, and all of the table's, and all of the others'.
_SAID, _SAID_IN_ALL = 20_000, 300_000

# The category of pytest-html for tries that were made again. It holds, too, what pytest counts as
# passed and is no pass, which has none of its own.
NOTED = "rerun"
# Every category that pytest-html knows, the worst first.
_TONES: Mapping[str, Tone] = {
    "error": Tone.BAD,
    "failed": Tone.BAD,
    "xpassed": Tone.WARN,
    NOTED: Tone.IDLE,
    "skipped": Tone.IDLE,
    "xfailed": Tone.IDLE,
    "passed": Tone.GOOD,
}
KINDS = tuple(_TONES)
_WORDS = {"xpassed": "passed unexpectedly", "xfailed": "failed as expected", NOTED: "run again"}
# What the terminal calls by a word of its own: of what passed by pytest it is none.
_OWN_TONES = {
    "warned": Tone.WARN,
    "no result": Tone.LOST,
    "not exercised": Tone.IDLE,
    "not applicable": Tone.IDLE,
}
# What pytest puts before the lines of a failed assertion.
_ASSERTED = re.compile(r"E(?: {2,}(.*))?$")


@dataclass(frozen=True)
class Entry:
    """One line of the log; `kind` is pytest-html's category, `place` its place in the run."""

    place: int
    kind: str
    word: str
    tone: Tone
    file: str
    name: str
    phase: str
    seconds: float
    headline: str
    text: str

    @property
    def id(self) -> str:
        """Return by what it is found on the page, in the order of the run."""
        return f"test-{self.place + 1:06d}"

    @property
    def passed(self) -> bool:
        """Return whether it plainly passed."""
        return self.kind == "passed"

    @property
    def rank(self) -> int:
        """Return where its kind is listed, the worst first."""
        return KINDS.index(self.kind)


@dataclass(frozen=True)
class Fold:
    """The tests of one file, folded; those that did not pass come first."""

    file: str
    said: str
    seconds: float
    tone: Tone
    others: tuple[Entry, ...]
    passes: tuple[Entry, ...]


@dataclass(frozen=True)
class Log:
    """The tests of a run: those in pytest-html's table, and those that are listed below it.

    `cut` is how many said what has no room here, `untold` how many the run counted and named none
    of, as older documents do.
    """

    table: tuple[Entry, ...]
    listed: tuple[Entry, ...]
    counts: Mapping[str, int]
    cut: int = 0
    untold: int = 0

    @property
    def total(self) -> int:
        """Return how many there are."""
        return len(self.table) + len(self.listed)


def log_of(run: Run) -> Log:
    """Sort a run's tests; of many, the table holds what did not pass, the worst first."""
    entries = [_entry(place, test) for place, test in enumerate(run.tests)]
    chosen = entries
    if len(entries) > ROWS:
        others = [each for each in entries if not each.passed]
        chosen = sorted(others, key=lambda each: each.rank)[:ROWS]
    shown = {each.place for each in chosen}
    table = tuple(_shortened(each for each in entries if each.place in shown))
    listed = tuple(_shortened(each for each in entries if each.place not in shown))
    told = sum(bool(each.text) for each in (*table, *listed))
    return Log(
        table=table,
        listed=listed,
        counts=counts_of(entries),
        cut=sum(bool(each.text) for each in entries) - told,
        untold=0 if entries else sum(run.counts.values()),
    )


def counts_of(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many ended in each word, the worst first."""
    ordered = sorted(entries, key=lambda each: (each.rank, each.word))
    return dict(Counter(each.word for each in ordered))


def folds_of(entries: Iterable[Entry]) -> list[Fold]:
    """Return tests by file, in the order of the run, files with failures first."""
    files: dict[str, list[Entry]] = {}
    for each in entries:
        files.setdefault(each.file, []).append(each)
    folds = [_fold(file, tests) for file, tests in files.items()]
    return sorted(folds, key=lambda fold: fold.tone is not Tone.BAD)


def _shortened(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Cut what tests say; where all have said too much the others' headlines have to do."""
    room = _SAID_IN_ALL
    for each in entries:
        text = cut_text(each.text, _SAID) if room > 0 else ""
        room -= len(text)
        yield replace(each, text=text)


def _fold(file: str, tests: Sequence[Entry]) -> Fold:
    others = [each for each in tests if not each.passed]
    counts = counts_of(tests)
    return Fold(
        file=file,
        said=", ".join(f"{grouped(count)} {word}" for word, count in counts.items()),
        seconds=sum(each.seconds for each in tests),
        tone=min(tests, key=lambda each: each.rank).tone,
        others=tuple(sorted(others, key=lambda each: each.rank)),
        passes=tuple(each for each in tests if each.passed),
    )


def _entry(place: int, test: TestResult) -> Entry:
    kind = test.outcome if test.outcome in _TONES else NOTED
    if kind == "passed" and test.said in _OWN_TONES:
        kind = NOTED
    text = spelled_out(test.text)
    headline = _headline(text, failed=kind in ("error", "failed"))
    file, _, name = test.id.partition("::")
    return Entry(
        place=place,
        kind=kind,
        word=test.said if test.said in _OWN_TONES else _WORDS.get(test.outcome, test.outcome),
        tone=_OWN_TONES.get(test.said, _TONES[kind]),
        file=spelled_out(file),
        name=spelled_out(name),
        phase=test.when if kind == "error" else "",
        seconds=test.seconds,
        headline=headline,
        text="" if text.strip() == headline else text,
    )


def _headline(text: str, *, failed: bool) -> str:
    """Return the line that says most: of a failure the last exception's first, else the first."""
    lines = list(takewhile(lambda line: not line.startswith("-----"), text.splitlines()))
    marked = [_ASSERTED.match(line) for line in lines]
    first = [now[1] for before, now in pairwise([None, *marked]) if failed and now and not before]
    said = first[-1] if first else next((line for line in lines if line.strip()), "")
    said = (said or "").strip()
    return said if len(said) <= _HEADLINE else f"{said[: _HEADLINE - 1]}…"
