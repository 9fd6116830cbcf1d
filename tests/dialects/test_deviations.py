"""Deviations as rewrites of any valid request: the result must be the result of the valid request."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scimkit import GROUP as GROUP_TYPE
from scimkit import USER as USER_TYPE
from scimkit import ResourceType, SchemaExtension
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.reading import read_resource
from scimkit.testing import strategies
from tests.client import Client
from tests.resource_types import DESK, DESK_SCHEMA, DEVICE

TYPES = {each.name: each for each in (USER_TYPE, GROUP_TYPE, DEVICE)}
Body = dict[str, Any]
Distortion = Callable[[ResourceType, Any], Any]


def deep(change: Callable[[Attribute, Any], Any]) -> Distortion:
    """Return a distortion that changes every value of a body by its attribute, the innermost values first."""

    def table(attributes: AttributeTable, body: Body) -> Body:
        return {
            name: value if (found := attributes.find(name)) is None else at(found, value)
            for name, value in body.items()
        }

    def at(attribute: Attribute, value: Any) -> Any:
        if attribute.name == "schemas":
            return value
        if attribute.type == "complex":
            value = (
                [table(attribute.children, each) for each in value]
                if attribute.multi_valued
                else table(attribute.children, value)
            )
        return change(attribute, value)

    return lambda kind, body: table(kind.attributes, body)


def spread(body: Body, chosen: Callable[[str, Any], bool], separator: str) -> Body:
    """Replace objects in a body by members with longer names, such as `name.givenName` or `URN:department`."""
    made: Body = {}
    for name, value in body.items():
        if type(value) is dict and chosen(name, value):
            made.update({f"{name}{separator}{inner}": item for inner, item in value.items()})
        else:
            made[name] = value
    return made


def extension_names(kind: ResourceType) -> set[str]:
    """Return the URNs of the extensions of a resource type."""
    return {each.name for each in kind.extensions}


def unqualified(kind: ResourceType, body: Body) -> Body:
    """Move the attributes of extensions to the top of the resource, unless the name is already in use there."""
    made = {name: value for name, value in body.items() if name not in extension_names(kind)}
    for name in extension_names(kind) & set(body):
        for inner, value in body[name].items():
            made[inner if kind.attributes.find(inner) is None else f"{name}:{inner}"] = value
    return made


def bare_reference(attribute: Attribute, value: Any) -> Any:
    """Replace references by their ids."""
    if not attribute.is_reference:
        return value
    bare = [
        each["value"] if type(each) is dict and set(each) == {"value"} and each["value"] else each
        for each in (value if attribute.multi_valued else [value])
    ]
    return bare if attribute.multi_valued else bare[0]


def with_references(attribute: Attribute, value: Any) -> Any:
    """Add a relative `$ref` and a null `display` to references."""
    if not attribute.is_reference:
        return value
    extra = {"$ref": "Users/77", **({"display": None} if "display" in attribute.children else {})}
    made = [
        {**extra, **each} if type(each) is dict else each for each in (value if attribute.multi_valued else [value])
    ]
    return made if attribute.multi_valued else made[0]


def display_name(attribute: Attribute, value: Any) -> Any:
    """Replace `display` by `displayName` in multi-valued attributes."""
    if attribute.type == "complex" and attribute.multi_valued and "displayName" not in attribute.children:
        return [{"displayName" if name == "display" else name: item for name, item in each.items()} for each in value]
    return value


def with_nulls(kind: ResourceType, body: Body) -> Body:
    """Add null or an empty array for every absent attribute."""
    missing = {name: [] if each.multi_valued else None for name, each in kind.attributes.items() if name not in body}
    return {**missing, **body}


DISTORTIONS: dict[str, Distortion] = {
    "booleans as Title-case text": deep(lambda a, v: str(v) if a.type == "boolean" else v),
    "booleans as lower-case text": deep(lambda a, v: str(v).lower() if a.type == "boolean" else v),
    "numbers as text": deep(
        lambda a, v: json.dumps(v) if a.type in ("integer", "decimal") and not a.multi_valued else v
    ),
    "arrays for single values": deep(lambda a, v: [v] if not a.multi_valued and not a.is_extension else v),
    "one value for an array of one": deep(lambda a, v: v[0] if a.multi_valued and len(v) == 1 and v[0] != "" else v),
    "references as bare ids": deep(bare_reference),
    "singular references in an array, bare": deep(
        lambda a, v: [bare_reference(a, v)] if a.is_reference and not a.multi_valued else v
    ),
    "relative $ref and null display": deep(with_references),
    "null $ref": deep(lambda a, v: {"$ref": None, **v} if a.is_reference and not a.multi_valued else v),
    "displayName for display": deep(display_name),
    "nulls and empty arrays": with_nulls,
    "null inside complex values": deep(
        lambda a, v: {**dict.fromkeys(a.children), **v} if a.type == "complex" and not a.multi_valued else v
    ),
    "capital names": lambda kind, body: {name[:1].upper() + name[1:]: value for name, value in body.items()},
    "names in capitals, at any depth": deep(
        lambda a, v: {name.upper(): item for name, item in v.items()}
        if a.type == "complex" and not a.multi_valued and not a.is_extension
        else v
    ),
    "dotted names": lambda kind, body: spread(body, lambda name, _: name not in extension_names(kind), "."),
    "URN:attribute names": lambda kind, body: spread(body, lambda name, _: name in extension_names(kind), ":"),
    "URN.attribute names": lambda kind, body: spread(body, lambda name, _: name in extension_names(kind), "."),
    "URN:attribute.sub names": lambda kind, body: spread(
        spread(body, lambda name, _: name in extension_names(kind), ":"), lambda name, _: ":" in name, "."
    ),
    "URNs without their last colon": lambda kind, body: {
        re.sub(r"(\d\.\d):(?=[A-Za-z])", r"\1", name): value for name, value in body.items()
    },
    "URN:attribute names without its last colon": lambda kind, body: {
        re.sub(r"(\d\.\d):(?=[A-Za-z])", r"\1", name): value
        for name, value in spread(body, lambda name, _: name in extension_names(kind), ":").items()
    },
    "core URN before names": lambda kind, body: {
        f"{kind.schema}:{name}" if name != "schemas" and ":" not in name else name: value
        for name, value in body.items()
    },
    "extension attributes without their URN": unqualified,
    "no schemas": lambda kind, body: {name: value for name, value in body.items() if name != "schemas"},
    "null schemas": lambda kind, body: {**body, "schemas": None},
    "empty schemas": lambda kind, body: {**body, "schemas": []},
    "core schema alone": lambda kind, body: {**body, "schemas": [kind.schema]},
    "schemas as text": lambda kind, body: {**body, "schemas": kind.schema},
    "unknown URNs": lambda kind, body: {**body, "schemas": ["urn:scim:schemas:core:1.0", "http://x.example/Group"]},
    "unknown attributes": lambda kind, body: {**body, "adreses": [{"x": 1}], "urn:x:y:2.0:Z": {"a": 1}, "a.b": 2},
    "unknown sub-attributes": deep(
        lambda a, v: {**v, "nosuch": {"x": [1]}} if a.type == "complex" and not a.multi_valued else v
    ),
    "read-only attributes": lambda kind, body: {
        **{name: "x" for name, each in kind.attributes.items() if each.mutability == "readOnly" and name != "id"},
        **body,
    },
}  # fmt: skip


def created(kind: ResourceType, body: Any) -> tuple[Client, str, Any]:
    """Create a resource and return a client, the id and the resource without id and meta."""
    client = Client(resource_types=tuple(TYPES.values()))
    answer = client.post(kind.endpoint, body)
    assert answer.status == 201, (answer.body, body)
    return client, answer.id, without_id_and_meta(answer.body)


def without_id_and_meta(resource: Body) -> Body:
    """Return a resource without id and meta, which differ between equal resources."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


