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

from collections.abc import Sequence
from dataclasses import dataclass

from batchgate.particulars import Particulars


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
