"""The dialect of the SCIM 2.0 Interoperability Profile: what it refuses, and that it refuses nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from scimkit import STRICT, Dialect
from scimkit.dialects import INTEROP, NOT_APPLICABLE, TOLERANT, Quirk, follows_interop_profile
from scimkit.schema.core import USER as USER_TYPE
from scimkit.testing.strategies import bodies, filters, patches
from tests.client import ENTERPRISE, USER, Answer, Client

SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
NAME = {"givenName": "Ada", "familyName": "King", "formatted": "Ada King"}


def refused(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.body.get("scimType")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "value": {"title": "Countess"}},
        {"op": "replace", "path": "", "value": {"title": "Countess"}},
        {"op": "replace", "path": "nonsense", "value": "x"},
        {"op": "replace", "path": "name.nonsense", "value": "x"},
        {"op": "add", "path": "urn:example:none:1.0:User:level", "value": "x"},
        {"op": "replace", "path": "name", "value": {"nonsense": "x"}},
        {"op": "replace", "path": ENTERPRISE, "value": {"nonsense": "x"}},
    ],
)
def test_what_the_profile_refuses(operation: dict[str, Any]) -> None:
    """An operation without a path, or with an unknown attribute, is refused as a whole with `invalidSyntax`."""
    client = Client(dialect=INTEROP)
    id = client.user("ada", title="Dr")
    before = client.get(f"/Users/{id}").body
    first = {"op": "replace", "path": "title", "value": "Lady"}
    answer = client.patch(f"/Users/{id}", first, operation)
    assert refused(answer) == (400, "invalidSyntax")
    assert answer.body["detail"].count("section") == 1
    assert client.get(f"/Users/{id}").body == before


@pytest.mark.parametrize("change", [{"nonsense": 1}, {"name": {"nonsense": 1}}, {"schemas": [USER, "urn:x:y"]}])
def test_unknown_attributes_and_schemas(change: dict[str, Any]) -> None:
    """A POST and a PUT with an unknown attribute or schema are refused with `invalidSyntax`."""
    client = Client(dialect=INTEROP)
    body = {"schemas": [USER], "userName": "ada"} | change
    assert refused(client.post("/Users", body)) == (400, "invalidSyntax")
    assert refused(client.put(f"/Users/{client.user('ada')}", body)) == (400, "invalidSyntax")


def test_replace_of_a_complex_attribute() -> None:
    """`replace` unassigns the omitted sub-attributes, and `add` keeps them. The dialect `strict` keeps both."""
    for dialect, left in ((INTEROP, {"givenName": "A."}), (STRICT, NAME | {"givenName": "A."})):
        client = Client(dialect=dialect)
        id = client.user("ada", name=NAME, emails=[{"value": "a@example.org", "type": "work"}])
        path = f"/Users/{id}"
        assert client.patch(path, {"op": "replace", "path": "name", "value": {"givenName": "A."}}).body["name"] == left
        body = client.patch(path, {"op": "add", "path": "name", "value": {"middleName": "B."}}).body
        assert body["name"] == left | {"middleName": "B."}
        one = {"op": "replace", "path": 'emails[type eq "work"].value', "value": "b@example.org"}
        assert client.patch(path, one).body["emails"] == [{"value": "b@example.org", "type": "work"}]
        manager = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": id}}
        assert client.patch(path, manager).body[ENTERPRISE]["manager"]["value"] == id
        whole = {"op": "replace", "path": ENTERPRISE, "value": {"department": "Engines"}}
        assert client.patch(path, whole).body[ENTERPRISE]["department"] == "Engines"


@settings(max_examples=30)
@given(bodies(USER_TYPE), patches(USER_TYPE), filters(USER_TYPE, depth=2))
def test_nothing_else_is_refused(body: dict[str, Any], patch: dict[str, Any], wanted: Any) -> None:
    """The dialect accepts what `strict` accepts, if each operation has a path.

    Creations and filters get the same status. A PATCH has the same result, except that `replace` of a complex attribute
    is complete.
    """
    strict, interop = Client(dialect=STRICT), Client(dialect=INTEROP)
    created = [each.post("/Users", body) for each in (strict, interop)]
    assert refused(created[0]) == refused(created[1])
    searches = [each.post("/Users/.search", SEARCH | {"filter": str(wanted)}) for each in (strict, interop)]
    assert refused(searches[0]) == refused(searches[1])
    if created[0].status != 201:
        return
    answers = [strict.send("PATCH", f"/Users/{created[0].id}", patch)]
    answers.append(interop.send("PATCH", f"/Users/{created[1].id}", patch))
    if any("path" not in each for each in patch["Operations"]):
        assert refused(answers[1]) == (400, "invalidSyntax")
        return
    assert refused(answers[0]) == refused(answers[1])
    if answers[0].status == 200:
        shown = [{k: v for k, v in each.body.items() if k not in ("id", "meta")} for each in answers]
        if not any(type(each.get("value")) is dict for each in patch["Operations"]):
            assert shown[0] == shown[1]


def test_dialects_that_follow_the_profile() -> None:
    """A dialect follows the profile if it has the restrictions and accepts no unknown attributes."""
    lenient = Quirk("x", "unknown", "a test", "a test", ("nobody",), "nowhere", lambda *_: None)
    harmless = Quirk("x", "value", "a test", "a test", ("nobody",), "nowhere", lambda *_: NOT_APPLICABLE)
    assert follows_interop_profile(INTEROP)
    assert follows_interop_profile(INTEROP.extended("mine", harmless).without("mine", "y"))
    assert not follows_interop_profile(INTEROP.extended("mine", lenient))
    assert not any(map(follows_interop_profile, (STRICT, TOLERANT, Dialect("mine", restrictions=[]))))
