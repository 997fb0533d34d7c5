"""Everything that can be said to go wrong, and the one form it is said in.

::

    BatchgateError
    ├── SuiteError          the files are wrong: collection stops
    ├── BatchFailed         a batch's file did not do what it owes
    ├── GateFailed          a gate found rows, or gave no result
    ├── SessionTimeout      a session waited for something that did not come
    ├── Refused             what was asked for is not done, and nothing was changed
    └── ServerUnavailable   no server could be found, started or reached
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from batchgate.particulars import Particulars

_LABELS = ("at", "sql", "row", "cause", "left", "fix")
_LABELLED = re.compile(rf"  ({'|'.join(_LABELS)}): (.*)")


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing said to a user, in labels of fixed order; empty ones are left out.

    The first line stands alone: pytest's summary cuts there.
    """

    headline: str
    at: str = ""
    sql: str = ""
    rows: Sequence[str] = ()
    cause: str = ""
    left: str = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [self.headline]
        labelled = [("at", self.at), ("sql", self.sql), *(("row", row) for row in self.rows)]
        labelled += [("cause", self.cause), ("left", self.left), ("fix", self.fix)]
        for label, text in labelled:
            if text:
                first, *more = text.splitlines()
                lines.append(f"  {label}: {first}")
                lines += [f"{' ' * len(label)}    {line}" for line in more]
        return "\n".join(lines)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the message that a text is; of several, an empty line between, the first."""
        headline, *lines = text.partition("\n\n")[0].splitlines() or [""]
        said: dict[str, list[str]] = {label: [] for label in _LABELS}
        label = ""
        for line in lines:
            found = _LABELLED.fullmatch(line)
            margin = " " * (len(label) + 4)
            if found:
                label = found[1]
                said[label].append(found[2])
            elif label and line.startswith(margin):
                said[label][-1] += "\n" + line.removeprefix(margin)
            else:
                headline += f"\n{line}"
        rows = said.pop("row")
        return cls(
            headline=headline, rows=rows, **{key: "\n".join(each) for key, each in said.items()}
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values; what is not said is null."""
        return {
            **{name: value or None for name, value in asdict(self).items()},
            "rows": list(self.rows),
        }


class BatchgateError(Exception):
    """Something a user can put right; its text is the whole message.

    `particulars` is what a check saw before it failed, for who draws it.
    """

    def __init__(
        self,
        headline: str,
        *,
        at: str = "",
        sql: str = "",
        rows: Sequence[str] = (),
        cause: str = "",
        left: str = "",
        fix: str = "",
        particulars: Particulars | None = None,
    ) -> None:
        self.particulars = particulars or Particulars()
        self.message = Message(
            headline=headline, at=at, sql=sql, rows=rows, cause=cause, left=left, fix=fix
        )
        super().__init__(str(self.message))


class SuiteError(BatchgateError):
    """The files are wrong; collection stops."""


class BatchFailed(BatchgateError):
    """A batch's file did not do what it owes."""


class GateFailed(BatchgateError):
    """A gate found rows, or gave no result."""


class SessionTimeout(BatchgateError):
    """A session waited for something that did not come."""


class Refused(BatchgateError):
    """What was asked for is not done, and nothing was changed."""


class ServerUnavailable(BatchgateError):
    """No server could be found, started or reached."""
