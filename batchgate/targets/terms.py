"""On what terms a run's gates look at its targets."""

from dataclasses import dataclass, field

from batchgate.gates.run import Manner
from batchgate.targets.lag import LagLimit


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How gates are run, and what a target must be.

    `max_replay_wait` is how long replay may wait for us, in seconds; `per_gate` gives each gate a
    snapshot of its own instead of one to all.
    """

    manner: Manner = field(default_factory=Manner)
    per_gate: bool = False
    max_lag: LagLimit | None = None
    max_replay_wait: float = 10.0
    allow_superuser: bool = False
