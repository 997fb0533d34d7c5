"""The reviewer's page in a real browser; plain pytest-html's page beside it fails the checks."""

import os
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from browser import HALF_DESK, PART, PHONE, SMALL_PHONE, Browser, missing, viewer_of
from hostile import HOSTILE, METADATA, PLACES, image
from large import BATCHES, GATES, write_large_page
from pages import BEFORE, EXAMPLES, NO_VERDICT, SMALL, Example, write_page, write_plain_page
from waits import absent

from batchgate.database import connect, create_database, drop_database

# Names a folder, if any, where a picture of each page is kept for who wants to look at them.
PICTURES = "BATCHGATE_PICTURES"
EVERY = (*EXAMPLES, "target", "hostile")
# Whose sections differ; more rows of the test log are no other page.
KINDS = tuple(name for name in EVERY if name not in ("many", "timed"))
TABS = 5
MEGABYTES = 3_000_000
ROWS_AT_FIRST = 200

# What a page of the failing project has to say, script or no script.
TOLD = (
    "Do not merge",
    "03_add_notes",
    "orders.note_count",
    "01_orders_have_currency",
    "Fill it in.",
    "test_an_order_is_not_lost",
    "another number",
    "test_a_fixture_breaks",
    "the fixture broke",
)
TABLES = ("#batches table", "#gates table")
FAILING = EXAMPLES["failing"]
NOWHERE = "host=127.0.0.1 port=1 dbname=x user=y"
LIGHT_AND_DARK = [pytest.param(False, id="light"), pytest.param(True, id="dark")]


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if lacking := missing():
        absent(PART, lacking)
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def shop(batchgate_server):
    """Make a database, named like a picture, with an order that has no currency."""
    name = f"shop {os.getpid()} {image('database')}"
    create_database(batchgate_server, name)
    with connect(batchgate_server, name) as session:
        session.execute("create table orders (id int primary key, currency text, email text)")
        session.execute("create index orders_currency on orders (currency)")
        session.execute("insert into orders (id) values (1)")
    yield batchgate_server.conninfo(name)
    drop_database(batchgate_server, name)


@pytest.fixture
def page(browser, once, request):
    """Return where an example's page is."""

    def make(name, folder):
        if name == "hostile":
            # Names of folders have a test of their own.
            return Path(shutil.copy(write_page(HOSTILE, folder / image("project")), folder))
        if name != "target":
            return write_page(EXAMPLES[name], folder)
        targets = (f"--dsn=eu={request.getfixturevalue('shop')}", f"--dsn=us={NOWHERE}")
        arguments = ("gates", *targets, "--allow-superuser")
        return write_page(Example(SMALL, arguments, code=1), folder)

    def make_and_picture(name, folder):
        made = make(name, folder)
        if pictures := os.environ.get(PICTURES):
            browser.open(made).keep_picture(Path(pictures, f"{name}-light.png"))
            browser.open(made, dark=True).keep_picture(Path(pictures, f"{name}-dark.png"))
            browser.open(made, width=PHONE).keep_picture(Path(pictures, f"{name}-narrow.png"))
        return made

    return lambda name: once(name, partial(make_and_picture, name))


@pytest.fixture
def plain(once):
    """Return where plain pytest-html's page of the hostile project's tests is."""
    return once("plain", lambda folder: write_plain_page(HOSTILE, folder, *METADATA))


def loading(browser, page):
    """Return what a page asks for beside itself, and the errors of its console."""
    tab = browser.open(page)
    tab.unfold()
    return tab.requests() + tab.errors()


def inaccessible(browser, page, *, dark=False):
    """Return what axe finds, as the page opens and with everything unfolded."""
    tab = browser.open(page, dark=dark)
    found = tab.broken_rules()
    tab.unfold()
    return found + tab.broken_rules()


