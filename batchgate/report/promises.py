"""What a suite's files owe, so that the page can name what did not run."""

from batchgate.rehearsal.checks import checks_of
from batchgate.report.proofs import Promised
from batchgate.suite import Suite


def promised_by(suite: Suite) -> tuple[Promised, ...]:
    """Return the suite's batches with every check that their files owe."""
    return tuple(
        Promised(
            name=batch.name,
            number=batch.number,
            summary=batch.summary,
            checks=tuple(
                f"{file}::{check}"
                for file, checks in checks_of(batch, suite).items()
                for check in checks
            ),
            irreversible=batch.irreversible,
        )
        for batch in suite.batches
    )
