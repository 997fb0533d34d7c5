"""What is to be shown of a run at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from batchgate.progress.sights import Sight

# A process of a server: the server's host and port, and the number of the process.
Place = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What all processes of a run do, by the clock of `now`; what servers say of statements."""

    now: float
    sights: Sequence[Sight] = ()
    phases: Mapping[Place, str] = field(default_factory=dict)

    def phase(self, sight: Sight) -> str:
        """Return how far the server is with a process's statement, where it says so."""
        return self.phases.get((sight.host, sight.port, sight.pid), "")

    def longer_than(self, seconds: float) -> list[Sight]:
        """Return the processes whose test has taken longer, the longest first."""
        long = (sight for sight in self.sights if self.now - sight.since > seconds)
        return sorted(long, key=lambda sight: sight.since)
