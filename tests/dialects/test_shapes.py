"""Variants of the known deviations: the result in a tolerant service, over the memory store and SQLite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scimkit import GROUP as GROUP_TYPE
from scimkit import STRICT, ResourceType, SchemaExtension
from scimkit import USER as USER_TYPE
from scimkit.stores.sql import SqlStore
from tests.client import ENTERPRISE, Answer, Client
from tests.dialects.shapes import SHAPES, WORLD, Shape
from tests.dialects.shapes_of_queries import MORE
from tests.resource_types import DESK, DESK_SCHEMA

USERS = ResourceType(
    USER_TYPE.schema_documents[0], name="User", endpoint="/Users", unique=["userName"],
    extensions=[SchemaExtension(USER_TYPE.schema_documents[1]), SchemaExtension(DESK_SCHEMA)],
)  # fmt: skip
TYPES = (USERS, GROUP_TYPE)
TABLE = {**SHAPES, **MORE}


class World:
    """A service with the users of `WORLD`, and a group of Ada and Bob."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.ids: dict[str, str] = {}
        for name, attributes in WORLD.items():
            self.ids[name] = self.client.user(**self.with_ids({"user_name": attributes["userName"], **attributes}))
        self.ids["staff"] = client.group("Staff", self.ids["ada"], self.ids["bob"])

    def all_attributes(self) -> Any:
        """Return all users and groups."""
        return [self.client.get(path).body for path in ("/Users", "/Groups")]

    def with_ids(self, value: Any) -> Any:
        """Return a value with the ids of the service in place of names."""
        text = json.dumps(value)
        for name, id in self.ids.items():
            text = text.replace(f"{{{name}}}", id)
        return json.loads(text)

    def send(self, shape: Shape) -> Answer:
        path, body = self.with_ids(shape.path), self.with_ids(shape.body)
        if shape.method == "FIND":
            return self.client.get(f"{path}?filter={quote(body['filter'])}")
        return self.client.send(shape.method, path, body)


def value_at(resource: Any, path: str) -> Any:
    """Return the value at a path of a resource, or None if the path has no value. `$ref` is set by the service."""
    if path in resource or (path.startswith("urn:") and path in (ENTERPRISE, DESK)):
        return resource.get(path)
    urn = next((each for each in (ENTERPRISE, DESK) if path.startswith(f"{each}:")), "")
    found = resource.get(urn, {}) if urn else resource
    for name in path.removeprefix(f"{urn}:").split("."):
        found = found.get(name) if type(found) is dict else None
    return found


def without_references(value: Any) -> Any:
    """Return a value without the `$ref` values that the service adds."""
    if type(value) is list:
        return [without_references(each) for each in value]
    if type(value) is dict and "$ref" in value:
        return {"value": value["value"]}
    return value


def check(world: World, shape: Shape, answer: Answer) -> None:
    """Compare an answer, and the resources afterwards, with the expectation of a shape."""
    assert answer.status == shape.status, answer.body
    resource = world.client.get(world.with_ids(shape.of)).body if shape.of else answer.body
    for path, value in world.with_ids(dict(shape.after or {})).items():
        assert without_references(value_at(resource, path)) == value, path
    if shape.members is not None:
        listed = [each["value"] for each in resource.get("members", ())]
        assert sorted(listed) == sorted(world.ids[name] for name in shape.members)
    if shape.found is not None:
        names = {id: name for name, id in world.ids.items()}
        assert [names[each["id"]] for each in answer.body["Resources"]] == list(shape.found)


def failures(client: Client, shapes: Sequence[Shape]) -> list[str]:
    """Return the failures of shapes, each tried in a separate tenant."""
    found = []
    for number, shape in enumerate(shapes):
        world = World(client.of_tenant(str(number)))
        answer = world.send(shape)
        try:
            check(world, shape, answer)
        except AssertionError as wrong:
            found.append(f"{shape}: {answer.status} {answer.body}: {wrong}")
    return found


@pytest.mark.parametrize("behavior", TABLE)
def test_over_memory(behavior: str) -> None:
    """The tolerant dialect reads each variant in its only possible meaning, and refuses variants without meaning."""
    assert failures(Client(resource_types=TYPES), TABLE[behavior]) == []


@pytest.mark.parametrize("behavior", TABLE)
def test_over_sqlite(behavior: str, tmp_path: Path) -> None:
    """The same results hold over SQLite."""
    store = SqlStore(f"sqlite:///{tmp_path}/scim.db")
    try:
        assert failures(Client(store, resource_types=TYPES), TABLE[behavior]) == []
    finally:
        store.engine.dispose()


@pytest.mark.parametrize("behavior", TABLE)
def test_strict_does_not_guess(behavior: str) -> None:
    """The strict dialect serves a variant in the same way, or refuses it with a detail and changes nothing."""
    client = Client(resource_types=TYPES, dialect=STRICT)
    for number, shape in enumerate(TABLE[behavior]):
        world = World(client.of_tenant(str(number)))
        before = world.all_attributes()
        answer = world.send(shape)
        if answer.status < 300:
            assert answer.quirks == (), shape
        else:
            assert 400 <= answer.status < 500 and answer.body["detail"], shape
            assert world.all_attributes() == before, shape


def test_there_are_more_than_a_thousand_shapes() -> None:
    """The tables have more than a thousand variants."""
    assert sum(map(len, TABLE.values())) > 1000