@cache
def requests(name: str) -> st.SearchStrategy[Any]:
    """Return a strategy of valid request bodies for a resource type."""
    kind = TYPES[name]
    return strategies.bodies(kind).filter(lambda body: _accepted(kind, body))


def _accepted(kind: ResourceType, body: Body) -> bool:
    """Report whether the engine accepts the body."""
    try:
        read_resource(kind, body)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("behavior", DISTORTIONS)
@given(data=st.data())
@settings(max_examples=15)
def test_a_created_resource(behavior: str, kind: str, data: st.DataObject) -> None:
    """A POST with the deviation creates the same resource as a POST in RFC form."""
    body = data.draw(requests(kind))
    distorted = DISTORTIONS[behavior](TYPES[kind], copy.deepcopy(body))
    assert created(TYPES[kind], distorted)[2] == created(TYPES[kind], body)[2]


@pytest.mark.parametrize("kind", ["User", "Group"])
@pytest.mark.parametrize("behavior", DISTORTIONS)
@given(data=st.data())
@settings(max_examples=8)
def test_a_replaced_resource(behavior: str, kind: str, data: st.DataObject) -> None:
    """A PUT with the deviation gives the same resource as a PUT in RFC form."""
    body = data.draw(requests(kind))
    client, id, right = created(TYPES[kind], body)
    answer = client.put(f"{TYPES[kind].endpoint}/{id}", DISTORTIONS[behavior](TYPES[kind], copy.deepcopy(body)))
    assert (answer.status, without_id_and_meta(answer.body)) == (200, right)


