"""The last look at a text before it leaves: no password of a connection comes out."""

import html
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, unquote

from batchgate.findings import MASK

# Shorter ones stand in every other word of a report.
_LEAST = 4
# From here on a coincidence is out of the question, so that no boundary is asked for.
_LONG = 8
# Passwords that are also words of what we write: as a password they are hidden wherever a
# connection string or a setting shows one, and nothing else is lost.
# fmt: off
_OURS = frozenset((
    "admin", "batch", "check", "cluster", "cursor", "database", "error", "errors",
    "example", "expected", "failed", "false", "fetch", "gate", "gate_reader", "gates",
    "hidden", "host", "index", "local", "localhost", "none", "null", "passed", "password",
    "postgres", "postgresql", "primary", "pytest", "query", "reader", "replica", "report",
    "required", "result", "rows", "sample", "schema", "secret", "select", "server",
    "service", "session", "snapshot", "standby", "table", "target", "test", "tests", "true",
    "user", "verdict", "warned",
))
# fmt: on
# How the parts of a value that was broken over lines are joined: quotes, the margins of pytest
# and of a comparison, and where the lines are a list that is shown, its commas.
_QUOTE = r"""(?:\\{0,31}['"]|&quot;|&\#x?[0-9]{2};)"""
_LINE_END = (
    rf"(?:{_QUOTE}?[ \t]{{0,80}}(?:\r?\n|(?:\\{{1,8}}r)?\\{{1,8}}n|&\#10;)|{_QUOTE}{{1,2}},[ ])"
)
_MARGIN = r"(?:[ \t]{0,200}[E>|?+-](?=[ \t])){0,2}[ \t]{0,200}"
_BREAK = rf"(?:{_LINE_END}(?:{_MARGIN}{_QUOTE})?{_MARGIN}[bruBRU]?{_QUOTE}?)?"
# Colours stand in a value wherever its tokens end. A backslash before an escape that is written
# out may be the value's own: see `_without_colours`.
_COLOUR = re.compile(
    r"(?:\x1b|(?<!\\)(?P<slashes>\\+)(?:x1b|u001b|033)|\#x1B|&\#(?:x1b|27);)\[[0-9;:]*[mK]", re.I
)
_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
_AFTER = r"(?![A-Za-z0-9])"
_QUOTED = r"""(?P<open>\\*['"]|&quot;|&\#x?[0-9]{2};).*?(?:(?<!\\)(?P=open)|$)"""
_PASSWORD = r"(?:passw(?:or)?d|passphrase|oauth_client_secret|scram_(?:client|server)_key)"
# In SQL it is a literal after the word: quoted, quoted within quotes, or between dollars.
_IN_SQL = re.compile(
    r"""(\bpassword\s*)((?:e|n|u&)?(?:''+(?=[^'\s;,)])(?:[^'\n]|''+)*"""
    r"""|'(?:\\.|[^'\\]|'')*')|\$(\w*)\$.*?\$\3\$)""",
    re.I | re.S,
)
# `user:password@`, in a URL of PostgreSQL whatever the password holds: an @ or / that should
# have been encoded is the commonest fault of all.
_URLS = (
    re.compile(r"""(\bpostgres(?:ql)?(?:\+\w+)?://[^\s:/?#@'"<>]*:)[^\s'"<>]{0,400}(?=@)""", re.I),
    re.compile(r"""(\b[a-z][a-z0-9+.-]{1,20}://[^\s:/?#@'"<>]*:)[^\s'"<>/]{0,400}(?=@)""", re.I),
    # Cut before its @: what is no port is a password.
    re.compile(
        r"""(\bpostgres(?:ql)?(?:\+\w+)?://[^\s:/?#@'"<>,\[]*:)"""
        r"""(?!\d{0,5}(?:[/?,\s'"<>`)\].;&\\]|$))(?!•)[^\s'"<>@]+""",
        re.I,
    ),
)
_SETTINGS = (
    re.compile(rf"({_PASSWORD}\s*=\s*[bru]{{0,2}}){_QUOTED}", re.I | re.M),
    re.compile(rf"""({_PASSWORD}\\*(?:['"]|&quot;)\s*:\s*[bru]{{0,2}}){_QUOTED}""", re.I | re.M),
    re.compile(rf"""({_PASSWORD}=)(?![bru]{{1,2}}['"])[^\s'"=\\&][^\s'"&]*""", re.I),
)
_CUT = re.compile(r"\.\.\.|…")
_SCHEME = re.compile(r"^\s*(?:[\w.-]+=)?[a-z][a-z0-9+.:-]*:/{1,2}(?P<rest>.*)", re.I | re.S)
_GIVEN = re.compile(
    rf"{_PASSWORD}\s*=\s*(?P<value>'(?:[^'\\]|\\.)*'|\S*)(?P<more>[^=]*(?=\s\w+\s*=)|.*)",
    re.I | re.S,
)

