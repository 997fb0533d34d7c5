"""What the planner says of a gate: its estimate, and its plan as it is shown."""

import re

_COST = re.compile(r"\(cost=[\d.]+\.\.([\d.]+) ")
_LENGTH = 10_000


def cost_of(plan: str) -> float:
    """Return what a plan costs as a whole, in the planner's own units."""
    found = _COST.search(plan)
    assert found, "a plan's first line tells its cost"
    return float(found[1])


def grouped(cost: float) -> str:
    """Return a cost for people, its thousands apart."""
    return f"{cost:,.0f}".replace(",", " ") if cost >= 1 else f"{cost:g}"


def shortened(plan: str) -> str:
    """Return a plan without what is more of it than anybody reads."""
    if len(plan) <= _LENGTH:
        return plan
    return f"{plan[:_LENGTH]}\n… {len(plan) - _LENGTH} more characters"
