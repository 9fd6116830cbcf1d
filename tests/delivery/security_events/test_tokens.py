"""Resource events become security event tokens that a receiver can verify, and that hold no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from scimkit import GROUP, USER, filters, patch
from scimkit.delivery import Undeliverable
from scimkit.delivery.security_events import EventStream, SecurityEventIssuer, event_uris
from scimkit.delivery.security_events.feeds import document_before
from scimkit.documents import write_json
from scimkit.events import (
    EventDerivation,
    EventSource,
    MembersAdded,
    MembersRemoved,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceLinked,
    ResourceUpdated,
    UserActivated,
    UserDeactivated,
    event_from_json,
    event_to_json,
)
from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.projection import Projections
from scimkit.testing.strategies import documents
from tests.delivery.security_events.streams import AUDIENCE, ISSUER, PATCH_OP, PREFIX, issuer, received, stream
from tests.oauth.issuer import key

ADA = {"id": "u/1", "userName": "ada", "externalId": "00u1", "active": True}
ADA_EVENT: dict[str, Any] = {
    "resource_type": "User", "id": "u/1", "tenant": "default", "external_id": "00u1", "document": ADA,
    "transaction_id": "t1",
}  # fmt: skip
TEAM_EVENT: dict[str, Any] = {"resource_type": "Group", "id": "g1", "tenant": "default", "document": {"id": "g1"}}
ISSUING = issuer()


def user_documents() -> st.SearchStrategy[dict[str, Any]]:
    """Return documents of users with an id and a password."""
    return documents(USER).map(lambda document: {**document, "id": "u1", "password": "s3cret-s3cret"})


def derived(before: dict[str, Any], after: dict[str, Any], operation: str) -> list[ResourceEvent]:
    """Return the events of a write, as an outbox gives them back."""
    source = EventSource("default", operation=operation, resource_version='W/"7"')
    found = EventDerivation(USER).events(EffectiveChanges(before, after), source)
    return [event_from_json(json.loads(write_json(event_to_json(each)))) for each in found]


def events_of(event: ResourceEvent, mode: str = "notice", **options: Any) -> dict[str, Any]:
    """Return the events of the token of a resource event, or an empty object."""
    claims = ISSUING.claims(event, stream(mode, **options))
    return {} if claims is None else {name.removeprefix(PREFIX): value for name, value in claims["events"].items()}


@pytest.mark.rfc("9967-2.1-1", "9967-2.1-2", "9967-2.1-3", "9967-2.2-1", "9967-2.2-2", "8417-2.2-1", "8417-2.3-1")
@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_receiver_verifies_a_token(kind: str) -> None:
    """A receiver with joserfc and the public keys verifies the token, and finds the claims of RFC 9967."""
    signing = issuer("new", "old", kind=kind)
    event = ResourceUpdated(**ADA_EVENT, operation="patch", resource_version='W/"2"', changes={"title": None})  # type: ignore[dict-item]
    token = signing.token(event, stream())
    assert token is not None
    claims = received(token.text, signing.jwks)
    assert claims.pop("jti") == token.jti
    assert claims == {
        "iss": ISSUER,
        "iat": int(event.time.timestamp()),
        "aud": AUDIENCE,
        "txn": "t1",
        "sub_id": {"format": "scim", "uri": "/Users/u%2F1", "id": "u/1", "externalId": "00u1"},
        "events": {f"{PREFIX}prov:patch:notice": {"attributes": ["title"], "version": 'W/"2"'}},
    }
    assert not any("d" in each for each in signing.jwks["keys"])


@pytest.mark.rfc("9967-2.4-1", "9967-2.4-2")
@settings(max_examples=40)
@given(user_documents())
def test_the_data_of_a_whole_resource_is_its_projection(document: dict[str, Any]) -> None:
    """The data of a created or replaced resource is what a response would have, and nothing else."""
    expected = dict(Projections(USER).whole.apply(document))
    expected["schemas"] = USER.schemas_of(expected)
    before = {"id": "u1", "userName": "before"}
    for event in (*derived({}, document, "create"), *derived(before, document, "replace")):
        for uri, payload in events_of(event, "full").items():
            if "data" in payload:
                assert uri in ("prov:create:full", "prov:put:full")
                assert payload == {"data": expected, "version": 'W/"7"'}


@pytest.mark.rfc("9967-2.4.2-1")
@settings(max_examples=40)
@given(user_documents(), user_documents())
def test_the_data_of_a_patch_has_the_effect_of_the_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The PATCH in the data of an event turns the resource before the change into the resource after it."""
    whole = Projections(USER).whole
    for event in derived(before, after, "patch"):
        if isinstance(event, ResourceUpdated):
            data = events_of(event, "full")["prov:patch:full"]["data"]
            assert data["schemas"] == [PATCH_OP]
            result = patch.apply(USER, whole.apply(before), data).document
            assert _without_schemas(result) == _without_schemas(whole.apply(after))


def _without_schemas(document: Any) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "schemas"}