@pytest.mark.parametrize("op", ["add", "replace", "Add", "REPLACE"])
@pytest.mark.parametrize("behavior", [each for each in DISTORTIONS if "schemas" not in each and "URNs" not in each])
@given(data=st.data())
@settings(max_examples=8)
def test_a_patch_without_a_path(behavior: str, op: str, data: st.DataObject) -> None:
    """A PATCH without a path and with the deviation gives the same resource as a PATCH in RFC form."""
    body = {name: value for name, value in data.draw(requests("User")).items() if name != "schemas"}
    body.pop("password", None)
    right = patched(body, op.lower())
    assert patched(DISTORTIONS[behavior](USER_TYPE, copy.deepcopy(body)), op) == right


def patched(value: Body, op: str, **member: Any) -> Body:
    client = Client()
    ada = client.user("ada")
    answer = client.patch(f"/Users/{ada}", {"op": op, "value": value, **member})
    assert answer.status == 200, (answer.body, value)
    return without_id_and_meta(answer.body)


@pytest.mark.parametrize("behavior", ["title", "schemas", "extra"])
@pytest.mark.parametrize("kind", ["User", "Device"])
@given(data=st.data())
@settings(max_examples=25)
def test_a_patch_message(behavior: str, kind: str, data: st.DataObject) -> None:
    """Operation names in title case, missing schemas and unknown names do not change the effect of a PATCH."""
    body, patch = data.draw(requests(kind)), data.draw(strategies.patches(TYPES[kind]))
    distorted = copy.deepcopy(patch)
    if behavior == "schemas":
        del distorted["schemas"]
    for operation in distorted["Operations"]:
        if behavior == "title":
            operation["op"] = operation["op"].title()
        elif behavior == "extra":
            operation["name"] = "x"
    results = []
    for each in (patch, distorted):
        client, id, _ = created(TYPES[kind], body)
        answer = client.send("PATCH", f"{TYPES[kind].endpoint}/{id}", each)
        results.append((answer.status, without_id_and_meta(client.get(f"{TYPES[kind].endpoint}/{id}").body)))
    assert results[0] == results[1]


def selectable(kind: ResourceType) -> list[tuple[str, Attribute]]:
    """Return every complex multi-valued attribute that has a `type`, including attributes of extensions."""
    tops = [*kind.attributes.values(), *(each for some in kind.extensions for each in some.children.values())]
    return [
        (each.path, each)
        for each in tops
        if each.type == "complex" and each.multi_valued and not each.keyed
        and each.mutability == "readWrite" and "type" in each.children
    ]  # fmt: skip


ABSENT = [
    (kind.name, path, sub.name)
    for kind in TYPES.values()
    for path, each in selectable(kind)
    for sub in each.children.values()
    if sub.type == "string" and not sub.multi_valued and sub.mutability == "readWrite" and sub.name != "type"
    and {child.name for child in each.required_children} <= {sub.name, "type"}
]  # fmt: skip


@pytest.mark.parametrize("op", ["add", "Replace"])
@pytest.mark.parametrize(("kind", "path", "sub"), ABSENT)
def test_an_absent_element(kind: str, path: str, sub: str, op: str) -> None:
    """`add` and `replace` at `attr[type eq "x"].sub` create the element. Other elements stay.

    Later operations of the same PATCH find the new element.
    """
    resource_type = TYPES[kind]
    required = {"User": {"userName": "ada"}, "Device": {"serial": "1", "label": "x"}}[kind]
    there = {"type": "home", "formatted" if path == "addresses" else "value": "aA=="}
    client, id, _ = created(resource_type, {"schemas": [resource_type.schema], **required, path: [there]})
    where = f'{path}[type eq "work"].{sub}'
    answer = client.patch(
        f"{resource_type.endpoint}/{id}",
        {"op": op, "path": where, "value": "a b"},
        {"op": "replace", "path": where, "value": "c d"},
    )
    assert answer.status == 200, answer.body
    assert answer.body[path] == [there, {"type": "work", sub: "c d"}]


