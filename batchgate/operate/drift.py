"""How a database's schema differs from the one that its batches make."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from batchgate.catalog import Difference, Snapshot, collapse, compare
from batchgate.cluster import SUPERUSER
from batchgate.operate.departures import Drift
from batchgate.operate.judging import Judged, noted
from batchgate.operate.likening import (
    OWNER,
    PUBLIC,
    Roles,
    Sides,
    across_versions,
    grantee_of,
    likened,
    owner_of,
    spoken_of,
)
from batchgate.operate.making import Making
from batchgate.schematext import schema_diff
from batchgate.wholes import Attributes, Key


def drift_of(making: Making, found: Snapshot, majors: tuple[int, int]) -> Drift:
    """Compare what batches make with what stands on a database.

    `majors` are the versions of the two servers.
    """
    new = making.top.facts.keys() - making.ground.facts.keys()
    raw = {key: making.top.facts[key] for key in new}
    database = str(found.facts["database", "this database"]["owner"])
    owner = owner_of(found.facts, raw, database)
    roles = spoken_of(raw, SUPERUSER) - {owner}
    made = making.likened(lambda snapshot: likened(snapshot, Roles(SUPERUSER)))
    expected, stands = _sides(made, likened(found, Roles(owner)))
    # Who owns everything here has all that the batches grant to it.
    expected = {key: _without(each, owner) for key, each in expected.items()}
    grants = _set_apart_grants(expected, stands, {OWNER, PUBLIC, *roles})
    sides, unseen = Sides(expected, stands), tuple[str, ...]()
    if majors[0] != majors[1]:
        sides, unseen = across_versions(sides, majors)
    before, after = Snapshot(sides.expected), Snapshot(sides.found)
    differences = [noted(each, before.facts) for each in compare(before, after)]
    judged = Judged(made, before, after, owner)
    for root in collapse(each for each in differences if not each.soft):
        judged.take(root)
    judged.harmless += [judged.departure(each) for each in differences if each.soft]
    return Drift(
        departures=tuple(map(judged.departure, judged.roots)),
        harmless=tuple(judged.harmless),
        strangers=tuple(judged.strangers),
        grants=grants,
        owner=owner,
        unseen=unseen,
        diff=_diff(before, after, judged.roots),
    )


def _without(attributes: Attributes, role: str) -> Attributes:
    """Leave out the privileges of a role."""
    return {name: value for name, value in attributes.items() if grantee_of(name) != role}


def _diff(before: Snapshot, after: Snapshot, roots: Sequence[Difference]) -> tuple[str, ...]:
    """Return the unified diff of what differs, under headings that say which side is which."""
    _, _, *lines = schema_diff(before, after, roots) or ("", "")
    return ("--- as the batches make it", "+++ as it stands", *lines) if lines else ()


def _sides(making: Making, here: Snapshot) -> tuple[dict[Key, Attributes], dict[Key, Attributes]]:
    """Return what the batches make, and what stands of it or is strange to them.

    What was there before them is of no interest, but for what they made of it.
    """
    ground, top = making.ground.facts, making.top.facts
    expected = {key: made for key in top if (made := making.made(key)) is not None}
    stands: dict[Key, Attributes] = {}
    for key, attributes in here.facts.items():
        if key in ground and key in expected:
            stands[key] = {name: attributes.get(name) for name in expected[key]}
        elif key not in ground or key not in top:
            stands[key] = attributes
    return expected, stands


def _set_apart_grants(
    expected: Mapping[Key, Attributes], stands: dict[Key, Attributes], spoken: Set[str]
) -> Mapping[str, int]:
    """Take away what was granted to roles that the batches do not speak of; count it by role."""
    counted: Counter[str] = Counter()
    for key in expected.keys() & stands.keys():
        strange = {
            name: role
            for name in stands[key].keys() - expected[key].keys()
            if (role := grantee_of(name)) and role not in spoken
        }
        counted.update(set(strange.values()))
        stands[key] = {k: value for k, value in stands[key].items() if k not in strange}
    return dict(sorted(counted.items()))