def too_wide(browser, page, *, phone=False):
    """Return what makes a page scroll sideways, as it opens and with everything unfolded."""
    tab = browser.open(page, width=PHONE, phone=phone)
    found = tab.sideways()
    tab.unfold()
    return found + tab.sideways() + tab.sideways(SMALL_PHONE) + tab.sideways(HALF_DESK)


def made_of_text(browser, page):
    """Return the elements that text became."""
    tab = browser.open(page)
    tab.unfold()
    return tab.ask("strangers()")


def far_away(browser, page):
    """Return how far the first problem is without a mouse, where that is too far."""
    tabs = browser.open(page).tabs_to("#blocks a")
    return [f"{tabs} tabs"] if tabs > TABS else []


def lost_without_scripts(browser, page, told=TOLD):
    """Return what a page does not tell where no script runs."""
    tab = browser.open(page, scripts=False)
    tab.ask("unfoldDetails()")
    lost = [each for each in told if each not in tab.text()]
    return lost + [each for each in TABLES if not tab.text(each).strip()]


def lost_in_a_sandbox(browser, page, folder, *, inline):
    """Return what of the test log is not there where a page may keep nothing."""
    tab = browser.open(viewer_of(page, folder, inline=inline))
    with tab.inside("iframe"):
        return [] if tab.ask("rowsOfLog()") else ["every row of the test log"]


@pytest.mark.parametrize("name", EVERY)
def test_a_page_asks_for_nothing_beside_itself_and_has_no_error(browser, page, name):
    assert loading(browser, page(name)) == []


@pytest.mark.parametrize("dark", LIGHT_AND_DARK)
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing(browser, page, name, dark):
    assert inaccessible(browser, page(name), dark=dark) == []


@pytest.mark.parametrize("dark", LIGHT_AND_DARK)
def test_axe_finds_nothing_on_the_page_of_many_tests(browser, page, dark):
    assert browser.open(page("many"), dark=dark).broken_rules() == []


@pytest.mark.parametrize("phone", [pytest.param(False, id="desk"), pytest.param(True, id="phone")])
@pytest.mark.parametrize("name", KINDS)
def test_nothing_scrolls_sideways(browser, page, name, phone):
    assert too_wide(browser, page(name), phone=phone) == []


@pytest.mark.parametrize("name", KINDS)
def test_a_dark_page_is_dark(browser, page, name):
    assert browser.open(page(name)).ask("lightness()") > 0.9
    assert browser.open(page(name), dark=True).ask("lightness()") < 0.3


@pytest.mark.parametrize("name", ["failing", "many", "target"])
def test_the_first_problem_is_a_few_tabs_away(browser, page, name):
    assert far_away(browser, page(name)) == []


@pytest.mark.parametrize("name", ["failing", "target"])
def test_each_problem_leads_to_what_it_is_about(browser, page, name):
    problems = browser.open(page(name)).ask("links('#blocks')")
    assert problems
    for number, problem in enumerate(problems):
        tab = browser.open(page(name))
        tab.ask("focusOn('#blocks a', arguments[0])", number)
        tab.press("ENTER")
        assert tab.ask("isInView(arguments[0])", problem), problem


@pytest.mark.parametrize("name", KINDS)
def test_each_link_within_the_page_leads_somewhere(browser, page, name):
    tab = browser.open(page(name))
    assert tab.ask("deadLinks()") == []
    tab.unfold()
    assert tab.ask("deadLinks()") == []


@pytest.mark.parametrize("name", KINDS)
def test_each_section_is_reached_from_the_top(browser, page, name):
    tab = browser.open(page(name))
    sections = tab.ask("[...document.querySelectorAll('section[id]')].map(({id}) => `#${id}`)")
    assert "#verdict" in sections
    assert sorted(set(sections) - set(tab.ask("links('nav')"))) == []


def test_without_scripts_the_verdict_the_tables_and_the_failures_are_there(browser, page):
    assert lost_without_scripts(browser, page("failing")) == []


