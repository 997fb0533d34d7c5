"""On what terms a run's gates look at its targets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

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

    @property
    def mode(self) -> str:
        """Return whether gates share a snapshot, in the words of the option."""
        return "per-gate" if self.per_gate else "shared"

    @property
    def held_to(self) -> Mapping[str, str]:
        """Return what each gate is held to, by the names of the settings."""
        cost = self.manner.max_cost
        return {
            **asdict(self.manner.limits),
            "max_replay_wait": f"{self.max_replay_wait:g}s",
            **({"max_cost": f"{cost:g}"} if cost is not None else {}),
            **({"max_lag": self.max_lag.text} if self.max_lag else {}),
        }