@pytest.mark.rfc("9967-2.4-3")
@settings(max_examples=40)
@given(user_documents(), user_documents(), st.sampled_from(["notice", "full"]), st.sampled_from(["patch", "replace"]))
def test_no_token_has_a_secret(before: dict[str, Any], after: dict[str, Any], mode: str, operation: str) -> None:
    """No token has a password or its name, also if an application records an event that has one.

    A notice has no value of an attribute.
    """
    found = derived(before, after, operation)
    found.append(ResourceUpdated(**{**ADA_EVENT, "document": after}, operation=operation, changes={"password": None}))  # type: ignore[dict-item]
    for event in found:
        text = json.dumps(ISSUING.claims(event, stream(mode)) or {})
        assert "s3cret-s3cret" not in text and '"password"' not in text
        for payload in events_of(event).values():
            assert set(payload) <= {"attributes", "version"}


@pytest.mark.rfc("9967-2.4.1-1", "9967-2.4.3-1", "9967-2.4.4-1", "9967-2.4.5-1", "9967-2.4.6-1")
@pytest.mark.parametrize(
    ("event", "uri"),
    [
        (ResourceCreated(**ADA_EVENT, operation="create"), "prov:create:notice"),
        (ResourceUpdated(**ADA_EVENT, operation="replace", changes={"title": None}), "prov:put:notice"),  # type: ignore[dict-item]
        (ResourceUpdated(**ADA_EVENT, changes={"title": None}), "prov:put:notice"),  # type: ignore[dict-item]
        (ResourceDeleted(**ADA_EVENT, operation="delete"), "prov:delete"),
        (UserActivated(**ADA_EVENT, operation="patch"), "prov:activate"),
        (UserDeactivated(**ADA_EVENT, operation="patch"), "prov:deactivate"),
        (ResourceLinked(**ADA_EVENT, operation="create"), "feed:add"),
        (MembersAdded(**TEAM_EVENT, members=("u1",)), "prov:patch:notice"),
        (MembersRemoved(**TEAM_EVENT, members=("u1",)), "prov:patch:notice"),
    ],
)
def test_each_event_has_its_uri(event: ResourceEvent, uri: str) -> None:
    """Each class of resource events has one event URI, which the stream announces."""
    assert list(events_of(event)) == [uri]
    assert PREFIX + uri in event_uris([stream()])


def test_members_are_a_patch() -> None:
    """Added and removed members are PATCH operations, with each id quoted."""
    added = events_of(MembersAdded(**TEAM_EVENT, members=("u1", "u2")), "full")["prov:patch:full"]["data"]
    assert added["Operations"] == [{"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u2"}]}]
    removed = events_of(MembersRemoved(**TEAM_EVENT, members=('u"\\1',)), "full")["prov:patch:full"]["data"]
    assert removed["Operations"] == [{"op": "remove", "path": 'members[value eq "u\\"\\\\1"]'}]
    group = {"displayName": "g", "members": [{"value": 'u"\\1'}, {"value": "u2"}]}
    assert patch.apply(GROUP, group, removed).document["members"] == [{"value": "u2"}]


@pytest.mark.rfc("9967-2.3.1-1", "9967-2.3.2-1")
def test_resources_enter_and_leave_a_feed() -> None:
    """A resource that begins or ceases to match the filter of a feed has feed:add or feed:remove."""
    feed = {"User": 'userType eq "agent"'}
    agent, other = {**ADA, "userType": "agent"}, {**ADA, "userType": "other"}

    def kinds(before: dict[str, Any], after: dict[str, Any], mode: str = "notice") -> list[str]:
        return [uri for event in derived(before, after, "patch") for uri in events_of(event, mode, feed=feed)]

    assert kinds(other, agent) == ["feed:add"]
    assert kinds(other, agent, "full") == ["feed:add", "prov:put:full"]
    assert kinds(agent, other) == ["feed:remove"]
    assert kinds(agent, {**agent, "title": "x"}) == ["prov:patch:notice"]
    assert kinds(other, {**other, "title": "x"}) == []
    assert kinds({}, agent) == ["prov:create:notice"]
    assert kinds({}, other) == kinds(other, {}) == []
    assert kinds(agent, {}) == ["prov:delete"]
    assert kinds(agent, {**other, "active": False}) == ["feed:remove", "prov:deactivate"]
    assert events_of(MembersAdded(**TEAM_EVENT, members=("u1",)), feed=feed) == {}
    assert {f"{PREFIX}feed:add", f"{PREFIX}feed:remove"} <= set(event_uris([stream(feed=feed)]))


@settings(max_examples=40)
@given(user_documents(), user_documents(), st.sampled_from(["userName", "active", "emails.value", "name.givenName"]))
def test_the_document_before_a_change_decides_over_the_feed(
    before: dict[str, Any], after: dict[str, Any], path: str
) -> None:
    """A feed sees the resource before a change as it was."""
    wanted = filters.parse(f"{path} pr")
    for event in derived(before, after, "replace"):
        known = document_before(event, USER)
        assert wanted.matches(known, USER) == wanted.matches(before, USER)
        assert known.get("name") == before.get("name")
        assert sorted(map(str, known.get("emails") or ())) == sorted(map(str, before.get("emails") or ()))


