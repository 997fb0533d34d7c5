"""Draw how each thing grows with the leads: one panel a benchmark, both axes logarithmic.

SVG is written as text, by nothing but the standard library: a few lines and labels need no package
of 60 MB, and the file can be read, compared and put into a page.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise

from figures import Growth

# Okabe and Ito's colours, which people who see few colours can tell apart, and dashes beside them.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555", "#000000")
DASHES = ("", "7 3", "2 3")
WIDTH, HEIGHT, TOP = 900, 330, 40
LEFT, RIGHT, ABOVE, BELOW = 70, 330, 34, 44
LINE = 15
STYLE = "text{font:12px system-ui,sans-serif;fill:#222}.t{font-weight:600}.a{fill:#555}"


def draw(panels: Mapping[str, Sequence[Growth]], title: str) -> str:
    """Return one picture of all panels; those in which nothing grows are left out."""
    kept = {name: _grown(growths) for name, growths in panels.items() if _grown(growths)}
    memory = [
        Growth(f"{name}: {growth.what}", growth.memory)
        for name, growths in kept.items()
        for growth in growths
        if growth.memory and all(growth.memory.values())
    ]
    drawn = [(f"{name}: seconds", growths, "s") for name, growths in kept.items()]
    drawn += [("client's peak memory, MB", memory, "MB")] if memory else []
    height = TOP + HEIGHT * len(drawn) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="t" x="12" y="24">{escape(title)}</text>',
    ]
    for place, (name, growths, unit) in enumerate(drawn):
        parts += [f'<g transform="translate(0 {TOP + HEIGHT * place})">']
        parts += [*_panel(name, growths, unit), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _grown(growths: Sequence[Growth]) -> list[Growth]:
    return [growth for growth in growths if len(growth.points) > 1]


def _panel(name: str, growths: Sequence[Growth], unit: str) -> Iterator[str]:
    leads = sorted({each for growth in growths for each in growth.points})
    values = [value for growth in growths for value in growth.points.values()]
    low, high = _decades(values)
    across = _Scale(leads[0], leads[-1], LEFT, WIDTH - RIGHT)
    up = _Scale(low, high, HEIGHT - BELOW, ABOVE)
    yield f'<text class="t" x="{LEFT}" y="{ABOVE - 14}">{escape(name)}</text>'
    for each in leads:
        x = across(each)
        yield f'<path d="M{x:.1f} {ABOVE}V{HEIGHT - BELOW}" stroke="#ddd"/>'
        words = f"{each:,} leads" if each == leads[-1] else f"{each:,}"
        yield _text(x, HEIGHT - BELOW + 18, words, "middle")
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        y = up(10.0**power)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 8, y + 4, f"{10.0**power:g} {unit}", "end")
    last = [growth.points[max(growth.points)] for growth in growths]
    places = _apart([up(value) for value in last])
    for number, (growth, place) in enumerate(zip(growths, places, strict=True)):
        yield from _line(growth, number, across, up, place, unit)


def _line(
    growth: Growth, number: int, across: "_Scale", up: "_Scale", place: float, unit: str
) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    dashes = DASHES[number // len(COLOURS) % len(DASHES)]
    points = [(across(leads), up(value)) for leads, value in sorted(growth.points.items())]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    x, y = points[-1]
    end = WIDTH - RIGHT + 18
    yield f'<path d="M{x + 4:.1f} {y:.1f}L{end - 4} {place:.1f}" stroke="{colour}"/>'
    value = growth.points[max(growth.points)]
    words = f"{growth.what}, {value:.3g} {unit}"
    yield f'<text x="{end}" y="{place + 4:.1f}">{escape(words)}</text>'


class _Scale:
    """Places numbers along an axis by their logarithms."""

    def __init__(self, first: float, last: float, begin: float, end: float) -> None:
        self._first, self._begin = math.log10(first), begin
        self._step = (end - begin) / (math.log10(last) - self._first)

    def __call__(self, value: float) -> float:
        return self._begin + (math.log10(value) - self._first) * self._step


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return the powers of ten around some values, not one and the same."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return 10.0**low, 10.0**high


def _apart(places: Sequence[float]) -> list[float]:
    """Move labels down until none lies on another, then up again where they ran out of room."""
    order = sorted(range(len(places)), key=lambda each: places[each])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + LINE)
    limit = float(HEIGHT - 8)
    for each in reversed(order):
        moved[each] = limit = min(moved[each], limit)
        limit -= LINE
    return moved


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text class="a" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