@pytest.mark.parametrize("spelt", ["True", "true", "TRUE"])
@pytest.mark.parametrize("path", ["emails", "roles", "phoneNumbers", "addresses", "photos", "ims"])
def test_a_boolean_as_text_in_a_path(path: str, spelt: str) -> None:
    """`attr[primary eq "True"].sub` selects the primary element, and creates it if there is none."""
    sub = "formatted" if path == "addresses" else "value"
    client = Client()
    ada = client.user("ada")
    at = f'{path}[primary eq "{spelt}"].{sub}'
    for value in ("x", "y"):
        answer = client.patch(f"/Users/{ada}", {"op": "Add", "path": at, "value": value})
        assert answer.body[path] == [{"primary": True, sub: value}]


@pytest.mark.parametrize("wrap", [
    lambda ids: [{"value": each} for each in ids],
    lambda ids: [{"$ref": None, "value": each, "display": None} for each in ids],
    lambda ids: {"members": [{"$ref": None, "value": each} for each in ids]},
    lambda ids: {"Members": ids},
    lambda ids: ids,
    lambda ids: {"value": ids[0]},
    lambda ids: ids[0],
])  # fmt: skip
@pytest.mark.parametrize("op", ["Remove", "remove", "add", "Replace"])
def test_members_in_every_form(op: str, wrap: Callable[[list[str]], Any]) -> None:
    """Lists, single objects, ids and the wrapper of Salesforce select exactly the named members."""
    client = Client()
    ada, bob, eve = (client.user(name) for name in ("ada", "bob", "eve"))
    before = {"add": (bob,), "replace": (bob,)}.get(op.lower(), (ada, bob, eve))
    group = client.group("Staff", *before)
    value = wrap([ada])
    answer = client.patch(f"/Groups/{group}", {"op": op, "path": "members", "value": value})
    assert answer.status == 204, answer.body
    assert client.members(group) == {"remove": {bob, eve}, "add": {ada, bob}, "replace": {ada}}[op.lower()]


@pytest.mark.parametrize("form", [
    "m2", {"value": "m2"}, [{"value": "m2"}], ["m2"], [{"$ref": "../Users/m2", "value": "m2"}], {"Value": "m2"},
    {"value": "m2", "$ref": None, "displayName": None}, {"value": ["m2"]},
])  # fmt: skip
@pytest.mark.parametrize(("kind", "path"), [
    ("User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
    ("User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager"),
    ("User", "manager"), ("Device", "owner"),
])  # fmt: skip
@pytest.mark.parametrize("op", ["add", "Replace", "pathless"])
def test_a_reference_in_every_form(kind: str, path: str, form: Any, op: str) -> None:
    """Every form of a value sets a manager or another singular reference. Every form of an empty value clears it."""
    resource_type = TYPES[kind]
    required = {"User": {"userName": "ada"}, "Device": {"serial": "1", "label": "x"}}[kind]
    client, id, before = created(resource_type, {"schemas": [resource_type.schema], **required})
    at, name = f"{resource_type.endpoint}/{id}", path.replace(".manager", ":manager").rpartition(":")[2]

    def put(value: Any) -> Any:
        operation = {"op": "replace", "value": {path: value}} if op == "pathless" else {
            "op": op, "path": path, "value": value}  # fmt: skip
        return client.patch(at, operation)

    def found(body: Body) -> Any:
        holder = body.get(resource_type.extensions[0].name, {}) if kind == "User" else body
        return holder.get(name, {}).get("value")

    answer = put(form)
    assert (answer.status, found(answer.body)) == (200, "m2"), answer.body
    if op != "add":
        for nothing in ("", {"value": ""}, None, [], [""], {"value": None}, {}):
            put("m2")
            answer = put(nothing)
            assert (answer.status, found(answer.body)) == (200, None), (nothing, answer.body)
    for operation in (
        {"op": "Remove", "path": path},
        {"op": "Remove", "path": path, "value": "m2"},
        {"op": "remove", "path": f'{path}[value eq "m2"]'},
    ):
        put("m2")
        answer = client.patch(at, operation)
        assert (answer.status, found(answer.body)) == (200, None), (operation, answer.body)
    assert without_id_and_meta(answer.body) == before


FILTERS = {
    'userName eq "ada@example.org"': [
        "userName eq ada@example.org", "USERNAME EQ ada@example.org", "userName Eq \"ada@example.org\"",
        "(userName eq ada@example.org)", "not (userName NE ada@example.org)",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName eq ada@example.org", "  userName   eq   ada@example.org ",
    ],
    'active eq true and externalId eq "4711"': [
        'active eq "True" AND externalId eq 4711', 'externalId eq "4711" And active EQ "TRUE"',
        'active eq True and externalId eq "4711"', "(active eq \"true\") and (externalId eq 4711)",
    ],
    'emails[type eq "work" and value eq "ada@example.org"]': [
        'emails[type eq "work"].value eq "ada@example.org"', "emails[type eq work].value eq ada@example.org",
        'emails[type EQ "work"].Value eq "ada@example.org"', 'emails[type eq "work" and value eq ada@example.org]',
    ],
    'emails.value eq "ada@example.org"': ["emails eq ada@example.org", 'emails eq "ada@example.org"'],
    'roles[primary eq true]': ['roles[primary eq "True"]', 'roles[primary eq "true"].value eq "agent"',
                               "roles[primary eq True].value eq agent", 'roles.primary eq "True"'],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m1"': [
        "manager eq m1", 'manager.value eq "m1"',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m1"',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager eq "m1"',
        'manager[value eq "m1"]',
    ],
}  # fmt: skip