@pytest.mark.parametrize("name", NO_VERDICT)
def test_without_scripts_no_verdict_is_said(browser, page, name):
    assert "No verdict" in browser.open(page(name), scripts=False).text("#verdict")


def test_on_paper_everything_is_unfolded(browser, page):
    tab = browser.open(page("failing"))
    assert tab.ask("folded()")
    assert tab.folded_on_paper() == []


@pytest.mark.parametrize(
    "inline", [pytest.param(True, id="its text"), pytest.param(False, id="its address")]
)
def test_in_a_sandbox_the_test_log_is_drawn_and_works(browser, page, tmp_path, inline):
    assert lost_in_a_sandbox(browser, page("failing"), tmp_path, inline=inline) == []
    tab = browser.open(viewer_of(page("failing"), tmp_path, inline=inline))
    with tab.inside("iframe"):
        tab.unfold()
        assert "another number" in tab.text("#results-table")
        assert tab.ask("sortBy('testId')") != tab.ask("sortBy('testId')")


@pytest.mark.parametrize("dark", LIGHT_AND_DARK)
@pytest.mark.parametrize("name", NO_VERDICT)
def test_a_run_without_a_verdict_says_so_and_is_never_green(browser, page, name, dark):
    tab = browser.open(page(name), dark=dark)
    assert "No verdict" in tab.text("#verdict")
    assert tab.ask("greens('#verdict')") == []


@pytest.mark.parametrize("dark", LIGHT_AND_DARK)
def test_a_clean_run_is_green_and_a_failing_one_is_not(browser, page, dark):
    assert browser.open(page("clean"), dark=dark).ask("greens('#verdict')")
    assert browser.open(page("failing"), dark=dark).ask("greens('#verdict')") == []


def test_hostile_values_stay_text_and_are_there(browser, page):
    assert made_of_text(browser, page("hostile")) == []
    tab = browser.open(page("hostile"))
    tab.unfold()
    said = tab.text() + tab.ask("document.title")
    assert [place for place in PLACES if f"pwned=`{place}`" not in said] == []


def test_a_hostile_name_of_a_database_stays_text_and_is_there(browser, page):
    assert made_of_text(browser, page("target")) == []
    assert "pwned=`database`" in browser.open(page("target")).text()


def test_what_cannot_be_seen_is_written_out(browser, page):
    tab = browser.open(page("hostile"))
    tab.unfold()
    assert tab.ask("unseen()") == []
    assert "\\u202egnp.exe" in tab.text()
    assert "\\x1b[31m" in tab.text("#results-table")


