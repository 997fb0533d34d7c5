"""Show how fast the page of many tests is, beside plain pytest-html's page of the same tests.

    python benchmarks/page.py [--times 5]

Each page is opened in Chromium in a tab of its own, ours as often as asked for, the plain one once;
of each figure the median counts, in seconds, up to the frame in which the result is painted. The
clicks are made one after the other; a dash is where a page has nothing of that kind to click on.
The limits are what a reader takes for immediate: a second to load, two tenths a click.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

# What the tests of the page open it with, and the projects that they make.
from browser import Browser, Tab, missing
from pages import MANY, SMALL, Example, write_page, write_plain_page

SIZES = ((2000, 0), (10000, 0), (10000, 500))
TO_LOAD, A_CLICK = 1.0, 0.2
CLICKS = {
    "expand a row": "#results-table tbody button, #results-table tbody td.col-result",
    "sort by name": '#results-table th[data-column-type="testId"]',
    "sort by duration": '#results-table th[data-column-type="duration"]',
    "hide the failed": 'input[data-test-result="failed"]:not(:disabled)',
    "hide the passed": 'input[data-test-result="passed"]:not(:disabled)',
    "show the passed": 'input[data-test-result="passed"]:not(:disabled)',
    "unfold all rows": "#show_all_details",
    "fold all rows": "#hide_all_details",
    "unfold the largest file": "#test-log details:has(li:nth-of-type(50)) > summary",
    "unfold the whole page": "#bg-expand",
    "fold the whole page": "#bg-expand",
}
LEFT, RIGHT = 36, 12


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    if lacking := missing():
        sys.exit(lacking)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder, "profile"))
        try:
            for tests, failures in SIZES:
                print(f"\n{tests:,} tests, {failures} fail".ljust(LEFT + 1), end="")
                print("page".rjust(RIGHT) + "plain".rjust(RIGHT))
                show(browser, Path(folder, f"{tests}-{failures}"), tests, failures, times)
        finally:
            browser.close()


def show(browser: Browser, folder: Path, tests: int, failures: int, times: int) -> None:
    """Print the rows of one size."""
    files = {"test_many.py": MANY.format(tests=tests, failures=failures)}
    example = Example(SMALL | files, ("gates", "test_many.py"), code=int(failures > 0))
    pages = (write_page(example, folder / "page"), write_plain_page(example, folder / "plain"))
    sizes = [page.stat().st_size / 1e6 for page in pages]
    print("megabytes".ljust(LEFT) + "".join(f"{size:.1f}".rjust(RIGHT) for size in sizes))
    measured = [measure(browser, page, each) for page, each in zip(pages, (times, 1), strict=True)]
    for name in measured[0]:
        limit = TO_LOAD if name == "load" else A_CLICK
        cells = [each[name] for each in measured]
        line = "".join(("–" if cell is None else f"{cell:.2f}").rjust(RIGHT) for cell in cells)
        late = cells[0] is not None and cells[0] > limit
        print(name.ljust(LEFT) + line + (f"  more than {limit} s" if late else ""))


def measure(browser: Browser, page: Path, times: int) -> dict[str, float | None]:
    """Return each figure's median, None where there is nothing to click on."""
    turns = [dict(figures(browser.open(page, timed=True))) for _ in range(times)]
    return {
        name: median(told) if (told := [turn[name] for turn in turns if turn[name]]) else None
        for name in turns[0]
    }


def figures(tab: Tab) -> Iterator[tuple[str, float | None]]:
    """Measure one look at a page, click by click."""
    yield "load", tab.seconds_to_load()
    for name, selector in CLICKS.items():
        yield name, tab.seconds_to_click(selector)


if __name__ == "__main__":
    main()
