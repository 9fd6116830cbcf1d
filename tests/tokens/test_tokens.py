"""Tokens: their text, the registry, and the Authorization header."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit.errors import NotFound, Unauthorized
from scimkit.tokens import PATTERN, InvalidToken, MemoryTokenStore, TokenRegistry, bearer_token
from scimkit.tokens.format import new_token, parse_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = string.ascii_letters + string.digits


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.rfc("7644-7.4-2")
def test_a_token_can_be_recognized() -> None:
    """A token has the prefix and the pattern for secret scanners, and every token is different."""
    tokens = {new_token().text() for _ in range(200)}
    assert len(tokens) == 200
    assert all(re.fullmatch(PATTERN, token) for token in tokens)


@given(st.integers(0, 61), st.sampled_from(LETTERS))
def test_a_typo_is_caught_before_any_look_up(place: int, letter: str) -> None:
    """A text with one changed character is not a token."""
    token = new_token().text()
    mistyped = token[:place] + letter + token[place + 1 :]
    assert (parse_token(mistyped) is None) is (mistyped != token)


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    """Any text that was never issued is parsed as None, without an exception."""
    assert parse_token(text) is None


def test_issue_and_verify() -> None:
    """A token belongs to the tenant for which it was issued, with its description and dialect."""
    registry = TokenRegistry()
    issued = registry.issue("Entra", tenant="acme", dialect="entra")
    principal = registry.verify(issued.token)
    assert (principal.tenant, principal.description, principal.dialect) == ("acme", "Entra", "entra")
    assert principal.token_id == issued.record.id


@pytest.mark.rfc("7644-7.7-1")
def test_the_secret_is_shown_once() -> None:
    """The record and the repr of a token do not contain the secret; the record has only a hash."""
    registry = TokenRegistry()
    issued = registry.issue("Entra")
    parts = parse_token(issued.token)
    assert parts is not None
    shown = f"{issued!r} {issued.record!r} {registry.list()!r} {parts!r} {registry.verify(issued.token)!r}"
    assert parts.secret not in shown
    assert issued.token not in shown
    assert repr(issued.record.hash) not in shown


@pytest.mark.rfc("7644-7.4-1")
def test_every_bad_token_is_refused_alike() -> None:
    """The client gets the same response for a mistyped, unknown, revoked or expired token. The host gets the reason."""
    clock = Clock()
    registry = TokenRegistry(clock=clock)
    revoked, expired = registry.issue("a"), registry.issue("b", expires_in=timedelta(days=1))
    registry.revoke(revoked.record.id)
    clock.now += timedelta(days=2)
    other = parse_token(revoked.token)
    assert other is not None
    forged = type(other)(other.id, new_token().secret).text()
    reasons, details = [], set()
    for token in ("", "x", revoked.token[:-1], new_token().text(), forged, revoked.token, expired.token):
        with pytest.raises(InvalidToken) as caught:
            registry.verify(token)
        reasons.append(caught.value.reason)
        details.add((caught.value.detail, caught.value.headers, caught.value.status))
        assert not token or token not in str(caught.value)
    assert len(details) == 1
    assert reasons[-2:] == ["the token is revoked", "the token is expired"]


@pytest.mark.rfc("7644-7.4-1")
def test_expiry_is_at_the_instant() -> None:
    """A token is valid until the time of its expiry."""
    clock = Clock()
    registry = TokenRegistry(clock=clock)
    issued = registry.issue("a", expires_in=timedelta(hours=1))
    clock.now += timedelta(minutes=59)
    registry.verify(issued.token)
    assert issued.record.status(clock.now) == "Active"
    clock.now += timedelta(minutes=1)
    with pytest.raises(Unauthorized):
        registry.verify(issued.token)
    assert issued.record.status(clock.now) == "Expired"


def test_a_revocation_elsewhere_takes_effect_at_once() -> None:
    """A revocation by another registry, or a replaced record, takes effect with the next request."""
    records = MemoryTokenStore()
    registry, other = TokenRegistry(records), TokenRegistry(records)
    first, second = (registry.issue("Entra") for _ in range(2))
    for issued in (first, second):
        registry.verify(issued.token)
    other.revoke(first.record.id)
    records.add(replace(second.record, hash=first.record.hash))
    for issued in (first, second):
        with pytest.raises(InvalidToken):
            registry.verify(issued.token)


def test_rotation_leaves_both_valid() -> None:
    """A rotated token and its successor are both valid until the old token is revoked."""
    registry = TokenRegistry()
    old = registry.issue("Entra", tenant="acme")
    new = registry.rotate(old.record.id, tenant="acme")
    assert registry.verify(old.token).tenant == registry.verify(new.token).tenant == "acme"
    registry.revoke(old.record.id, tenant="acme")
    registry.verify(new.token)
    with pytest.raises(Unauthorized):
        registry.verify(old.token)
    assert [each.status(datetime.now(UTC)) for each in registry.list("acme")] == ["Revoked", "Active"]


def test_tokens_of_another_tenant_are_not_found() -> None:
    """A tenant that revokes or rotates a token of another tenant gets NotFound."""
    registry = TokenRegistry()
    issued = registry.issue("a", tenant="acme")
    for act in (registry.revoke, registry.rotate):
        with pytest.raises(NotFound):
            act(issued.record.id, tenant="other")
    assert registry.list("other") == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_case_insensitive(scheme: str) -> None:
    """The scheme is case-insensitive, and spaces around the token are ignored."""
    assert bearer_token(f"{scheme}   abc.def-_~+/== ") == "abc.def-_~+/=="


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a,b", "abc", "Bearer\tabc", "Bearer é"]
)
def test_a_header_without_one_token_is_refused(header: str | None) -> None:
    """A header without exactly one bearer token gets 401 with a challenge (RFC 6750 section 3)."""
    with pytest.raises(Unauthorized) as caught:
        bearer_token(header)
    assert dict(caught.value.headers)["WWW-Authenticate"].startswith('Bearer realm="scim"')
