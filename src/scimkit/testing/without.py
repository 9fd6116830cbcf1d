"""The attributes that an application does not keep. A simulator writes them, but does not expect them in responses.

This module sends no requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from scimkit.schema.core import GROUP, USER
from scimkit.testing.mapping import ENTERPRISE

_BRACKETS: Final = re.compile(r"\[[^\]]*\]")
_ELEMENT: Final = re.compile(r'\[type eq "[^"\]]*"\]')
_NEEDED: Final = {
    "id": "identity providers refer to resources by it",
    "schemas": "every resource has it (RFC 7643 section 3)",
    "username": "identity providers match users by it",
    "members": "identity providers read memberships from it",
    "members.value": "identity providers read memberships from it",
}


class Without:
    """The set of attributes that an application does not keep.

    A name is an attribute (`title`, `emails`), a sub-attribute (`name.formatted`), the elements of one type
    (`emails[type eq "other"]`), or the URN of the enterprise extension. The attributes of the enterprise extension,
    such as `manager`, need no URN. `displayName` means the attribute of users, because every group needs `displayName`.

    Args:
        names: The names, in any case.

    Raises:
        ValueError: No schema of users and groups has such an attribute, or identity providers need the attribute.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        if isinstance(names, str):
            raise ValueError(f"without must be a list of attributes, such as [{names!r}]")
        self.names: tuple[str, ...] = tuple(dict.fromkeys(map(_checked, names)))
        self._keys = [each.lower() for each in self.names]

    def __bool__(self) -> bool:
        return bool(self.names)

    def covers(self, path: str) -> bool:
        """Report whether the application does not keep the value at a path of a mapping."""
        path = path.lower()
        plain = _BRACKETS.sub("", path)
        return any(_is_within(plain if "[" not in key else path, key) for key in self._keys)

    def kept(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the values, by path, that the application keeps."""
        return {path: value for path, value in values.items() if not self.covers(path)}


def _is_within(path: str, key: str) -> bool:
    return path == key or path.startswith((f"{key}.", f"{key}:"))


def _checked(name: str) -> str:
    """Return the name, with the URN if the attribute belongs to the enterprise extension."""
    plain = _ELEMENT.sub("", name, count=1).strip()
    if plain.lower() == ENTERPRISE.lower():
        return ENTERPRISE
    for urn in (USER.schema, GROUP.schema):
        if plain.lower().startswith(f"{urn.lower()}:"):
            return _checked(name[len(urn) + 1 :])
    if plain.lower() in _NEEDED:
        raise ValueError(f"{plain} cannot be left out: {_NEEDED[plain.lower()]}")
    if any(each.resolve(plain) is not None for each in (USER, GROUP)):
        return name.strip()
    if USER.resolve(f"{ENTERPRISE}:{plain}") is not None:
        return f"{ENTERPRISE}:{name.strip()}"
    raise ValueError(f"{name!r} is not an attribute of users or groups. Give a name such as title or emails.")