@pytest.mark.rfc("9967-2.2-2", "8417-2.2-2")
def test_a_token_that_is_sent_again_is_the_same() -> None:
    """The claims of an event are the same each time. Another stream has another `jti` and the same `txn`."""
    event = ResourceDeleted(**ADA_EVENT)
    again = event_from_json(json.loads(write_json(event_to_json(event))))
    assert ISSUING.claims(event, stream()) == issuer().claims(again, stream())
    one, two = ISSUING.claims(event, stream()), ISSUING.claims(event, stream(id="other"))
    assert one and two and one["jti"] != two["jti"] and one["txn"] == two["txn"]


def test_events_of_another_tenant_are_not_in_a_stream() -> None:
    """A stream has the events of its tenant only."""
    event = ResourceDeleted(**{**ADA_EVENT, "tenant": "acme"})
    assert ISSUING.token(event, stream()) is None
    assert ISSUING.token(event, stream(tenant="acme")) is not None


def test_an_unknown_resource_type_is_a_dead_letter() -> None:
    """An event of a type that the issuer does not know is no event without a token."""
    with pytest.raises(Undeliverable, match="Device"):
        ISSUING.token(ResourceDeleted(resource_type="Device", id="1", tenant="default"), stream())


@pytest.mark.parametrize(
    "options",
    [{"id": ""}, {"id": "a/b"}, {"id": "x" * 65}, {"audience": ""}, {"audience": []}, {"audience": [""]},
     {"mode": "other"}],
)  # fmt: skip
def test_a_stream_without_sense_is_refused(options: dict[str, Any]) -> None:
    """A stream needs an id for URLs, an audience and a mode."""
    with pytest.raises(ValueError, match="stream"):
        stream(**options)


@pytest.mark.parametrize("feed", [{"Device": None}, {"User": "meta.created pr"}, {"Group": "members pr"}])
def test_a_feed_without_sense_is_refused(feed: dict[str, str]) -> None:
    """A feed names known resource types, and attributes that events have."""
    with pytest.raises(ValueError, match="feed"):
        ISSUING.check(stream(feed=feed))


def _jwk(**changed: Any) -> dict[str, Any]:
    return {**key("set-1").as_dict(private=True), **changed}


@pytest.mark.rfc("9967-5-1")
@pytest.mark.parametrize(
    "wrong",
    [{}, {"kty": "oct", "k": "c2VjcmV0", "d": "x"}, key("set-1").as_dict(private=False), _jwk(alg="RS256"),
     _jwk(alg="HS256"), _jwk(alg="none"), _jwk(alg="ES384"), _jwk(d="x"), _jwk(crv="P-1")],
    ids=["empty", "symmetric", "public", "RS256", "HS256", "none", "ES384", "malformed", "unknown-curve"],
)  # fmt: skip
def test_only_private_asymmetric_keys_sign(wrong: dict[str, Any]) -> None:
    """A key that is symmetric, public, malformed or of another algorithm is refused. The message has no part of it."""
    with pytest.raises(ValueError, match="key that signs security events") as error:
        SecurityEventIssuer(ISSUER, wrong)
    assert str(wrong.get("d")) not in str(error.value) or wrong.get("d") == "x"
    assert error.value.__cause__ is None


def test_an_issuer_shows_no_key() -> None:
    """The representation of an issuer has the ids of its keys only. An issuer needs a name and a key."""
    assert repr(issuer("one", "two")) == f"SecurityEventIssuer('{ISSUER}', keys=['one', 'two'])"
    for name, keys in (("", _jwk()), (ISSUER, [])):
        with pytest.raises(ValueError, match="at least one private key"):
            SecurityEventIssuer(name, keys)  # type: ignore[arg-type]


def test_the_algorithm_follows_the_key() -> None:
    """A key without an algorithm and an id gets those of its type, and its thumbprint."""
    for made, algorithm in ((OKPKey.generate_key("Ed25519"), "Ed25519"), (key("x", "RSA"), "RS256")):
        jwk = {name: value for name, value in made.as_dict(private=True).items() if name != "kid"}
        signing = SecurityEventIssuer(ISSUER, jwk)
        token = signing.token(ResourceDeleted(**ADA_EVENT), stream())
        assert token is not None and received(token.text, signing.jwks)["jti"] == token.jti
        assert signing.jwks["keys"][0]["alg"] == algorithm
        assert signing.jwks["keys"][0]["kid"] == made.thumbprint()


def test_an_audience_may_be_several() -> None:
    """Several receivers are a list in `aud`."""
    wanted = EventStream(id="s", audience=[AUDIENCE, "https://b.example"])
    claims = ISSUING.claims(ResourceDeleted(**ADA_EVENT), wanted)
    assert claims is not None and claims["aud"] == [AUDIENCE, "https://b.example"]
