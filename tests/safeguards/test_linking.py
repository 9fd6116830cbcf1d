"""A POST takes over an account that the application had before provisioning, over every kind of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scimkit import USER, MemoryStore, ScimService, TokenRegistry
from scimkit.events import Access, ResourceEvent, in_transaction
from scimkit.safeguards import link_by
from tests.client import ENTERPRISE, Client
from tests.stores.databases import DATABASES, apart
from tests.stores.mapped.helpdesk import helpdesk

LINK = link_by("emails.value")


@pytest.fixture(
    params=["memory", *DATABASES, *(pytest.param(f"own {each.values[0]}", marks=each.marks) for each in DATABASES)]
)
def store(request: pytest.FixtureRequest) -> Any:
    """An empty store of each kind."""
    if request.param == "memory":
        return MemoryStore()
    kind, _, database = request.param.rpartition(" ")
    return helpdesk(database) if kind else apart(database)


def body(user_name: str = "ada@example.org", email: str = "ada@example.org", **more: Any) -> dict[str, Any]:
    """Return the body of a POST by an identity provider."""
    return {
        "schemas": [USER.schema], "userName": user_name, "externalId": "x-1",
        "emails": [{"value": email, "type": "work"}], **more,
    }  # fmt: skip


def existing(store: Any, user_name: str = "ada@example.org", email: str = "Ada@Example.org", **more: Any) -> str:
    """Create an account as the application had it before."""
    return Client(store).user(user_name, emails=[{"value": email, "type": "work"}], **more)


def test_a_post_takes_over_an_account(store: Any) -> None:
    """The answer is 201 with the id of the account, which now has the externalId and the other values of the POST."""
    heard: list[ResourceEvent] = []
    client = Client(
        store, on_conflict=LINK, listeners=[in_transaction(ResourceEvent, lambda event, _: heard.append(event))]
    )
    id = existing(store, title="Boss", name={"givenName": "A", "familyName": "King"})
    answer = client.post("/Users", body(
        "ADA@EXAMPLE.ORG", "ada@example.org", active=True, name={"givenName": "Ada"},
        **{ENTERPRISE: {"department": "IT"}},
    ))  # fmt: skip
    assert (answer.status, answer.id) == (201, id), answer.body
    assert answer.headers["Location"].endswith(id)
    kept = client.get(f"/Users/{id}").body
    assert (kept["externalId"], kept["userName"], kept["title"]) == ("x-1", "ada@example.org", "Boss")
    assert kept["emails"][0]["value"] == "Ada@Example.org"
    assert (kept["name"]["givenName"], kept["name"]["familyName"]) == ("Ada", "King")
    assert kept[ENTERPRISE]["department"] == "IT"
    assert ENTERPRISE in kept["schemas"]
    assert [type(each).__name__ for each in heard][:2] == ["ResourceLinked", "ResourceUpdated"]
    assert heard[0].external_id == "x-1"

    assert client.post("/Users", body()).status == 409  # the account has its externalId now
    assert len(heard) == 2


@pytest.mark.parametrize("case", ["linked", "no externalId", "other email", "other holder", "externalId taken"])
def test_other_collisions_stay_409(store: Any, case: str) -> None:
    """Without exactly one account that is free, the answer is 409 as before, and nothing changes."""
    client = Client(store, on_conflict=LINK)
    id = existing(store, **({"externalId": "x-0"} if case == "linked" else {}))
    sent = body()
    if case == "no externalId":
        del sent["externalId"]
    elif case == "other email":
        sent["emails"] = [{"value": "other@example.org", "type": "work"}]
    elif case == "other holder":  # the user name belongs to one account, the address to another
        existing(store, "bob", "bob@example.org")
        sent["emails"] = [{"value": "bob@example.org", "type": "work"}]
    elif case == "externalId taken":
        existing(store, "bob", "bob@example.org", externalId="x-1")
    before = client.get("/Users").body
    answer = client.post("/Users", sent)
    assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
    assert client.get("/Users").body == before
    assert client.get(f"/Users/{id}").status == 200


def test_two_accounts_with_the_address_stay(store: Any) -> None:
    """If two accounts have the address, the answer is 409."""
    client = Client(store, on_conflict=LINK)
    existing(store)
    existing(store, "ada2")
    assert client.post("/Users", body()).status == 409


def test_a_protected_account_stays(store: Any) -> None:
    """A protected account is not linked."""
    client = Client(store, on_conflict=LINK, protect='userName eq "ada@example.org"')
    id = existing(store)
    assert client.post("/Users", body()).status == 409
    assert "externalId" not in client.get(f"/Users/{id}").body


def test_a_post_that_does_not_collide_creates(store: Any) -> None:
    """A POST whose unique values are free creates a user, also if an account has the address."""
    client = Client(store, on_conflict=LINK)
    id = existing(store)
    answer = client.post("/Users", body("someone else"))
    assert answer.status == 201
    assert answer.id != id


def test_posts_at_once_link_once(store: Any) -> None:
    """Of several POSTs at once, one links the account, and the others get 409."""
    client = Client(store, on_conflict=LINK)
    existing(store)
    bodies = [body(externalId=f"x-{each}") for each in range(6)]
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda each: client.post("/Users", each).status, bodies))
    assert sorted(statuses) == [201] + [409] * 5


def test_a_password_is_not_set_at_first_contact(store: Any) -> None:
    """The password of a POST that links is dropped."""
    seen: list[str] = []
    client = Client(store, on_conflict=LINK, set_password=lambda tenant, id, password: seen.append(id))
    existing(store)
    assert client.post("/Users", body(password="t0psecret")).status == 201
    assert seen == []


def test_a_token_needs_the_right_to_replace() -> None:
    """A token that may create but not replace users gets 403."""

    def authorize(access: Access) -> bool:
        return access.operation != "replace"

    store = MemoryStore()
    existing(store)
    assert Client(store, on_conflict=LINK, authorize=authorize).post("/Users", body()).status == 403


def test_a_rule_that_does_not_fit() -> None:
    """A path that no user type has is refused."""
    with pytest.raises(ValueError, match="no user type"):
        ScimService(MemoryStore(), tokens=TokenRegistry(), on_conflict=link_by("emails.color"))
