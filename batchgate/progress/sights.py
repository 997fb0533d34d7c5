"""What each process of a run does now, as the one that shows it sees it."""

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from batchgate.activity import Doing, Item, Running, going_on
from batchgate.progress.opening import opening_of

_WRITTEN_EVERY = 0.25  # seconds
# What is over sooner is not worth a file.
_LONG = 0.4
_SUFFIX = ".json"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a process does: a test or a stage of the run, and in it a statement of a file.

    Times are those of the system's monotonic clock, which all its processes share.
    """

    subject: str
    since: float
    stages: tuple[str, ...] = ()
    file: str = ""
    number: int = 0
    of: int = 0
    opening: str = ""
    sent: float = 0.0
    pid: int = 0
    host: str = ""
    port: int = 0


def look(but: Collection[Doing] = ()) -> Sight | None:
    """Return what goes on in this process, `but` what did before; None where nothing does.

    Of several items it is the one that began first.
    """
    return next(iter(look_at_all(but)), None)


def look_at_all(but: Collection[Doing] = ()) -> list[Sight]:
    """Return what goes on, item by item where several threads work on one each.

    What any other thread does is done for the item that began first.
    """
    doing = [each for each in going_on() if each not in but]
    at_work = dict.fromkeys(each.thread for each in doing if isinstance(each, Item))
    first = next(iter(at_work), 0)
    groups: dict[int, list[Doing]] = {first: [], **{thread: [] for thread in at_work}}
    for each in doing:
        groups[each.thread if each.thread in at_work else first].append(each)
    return [sight for group in groups.values() if (sight := _seen(group))]


def _seen(doing: Collection[Doing]) -> Sight | None:
    """Return what one item is at; of several statements, the one that has taken longest."""
    named = [each for each in doing if not isinstance(each, Running)]
    if not named:
        return None
    tests = [each for each in named if isinstance(each, Item)]
    subject = (tests or named)[0]
    stages = tuple(each.words for each in named if each is not subject)
    sent = next((each for each in doing if isinstance(each, Running)), None)
    if sent is None:
        return Sight(subject=subject.words, since=subject.since, stages=stages)
    return Sight(
        subject=subject.words,
        since=subject.since,
        stages=stages,
        file=sent.words,
        number=sent.number,
        of=sent.of,
        opening=opening_of(sent.text),
        sent=sent.since,
        pid=sent.pid,
        host=sent.host,
        port=sent.port,
    )


class Post:
    """Writes down what this process does, for the one that shows it; ends where that has."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{_SUFFIX}"
        self._over = Event()
        self._thread = Thread(target=self._write, name="batchgate-progress", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write no more."""
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        written = ""
        # The folder goes with the run's first process, however that ends.
        with suppress(OSError):
            while not self._over.wait(_WRITTEN_EVERY):
                sight = look()
                long = sight and monotonic() - sight.since > _LONG
                text = json.dumps(asdict(sight)) if sight and long else ""
                if text != written:
                    beside = self._path.with_suffix(".part")
                    beside.write_text(text, encoding="utf-8")
                    beside.replace(self._path)
                    written = text


def received(folder: Path) -> Iterator[Sight]:
    """Yield what the posts of other processes have written last."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        # Forgotten since the folder was read.
        with suppress(FileNotFoundError):
            if text := path.read_text(encoding="utf-8"):
                plain = json.loads(text)
                yield Sight(**{**plain, "stages": tuple(plain["stages"])})


def forget(folder: Path, name: str) -> None:
    """Take away what a process that has ended wrote."""
    (folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)
