"""Soft deletes that change the name of a user: the stored name is kept.

The soft delete of Entra puts the object id of the user, 32 hexadecimal digits, before the user principal name. Entra
sends the result as `userName`, and as an address if that is mapped, together with `active: false`. This module does not
call the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from scimkit.dialects.dialect import RequestDeviations
from scimkit.documents import Document

_MARK: Final = re.compile(r"[0-9a-fA-F]{32}(?=.)")


def may_be_marked(assigned: Mapping[str, Any]) -> bool:
    """Report whether a write of these attributes may mark a name as deleted. Only the stored name can confirm that."""
    name = assigned.get("userName")
    if type(name) is str and len(name) > 32 and _MARK.match(name):
        return True
    emails = assigned.get("emails")
    return type(emails) is list and any(_MARK.match(str(each.get("value", ""))) for each in emails)


def unmarked(old: Document, new: Document, deviations: RequestDeviations) -> dict[str, Any]:
    """Return the attributes that keep their stored value because the new value only marks them as deleted.

    Args:
        old: The stored document.
        new: The document as the request would leave it.
        deviations: The dialect of the request. It decides whether to keep the stored value, and records the quirk.
    """
    if new.get("active") is not False or not may_be_marked(new):
        return {}
    kept: dict[str, Any] = {}
    name, present = new.get("userName"), old.get("userName")
    if type(name) is str and type(present) is str and name != present and deviations.is_marked_deleted(present, name):
        kept["userName"] = present
    addresses = {each.get("value") for each in old.get("emails", ())}
    emails = [_unmarked_address(each, addresses, deviations) for each in new.get("emails", ())]
    if any(one is not other for one, other in zip(emails, new.get("emails", ()), strict=True)):
        kept["emails"] = emails
    return kept


def _unmarked_address(email: dict[str, Any], addresses: set[Any], deviations: RequestDeviations) -> dict[str, Any]:
    """Return an email with the stored address if the new address is the stored one marked as deleted."""
    value = email.get("value")
    if type(value) is not str or value in addresses or value[32:] not in addresses:
        return email
    return {**email, "value": value[32:]} if deviations.is_marked_deleted(value[32:], value) else email
