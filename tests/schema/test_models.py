"""Resource types from classes of scim2-models: their extensions and their references."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from scim2_models import URN, ComplexAttribute, EnterpriseUser, Extension, Reference, Resource, User

from scimkit import GROUP, MemoryStore, Principal, Request, ScimService, TokenRegistry, run_sync
from scimkit.schema.models import resource_type
from scimkit.stores.sql import SqlStore


class Helpdesk(Extension):
    __schema__ = URN("urn:example:params:scim:schemas:extension:helpdesk:1.0:User")

    signature: str | None = None


class Owner(ComplexAttribute):
    value: str | None = None
    ref: Reference[User] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")


class Device(Resource[Any]):
    __schema__ = URN("urn:example:params:scim:schemas:1.0:Device")

    serial_number: str | None = None
    owners: list[Owner] | None = None


def request(service: ScimService, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send a request, and return the status and the body of the response."""
    content = b"" if body is None else json.dumps(body).encode()
    response = run_sync(service.handle(Request(method, path, body=content, principal=Principal("default", ""))))
    return response.status, json.loads(response.body or b"{}")


def test_a_union_names_several_extensions() -> None:
    """A union of extensions gives each of them. One extension replaces the extension of `USER`."""
    both = resource_type(User[EnterpriseUser | Helpdesk])
    assert [each.name.rpartition("extension:")[2] for each in both.extensions] == [
        "enterprise:2.0:User", "helpdesk:1.0:User",
    ]  # fmt: skip
    assert len(resource_type(User[Helpdesk]).extensions) == 1


def test_references_of_a_model() -> None:
    """A write that names an owner who does not exist is refused, and the deletion of an owner removes the element."""
    device = resource_type(Device, references=["owners"])
    assert device.references == ("owners",)
    person = resource_type(User)
    send = partial(request, ScimService(MemoryStore(), tokens=TokenRegistry(), resource_types=(person, GROUP, device)))
    _, ada = send("POST", "/Users", {"schemas": [person.schema], "userName": "ada"})
    status, error = send("POST", "/Devices", {"schemas": [device.schema], "owners": [{"value": "nobody"}]})
    assert (status, error["scimType"]) == (400, "invalidValue")
    status, made = send("POST", "/Devices", {"schemas": [device.schema], "owners": [{"value": ada["id"]}]})
    assert (status, made["owners"][0]["value"]) == (201, ada["id"])
    assert send("DELETE", f"/Users/{ada['id']}")[0] == 204
    assert "owners" not in send("GET", f"/Devices/{made['id']}")[1]


def test_only_references_can_be_named() -> None:
    """An attribute without `$ref` is not one of references."""
    with pytest.raises(ValueError, match="serialNumber of resource type Device is not a multi-valued attribute"):
        resource_type(Device, references=["serialNumber"])


def test_unique_that_is_added_later(tmp_path: Path) -> None:
    """`SqlStore` compares a resource that was stored before `unique` only after a write that assigns the value anew."""
    store = SqlStore(f"sqlite:///{tmp_path}/devices.db")

    def sender(*unique: str) -> Any:
        device = resource_type(Device, unique=unique)
        return partial(request, ScimService(store, tokens=TokenRegistry(), resource_types=(device,)))

    body = {"schemas": ["urn:example:params:scim:schemas:1.0:Device"], "serialNumber": "A-1"}
    status, first = sender()("POST", "/Devices", body)
    assert status == 201
    send = sender("serialNumber")
    status, second = send("POST", "/Devices", body)
    assert status == 201
    assert send("POST", "/Devices", body)[0] == 409
    assert send("DELETE", f"/Devices/{second['id']}")[0] == 204
    for number in ("A-2", "A-1"):
        assert send("PUT", f"/Devices/{first['id']}", {**body, "serialNumber": number})[0] == 200
    assert send("POST", "/Devices", body)[0] == 409
    store.engine.dispose()
