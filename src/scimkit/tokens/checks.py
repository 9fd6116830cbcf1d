"""Checks of tokens that a store makes together with its first statement for a request.

A registry remembers the record by which it verified a token last. The next request with this token needs no statement
for the record: the statement that reads or writes the resource also finds out whether the stored record is still the
same. A token that was revoked in the meantime is refused by this request, as if the record had been read first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from scimkit.tokens.records import TokenRecord

ACCESS: Final = ("id", "tenant", "description", "hash", "expires", "revoked", "dialect", "active", "scopes")
"""The fields of a record on which the principal of a token and its validity depend."""


class TokenChanged(Exception):
    """The stored record of a token is not the one by which the token was verified, so the token is verified again."""


@dataclass(slots=True, eq=False)
class TokenCheck:
    """A token that was verified by the record in memory, and that the store must confirm before it reads or writes.

    Attributes:
        record: The record by which the token was verified.
        store: The token store that has the record.
        is_pending: True until the store has confirmed the record.
    """

    record: TokenRecord
    store: Any
    is_pending: bool = True

    def settle(self, is_same: bool | None) -> None:
        """Note what the store has found out.

        Args:
            is_same: True if the stored record is the same. False or None if it differs or does not exist.

        Raises:
            TokenChanged: The record is not the same.
        """
        if not is_same:
            raise TokenChanged
        self.is_pending = False

    def compare(self, stored: TokenRecord | None) -> None:
        """Compare the record with the stored one. The time of last use does not matter.

        Raises:
            TokenChanged: The record is not the same.
        """
        self.settle(stored is not None and all(getattr(stored, each) == getattr(self.record, each) for each in ACCESS))
