"""How a database stands, in lines for a terminal and as values for a document."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, NamedTuple

from batchgate.operate.departures import Departure, Drift, Sort
from batchgate.operate.sighting import Sighting, Unlooked
from batchgate.operate.standing import Answer
from batchgate.verdict import counted

_SHOWN = 20
_PLURALS = {"policy": "policies", "index": "indexes", "statistics": "statistics"}
_FIX = "Undo by hand what no batch made, or let a batch of its own make it."
_MISSING_FIX = "Make what is missing again by hand, as the migration.sql of its batch does."


class Line(NamedTuple):
    """One line, its colour and whether it begins a part of its own."""

    text: str = ""
    colour: str = ""
    heading: bool = False


def lines_of(sighting: Sighting, *, verbose: bool) -> Iterator[Line]:
    """Write what was seen, no wider than the terminal as far as names allow."""
    yield Line("batches", heading=True)
    yield from _wrapped(f"database {sighting.place}", "", "  ")
    yield Line()
    yield from _batches(sighting)
    if sighting.unlooked:
        yield Line("drift", heading=True)
        yield from _unlooked(sighting.unlooked)
    if sighting.drift and sighting.compared:
        yield Line("drift", heading=True)
        yield from _drift(sighting, sighting.drift, verbose=verbose)


def _unlooked(unlooked: Unlooked) -> Iterator[Line]:
    yield from _wrapped(f"drift not looked at: {unlooked.why}", "", "  ", "yellow")
    for label, text in (("at", unlooked.at), ("cause", unlooked.cause), ("fix", unlooked.fix)):
        before = f"  {label}: "
        for line in text.splitlines():
            yield from _wrapped(line, before, " " * (len(label) + 4))
            before = " " * (len(label) + 4)


def _batches(sighting: Sighting) -> Iterator[Line]:
    answers = sighting.standing.answers
    width = max((len(answer.batch.name) for answer in answers), default=0)
    yield Line(f"{'no.':>4}  {'batch':<{width}}  state")
    for answer in answers:
        batch = answer.batch
        state, colour = answer.word, _colour(answer)
        if answer.stands and (lacking := sighting.standing.lacking(batch)):
            state, colour = f"{state}, without {', '.join(lacking)}", "red"
        before = f"{batch.number:>4}  {batch.name:<{width}}  "
        yield from _wrapped(state, before, " " * len(before), colour)
        if answer.failure:
            for line in str(answer.failure).splitlines():
                indent = " " * (6 + len(line) - len(line.lstrip()))
                yield from _wrapped(line.strip(), indent, f"{indent}  ")
    yield Line()
    stand, asked = len(sighting.standing.batches), [each for each in answers if each.batch.present]
    yield Line(f"{stand} of {counted(len(asked), 'batch', 'batches')} that can be asked stand")


def _colour(answer: Answer) -> str:
    if answer.failure:
        return "red"
    return "green" if answer.stands else ""


def _drift(sighting: Sighting, drift: Drift, *, verbose: bool) -> Iterator[Line]:
    departures = sorted(drift.departures, key=lambda each: list(Sort).index(each.sort))
    shown = departures if verbose else departures[:_SHOWN]
    for each in shown:
        yield from _wrapped(str(each), "", "    ", "red")
        if each.batch:
            yield Line(f"    batch: {each.batch}")
    if len(departures) > len(shown):
        more = len(departures) - len(shown)
        yield Line(f"… and {more} more (--verbose lists them)", "red")
    if departures:
        for number, fix in enumerate(_fixes(sighting, departures)):
            yield from _wrapped(fix, "       " if number else "  fix: ", "       ")
        yield Line()
    yield from _beside(sighting, drift, verbose=verbose)
    if verbose and drift.diff:
        yield Line()
        yield from (Line(line, _of_diff(line)) for line in drift.diff)
    yield Line()
    if departures:
        count = counted(len(departures), "difference")
        yield Line(f"drift: {count} from what these batches make", "red")
    else:
        yield Line("no drift: the schema is as these batches make it", "green")


def _fixes(sighting: Sighting, departures: Sequence[Departure]) -> Iterator[str]:
    """Yield what to do; what an online route began keeps track of its work and is not to be cut."""
    left = {each.batch for each in departures if _is_unfinished(sighting, each)}
    for name in sorted(left):
        yield (
            f"What {name} left unfinished: batchgate apply {name} --online goes on from there,"
            f" batchgate rollback {name} takes it back."
        )
    sorts = {each.sort for each in departures if not _is_unfinished(sighting, each)}
    if Sort.MISSING in sorts:
        yield _MISSING_FIX
    if sorts - {Sort.MISSING}:
        yield _FIX


def _is_unfinished(sighting: Sighting, departure: Departure) -> bool:
    """Tell whether the online route of a batch that does not stand may have left something."""
    if departure.sort is not Sort.EXTRA or not departure.batch:
        return False
    answer = sighting.standing.answer(departure.batch)
    return answer.stands is False and answer.batch.online is not None


def _beside(sighting: Sighting, drift: Drift, *, verbose: bool) -> Iterator[Line]:
    """Say what it was compared with, and what is no drift."""
    compared = sighting.compared
    assert compared is not None, "where there is drift there was something to compare with"
    text = f"PostgreSQL {compared.version} ({compared.source}), the same batches"
    yield from _labelled("compared with", text + (" and sample data" if compared.sampled else ""))
    if compared.other_major:
        major = sighting.place.version.partition(".")[0]
        what = f"what only differs by version is left out{_listed(drift.unseen)}"
        get = f"python -m batchgate.fetch {major} gets the same one"
        yield from _labelled("another major version", f"{what}; {get}", "yellow")
    if verbose:
        yield from _labelled("owner of what the batches made", drift.owner)
    more = "" if verbose else " (--verbose lists them)"
    if drift.harmless:
        count = counted(len(drift.harmless), "difference")
        yield from _labelled("of no consequence", f"{count}{more}")
        if verbose:
            for each in drift.harmless:
                yield from _wrapped(str(each), "  ", "      ")
    if drift.strangers:
        counts = Counter(kind for kind, _ in drift.strangers)
        told = ", ".join(_counted(kind, count) for kind, count in sorted(counts.items()))
        yield from _labelled("not from the batches", f"{told}{more}")
        if verbose:
            yield from (Line(f"  {kind} {name}") for kind, name in sorted(drift.strangers))
    for role, granted in drift.grants.items():
        text = f"{role}, on {counted(granted, 'object')}"
        yield from _labelled("granted beside the batches", text)


def _listed(unseen: Sequence[str]) -> str:
    return f", and {', '.join(unseen)}" if unseen else ""


def _counted(kind: str, count: int) -> str:
    return counted(count, kind, _PLURALS.get(kind, f"{kind}s"))


def _of_diff(line: str) -> str:
    if line.startswith(("---", "+++", "@@")):
        return ""
    return {"+": "green", "-": "red"}.get(line[:1], "")


def _labelled(label: str, text: str, colour: str = "") -> Iterator[Line]:
    return _wrapped(f"{label}: {text}", "", "  ", colour)


def _wrapped(text: str, before: str, after: str, colour: str = "") -> Iterator[Line]:
    width = max(get_terminal_size().columns, 40)
    lines = wrap(
        text,
        width,
        initial_indent=before,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (Line(line, colour) for line in lines or [before.rstrip()])


def as_values(sighting: Sighting) -> Mapping[str, Any]:
    """Return what was seen as plain values."""
    place = sighting.place
    return {
        "role": place.role,
        "server_version": place.version,
        "standby": place.standby,
        "batches": [_batch(sighting, answer) for answer in sighting.standing.answers],
        "drift": _drift_values(sighting),
    }


def _batch(sighting: Sighting, answer: Answer) -> Mapping[str, Any]:
    said = answer.failure.message if answer.failure else None
    return {
        "number": answer.batch.number,
        "batch": answer.batch.name,
        "state": answer.word.replace(" ", "_"),
        "lacking": list(sighting.standing.lacking(answer.batch)) if answer.stands else [],
        "reason": f"{said.headline}: {said.cause}" if said else None,
        "fix": said.fix if said else None,
    }


def _drift_values(sighting: Sighting) -> Mapping[str, Any]:
    drift, compared = sighting.drift, sighting.compared
    if sighting.unlooked:
        why = sighting.unlooked
        reason = "\n".join(filter(None, (why.why, why.at, why.cause)))
        return {"state": "not_looked_at", "reason": reason, "fix": why.fix or None}
    if drift is None or compared is None:
        return {"state": "not_asked"}
    return {
        "state": "found" if drift.departures else "none",
        "compared_with": compared.version,
        "other_major": compared.other_major,
        "with_sample_data": compared.sampled,
        "left_out": list(drift.unseen),
        "owner": drift.owner,
        "differences": [_departure(each) for each in drift.departures],
        "of_no_consequence": [_departure(each) for each in drift.harmless],
        "not_from_the_batches": [
            {"class": kind, "name": name} for kind, name in sorted(drift.strangers)
        ],
        "granted_beside_the_batches": dict(drift.grants),
        "diff": list(drift.diff),
    }


def _departure(departure: Departure) -> Mapping[str, Any]:
    return {
        "kind": departure.sort.value,
        "class": departure.class_,
        "name": departure.name,
        "attribute": departure.attribute or None,
        "expected": departure.expected if departure.attribute else None,
        "found": departure.found if departure.attribute else None,
        "parts": departure.parts or None,
        "batch": departure.batch or None,
        "note": departure.note or None,
    }
