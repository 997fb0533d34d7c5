"""A real browser, and what it finds wrong with a page: each check returns its findings.

Selenium is imported when a browser is started: the README's first command collects all tests, and
installs none of what they need.
"""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PART = "browser"
CHROMIUM, DRIVER = "chromium", "chromedriver"
# In a half-wide window tables have still all their columns.
DESK, HALF_DESK, PHONE, SMALL_PHONE = 1280, 1000, 400, 320
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Shared memory is where the throw-away servers lie.
    "--disable-dev-shm-usage",
)
# All of axe's rules but those of level AAA and the experimental ones.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# How far whoever has no mouse looks for the first problem.
FAR = 30

_LOOK = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")
_WATCH = """
addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  window.loadedAfter = performance.now();
})));
"""
_VIEWER = """<!doctype html><html lang="en"><title>A viewer</title>
<iframe title="The page" sandbox="allow-scripts" width="1200" height="900" {source}></iframe>
"""


def missing() -> str:
    """Return what this machine lacks for a look at a page, or nothing."""
    programs = [each for each in (CHROMIUM, DRIVER) if not shutil.which(each)]
    packages = [each for each in ("selenium", "axe_playwright_python") if not find_spec(each)]
    if lacking := ", ".join(programs + packages):
        return f"no {lacking}: Debian's chromium and chromium-driver, and this project's `.[test]`"
    return ""


class Browser:
    """One Chromium; a page opens in a tab of its own, which knows nothing of the one before."""

    def __init__(self, profile: Path) -> None:
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service

        options = ChromeOptions()
        options.binary_location = str(shutil.which(CHROMIUM))
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options=options, service=Service(str(shutil.which(DRIVER))))
        self.driver.set_script_timeout(120)

    def tell(self, command: str, **given: Any) -> Any:
        """Send a command of the DevTools protocol to the tab that is open."""
        return self.driver.execute_cdp_cmd(command, given)

    def open(
        self,
        page: Path,
        *,
        width: int = DESK,
        dark: bool = False,
        scripts: bool = True,
        phone: bool = False,
        timed: bool = False,
    ) -> "Tab":
        """Show a page's file; `phone` heeds what the page says of its width, as phones do.

        `timed` notes when the page is loaded, for seconds_to_load.
        """
        made = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self.driver.close()
        self.driver.switch_to.window(made)
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        if timed:
            self.tell("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)
        tab = Tab(self, phone=phone)
        tab.resize(width)
        tab.look(dark=dark)
        tab.show(page.resolve().as_uri())
        return tab

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()


class Tab:
    """A page that is shown, and what is wrong with it."""

    def __init__(self, browser: Browser, *, phone: bool = False) -> None:
        self._browser = browser
        self._driver = browser.driver
        self._phone = phone
        self._width = DESK
        self._address = ""

    def show(self, address: str) -> None:
        """Go to an address; what was asked for and said before is forgotten."""
        self.requests()
        self.errors()
        self._address = address
        self._driver.get(address)

    def ask(self, expression: str, *given: Any) -> Any:
        """Return what an expression in the words of browser.js gives; `arguments` are given."""
        return self._driver.execute_script(f"{_LOOK}\nreturn {expression}", *given)

    def look(self, *, dark: bool = False, printed: bool = False) -> None:
        """Look at the page by daylight or in the dark, on the screen or on paper."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        media = "print" if printed else "screen"
        self._browser.tell("Emulation.setEmulatedMedia", media=media, features=features)

    def seconds_to_load(self) -> float:
        """Return how long the page took from the call to the frame in which all of it stands."""
        return float(self.ask("loadedAll()") / 1000)

    def seconds_to_click(self, selector: str) -> float | None:
        """Return how long a click takes to be painted, or None where there is nothing to click."""
        taken = self.ask("clicked(arguments[0])", selector)
        return None if taken is None else float(taken / 1000)

    def text(self, selector: str = "body") -> str:
        """Return what a reader sees of an element."""
        return str(self.ask("text(arguments[0])", selector))

    def unfold(self) -> None:
        """Show all rows of the test log, what is in them, and whatever else is folded."""
        self.ask("unfold()")

    def requests(self) -> list[str]:
        """Return what was asked for beside the page since this was last called."""
        messages = [json.loads(each["message"])["message"] for each in self._log("performance")]
        asked = [
            each["params"]["request"]["url"]
            for each in messages
            if each["method"] == "Network.requestWillBeSent"
        ]
        inside = ("data:", "about:", "chrome:")
        return [url for url in asked if url != self._address and not url.startswith(inside)]

    def errors(self) -> list[str]:
        """Return the console's errors since this was last called."""
        return [each["message"] for each in self._log("browser") if each["level"] == "SEVERE"]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return list(self._driver.get_log(kind))

    def broken_rules(self) -> list[str]:
        """Return the rules of accessibility that are broken, each with its place, by axe."""
        self._driver.execute_script(_axe())
        return list(self.ask("brokenRules(arguments[0])", RULES))

    def resize(self, width: int) -> None:
        """Make the window as wide as that."""
        self._width = width
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": self._phone}
        self._browser.tell("Emulation.setDeviceMetricsOverride", **size)

    def sideways(self, width: int = 0) -> list[str]:
        """Return what is wider than the page, as it is or in a window of another width."""
        if width:
            self.resize(width)
        return list(self.ask("sideways(arguments[0])", self._width))

    def folded_on_paper(self) -> list[str]:
        """Print the page, and return what is still folded then."""
        self.look(printed=True)
        self.ask("addEventListener('beforeprint', () => (window.foldedOnPaper = folded()))")
        assert base64.b64decode(self._browser.tell("Page.printToPDF")["data"]).startswith(b"%PDF-")
        folded = self._driver.execute_script("return window.foldedOnPaper")
        self.look()
        return list(folded)

    def press(self, key: str) -> None:
        """Press a key, by selenium's name for it, and wait until what it does is painted."""
        from selenium.webdriver import ActionChains, Keys

        ActionChains(self._driver).send_keys(getattr(Keys, key)).perform()
        self.ask("painted()")

    def tabs_to(self, selector: str) -> int:
        """Return how often Tab is pressed until the first such link has the focus, up to FAR.

        A link that leads to its section is followed, as one that skips what is between is meant.
        """
        section = selector.partition(" ")[0]
        for tabs in range(1, FAR):
            self.press("TAB")
            focused = "document.activeElement"
            if self.ask(f"document.querySelector(arguments[0]) === {focused}", selector):
                return tabs
            if self.ask(f"{focused}.getAttribute('href') === arguments[0]", section):
                self.press("ENTER")
        return FAR

    def keep_picture(self, path: Path) -> None:
        """Save a picture of the whole page."""
        shot = self._browser.tell("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    @contextmanager
    def inside(self, selector: str) -> Iterator[None]:
        """Look at what a frame shows."""
        self._driver.switch_to.frame(self._driver.find_element("css selector", selector))
        yield
        self._driver.switch_to.default_content()


def viewer_of(page: Path, folder: Path, *, inline: bool) -> Path:
    """Write a page that shows another in a sandbox, by its text or by its address."""
    text, address = page.read_text(encoding="utf-8"), page.resolve().as_uri()
    source = f'srcdoc="{escape(text)}"' if inline else f'src="{escape(address)}"'
    viewer = folder / "viewer.html"
    viewer.write_text(_VIEWER.format(source=source), encoding="utf-8")
    return viewer


@cache
def _axe() -> str:
    """Return axe-core's text; the package around it is for another driver, and is not loaded."""
    spec = find_spec("axe_playwright_python")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")
