"""The core schemas that ship as JSON equal those of scim2-models, except where the RFC differs."""

from __future__ import annotations

from typing import Any

import pytest
import scim2_models

from scimkit.schema.core import ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA, USER_SCHEMA

CHARACTERISTICS = ("type", "multiValued", "required", "caseExact", "mutability", "returned", "uniqueness")
DEFAULTS = {"multiValued": False, "required": False, "caseExact": False, "mutability": "readWrite",
            "returned": "default", "uniqueness": "none"}  # fmt: skip

SCHEMAS = {
    "User": (USER_SCHEMA, scim2_models.User),
    "EnterpriseUser": (ENTERPRISE_USER_SCHEMA, scim2_models.EnterpriseUser),
    "Group": (GROUP_SCHEMA, scim2_models.Group),
}

OTHERWISE = {
    ("Group", "members.display", "mutability"): "immutable",
    ("EnterpriseUser", "manager.value", "required"): False,
    ("EnterpriseUser", "manager.$ref", "required"): False,
}
"""Characteristics for which RFC 7643 differs from scim2-models.

Sub-attributes of `members` are immutable (section 4.2). Sub-attributes of `manager` are not required (sections 4.3 and
8.7.1).
"""


def flat(attributes: list[dict[str, Any]], prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return the characteristics of every attribute by path."""
    found: dict[str, dict[str, Any]] = {}
    for each in attributes:
        path = prefix + each["name"]
        found[path] = {name: each.get(name, DEFAULTS.get(name)) for name in CHARACTERISTICS}
        found |= flat(each.get("subAttributes") or [], path + ".")
    return found


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.rfc("7643-8.7.1-1")
def test_agrees_with_scim2_models(name: str) -> None:
    """Every attribute and characteristic equals that of scim2-models, except the listed ones."""
    ours, model = SCHEMAS[name]
    theirs = model.to_schema().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ours["id"] == theirs["id"]
    mine, other = flat(ours["attributes"]), flat(theirs["attributes"])
    differences = {
        (name, path, characteristic): mine.get(path, {}).get(characteristic)
        for path in mine.keys() | other.keys()
        for characteristic in CHARACTERISTICS
        if mine.get(path, {}).get(characteristic) != other.get(path, {}).get(characteristic)
    }
    assert differences == {each: value for each, value in OTHERWISE.items() if each[0] == name}


@pytest.mark.rfc("7643-7-11")
@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_is_described(name: str) -> None:
    """Every schema and attribute has a description."""
    schema, _ = SCHEMAS[name]
    assert schema["name"] and schema["description"]
    for each in schema["attributes"]:
        assert all(one.get("description") for one in (each, *each.get("subAttributes", ()))), each["name"]