def test_variables_of_a_ci_server_are_not_told(page):
    html = page("hostile").read_text(encoding="utf-8")
    assert "pwned=`variable`" not in html
    assert "`key`" not in html


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("50%25 off", id="percent"),
        pytest.param("a#b?c", id="address"),
        pytest.param(image("project"), id="picture"),
    ],
)
def test_a_page_in_a_folder_of_any_name_draws_its_log(browser, page, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    tab = browser.open(Path(shutil.copy(page("failing"), folder)))
    assert tab.ask("rowsOfLog()")
    assert tab.errors() == []


EXTRA = """\
import pytest
from pytest_html import extras as more

@pytest.mark.parametrize("value", ["\\\\N", "\\\\x", "\\\\u"])
def test_of_a_backslash(value, extras):
    extras.append(more.html("<script>pwned=`extra`</script>"))
    extras.append(more.url("javascript:pwned=`link`"))
    extras.append(more.url("https://example.org/", name="<img src=x onerror=pwned=`name`>"))
    extras.append(more.json({"a": 1}, name="numbers"))
"""


def test_an_extra_beside_a_backslash_leaves_a_page_and_stays_text(browser, once):
    example = Example(SMALL | {"test_extra.py": EXTRA}, ("test_extra.py",))
    page = once("extra", lambda folder: write_page(example, folder))
    assert made_of_text(browser, page) == []
    tab = browser.open(page)
    assert tab.ask("rowsOfLog()") == 3
    assert not [link for link in tab.ask("links('body')") if link.startswith("javascript:")]


def told(tab):
    """Return what a page tells apart from its test log, and the rows of that in some order."""
    tab.unfold()
    rows = sorted(map(timeless, tab.ask("takeLog()")))
    return timeless(tab.text()).splitlines(), rows


CHANGING = (
    (r"\d\d-\w{3}-\d{4}|\d{4}-\d\d-\d\d", "DATE"),
    (r"\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?|\b\d\d:\d\d\b", "CLOCK"),
    (r"\b[\d.]+ (?:ms|s|min)\b(?: \d\d s)?", "TIME"),
    (r"\b(?:height|clone|red)_\w+", "DATABASE"),
    (r" ?-n ?\d", ""),
)


def timeless(text):
    """Replace what differs between two runs of the same."""
    """Replace what differs between two runs of the same: times, dates, names of databases."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


def test_four_workers_draw_the_page_that_one_process_draws(browser, page, once):
    before = page("failing").parent.parent / BEFORE
    files = {path: text for path, text in FAILING.files.items() if path != "conftest.py"}
    example = Example(files, (f"--compare={before}",), code=FAILING.code)
    # What others wait for, and how long, is not the same twice.
    steady = ("-m", "not traffic and not locks and not failures")
    alone = once("alone", lambda folder: write_page(example, folder, *steady, "-n0"))
    workers = once("workers", lambda folder: write_page(example, folder, *steady, "-n4"))
    expected, expected_log = told(browser.open(alone))
    found, log = told(browser.open(workers))
    assert found == expected
    assert log == expected_log


def test_of_many_tests_those_that_passed_are_folded_until_asked_for(browser, page):
    tab = browser.open(page("many"))
    assert 20 <= tab.ask("rowsOfLog()") <= ROWS_AT_FIRST
    assert "test_is_one_of_many[3]" in tab.text("#results-table")
    assert "test_is_one_of_many[1999]" not in tab.text("#results-table")
    tab.unfold()
    listed = tab.ask("document.querySelectorAll('#test-log details[open] li').length")
    assert tab.ask("rowsOfLog()") + listed == 2002


def test_what_a_click_does_in_the_test_log_a_key_does(browser, page):
    tab = browser.open(page("failing"))
    heads, rows = ("th.sortable", "namesOfLog()"), ("tbody:has(button)", "text('#results-table')")
    for place, shown in (heads, rows):
        assert tab.ask("focusOn(`#results-table ${arguments[0]}`)", place), f"{place}: no focus"
        before = tab.ask(shown)
        tab.press("ENTER")
        assert tab.ask(shown) != before, f"{place}: nothing happens"
        assert tab.ask("document.activeElement.closest('#results-table')"), f"{place}: focus lost"


def test_durations_are_sorted_by_their_length(browser, page):
    tab = browser.open(page("timed"))
    tab.unfold()
    tab.ask("sortBy('duration')")
    took = [re.search(r"\[([\d.]+)\]", name)[1] for name in tab.ask("sortBy('duration')")]
    assert took in (
        ["4000", "75", "30", "1.5", "0.9", "0.002"],
        ["0.002", "0.9", "1.5", "30", "75", "4000"],
    )


def test_a_page_of_sixty_batches_and_two_hundred_gates_is_small_enough_to_send(browser, page, once):
    small = page("failing").parent.parent
    large = once("large", partial(write_large_page, small))
    html = large.read_text(encoding="utf-8")
    assert len(set(re.findall(r"\bsql/\d+_\w+", html))) == BATCHES
    assert len(set(re.findall(r"\bgates/\d+_\w+\.sql", html))) == GATES
    assert large.stat().st_size < MEGABYTES
    tab = browser.open(large, width=PHONE)
    assert tab.requests() + tab.errors() + tab.sideways() == []


def test_a_run_that_cannot_begin_leaves_the_page_of_the_last_one(once):
    page = once("green", partial(write_page, Example(SMALL, ("gates",))))
    before = page.read_bytes()
    broken = Example(SMALL | {"conftest.py": "import nothing_of_that_name\n"}, ("gates",), code=4)
    write_page(broken, page.parent.parent)
    assert page.read_bytes() == before


FOLDED = "<details><summary>a</summary><p>b</p></details>"
COVERED = """
<nav style="position: fixed; top: 0; height: 90px; width: 100%; background: white">x</nav>
<p id="there">a</p>
"""
IN_ORDER = """
<details open><summary>a</summary><p>b</p></details>
<a href="#there">x</a>
<h2 id="there" style="color: #742; width: 90%" title="pwned=1">a</h2>
"""


# Each check finds what it is for: on plain pytest-html's page, or where it was planted.


@pytest.mark.parametrize(
    "check",
    [loading, inaccessible, too_wide, made_of_text, far_away, lost_without_scripts],
    ids=lambda check: check.__name__,
)
def test_the_check_fails_on_plain_pages(browser, plain, check):
    assert check(browser, plain) != []


@pytest.mark.parametrize("inline", [True, False])
def test_a_plain_page_has_no_log_in_a_sandbox(browser, plain, tmp_path, inline):
    assert lost_in_a_sandbox(browser, plain, tmp_path, inline=inline) != []


def test_a_plain_page_heeds_no_phone_and_no_dark(browser, plain):
    assert too_wide(browser, plain, phone=True) != []
    assert browser.open(plain, dark=True).ask("lightness()") > 0.9


def test_a_plain_page_takes_no_key_and_no_link(browser, plain):
    tab = browser.open(plain)
    assert not tab.ask("focusOn('#results-table th.sortable')")
    assert not tab.ask("focusOn('#results-table tbody')")
    assert not tab.ask("document.querySelector('#verdict')")


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        pytest.param(FOLDED, "folded()", id="folded"),
        pytest.param('<a href="#nowhere">x</a>', "deadLinks()", id="dead link"),
        pytest.param(COVERED, "!isInView('#there')", id="covered"),
        pytest.param('<p id="box" style="color: #274">', "greens('#box')", id="green"),
        pytest.param("<p>a\u202eb", "unseen()", id="unseen"),
        pytest.param("<script>pwned=1</script>", "strangers()", id="script"),
        pytest.param('<p title="" <b"="">', "strangers()", id="attribute"),
        pytest.param('<p style="width: 20in">a', "sideways(1280)", id="too wide"),
        pytest.param("<style>body{overflow-x:clip}</style>", "sideways(1280)", id="clipped"),
    ],
)
def test_a_check_finds_what_is_planted(browser, tmp_path, planted, found):
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{planted}", encoding="utf-8")
    assert browser.open(page).ask(found)


def test_a_check_finds_nothing_where_nothing_is_planted(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{IN_ORDER}", encoding="utf-8")
    tab = browser.open(page)
    for check in ("folded()", "deadLinks()", "greens('#there')", "unseen()", "strangers()"):
        assert tab.ask(check) == [], check
    assert tab.sideways() == tab.folded_on_paper() == []
    assert tab.ask("isInView('#there')")


def test_the_check_on_paper_finds_what_stays_folded(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(FOLDED, encoding="utf-8")
    assert browser.open(page).folded_on_paper() != []


def test_a_plain_page_shows_what_cannot_be_seen(browser, plain):
    assert browser.open(plain).ask("unseen()") != []


def test_a_plain_page_draws_every_test(browser, once):
    plain = once("plain many", lambda folder: write_plain_page(EXAMPLES["many"], folder))
    assert browser.open(plain).ask("rowsOfLog()") == 2000