@pytest.mark.parametrize(("right", "behavior"), [(right, each) for right, some in FILTERS.items() for each in some])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_filter(right: str, behavior: str, method: str) -> None:
    """A filter with the deviation finds the same resources as the filter in RFC form, by GET and by POST .search."""
    client = Client()
    enterprise = USER_TYPE.extensions[0].name
    ada = client.user(
        "ada@example.org", active=True, externalId="4711", emails=[{"type": "work", "value": "ada@example.org"}],
        roles=[{"value": "agent", "primary": True}], **{enterprise: {"manager": {"value": "m1"}}},
    )  # fmt: skip
    client.user("bob@example.org", active=False, externalId="1", roles=[{"value": "agent", "primary": False}])
    for text in (right, behavior):
        if method == "GET":
            answer = client.get(f"/Users?filter={quote(text)}&")
        else:
            answer = client.post("/Users/.search", {"filter": text})
        assert answer.status == 200, (text, answer.body)
        assert [each["id"] for each in answer.body["Resources"]] == [ada], text


@pytest.mark.parametrize("query", ["startindex=0&count=100", "STARTINDEX=-3&Count=100", "startIndex=1&", "", "&", "aad",
                                   "aadOptscim062020", "aadOptscim062020=&startIndex=1"])  # fmt: skip
@pytest.mark.parametrize("path", ["/Users", "/Users/", "/Groups"])
def test_a_query_string(path: str, query: str) -> None:
    """Empty parameters, unknown parameters, other case and indexes below 1 give the same list as the RFC form."""
    client = Client()
    client.user("ada")
    client.group("Staff")
    assert client.get(f"{path}?{query}").body == client.get(path.rstrip("/")).body


@given(
    body=strategies.bodies(USER_TYPE).filter(lambda body: _accepted(USER_TYPE, body)),
    password=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=5),
)
@settings(max_examples=20)
def test_a_password(body: Body, password: str) -> None:
    """A password in a request is accepted and does not appear in the response."""
    assume("password" not in body)
    answer = Client().post("/Users", {**body, "password": password})
    assert answer.status == 201
    assert "password" not in answer.body


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "behavior", [each for each in DISTORTIONS if "schemas" not in each and each != "null inside complex values"]
)  # null inside the value of a PATCH removes the stored sub-attribute (RFC 7643 section 2.5)
@given(data=st.data())
@settings(max_examples=10)
def test_a_patch_with_a_path(behavior: str, kind: str, data: st.DataObject) -> None:
    """A PATCH with the deviation in a value at a path gives the same resource as a PATCH in RFC form."""
    resource_type = TYPES[kind]
    body, patch = data.draw(requests(kind)), data.draw(strategies.patches(resource_type))
    distorted = copy.deepcopy(patch)
    for operation in distorted["Operations"]:
        path = operation.get("path", "")
        if "value" in operation and resource_type.attributes.find(path) is not None:
            changed = DISTORTIONS[behavior](resource_type, {path: operation["value"]})
            operation["value"] = changed.get(path, operation["value"])
    results = []
    for each in (patch, distorted):
        client, id, _ = created(resource_type, body)
        answer = client.send("PATCH", f"{resource_type.endpoint}/{id}", each)
        results.append((answer.status, without_id_and_meta(client.get(f"{resource_type.endpoint}/{id}").body)))
    assert results[0] == results[1]


