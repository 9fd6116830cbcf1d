"""What a service takes and gives at most. Every limit has a safe default."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`body` in bytes; `page` in resources, `default_page` when the client names no count; `attempts` is how
    often a PATCH that lost a race is tried again before 409, `bulk_operations` how many one bulk may have. A group of
    more than `members_at_once` is sent while it is read, by so many members at once. `sensitive` names attributes, such
    as `name` or `emails.value`, that a filter in a URI may not name, since others see URIs (RFC 7644 section 7.5.2):
    403, and `POST .search` is there. None are, since identity providers look people up by name in URIs. `deadline` is the
    time in seconds within which a request is answered: every wait of a store ends by then, and the answer is 503 with
    Retry-After. The default is 25, because Okta gives up after 60."""

    body: int = 5 * 1024 * 1024
    page: int = 1000
    default_page: int = 100
    attempts: int = 20
    bulk_operations: int = 1000
    members_at_once: int = 5000
    sensitive: Collection[str] = ()
    deadline: float = 25.0