# From where to where, and what stands there instead.
_Edit = tuple[int, int, str]


class Concealed(str):
    """A text that works as it is and shows nothing in a traceback's locals or a trace."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"


def concealed(text: str) -> str:
    """Return a text equal to `text` whose repr shows nothing of it."""
    return Concealed(text)


class Scrubber:
    """Hides secrets in a text, in whatever way they are written, and every password's place.

    A secret that is short, a word of our own or part of what is `visible` (names of hosts, roles
    and databases) would blank half a report: it is hidden only where it stands as a password.
    """

    def __init__(self, secrets: Iterable[str], *, visible: Iterable[str] = ()) -> None:
        shown = [each.casefold() for each in visible]
        told = {each for each in secrets if _tells(each, shown)}
        ordered = sorted(told, key=lambda each: (-len(each), each))
        self._known = re.compile("|".join(map(_pattern, ordered))) if ordered else None
        self._ends = tuple(form for each in ordered if len(each) >= _LONG for form in _forms(each))

    def __repr__(self) -> str:
        return "Scrubber()"

    def __call__(self, text: str) -> str:
        """Return the text with a mask for every password; its lines stay as many."""
        if self._known:
            text = _edited(text, _matches(self._known, _masked))
        if self._ends and _CUT.search(text):
            text = _edited(text, self._ends_in)
        return without_passwords(text)

    def _ends_in(self, text: str) -> Iterator[_Edit]:
        """Yield what is left of a secret before and after the dots of a text that was cut."""
        done = 0
        for dots in _CUT.finditer(text):
            if dots.start() < done:
                continue
            if length := max(
                _length_before(text[done : dots.start()], each) for each in self._ends
            ):
                yield dots.start() - length, dots.start(), MASK
            done = dots.end()
            if length := max(_length_after(text[done:], each) for each in self._ends):
                yield done, done + length, MASK
                done += length


def without_sql_passwords(sql: str) -> str:
    """Hide what a statement gives as a password, at whatever depth of quotes; lines stay lines.

    Rather too much than too little: a quote that may be part of the password hides what follows.
    """
    return without_passwords(_IN_SQL.sub(_hidden_literal, sql))


def _hidden_literal(found: re.Match[str]) -> str:
    return f"{found[1]}'{MASK}'" + "\n" * found[2].count("\n")


def without_passwords(text: str) -> str:
    """Hide what stands where a connection string or a setting has its password."""
    # Most of what is written has neither, and this is asked of every line.
    if "://" in text or _COLOUR.search(text):
        for pattern in _URLS:
            text = _edited(text, _matches(pattern, _masked_value))
    if "=" in text or ":" in text:
        for pattern in _SETTINGS:
            text = _edited(text, _matches(pattern, _masked_value))
    return text


def _matches(
    pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]
) -> Callable[[str], Iterator[_Edit]]:
    return lambda text: (
        (found.start(), found.end(), replace(found)) for found in pattern.finditer(text)
    )


def _edited(text: str, edits_in: Callable[[str], Iterable[_Edit]]) -> str:
    """Replace what is found in a text without its colours; those within come after it."""
    bare, colours = _without_colours(text)
    shown: list[str] = []
    done = 0
    for start, end, mask in edits_in(bare):
        shown += (_coloured(bare, colours, done, start), mask)
        while colours and colours[0][0] < end:
            shown.append(colours.popleft()[1])
        done = end
    return "".join(shown) + _coloured(bare, colours, done, len(bare)) if shown else text


def _without_colours(text: str) -> tuple[str, deque[tuple[int, str]]]:
    """Return a text without its colours, and each of these with its place in that text."""
    kept: list[str] = []
    colours: deque[tuple[int, str]] = deque()
    at = done = 0
    for found in _COLOUR.finditer(text):
        slashes = len(found["slashes"] or "")
        # Each time that a text is written as a repr its backslashes are doubled, and an escape's
        # first is one: what is no power of two are those of the value before it.
        start = found.start() + slashes - (slashes & -slashes)
        kept.append(text[done:start])
        at += start - done
        colours.append((at, text[start : found.end()]))
        done = found.end()
    return "".join((*kept, text[done:])), colours


def _coloured(bare: str, colours: deque[tuple[int, str]], start: int, end: int) -> str:
    """Return a part of a text with its colours, which are taken."""
    parts: list[str] = []
    while colours and colours[0][0] <= end:
        at, colour = colours.popleft()
        parts += (bare[start:at], colour)
        start = at
    return "".join((*parts, bare[start:end]))


def passwords_in(text: str) -> Iterator[str]:
    """Yield what may be a password in a connection string, malformed ones included."""
    if url := _SCHEME.match(text):
        rest = url["rest"]
        user, _, after = rest.partition(":")
        if "@" in after and "@" not in user:
            parts = after.split("@")
            yield from ("@".join(parts[:end]) for end in range(1, len(parts)))
            yield from (unquote("@".join(parts[:end])) for end in range(1, len(parts)))
            yield from parts[1:-1]
    for given in _GIVEN.finditer(text):
        value, more = given["value"], given["more"].rstrip()
        yield from (value, value.strip("'"), value.partition("&")[0])
        yield from (unquote(value.partition("&")[0]), re.sub(r"\\(.)", r"\1", value.strip("'")))
        if more:
            yield from (value + more, *more.split())


def _tells(secret: str, visible: Iterable[str]) -> bool:
    folded = secret.casefold()
    if len(secret) < _LEAST or folded in _OURS or any(folded in each for each in visible):
        return False
    # Few digits are a count somewhere.
    return not (secret.isdecimal() and len(secret) < _LONG - 2)


def _pattern(secret: str) -> str:
    pattern = _BREAK.join(map(_sign, secret))
    return pattern if len(secret) >= _LONG else f"{_BEFORE}{pattern}{_AFTER}"


def _sign(sign: str) -> str:
    """Return a pattern for one sign as itself and as the escapes of all that we write."""
    code = ord(sign)
    octets = sign.encode("utf-8", "surrogateescape")
    forms = {re.escape(sign), "".join(f"%(?i:{octet:02x})" for octet in octets)}
    if sign == "\\":
        forms.add(r"\\{1,16}")
    elif sign in "'\"":
        forms.add(rf"\\{{1,15}}{sign}")
    if sign == " ":
        forms.add(r"\+")
    if not (sign.isascii() and sign.isalnum()):
        units = sign.encode("utf-16-be", "surrogatepass")
        pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        forms |= {
            # Bytes are broken into lines wherever it suits, within a sign, too.
            _BREAK.join(rf"\\+x(?i:{octet:02x})" for octet in octets),
            "".join(rf"\\+u(?i:{pair})" for pair in pairs),
            rf"\\+U(?i:{code:08x})",
            rf"\\+x(?i:{code:02x})",
            rf"\\{{0,7}}&(?:amp;)?\#0*{code};",
            rf"\\{{0,7}}&(?:amp;)?\#x0*(?i:{code:x});",
            rf"\#x(?i:{code:02X})",
            rf"\\+{code:03o}",
        }
        if (named := html.escape(sign)) != sign:
            forms |= {rf"\\{{0,7}}{each}" for each in (named, html.escape(named))}
    if sign == "'":
        forms.add(r"\\{0,7}&apos;")
    if sign in "\n\r\t":
        forms.add(r"\\+" + {"\n": "n", "\r": "r", "\t": "t"}[sign])
    return forms.pop() if len(forms) == 1 else f"(?:{'|'.join(sorted(forms, key=_longest))})"


def _longest(form: str) -> tuple[int, str]:
    return (-len(form), form)


def _forms(secret: str) -> Iterator[str]:
    yield from dict.fromkeys((secret, quote(secret, safe=""), repr(secret)[1:-1]))


def _masked(found: re.Match[str]) -> str:
    return MASK + "\n" * found[0].count("\n")


def _masked_value(found: re.Match[str]) -> str:
    opened = found.groupdict().get("open") or ""
    closed = opened if opened and found[0].endswith(opened) else ""
    return f"{found[1]}{opened}{MASK}{closed}"


def _length_before(text: str, secret: str) -> int:
    """Return how much of a secret's start a text ends with, where that is enough to tell."""
    lengths = range(len(secret) - 1, _LEAST - 2, -1)
    return next((each for each in lengths if text.endswith(secret[:each])), 0)


def _length_after(text: str, secret: str) -> int:
    lengths = range(len(secret) - 1, _LEAST - 2, -1)
    return next((each for each in lengths if text.startswith(secret[-each:])), 0)