AGENT_TYPE = ResourceType(USER_TYPE.schema_documents[0], extensions=[SchemaExtension(DESK_SCHEMA)])
"""A user type with a custom extension."""


@pytest.mark.parametrize("behavior", DISTORTIONS)
@given(data=st.data())
@settings(max_examples=15)
def test_a_custom_extension(behavior: str, data: st.DataObject) -> None:
    """A POST with the deviation works for a custom extension as for the enterprise extension."""
    body = data.draw(strategies.bodies(AGENT_TYPE).filter(lambda each: _accepted(AGENT_TYPE, each)))
    results = []
    for each in (body, DISTORTIONS[behavior](AGENT_TYPE, copy.deepcopy(body))):
        answer = Client(resource_types=(AGENT_TYPE,)).post("/Users", each)
        assert answer.status == 201, (answer.body, each)
        results.append(without_id_and_meta(answer.body))
    assert results[0] == results[1]


HOST_PATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *(
        ({"op": op, "path": path, "value": value}, {"lead": {"value": "m2"}})
        for op in ("Add", "replace")
        for path in (f"{DESK}:lead", f"{DESK}.lead", "lead", f"{DESK.upper()}:Lead")
        for value in ("m2", ["m2"], [{"value": "m2"}], {"value": "m2", "$ref": "Users/m2"})
    ),
    *(
        ({"op": "Add", "path": f"{path}.value", "value": "m2"}, {"lead": {"value": "m2"}})
        for path in (f"{DESK}:lead", f"{DESK}.lead", "lead")
    ),
    *(
        ({"op": "replace", "value": value}, {"lead": {"value": "m2"}, "onCall": False, "seat": 3})
        for value in (
            {f"{DESK}:lead": "m2", f"{DESK}:onCall": "False", f"{DESK}:seat": "3"},
            {f"{DESK}:lead.value": "m2", f"{DESK}.onCall": "false", "seat": 3},
            {"lead": ["m2"], "onCall": ["FALSE"], f"{DESK}:seat": ["3"]},
            {DESK: {"Lead": "m2", "OnCall": "False", "Seat": "3", "nosuch": 1}},
            {DESK: {"lead.value": "m2", f"{DESK}:onCall": "False", "seat": "3"}},
        )
    ),
    *(
        ({"op": op, "path": f"{at}[type eq {quoted}].{sub}", "value": "q"}, {"queues": [{"type": "work", name: "q"}]})
        for op in ("Add", "Replace")
        for at in (f"{DESK}:queues", f"{DESK}.queues", "queues")
        for quoted in ('"work"', "work")
        for sub, name in (("value", "value"), ("Value", "value"), ("displayName", "display"))
    ),
    ({"op": "Add", "path": f'{DESK}:queues[primary eq "True"].value', "value": "q"},
     {"queues": [{"primary": True, "value": "q"}]}),
    ({"op": "Add", "path": f"{DESK}:queues", "value": {"value": "q"}}, {"queues": [{"value": "q"}]}),
    ({"op": "Add", "path": f"{DESK}:queues", "value": "q"}, {"queues": [{"value": "q"}]}),
    ({"op": "Add", "path": f"{DESK}:queues", "value": {"queues": ["q"]}}, {"queues": [{"value": "q"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "left"), HOST_PATCHES)
def test_a_patch_of_a_custom_extension(operation: dict[str, Any], left: dict[str, Any]) -> None:
    """Each deviation of a PATCH works for a custom extension."""
    client = Client(resource_types=(AGENT_TYPE,))
    ada = client.user("ada")
    answer = client.patch(f"/Users/{ada}", operation)
    assert answer.status == 200, answer.body
    found = answer.body[DESK]
    found.get("lead", {}).pop("$ref", None)
    assert found == left
