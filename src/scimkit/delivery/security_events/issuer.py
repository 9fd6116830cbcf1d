"""`SecurityEventIssuer` turns resource events into signed security event tokens (RFC 8417, RFC 9967).

The same event gives the same claims each time, so that a token that is sent again has the same `jti`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from scimkit.delivery.retries import Undeliverable
from scimkit.delivery.security_events.feeds import Feed
from scimkit.delivery.security_events.payloads import Payloads
from scimkit.delivery.security_events.signing import TokenSigner
from scimkit.delivery.security_events.streams import EventStream
from scimkit.delivery.security_events.uris import ASYNC_RESPONSE
from scimkit.events.pending_requests import RequestOutcome
from scimkit.events.resource_events import ResourceEvent
from scimkit.schema.core import GROUP, USER
from scimkit.schema.resource_types import ResourceType
from scimkit.service.locations import path_segment


class SecurityEventToken(NamedTuple):
    """A signed security event token."""

    jti: str
    """The id of the token. A token that is sent again has the same id."""
    text: str
    """The token in compact form."""


class SecurityEventIssuer:
    """Issues security event tokens.

    Args:
        issuer: The `iss` of the tokens, such as `https://help.example.org/scim/v2`. Receivers compare the text.
        keys: The private keys as JSON Web Keys. The first one signs. The others are published only, so that receivers
            know a new key before it signs, and an old one after it signed.
        resource_types: The resource types of the service, such as `service.resource_types`.

    Raises:
        ValueError: The issuer is empty, or a key is not a private asymmetric key.
        ModuleNotFoundError: The extra `oauth` is not installed.
    """

    def __init__(
        self,
        issuer: str,
        keys: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        resource_types: Sequence[ResourceType] = (USER, GROUP),
    ) -> None:
        self._signers = [TokenSigner(each) for each in ([keys] if isinstance(keys, Mapping) else keys)]
        if not issuer or not self._signers:
            raise ValueError("an issuer of security events needs a name (iss) and at least one private key")
        self._issuer = issuer
        self._resource_types = {each.name: each for each in resource_types}
        self._payloads: dict[str, tuple[EventStream, dict[str, Payloads]]] = {}

    def __repr__(self) -> str:
        return f"SecurityEventIssuer({self._issuer!r}, keys={[each.kid for each in self._signers]!r})"

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517), for receivers."""
        return {"keys": [each.public_jwk for each in self._signers]}

    def check(self, stream: EventStream) -> None:
        """Check that the resource types and filters of a stream are known.

        Raises:
            ValueError: The feed names an unknown resource type, or an attribute that events do not have.
            InvalidFilter: A filter of the feed is not valid.
        """
        self._payloads_of(stream)

    def token(self, event: ResourceEvent | RequestOutcome, stream: EventStream) -> SecurityEventToken | None:
        """Return the signed token of an event, or None if the stream does not carry the event.

        Raises:
            Undeliverable: The issuer does not know the resource type of the event.
        """
        claims = self.claims(event, stream)
        return None if claims is None else SecurityEventToken(claims["jti"], self._signers[0].sign(claims))

    def claims(self, event: ResourceEvent | RequestOutcome, stream: EventStream) -> dict[str, Any] | None:
        """Return the claims of the token of an event, or None if the stream does not carry the event.

        Raises:
            Undeliverable: The issuer does not know the resource type of the event.
        """
        if event.tenant != stream.tenant:
            return None
        if isinstance(event, RequestOutcome):
            return self._outcome_claims(event, stream) if stream.async_responses else None
        payloads = self._payloads_of(stream).get(event.resource_type)
        if payloads is None:
            raise Undeliverable(f"The issuer of security events does not know the resource type {event.resource_type}.")
        events = payloads.of(event)
        if not events:
            return None
        txn = event.transaction_id or event.event_id
        return {**self._common(event, event.event_id, txn, stream), "sub_id": self._subject(event), "events": events}

    def _outcome_claims(self, outcome: RequestOutcome, stream: EventStream) -> dict[str, Any]:
        """Return the claims of the outcome of an accepted request (RFC 9967 section 2.5.1.3)."""
        common = self._common(outcome, outcome.txn, outcome.txn, stream)
        subject = {"format": "scim", "uri": outcome.uri}
        return {**common, "sub_id": subject, "events": {ASYNC_RESPONSE: dict(outcome.payload)}}

    def _common(self, event: ResourceEvent | RequestOutcome, id: str, txn: str, stream: EventStream) -> dict[str, Any]:
        """Return the claims that every token has."""
        return {
            "iss": self._issuer,
            "iat": int(event.time.timestamp()),
            "jti": token_id(id, stream),
            "aud": stream.audience if isinstance(stream.audience, str) else list(stream.audience),
            "txn": txn,
        }

    def _subject(self, event: ResourceEvent) -> dict[str, Any]:
        """Return the subject identifier of an event (RFC 9967 section 2.1)."""
        endpoint = self._resource_types[event.resource_type].endpoint.rstrip("/")
        subject = {"format": "scim", "uri": f"{endpoint}/{path_segment(event.id)}", "id": event.id}
        return subject if event.external_id is None else {**subject, "externalId": event.external_id}

    def _payloads_of(self, stream: EventStream) -> dict[str, Payloads]:
        """Return the makers of payloads for a stream, by the name of a resource type."""
        known = self._payloads.get(stream.id)
        if known is None or known[0] is not stream:
            feed = Feed(stream, self._resource_types)
            made = {name: Payloads(stream, feed, each) for name, each in self._resource_types.items()}
            known = self._payloads[stream.id] = (stream, made)
        return known[1]


def token_id(event_id: str, stream: EventStream) -> str:
    """Return the `jti` of an event in a stream. Tokens for different receivers have different ids (RFC 7519)."""
    return sha256(f"{stream.tenant}\n{stream.id}\n{event_id}".encode()).hexdigest()[:32]
