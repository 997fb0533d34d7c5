"""Whether what stands is what a statement means, in all that is for the statement to say."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from batchgate.catalog import Difference, Snapshot, collapse, compare
from batchgate.rehearsal.noops.guards import Guard
from batchgate.rehearsal.noops.reading import names_in
from batchgate.rehearsal.noops.skips import Skip
from batchgate.wholes import Key

# An attribute is part of what a statement means where one of these words is in it; the others
# are set by other statements, and stand as those left them.
_SAID_BY = {
    "owner": ("authorization",),
    "acl": (),
    "row type acl": (),
    "row security": (),
    "forced row security": (),
    "replica identity": (),
    "clustered": (),
    "populated": (),
    "members": (),
    "column options": (),
    "statistics target": (),
    "statistics targets": (),
    "storage": ("storage",),
    "compression": ("compression",),
    "tablespace": ("tablespace",),
    "owned by": ("owned",),
    "local": ("inherits", "partition"),
    "inherited from": ("inherits", "partition"),
    "parent": ("inherits", "partition"),
}
_SAID_IN_PART = ("options", "toast options")
_FOLLOW_A_TYPE = ("collation", "storage", "compression")
_SAY_IT_ALL = ("definition", "base")


def held_against(skip: Skip, end: Snapshot) -> list[Difference]:
    """Return how what stood differs from what is meant, but for what the file puts right below."""
    meant = Snapshot(skip.meant.facts)
    stands = _only(end, meant)
    remaining = {
        key for each in compare(stands, meant) for key in (each.key, (each.key, each.attribute))
    }
    return _telling(
        each
        for each in _differing(skip)
        if _is_said(each, skip.guard)
        and (each.key if each.attribute is None else (each.key, each.attribute)) in remaining
    )


def remarks_on(skip: Skip, key: Key) -> str:
    """Say in what else what stands is not what the statement would have made."""
    differing = _differing(skip)
    apart = sorted({str(one.attribute) for one in differing if not _is_said(one, skip.guard)})
    said = any(_is_said(one, skip.guard) for one in differing)
    remarks = [
        "put right further down" if said else "with the same definition",
        *([f"but for {', '.join(apart)}"] if apart else []),
        *_more_columns(skip, key),
    ]
    return ", ".join(remarks)


def _differing(skip: Skip) -> list[Difference]:
    """Compare what stood with what is meant; an enum that lacks labels is of consequence here."""
    meant = Snapshot(skip.meant.facts)
    return [
        replace(each, note="")
        for each in compare(_only(skip.stood, meant), meant)
        if not each.soft or each.attribute == "labels"
    ]


def _only(snapshot: Snapshot, others: Snapshot) -> Snapshot:
    """Leave out of a snapshot what another one does not know."""
    return Snapshot({key: facts for key, facts in snapshot.facts.items() if key in others.facts})


def _telling(differences: Iterable[Difference]) -> list[Difference]:
    """Keep of one object what says it all: a definition, a type, a column that may be null."""
    found = collapse(differences)
    named = {(each.key, each.attribute) for each in found}
    other_kind = [each for each in found if each.attribute == "kind"]
    return other_kind or [each for each in found if not _is_implied(each, named)]


def _is_implied(difference: Difference, named: Collection[tuple[Key, str | None]]) -> bool:
    if difference.attribute is None:
        parts = [
            (whole, said) for whole in difference.wholes for said in ("not null", "definition")
        ]
        return any(part in named for part in parts)
    if difference.attribute in _FOLLOW_A_TYPE:
        return (difference.key, "type") in named
    return difference.attribute not in ("valid", *_SAY_IT_ALL) and any(
        (difference.key, said) in named for said in _SAY_IT_ALL
    )


def _is_said(difference: Difference, guard: Guard) -> bool:
    """Tell whether an attribute is for the statement to say, or left to others."""
    if difference.attribute in _SAID_IN_PART:
        return not set(difference.after or ()) <= set(difference.before or ())
    if difference.key[0] == "extension" and difference.attribute == "schema":
        return "schema" in guard.words
    said_by = _SAID_BY.get(difference.attribute or "")
    return said_by is None or not guard.words.isdisjoint(said_by)


def _more_columns(skip: Skip, key: Key) -> list[str]:
    """Say which columns a table has beside those that the statement means."""
    if key[0] != "relation":
        return []
    of_table = names_in(key[1])[0]
    columns = [
        names_in(identity)[0]
        for class_, identity in skip.stood.facts.keys() - skip.meant.facts.keys()
        if class_ == "column"
    ]
    more = sorted(column[-1] for column in columns if column[:-1] == of_table)
    return [f"and with more columns: {', '.join(more)}"] if more else []
