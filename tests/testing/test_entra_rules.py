"""Tests of Entra's quarantine, of mixed flavors, and of concurrent PATCH requests on members."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from scimkit import Request
from scimkit.service import Response
from scimkit.testing.directory import Person, key_of
from scimkit.testing.directory_history import play
from scimkit.testing.entra import EntraSimulator
from scimkit.testing.entra_quarantine import Quarantine
from scimkit.testing.exchange import Exchange
from scimkit.testing.report import Step
from tests.testing.flawed import assert_found, connected, edit_body, findings, sent, with_body


def step(status: int, *, failed: bool = True) -> Step:
    exchange = Exchange("GET", "/Users", None, status, None, 0.0)
    return Step("Test", exchange, f"{status}" if failed else None)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_probe_quarantines_at_once(status: int) -> None:
    """401, 403 and 404 for the connection test start the quarantine, and a successful test ends it."""
    quarantine = Quarantine()
    quarantine.probed(step(status))
    assert quarantine.active
    quarantine.probed(step(200, failed=False))
    assert not quarantine.active


def test_a_failing_server_is_retried_without_quarantine() -> None:
    """A 5xx response to the connection test is retried in the next cycle, without quarantine."""
    quarantine = Quarantine()
    quarantine.probed(step(503))
    assert not quarantine.active
    assert quarantine.next_retry == 0


def test_quarantine_waits_longer_and_ends_after_28_days() -> None:
    """In quarantine, Entra retries after 6, 12 and 24 hours, then daily. After 28 days it disables the job."""
    quarantine = Quarantine()
    quarantine.probed(step(401))
    waits = []
    while not quarantine.disabled:
        waits.append(quarantine.next_retry)
        quarantine.wait(quarantine.next_retry)
    assert waits[:5] == [6, 12, 24, 24, 24]
    assert sum(waits[:-1]) < 28 * 24 <= sum(waits)


@pytest.mark.parametrize(
    ("failures", "successes", "references", "expected"),
    [
        (5, 5, 0, True),
        (5, 8, 0, False),
        (4, 0, 0, False),
        (41, 400, 0, True),
        (40, 400, 0, False),
        (20, 400, 41, True),
        (20, 400, 40, False),
    ],
)
def test_many_failures_quarantine(failures: int, successes: int, references: int, expected: bool) -> None:
    """A cycle starts the quarantine with 5,000 failures above 40 %, 40,000 failures, or 60,000 with references."""
    quarantine = Quarantine(scale=1000)
    quarantine.start_cycle()
    for _ in range(successes):
        quarantine.noted(step(200, failed=False))
    for _ in range(failures):
        quarantine.noted(step(500))
    for _ in range(references):
        quarantine.noted(step(500), reference=True)
    assert quarantine.active is expected


def test_the_job_itself_is_quarantined() -> None:
    """A refused token puts a running job in quarantine, and an accepted token ends the quarantine."""
    refusing = threading.Event()

    def tamper(request: Request, response: Response, body: Any) -> Response:
        return with_body(response, {"detail": "no"}, 401) if refusing.is_set() else response

    with connected("entra", tamper) as entra:
        assert entra.synchronize()
        refusing.set()
        assert not entra.synchronize()
        assert entra.quarantine.active
        refusing.clear()
        assert entra.synchronize()
        assert not entra.quarantine.active


def test_a_mixed_tenant_sends_both_flavors() -> None:
    """With the flag, on-demand provisioning writes `op` in title case, and cycles write it in lower case."""
    with connected("entra-mixed") as entra:
        assert isinstance(entra, EntraSimulator)
        for key in (key_of("mia"), key_of("ada")):
            entra.provision_on_demand(key)
        entra.directory.change(key_of("ada"), title="Lead")
        entra.provision_on_demand(key_of("ada"))
        entra.synchronize()
        entra.directory.change(key_of("ada"), title="Head")
        entra.synchronize()
        updates = [each.exchange.sent["Operations"] for each in sent(entra.report, "Update Ada")]
        assert [operations[0]["op"] for operations in updates] == ["Replace", "replace"]
        assert findings(entra.report) == []


def crowd(entra: Any, count: int) -> None:
    people = [Person(f"k{n}", f"p{n}@example.org", "P", str(n), f"p{n}@example.org") for n in range(count)]
    for person in people:
        entra.directory.hire(person)
    entra.directory.join(key_of("team/tier1"), *(person.key for person in people))


def test_concurrent_member_changes_are_kept() -> None:
    """Members that are added and removed by concurrent PATCH requests are all correct in the end."""
    with connected("entra-mixed") as entra:
        crowd(entra, 40)
        play(entra, [])
        assert len([each for each in sent(entra.report, "Add 43 to") if each.passed]) == 43
        entra.directory.leave(key_of("team/tier1"), *(f"k{n}" for n in range(30)))
        assert entra.synchronize()
        assert findings(entra.report) == []


def test_a_lost_update_is_found() -> None:
    """The comparison finds a member that the service lost, although its PATCH got 204."""
    lock, seen = threading.Lock(), [0]

    def loses(request: Request) -> Request:
        if request.method != "PATCH" or b"members" not in request.body:
            return request
        with lock:
            seen[0] += 1
            lost = seen[0] == 7
        return edit_body(request, lambda body: {**body, "Operations": [
            {"op": "remove", "path": 'members[value eq "nobody"]'}]}) if lost else request  # fmt: skip

    with connected("entra-mixed", None, loses) as entra:
        crowd(entra, 10)
        play(entra, [])
        assert_found(entra.report, "Verify", "1 are missing")
