"""The id in a body is that of the resource in the URL, or there is none.

This module never looks at a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scimkit.errors import InvalidValue


def check_same_id(id: str, body: Mapping[str, Any]) -> None:
    """Check a resource in a body. Raises: InvalidValue when it names another id."""
    for name, given in body.items():
        if name.lower() == "id" and given is not None and given != id:
            raise InvalidValue("The id in the body is not the id in the URL.")


def check_same_id_in_values(id: str, body: Mapping[str, Any]) -> None:
    """The same of the values of operations without a path, which stand for the resource."""
    for name, operations in body.items():
        if type(operations) is list and name.lower() == "operations":
            for each in operations:
                if type(each) is dict and not each.get("path"):
                    _check_same_id_in_value(id, each)


def _check_same_id_in_value(id: str, operation: Mapping[str, Any]) -> None:
    members = {name.lower(): each for name, each in operation.items()}
    if type(members.get("value")) is dict and not members.get("path"):
        check_same_id(id, members["value"])
