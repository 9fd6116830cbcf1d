"""The service writes the provisioning log: one entry for each write and each failure, and counts of reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.errors import Unavailable
from scimkit.provisioning import MAX_IDS, REDACTED, Cycle, LogEntry, LogOptions, LogQuery, connection_health
from scimkit.service import Limits
from scimkit.service.bulk import BULK_REQUEST_SCHEMA as BULK
from scimkit.stores.memory_log import MemoryProvisioningLog
from tests.client import GROUP, USER, Client

ANNA = {"schemas": [USER], "userName": "anna@example.org", "externalId": "e1", "displayName": "Anna", "active": True}


def entries(client: Client, **conditions: Any) -> list[LogEntry]:
    """Return the entries of the log, the oldest first."""
    log: Any = client.service.provisioning_log
    return list(reversed(log.search(LogQuery(tenant="default", limit=10_000, **conditions)).entries))


def last(client: Client) -> LogEntry:
    """Return the newest entry."""
    return entries(client)[-1]


@pytest.fixture
def client() -> Client:
    """A client of a service with a provisioning log."""
    return Client(MemoryStore(provisioning_log=True))


@pytest.fixture
def anna(client: Client) -> str:
    """The id of a user."""
    return client.post("/Users", ANNA).id


class TestActions:
    """The words of an entry, by request."""

    def test_create(self, client: Client) -> None:
        """A POST is a Create, with every attribute as changed."""
        id = client.post("/Users", ANNA).id
        entry = last(client)
        assert (entry.action, entry.result, entry.resource_type, entry.resource_id) == ("Create", "Success", "User", id)
        assert (entry.label, entry.external_id) == ("anna@example.org", "e1")
        assert entry.changes["displayName"] == {"before": None, "after": "Anna"}
        assert entry.method == "POST"

    @pytest.mark.parametrize(
        ("operation", "action", "result"),
        [
            ({"op": "replace", "path": "active", "value": False}, "Disable", "Success"),
            ({"op": "replace", "path": "active", "value": True}, "Enable", "Skipped"),
            ({"op": "replace", "path": "displayName", "value": "A"}, "Update", "Success"),
            ({"op": "replace", "path": "displayName", "value": "Anna"}, "Update", "Skipped"),
            ({"op": "Replace", "path": "active", "value": "False"}, "Disable", "Warning"),
            ({"op": "replace", "path": "userName", "value": {}}, "Update", "Failure"),
        ],
    )
    def test_patch(self, client: Client, anna: str, operation: dict[str, Any], action: str, result: str) -> None:
        """A PATCH is named after what it changes, or after what it asks for if it changes nothing."""
        client.patch(f"/Users/{anna}", operation)
        assert (last(client).action, last(client).result) == (action, result)

    def test_enable(self, client: Client, anna: str) -> None:
        """A user who becomes active again is an Enable, by PUT too."""
        client.patch(f"/Users/{anna}", {"op": "replace", "path": "active", "value": False})
        client.put(f"/Users/{anna}", {**ANNA, "active": True})
        assert (last(client).action, last(client).result) == ("Enable", "Success")

    def test_members(self, client: Client, anna: str) -> None:
        """Members added and removed are entries of the group, with the members that do not exist."""
        body = {"schemas": [GROUP], "displayName": "Team"}
        team = client.post("/Groups", body).id
        add = {"op": "add", "path": "members", "value": [{"value": anna}, {"value": "nobody"}]}
        client.patch(f"/Groups/{team}", add)
        entry = last(client)
        assert (entry.action, entry.result, entry.added_members) == ("AddMembers", "Warning", (anna,))
        assert (entry.missing_members, entry.missing_count, entry.label) == (("nobody",), 1, "Team")
        client.patch(f"/Groups/{team}", {"op": "remove", "path": f'members[value eq "{anna}"]'})
        entry = last(client)
        assert (entry.action, entry.result, entry.removed_members) == ("RemoveMembers", "Success", (anna,))

    def test_many_members_are_counted(self, client: Client) -> None:
        """An entry names some members and counts all."""
        ids = [client.post("/Users", {"schemas": [USER], "userName": f"u{n}"}).id for n in range(MAX_IDS + 5)]
        client.post("/Groups", {"schemas": [GROUP], "displayName": "All", "members": [{"value": each} for each in ids]})
        assert (len(last(client).added_members), last(client).added_count) == (MAX_IDS, MAX_IDS + 5)

    def test_delete(self, client: Client, anna: str) -> None:
        """A DELETE keeps the name of the resource that is gone; a second one fails."""
        client.delete(f"/Users/{anna}")
        assert (last(client).action, last(client).label) == ("Delete", "anna@example.org")
        client.delete(f"/Users/{anna}")
        entry = last(client)
        assert (entry.action, entry.result, entry.error_code) == ("Delete", "Skipped", "404")

    def test_each_operation_of_a_bulk(self, client: Client) -> None:
        """Each operation of a bulk is an entry of its own, and the bulk is none."""
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": ANNA},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": ANNA},
        ]
        client.post("/Bulk", {"schemas": [BULK], "Operations": operations})
        assert [(each.action, each.result) for each in entries(client)] == [
            ("Create", "Success"),
            ("Create", "Failure"),
        ]
        assert len({each.request_id for each in entries(client)}) == 1


class TestFailures:
    """A failure says who is concerned, and why."""

    def test_refused_create(self, client: Client, anna: str) -> None:
        """A POST that is refused has the name of the user whom it wanted to create."""
        answer = client.post("/Users", ANNA)
        entry = last(client)
        assert (entry.error_code, entry.detail) == ("uniqueness", answer.body["detail"])
        assert (entry.label, entry.external_id, entry.resource_id) == ("anna@example.org", "e1", "")

    def test_unreadable_create(self, client: Client) -> None:
        """The name is found even if the body does not fit the schema."""
        client.post("/Users", {"schemas": [USER], "USERNAME": "bob", "active": {"no": 1}})
        assert (last(client).error_code, last(client).label) == ("invalidValue", "bob")

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"userName": {}}', b"null"])
    def test_any_body(self, client: Client, body: bytes) -> None:
        """A body that is no resource is a failure, never an error of the log."""
        assert client.post("/Users", body).status == 400
        assert last(client).result == "Failure"

    def test_refused_patch_names_the_resource(self, client: Client, anna: str) -> None:
        """A PATCH names its resource by id only; the log looks the name up."""
        client.patch(f"/Users/{anna}", {"op": "replace", "path": "userName", "value": {}})
        assert (last(client).label, last(client).resource_id) == ("anna@example.org", anna)

    def test_refused_read(self, client: Client) -> None:
        """A read that fails is an entry; a read that succeeds, or finds nothing, is not."""
        client.get("/Users?filter=nonsense")
        client.get("/Users")
        client.get("/Users/nobody")
        assert [(each.action, each.error_code) for each in entries(client)] == [("Other", "invalidFilter")]

    def test_revoked_token(self, client: Client) -> None:
        """A token that was revoked still names its tenant, so the administrator sees who knocks."""
        record = client.tokens.list()[0]
        client.tokens.revoke(record.id)
        client.get("/Users")
        entry = last(client)
        assert (entry.action, entry.result, entry.error_code, entry.token_id) == ("Other", "Failure", "401", record.id)

    def test_unknown_token(self, client: Client) -> None:
        """A stranger belongs to no tenant, so that no log can be filled from outside."""
        client.token = TokenRegistry().issue("elsewhere").token
        assert client.get("/Users").status == 401
        assert not entries(client)

    def test_refused_by_the_adapter(self, client: Client) -> None:
        """A request that an adapter refuses waits for the next entry."""
        token = client.tokens.verify(client.token)
        request = Request("POST", "/Users", principal=token)
        client.service.refuse(request, Unavailable())
        client.post("/Users", ANNA)
        assert {each.error_code for each in entries(client)} == {"503", ""}


class BrokenLog(MemoryProvisioningLog):
    """A log that fails until it is mended."""

    broken = True

    def add(self, added: Any) -> None:
        if self.broken:
            raise Unavailable
        super().add(added)


class TestBrokenLog:
    """A log never fails a request."""

    def test_entries_wait(self, caplog: pytest.LogCaptureFixture) -> None:
        """Entries wait in memory while the log fails, and are written afterwards."""
        log = BrokenLog()
        client = Client(provisioning_log=log)
        assert client.post("/Users", ANNA).status == 201
        assert client.post("/Users", ANNA).status == 409
        assert not entries(client)
        assert "the provisioning log failed" in caplog.text
        log.broken = False
        client.post("/Users", ANNA)
        assert [each.result for each in entries(client)] == ["Success", "Failure", "Failure"]

    def test_own_log_fails_with_the_write(self) -> None:
        """An entry in the transaction of its write is written with it, or neither is."""
        store = MemoryStore(provisioning_log=True)
        broken = BrokenLog()
        store.provisioning_log = broken
        client = Client(store)
        assert client.post("/Users", ANNA).status == 503
        broken.broken = False
        assert client.get("/Users").body["totalResults"] == 0
        client.get("/Users?filter=x")
        assert [each.error_code for each in entries(client)] == ["503", "invalidFilter"]


class TestCycles:
    """Reads are counted, and the health of the connection follows from cycles."""

    def test_reads_are_counted(self, client: Client) -> None:
        """Reads are kept in memory for some seconds, then added to the cycle."""
        for _ in range(5):
            client.get("/Users")
        recorder: Any = client.service._recorder
        for each in recorder._activities.values():
            each.noted -= 60
        client.get("/Users")
        assert client.service.provisioning_log.cycles("default")[0].reads == 5

    def test_flush(self, client: Client) -> None:
        """What is in memory is written when the process ends."""
        for _ in range(3):
            client.get("/Users/nobody")
        client.run(client.service.flush_provisioning_log())
        assert client.service.provisioning_log.cycles("default")[0].reads == 3
        Client().run(Client().service.flush_provisioning_log())

    def test_entries_have_the_cycle(self, client: Client, anna: str) -> None:
        """The entries of a burst belong to one cycle, whose counts they are."""
        client.post("/Users", ANNA)
        [cycle] = client.service.provisioning_log.cycles("default")
        assert {each.cycle_id for each in entries(client)} == {cycle.id}
        assert (cycle.count(action="Create"), cycle.failures, cycle.errors) == (2, 1, {"uniqueness": 1})

    def test_health(self, client: Client) -> None:
        """A connection waits, is connected, provisions, fails, and falls silent."""
        log, [token] = client.service.provisioning_log, client.tokens.list()

        def status(later: timedelta = timedelta(0)) -> str:
            return connection_health(log, "default", token.id, datetime.now(UTC) + later).status

        assert status() == "Waiting"
        client.get('/Users?filter=userName eq "x"')
        assert status() == "Connected"
        client.post("/Users", ANNA)
        assert status() == "Provisioning"
        client.post("/Users", ANNA)
        assert status() == "Failing"
        health = connection_health(log, "default", token.id)
        assert (health.error_code, health.affected, health.failures) == ("uniqueness", ("anna@example.org",), 1)
        assert status(timedelta(hours=2, minutes=1)) == "Silent"

    def test_old_entries_are_deleted(self) -> None:
        """The service deletes what is older than the retention, without a job."""
        client = Client(MemoryStore(provisioning_log=True), log_options=LogOptions(retention=timedelta(days=1)))
        client.post("/Users", ANNA)
        recorder: Any = client.service._recorder
        recorder._retention -= timedelta(days=2)  # as if the entry were two days older
        recorder._purged -= 60
        for each in recorder._activities.values():
            each.noted -= 60
        client.get("/Users")
        assert not entries(client)


class TestValues:
    """The log keeps no secret, and as much personal data as the host allows."""

    def test_no_password(self, client: Client) -> None:
        """A password appears in no entry, whether the request succeeds or fails."""
        for _ in range(2):
            client.post("/Users", {**ANNA, "password": "Secret-1"})
        client.patch("/Users/none", {"op": "Replace", "path": "password", "value": ["Secret-1"]})
        assert "Secret-1" not in repr([_whole(each) for each in entries(client)])

    def test_names_only(self) -> None:
        """With values="names", an entry says which attributes changed, and not from what to what."""
        client = Client(MemoryStore(provisioning_log=True), log_options=LogOptions(values="names"))
        client.post("/Users", {**ANNA, "active": "True", "title": "Chief"})
        entry = last(client)
        assert entry.changes["title"] == REDACTED
        assert [(each.attribute, each.before, each.after) for each in entry.quirks] == [("active", None, None)]
        assert "Chief" not in repr(_whole(entry))

    @given(st.sampled_from(["name", "name.givenName", "emails", "userName", "externalId"]))
    @settings(max_examples=5)
    def test_redact(self, path: str) -> None:
        """The values of a redacted attribute appear nowhere."""
        client = Client(MemoryStore(provisioning_log=True), log_options=LogOptions(redact=[path]))
        values = {"userName": "uuu1", "externalId": "xxx1", "emails": [{"value": "eee1", "type": "WORK"}],
                  "name": {"givenName": "ggg1"}, "active": "False"}  # fmt: skip
        for _ in range(2):
            client.post("/Users", {"schemas": [USER], **values})
        client.patch(
            f"/Users/{entries(client)[0].resource_id}",
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "eee1"},
        )
        shown = {"name": "ggg1", "name.givenName": "ggg1", "emails": "eee1", "userName": "uuu1", "externalId": "xxx1"}
        hidden = shown[path]
        text = repr([_whole(each) for each in entries(client)])
        assert hidden not in text
        assert all(each in text for each in {"uuu1", "xxx1", "eee1", "ggg1"} - {hidden})

    def test_long_values_are_cut(self, client: Client) -> None:
        """No value makes an entry large."""
        client.post("/Users", {**ANNA, "title": "x" * 60_000, "emails": [{"value": f"{n}@x"} for n in range(900)]})
        assert len(repr(_whole(last(client)))) < 20_000

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Client(MemoryStore(provisioning_log=True), log_options=LogOptions(redact=["nonsense"])),
            lambda: LogOptions(values="some"),  # type: ignore[arg-type]
            lambda: LogOptions(retention=timedelta(0)),
            lambda: LogOptions(redact="userName"),
        ],
    )
    def test_wrong_options(self, make: Any) -> None:
        """A wrong option is refused when the service is made."""
        with pytest.raises(ValueError, match=r"redact|values|retention"):
            make()

    def test_user_agent(self, client: Client) -> None:
        """The identity provider is guessed, and a hostile header stays one short line."""
        for agent in ("Okta SCIM Client 1.0.0", "x\r\ny\u2028" + "z" * 5000):
            client.send("POST", "/Users", ANNA, {"User-Agent": agent})
        known, hostile = entries(client)
        assert known.identity_provider == "Okta"
        assert hostile.user_agent.isprintable()
        assert len(hostile.user_agent) < 400


def _whole(entry: LogEntry) -> dict[str, Any]:
    """Return all fields of an entry, also those without a repr."""
    found = {name: getattr(entry, name) for name in LogEntry.__dataclass_fields__}
    found["quirks"] = [(each.name, each.attribute, each.before, each.after) for each in entry.quirks]
    return found


def test_tenants_see_their_own(client: Client) -> None:
    """Each tenant has its own entries and cycles."""
    other = client.of_tenant("other")
    client.post("/Users", ANNA)
    other.post("/Users", ANNA)
    log: Any = client.service.provisioning_log
    for tenant in ("default", "other"):
        [entry] = log.search(LogQuery(tenant=tenant)).entries
        [cycle] = log.cycles(tenant)
        assert (entry.tenant, cycle.tenant, entry.cycle_id) == (tenant, tenant, cycle.id)
        assert log.find("other" if tenant == "default" else "default", entry.id) is None


@given(st.lists(st.sampled_from("pdgrbx"), max_size=12))
@settings(max_examples=30, deadline=None)
def test_each_write_and_failure_is_one_entry(history: list[str]) -> None:
    """However requests follow each other, the entries are the writes and failures in their order."""
    client = Client(MemoryStore(provisioning_log=True), limits=Limits())
    id, expected = client.post("/Users", ANNA).id, [("Create", "Success")]
    alive = True
    for each in history:
        if each == "p":
            value = datetime.now(UTC).isoformat()
            client.patch(f"/Users/{id}", {"op": "replace", "path": "title", "value": value})
            expected.append(("Update", "Success" if alive else "Failure"))
        elif each == "d":
            client.delete(f"/Users/{id}")
            expected.append(("Delete", "Success" if alive else "Skipped"))
            alive = False
        elif each == "g":
            client.get(f"/Users/{id}")
        elif each == "r":
            client.get("/Users")
        elif each == "b":
            client.post("/Users", b"{")
            expected.append(("Create", "Failure"))
        else:
            client.get("/ServiceProviderConfig")
    assert [(entry.action, entry.result) for entry in entries(client)] == expected


def test_a_cycle_counts_by_action_and_result() -> None:
    """`Cycle.count` adds up what is asked for."""
    now = datetime.now(UTC)
    counts: Any = {("Create", "Success"): 3, ("Create", "Failure"): 1, ("Delete", "Skipped"): 2}
    cycle = Cycle(id="c", tenant="t", token_id="k", start=now, end=now, counts=counts)
    assert (cycle.count(), cycle.count(action="Create"), cycle.count(result="Failure")) == (6, 4, 1)
    assert (cycle.writes, cycle.failures) == (5, 1)


def test_log_and_store_of_two_colors() -> None:
    """A log that would block the event loop, or that nothing can await, is refused when the service is made."""

    class AwaitedLog:
        is_async = True

    with pytest.raises(TypeError, match="sync"):
        ScimService(MemoryStore(), tokens=TokenRegistry(), provisioning_log=AwaitedLog())  # type: ignore[arg-type]


def test_entries_are_json(client: Client, anna: str) -> None:
    """An entry can be written as JSON, for programs."""
    from scimkit.provisioning import entry_to_json

    client.patch(f"/Users/{anna}", {"op": "Replace", "path": "active", "value": "False"})
    document = json.loads(json.dumps(entry_to_json(last(client))))
    assert document["changes"] == {"active": {"before": True, "after": False}}
    assert document["quirks"][1] == {"name": "boolean-text", "attribute": "active", "before": "False", "after": "false"}
    assert run_sync(client.service.handle(Request("GET", "/"))).status == 401
