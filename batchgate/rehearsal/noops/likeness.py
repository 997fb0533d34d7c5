"""What IF EXISTS was surely meant to find: the same name in other letters, or in another schema."""

from collections.abc import Collection, Iterator

from batchgate.catalog import Snapshot
from batchgate.rehearsal.noops.guards import Guard
from batchgate.rehearsal.noops.reading import names_in, same_but_for_case
from batchgate.wholes import Attributes, Key

_KINDS = ("table", "foreign table", "sequence", "view", "materialized view")
# What the snapshot calls what statements call otherwise.
_CLASS_OF = {
    **dict.fromkeys(_KINDS, "relation"),
    **dict.fromkeys(("function", "procedure", "aggregate"), "routine"),
    **dict.fromkeys(("user", "group"), "role"),
    "server": "foreign server",
    "domain": "type",
    "label": "type",
}


def class_of(guard: Guard) -> str:
    """Return what a snapshot calls the class of what a guard guards."""
    return _CLASS_OF.get(guard.class_, guard.class_)


def bearing(guard: Guard, stood: Snapshot) -> list[Key]:
    """List what may be the very thing that a guard names; relations and indexes share names."""
    classes = {class_of(guard)}
    if classes & {"relation", "index"}:
        classes = {"relation", "index"}
    return [
        key
        for key in stood.facts
        if key[0] in classes
        and any(
            name[-1:] == guard.name[-1:] and (not on or on[-1:] == guard.on[-1:])
            for name, on in _named(guard, key)
        )
    ]


def surely_meant(
    guard: Guard, words: str, start: Snapshot, end: Snapshot, own: Collection[Key]
) -> list[Key]:
    """List what stood all along under a name that is easily taken for the guard's.

    A name with its schema is only taken for one in another schema where `own`, what the batch
    itself made, holds that one. `words` are the server's.
    """
    if any(_finds(guard, key) for key in end.facts.keys() - start.facts.keys()):
        return []
    return sorted(
        key
        for key in start.facts.keys() & end.facts.keys()
        if key[0] == class_of(guard)
        and _is_of_kind(guard, start.facts[key])
        and _is_like(guard, key, own)
        and (key[0] != "routine" or _takes_alike(guard, words, key))
    )


def _is_of_kind(guard: Guard, facts: Attributes) -> bool:
    """Tell a partitioned table for a table, and a view for none."""
    return guard.class_ not in _KINDS or facts["kind"] in (
        guard.class_,
        f"partitioned {guard.class_}",
    )


def _finds(guard: Guard, key: Key) -> bool:
    """Tell whether an object bears the guard's name, in whatever schema."""
    return key[0] == class_of(guard) and any(
        name[-1:] == guard.name[-1:] for name, _ in _named(guard, key)
    )


def _is_like(guard: Guard, key: Key, own: Collection[Key]) -> bool:
    for name, on in _named(guard, key):
        if guard.on:
            return on[-len(guard.on) :] == guard.on and same_but_for_case(guard.name, name)
        same_part = name[-len(guard.name) :]
        if same_but_for_case(guard.name, same_part):
            return True
        elsewhere = guard.name[-1] == name[-1] and guard.name != same_part
        return (guard.name == same_part and len(guard.name) == 1) or (elsewhere and key in own)
    return False


def _takes_alike(guard: Guard, words: str, key: Key) -> bool:
    """Tell whether a routine of this very name is looked for with no arguments, or with none said.

    With others it is another routine, in this schema or in any.
    """
    of_this_name = names_in(key[1])[0][-1] == guard.name[-1]
    return not of_this_name or "(" not in words or ("()" in words and key[1].endswith("()"))


def _named(guard: Guard, key: Key) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield an object's own name and that of the table it is on."""
    names = names_in(key[1])
    if not names:
        return
    if guard.class_ == "column":
        yield names[0][-1:], names[0][:-1]
    elif guard.on:
        yield names[0], names[2] if len(names) > 2 else ()
    else:
        yield names[0], ()
