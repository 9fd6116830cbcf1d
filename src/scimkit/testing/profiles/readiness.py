"""The readiness report: what an endpoint conforms to, what it breaks, and what the application has to ensure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The check needs httpx: pip install 'scimkit[testing]'") from _missing

from scimkit.safeguards.revokers import Revoker
from scimkit.testing.exchange import Connection
from scimkit.testing.profiles.clauses import Clause, ClauseResult, Outcome, Probe, judge
from scimkit.testing.profiles.interop import INTEROP_CLAUSES
from scimkit.testing.profiles.ipsie import IPSIE_CLAUSES

_INTEROP_TEXT: Final = (
    "draft-zollner-scim-interop-profile-01, 15 April 2026 (of version 02, only the abstract was read)"
)
_IPSIE_TEXT: Final = "IPSIE AL SCIM 2.0 Profile, draft 00, commit 1353886 of openid/ipsie-scim-al, 2026"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of SCIM: its name, the texts that the clauses were taken from, and the clauses."""

    name: str
    texts: tuple[str, ...]
    clauses: tuple[Clause, ...] = field(repr=False)


PROFILES: Final = {
    each.name: each
    for each in (
        Profile("interop", (_INTEROP_TEXT,), INTEROP_CLAUSES),
        Profile("ipsie", (_INTEROP_TEXT, _IPSIE_TEXT), (*INTEROP_CLAUSES, *IPSIE_CLAUSES)),
    )
}
"""The profiles by name. IPSIE requires conformance to the interoperability profile."""


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """The result of each clause of a profile. `left` has the paths of resources that could not be deleted."""

    profile: Profile
    results: tuple[ClauseResult, ...]
    left: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Report whether no mandatory clause failed, and no resource was left behind."""
        return not self.left and not any(each.is_breach for each in self.results)

    def of(self, outcome: Outcome) -> list[ClauseResult]:
        """Return the results with an outcome."""
        return [each for each in self.results if each.outcome == outcome]


def check_profile(
    profile: Profile,
    url: str,
    token: str,
    *,
    revokers: Sequence[Revoker] = (),
    client: httpx.Client | None = None,
    on_clause: Callable[[Clause], None] = lambda clause: None,
) -> ReadinessReport:
    """Check an endpoint against a profile, and delete what the check created.

    Args:
        profile: An element of `PROFILES`.
        url: The URL of the SCIM endpoint.
        token: A bearer token that the endpoint accepts.
        revokers: The declared revokers of the application. Those of this process are observed.
        client: The HTTP client; needed for an application that is called in process.
        on_clause: Called before each clause.
    """
    connection = Connection(url, token, client=client, user_agent="scimkit-check")
    nobody = Connection(url, f"nobody-{token_hex(8)}", client=client, user_agent="scimkit-check")
    mark = f"check-{token_hex(4)}"
    probe = Probe(connection, nobody, url=url, token=token, mark=mark, revokers=revokers)
    try:
        for clause in profile.clauses:
            on_clause(clause)
            probe.results.append(judge(clause, probe))
    finally:
        left = probe.session.clean_up()
        connection.close()
        nobody.close()
    return ReadinessReport(profile, tuple(probe.results), tuple(left))
