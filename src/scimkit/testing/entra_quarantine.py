"""When Entra puts a provisioning job in quarantine, how long it waits, and when it gives up.

Hours are told, not measured. Source: learn.microsoft.com, application-provisioning-quarantine-status.
"""

from __future__ import annotations

from typing import Final

from scimkit.testing.entra_rules import QUARANTINE
from scimkit.testing.report import Step

_WAITS: Final = (6, 12, 24)
_DAY: Final = 24


class Quarantine:
    """The health of one job. `scale` divides Entra's thresholds, so that a test needs no 5,000 failures."""

    def __init__(self, *, scale: int = 1) -> None:
        self.reason: str | None = None
        self.disabled: bool = False
        self.hours: int = 0
        self._requests = 0
        self._failures = 0
        self._reference_failures = 0
        self._retries = 0
        self._thresholds = {
            name: int(str(QUARANTINE[name])) // scale
            for name in ("failures", "failures whatever the share", "failures with references")
        }

    @property
    def active(self) -> bool:
        """Whether the job is in quarantine."""
        return self.reason is not None

    @property
    def next_retry(self) -> int:
        """Hours until the next cycle: 6, 12, 24, then daily. 0 out of quarantine: cycles go on as usual."""
        return 0 if not self.active else (*_WAITS, _DAY)[min(self._retries, len(_WAITS))]

    def start_cycle(self) -> None:
        """Failures count by the cycle."""
        self._requests = self._failures = self._reference_failures = 0

    def probed(self, step: Step) -> None:
        """The query before each cycle: refused credentials and 404 quarantine at once; success ends it."""
        if step.status in (401, 403, 404):
            self.reason = step.reason
        elif step.passed:
            self.reason, self.hours, self._retries = None, 0, 0

    def noted(self, step: Step, *, reference: bool = False) -> None:
        """A request of the cycle; `reference` for managers and members."""
        self._requests += 1
        if step.status in (401, 403):
            self.reason = step.reason
        if not step.passed:
            self._failures += not reference
            self._reference_failures += reference
        if self.reason is None:
            self.reason = self._too_many()

    def wait(self, hours: int) -> None:
        """Let time pass in quarantine; after 28 days the job is disabled."""
        if self.active:
            self.hours += hours
            self._retries += 1
            self.disabled = self.hours >= 28 * _DAY

    def _too_many(self) -> str | None:
        failed = self._failures
        share = failed / self._requests if self._requests else 0
        most, always, with_references = self._thresholds.values()
        if failed >= most and share > 0.40:
            return f"{failed} failures, {share:.0%} of the requests: Entra quarantines the job."
        if failed > always or failed + self._reference_failures > with_references:
            return f"{failed + self._reference_failures} failures: Entra quarantines the job whatever their share."
        return None
