"""Requests to a token endpoint and their responses (RFC 6749). This module verifies no credential and reads no store.

The texts of errors are fixed. No error repeats a value of the request.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from scimkit.service import Request, Response

MAX_BODY: Final = 32_768
"""Maximum size of a request in bytes. An assertion has at most 16,384 characters."""
CLIENT_CREDENTIALS: Final = "client_credentials"
JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The type of a client assertion that is a JSON Web Token (RFC 7523 section 2.2)."""

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_PARAMETERS: Final = 30
_MAX_CREDENTIAL: Final = 255
"""Maximum length of a client id and of a secret."""
_CREDENTIALS: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type", "grant_type")
_NOT_STORED: Final = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_CHALLENGE: Final = ("WWW-Authenticate", 'Basic realm="token endpoint", charset="UTF-8"')


class TokenError(Exception):
    """The error response of a token endpoint (RFC 6749 section 5.2).

    Attributes:
        status: The HTTP status code.
        code: The value of `error`, such as `invalid_client`.
        description: The value of `error_description`.
        headers: Additional headers.
        reason: Why the request was refused, for the log of the host. The client does not see it.
    """

    def __init__(
        self, code: str, description: str, *headers: tuple[str, str], status: int = 400, reason: str = ""
    ) -> None:
        super().__init__(description)
        self.status: int = status
        self.code = code
        self.description = description
        self.headers = headers
        self.reason: str = reason or description

    def response(self) -> Response:
        """Return the response. It is never stored by a cache."""
        document = {"error": self.code, "error_description": self.description}
        return _json(self.status, document, *self.headers)


def invalid_request(description: str, *, status: int = 400) -> TokenError:
    """Return the error for a request that is malformed."""
    return TokenError("invalid_request", description, status=status)


def invalid_client(reason: str) -> TokenError:
    """Return the error for a client whose authentication failed. The response is the same for every reason."""
    return TokenError(
        "invalid_client", "The authentication of the client failed.", _CHALLENGE, status=401, reason=reason
    )


def too_many_requests(seconds: int) -> TokenError:
    """Return the error for a client or a source that has to wait for some seconds."""
    return TokenError(
        "temporarily_unavailable", "Too many requests; try again later.", ("Retry-After", str(seconds)), status=429
    )


def unavailable(seconds: int, reason: str) -> TokenError:
    """Return the error for a request that cannot be decided now, such as when a database or an issuer is down."""
    return TokenError(
        "temporarily_unavailable", "The token endpoint is not available; try again later.",
        ("Retry-After", str(seconds)), status=503, reason=reason,
    )  # fmt: skip


def token_response(token: str, seconds: int, scopes: tuple[str, ...]) -> Response:
    """Return the response with an access token (RFC 6749 section 5.1)."""
    document = {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(scopes)}
    return _json(200, document)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for an access token, with the credentials of one method of authentication. The repr shows no secret.

    Attributes:
        client_id: The id of the client, or empty if only the assertion names the client.
        secret: The secret of the client, or None.
        assertion: The assertion that authenticates the client, or None.
        grant_type: The value of `grant_type`.
        scopes: The values of `scope`.
    """

    client_id: str
    secret: str | None = field(repr=False)
    assertion: str | None = field(repr=False)
    grant_type: str
    scopes: tuple[str, ...]


def read_token_request(request: Request) -> TokenRequest:
    """Return the parameters and the credentials of a request.

    Raises:
        TokenError: The request is malformed, has a parameter twice, or has credentials of no method or of several.
    """
    parameters = _read_form(request)
    authorization = request.headers.get("authorization")
    posted_id, posted_secret = parameters.get("client_id", ""), parameters.get("client_secret")
    assertion, kind = parameters.get("client_assertion"), parameters.get("client_assertion_type")
    if (assertion is None) != (kind is None):
        raise invalid_request("client_assertion and client_assertion_type need each other.")
    if sum(each is not None for each in (authorization, posted_secret, assertion)) > 1:
        raise invalid_request("The request uses more than one method of client authentication.")
    client_id, secret = posted_id, posted_secret
    if authorization is not None:
        client_id, secret = _basic_credentials(authorization)
        if posted_id not in ("", client_id):
            raise invalid_request("client_id differs from the client of the Authorization header.")
    if kind not in (None, JWT_BEARER):
        raise invalid_client("the type of the client assertion is not supported")
    if secret is None and assertion is None:
        raise invalid_client("the request has no client authentication")
    if max(len(client_id), len(secret or "")) > _MAX_CREDENTIAL or (secret is not None and not client_id):
        raise invalid_client("the id or the secret of the client is empty or too long")
    return TokenRequest(
        client_id, secret, assertion, parameters.get("grant_type", ""), tuple(parameters.get("scope", "").split())
    )


def _read_form(request: Request) -> Mapping[str, str]:
    """Return the parameters of the body. Empty ones are left out (RFC 6749 section 3.2). Raises TokenError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise invalid_request(f"The content type must be {_FORM}.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise invalid_request("The body must not be compressed.")
    if len(request.body) > MAX_BODY:
        raise invalid_request(f"The body may have at most {MAX_BODY} bytes.", status=413)
    if any(name in _CREDENTIALS for name, _ in _pairs(request.query.encode("utf-8", "replace"), strict=False)):
        raise invalid_request("The parameters must be in the body, not in the URL.")
    found: dict[str, str] = {}
    for name, value in _pairs(request.body, strict=True):
        if name in found:
            raise invalid_request("The body has a parameter twice.")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def _pairs(form: bytes, *, strict: bool) -> list[tuple[str, str]]:
    """Return the names and values of a form. Raises TokenError if the form cannot be read."""
    if not form:
        return []
    try:
        return parse_qsl(
            form.decode("utf-8"), keep_blank_values=True, strict_parsing=strict, errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )  # fmt: skip
    except ValueError:
        raise invalid_request(
            f"The parameters must be form-encoded UTF-8, and at most {_MAX_PARAMETERS} in number."
        ) from None


def _basic_credentials(authorization: str) -> tuple[str, str]:
    """Return the id and the secret of an Authorization header (RFC 6749 section 2.3.1, RFC 7617). Raises TokenError."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("the Authorization header does not have the scheme Basic")
    try:
        id, colon, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        found = unquote_plus(id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise invalid_client("the Authorization header cannot be decoded") from None
    if not colon:
        raise invalid_client("the Authorization header has no secret")
    return found


def _json(status: int, document: Mapping[str, Any], *headers: tuple[str, str]) -> Response:
    """Return a response with a JSON body that no cache stores."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(status, body, (("Content-Type", "application/json"), *_NOT_STORED, *headers))
