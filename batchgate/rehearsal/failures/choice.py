"""Which faults befall a file: every statement's, or a spread sample that says so."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from batchgate.psqlfile import Script
from batchgate.rehearsal.failures.faults import Fault, Rival, Way
from batchgate.rehearsal.failures.record import Record, Sent
from batchgate.sqltext import MetaCommand, words

# A fault costs all the statements before it, so many statements cost their square.
_MOST_SENT = 5000
_MOST_SECONDS = 10.0
_FEWEST = 8
# After a commit each fault costs a clone of its own, and up to the next one all leave the same.
_MOST_LATE = 16
_MOST_LOCKS = 24
# What builds an index waits at its end for all who might still see the table without it.
_BUILD = ("create", "reindex")
_RUN_CODE = ("do", "call", "select", "with")
# The server refuses none of these that it took once; a role may be gone.
_NEVER_FAIL = ("begin", "start", "set", "reset", "show", "discard")
_OTHERS = "; the others ask for none that another session could hold"


class Choice(NamedTuple):
    """The faults that are tried, and how many of how many statements they befall."""

    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def choose(script: Script, known: Record) -> Choice:
    """Choose the faults: first those that stop the file, then those that it goes on after."""
    most = _most(known)
    most_late = max(_FEWEST // 2, min(most // 3, _MOST_LATE))
    edges = _edges(known.sent)
    early = _sample([one for one in known.sent if one.stage == 0], most)
    late = [one for one in known.sent if one.stage > 0]
    if len(late) > most_late:
        late = _spread([one for one in edges if one.stage > 0], most_late)
    firsts = {one.stage: one for one in reversed(late)}
    sparing = early + _spread([firsts[stage] for stage in sorted(firsts)], most_late // 2)
    locked = [one for one in known.sent if one.taken]
    held_up = _spread([one for one in locked if one.stage == 0], min(most, _MOST_LOCKS))
    held_up += _spread([one for one in locked if one.stage > 0], most_late)
    halfway = [one for one in known.sent if one.stops_halfway]
    inside = _spread(halfway, most_late)
    faults = [Fault(one, Way.ERROR) for one in early + late if _may_fail(one)]
    faults += [Fault(one, Way.KILL) for one in sparing]
    faults += [fault for one in held_up for fault in _lock_faults(one, one in sparing)]
    faults += [fault for one in inside for fault in _inside_faults(one)]
    if not _stops_by_itself(script):
        struck = early if known.stages <= 1 else _spread(edges, most_late // 2)
        faults += [Fault(one, Way.ERROR, stop=False) for one in struck if _may_fail(one)]
    of = len(known.sent)
    notes = (
        _tried("made to fail or cut off", early + late, known.sent, of),
        _tried("stopped halfway, as they commit inside", inside, halfway, of),
        _tried("made to wait for a lock", held_up, locked, of) + _OTHERS * bool(locked),
    )
    return Choice(tuple(faults), tuple(note for note in notes if note))


def _lock_faults(one: Sent, thorough: bool) -> Iterator[Fault]:
    """Hold up a statement that locks; one that runs code may take it well here and ill there."""
    strongest = max(held.mode.strength for held in one.taken)
    chosen = [held for held in one.taken if held.mode.strength == strongest]
    several = one.sending.verb in _RUN_CODE
    for held in dict.fromkeys((chosen[0], chosen[-1])) if several else chosen[:1]:
        yield Fault(one, Way.TIMEOUT, held=held)
    if thorough:
        yield Fault(one, Way.KILL_WAITING, held=chosen[0])


def _inside_faults(one: Sent) -> Iterator[Fault]:
    """Stop a statement halfway: soon after its first commit, and where it is almost done."""
    early = late = Rival.RELAY if one.calls else Rival.WRITER
    if early is Rival.WRITER and one.sending.verb in _BUILD:
        late = Rival.READER
    yield Fault(one, Way.CANCEL_INSIDE, rival=early)
    yield Fault(one, Way.KILL_INSIDE, rival=late)


def _may_fail(one: Sent) -> bool:
    """Leave out what the server has no reason to refuse."""
    sets_role = {"role", "authorization"} & set(words(one.sending.text))
    verb = one.sending.verb
    return not one.sending.gives_up and (verb not in _NEVER_FAIL or bool(sets_role))


def _stops_by_itself(script: Script) -> bool:
    """Tell a file that sets ON_ERROR_STOP before all else, and nowhere again."""
    commands = [
        part
        for part in script.parts
        if isinstance(part, MetaCommand) and part.arguments.split()[:1] == ["ON_ERROR_STOP"]
    ]
    value = " ".join(commands[0].arguments.lower().split()[1:]) if commands else ""
    return (
        len(commands) == 1
        and commands[0] in script.parts[: _first_statement(script)]
        and commands[0].name == "set"
        and value in ("", "on", "1", "true", "yes")
    )


def _first_statement(script: Script) -> int:
    places = (place for place, part in enumerate(script.parts) if not isinstance(part, MetaCommand))
    return next(places, len(script.parts))


def _most(known: Record) -> int:
    """Return how many of a file's statements can be tried, with all before each, in good time."""
    by_count = 2 * _MOST_SENT // max(len(known.sent), 1)
    by_time = int(2 * _MOST_SECONDS / max(known.seconds, 0.001))
    return max(_FEWEST, min(by_count, by_time))


def _sample(sent: Sequence[Sent], most: int) -> list[Sent]:
    """Keep all where that is cheap, else the edges of transactions and some between them."""
    if len(sent) <= most:
        return list(sent)
    chosen = {*_spread(_edges(sent), most), *_spread(sent, most)}
    return [one for one in sent if one in chosen]


def _edges(sent: Sequence[Sent]) -> list[Sent]:
    """Return of each stage the first, the first that may fail, and the last."""
    stages = groupby(sent, key=lambda one: one.stage)
    return [one for _, stage in stages for one in _ends(list(stage))]


def _ends(stage: Sequence[Sent]) -> Iterator[Sent]:
    first = next((place for place, one in enumerate(stage) if _may_fail(one)), 0)
    for place in sorted({0, first, len(stage) - 1}):
        yield stage[place]


def _spread(sent: Sequence[Sent], most: int) -> list[Sent]:
    """Return at most so many, from the first to the last, evenly spread."""
    if len(sent) <= most:
        return list(sent)
    return [sent[place * (len(sent) - 1) // (most - 1)] for place in range(most)]


def _tried(what: str, tried: Sequence[Sent], able: Sequence[Sent], of: int) -> str:
    """Say how many statements were tried of those that can be."""
    if not able:
        return ""
    sample = f", a sample of {len(able)}" if len(tried) < len(able) else ""
    return f"{what}: {len(tried)} of {of} statements{sample}"
