"""Poll requests as values (RFC 8936 section 2.2). This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax

MAX_SETTLED: Final = 10_000
"""The largest number of tokens that one request acknowledges and refuses."""


class PollRefused(Exception):
    """A poll request is refused.

    Args:
        status: The HTTP status.
        err: The error code of RFC 8935 section 2.4.
        description: The reason for people.
        headers: More headers of the response.
    """

    def __init__(self, status: int, err: str, description: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(description)
        self.status = status
        self.err = err
        self.description = description
        self.headers = headers


@dataclass(frozen=True, slots=True)
class PollRequest:
    """The body of a poll request."""

    max_events: int | None = None
    """The largest number of tokens in the response. 0 only acknowledges."""
    returns_immediately: bool = False
    acknowledged: tuple[str, ...] = ()
    """The `jti` of each token that the receiver has."""
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The errors of tokens that the receiver refuses, by their `jti`."""


def read_poll(body: bytes) -> PollRequest:
    """Return the poll request of a body. Unknown members are ignored.

    Raises:
        PollRefused: The body is not a poll request.
    """
    try:
        members = parse_object(body)
    except InvalidSyntax:
        raise _invalid("The body must be a JSON object.") from None
    most, immediately = members.get("maxEvents"), members.get("returnImmediately", False)
    acknowledged, errors = members.get("ack", []), members.get("setErrs", {})
    if most is not None and (type(most) is not int or most < 0):
        raise _invalid("maxEvents must be a whole number that is not negative.")
    if type(immediately) is not bool:
        raise _invalid("returnImmediately must be true or false.")
    if type(acknowledged) is not list or not all(type(each) is str for each in acknowledged):
        raise _invalid("ack must be an array of strings.")
    if type(errors) is not dict or not all(type(each) is dict for each in errors.values()):
        raise _invalid("setErrs must be an object of objects.")
    if len(acknowledged) + len(errors) > MAX_SETTLED:
        raise _invalid(f"ack and setErrs may name at most {MAX_SETTLED} tokens together.")
    return PollRequest(most, immediately, tuple(acknowledged), errors)


def _invalid(description: str) -> PollRefused:
    return PollRefused(400, "invalid_request", description)
