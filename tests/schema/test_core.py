"""The core schemas that ship as JSON are those of scim2-models."""

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


def flat(attributes: list[dict[str, Any]], prefix: str = "") -> dict[str, dict[str, Any]]:
    """The characteristics of every attribute, by path."""
    found: dict[str, dict[str, Any]] = {}
    for each in attributes:
        path = prefix + each["name"]
        found[path] = {name: each.get(name, DEFAULTS.get(name)) for name in CHARACTERISTICS}
        found |= flat(each.get("subAttributes") or [], path + ".")
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_agrees_with_scim2_models(name: str) -> None:
    """Every attribute and characteristic is that of scim2-models."""
    ours, model = SCHEMAS[name]
    theirs = model.to_schema().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ours["id"] == theirs["id"]
    mine, other = flat(ours["attributes"]), flat(theirs["attributes"])
    differences = {
        (path, characteristic)
        for path in mine.keys() | other.keys()
        for characteristic in CHARACTERISTICS
        if mine.get(path, {}).get(characteristic) != other.get(path, {}).get(characteristic)
    }
    assert differences == set()
