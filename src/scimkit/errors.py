"""Everything that can go wrong, as exceptions that know their HTTP status and scimType.

This module imports nothing of scimkit and never formats foreign text: a `detail` is written by
scimkit for a provisioning log, without library text, file paths or personal data.

    ScimError
    |- BadRequest (400)
    |  |- InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, InvalidVersion
    |  |- NoTarget, MutabilityViolation, TooMany
    |  `- InvalidCursor, ExpiredCursor, InvalidCount               (RFC 9865)
    |- Unauthorized (401)         |- PreconditionFailed (412)
    |- Forbidden, Sensitive (403) |- PayloadTooLarge (413)
    |- NotFound (404)             |- UnsupportedMediaType (415)
    |- MethodNotAllowed (405)     |- TooManyRequests (429)
    |- NotAcceptable (406)        |- InternalError (500)
    |- Uniqueness (409)           |- NotImplementedByServer (501)
    |- Conflict (409)             `- Unavailable (503)

Source: RFC 7644 section 3.12 (table 8 and table 9), RFC 9865 section 2.1.
"""

from __future__ import annotations

from typing import Any, ClassVar

ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """Base of every error a SCIM client may see.

    `detail` is one sentence for a provisioning log. `headers` are extra response headers.
    """

    status: ClassVar[int] = 500
    scim_type: ClassVar[str | None] = None
    default_detail: ClassVar[str] = "The service could not complete the request."

    def __init__(self, detail: str | None = None, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.detail: str = self.default_detail if detail is None else detail
        self.headers = headers
        super().__init__(self.detail)

    def to_document(self) -> dict[str, Any]:
        """The body of the error response (RFC 7644 section 3.12): `status` is a string."""
        body: dict[str, Any] = {"schemas": [ERROR_SCHEMA], "status": str(self.status)}
        if self.scim_type is not None:
            body["scimType"] = self.scim_type
        body["detail"] = self.detail
        return body


class BadRequest(ScimError):
    """400: the request cannot be served as it is."""

    status: ClassVar[int] = 400
    default_detail: ClassVar[str] = "The request is not valid."


class InvalidFilter(BadRequest):
    """400 invalidFilter: the filter is malformed, or names something that cannot be filtered.

    `text` and `position` (0-based) say where; `caret()` draws it for a terminal.
    """

    scim_type: ClassVar[str | None] = "invalidFilter"
    default_detail: ClassVar[str] = "The filter is not valid."

    def __init__(self, detail: str | None = None, *, text: str | None = None, position: int | None = None) -> None:
        self.text = text
        self.position = position
        if detail is not None and position is not None:
            detail = f"{detail.rstrip('.')} (at character {position + 1})."
        super().__init__(detail)

    def caret(self) -> str:
        """The filter with a caret under the place of the error; empty when the place is unknown."""
        if self.text is None or self.position is None:
            return ""
        return f"{self.text}\n{' ' * self.position}^"


class InvalidPath(BadRequest):
    """400 invalidPath: a PATCH `path` is malformed or names no attribute."""

    scim_type: ClassVar[str | None] = "invalidPath"
    default_detail: ClassVar[str] = "The path is not valid."


class InvalidSyntax(BadRequest):
    """400 invalidSyntax: the body is not JSON or does not have the structure of the message."""

    scim_type: ClassVar[str | None] = "invalidSyntax"
    default_detail: ClassVar[str] = "The request body is malformed."


class InvalidValue(BadRequest):
    """400 invalidValue: a required value is missing, or a value does not fit its attribute."""

    scim_type: ClassVar[str | None] = "invalidValue"
    default_detail: ClassVar[str] = "A value is missing or does not fit its attribute."


class InvalidVersion(BadRequest):
    """400 invalidVers: the SCIM protocol version is not supported."""

    scim_type: ClassVar[str | None] = "invalidVers"
    default_detail: ClassVar[str] = "This SCIM protocol version is not supported."


class NoTarget(BadRequest):
    """400 noTarget: a PATCH path matched nothing that could be changed."""

    scim_type: ClassVar[str | None] = "noTarget"
    default_detail: ClassVar[str] = "The path matched nothing to operate on."


class MutabilityViolation(BadRequest):
    """400 mutability: the change is not compatible with the attribute's mutability."""

    scim_type: ClassVar[str | None] = "mutability"
    default_detail: ClassVar[str] = "The attribute cannot be changed."


class TooMany(BadRequest):
    """400 tooMany: the filter yields more results than the server is willing to handle."""

    scim_type: ClassVar[str | None] = "tooMany"
    default_detail: ClassVar[str] = "The filter yields more results than this server returns."


class InvalidCursor(BadRequest):
    """400 invalidCursor: the cursor is not one of this query's (RFC 9865)."""

    scim_type: ClassVar[str | None] = "invalidCursor"
    default_detail: ClassVar[str] = "The cursor is not valid for this query."


class ExpiredCursor(BadRequest):
    """400 expiredCursor: the cursor has expired (RFC 9865)."""

    scim_type: ClassVar[str | None] = "expiredCursor"
    default_detail: ClassVar[str] = "The cursor has expired; start the query again."


class InvalidCount(BadRequest):
    """400 invalidCount: `count` does not fit the cursor (RFC 9865)."""

    scim_type: ClassVar[str | None] = "invalidCount"
    default_detail: ClassVar[str] = "The count is not valid."


class Unauthorized(ScimError):
    """401: no valid bearer token; carries `WWW-Authenticate` (RFC 6750 section 3)."""

    status: ClassVar[int] = 401
    default_detail: ClassVar[str] = "A valid bearer token is required in the Authorization header."

    def __init__(self, detail: str | None = None, *, challenge: str = 'Bearer realm="scim"') -> None:
        super().__init__(detail, headers=(("WWW-Authenticate", challenge),))


class Forbidden(ScimError):
    """403: the client may not do this."""

    status: ClassVar[int] = 403
    default_detail: ClassVar[str] = "The operation is not permitted."


class Sensitive(Forbidden):
    """403 sensitive: the request has sensitive information in its URI (RFC 7644 section 7.5.2, erratum 6893)."""

    scim_type: ClassVar[str | None] = "sensitive"
    default_detail: ClassVar[str] = "The request has sensitive information in its URI."


class NotFound(ScimError):
    """404: no such resource or endpoint."""

    status: ClassVar[int] = 404
    default_detail: ClassVar[str] = "The resource was not found."


class MethodNotAllowed(ScimError):
    """405: the endpoint exists and does not take this method; carries `Allow`."""

    status: ClassVar[int] = 405
    default_detail: ClassVar[str] = "The endpoint does not support this method."

    def __init__(self, allowed: tuple[str, ...]) -> None:
        names = ", ".join(allowed)
        super().__init__(f"The endpoint supports only {names}.", headers=(("Allow", names),))


class NotAcceptable(ScimError):
    """406: the client accepts no media type that SCIM answers have."""

    status: ClassVar[int] = 406
    default_detail: ClassVar[str] = "Responses are application/scim+json or application/json only."


class Conflict(ScimError):
    """409: the resource changed under the request."""

    status: ClassVar[int] = 409
    default_detail: ClassVar[str] = "The resource was changed by another request; try again."


class Uniqueness(ScimError):
    """409 uniqueness: another resource already has this value. `attribute` is its path."""

    status: ClassVar[int] = 409
    scim_type: ClassVar[str | None] = "uniqueness"
    default_detail: ClassVar[str] = "The value is already in use."

    def __init__(self, attribute: str | None = None) -> None:
        self.attribute = attribute
        super().__init__(None if attribute is None else f"Another resource already has this {attribute}.")


class PreconditionFailed(ScimError):
    """412: the version in `If-Match` or `If-None-Match` does not fit the resource."""

    status: ClassVar[int] = 412
    default_detail: ClassVar[str] = "The resource is not at the version the request expects."


class PayloadTooLarge(ScimError):
    """413: the body, or the number of operations in it, is over the limit."""

    status: ClassVar[int] = 413
    default_detail: ClassVar[str] = "The request is larger than this server accepts."


class UriTooLong(ScimError):
    """414: the query string is longer than the limit. `POST .search` takes the same parameters in a body."""

    status: ClassVar[int] = 414
    default_detail: ClassVar[str] = "The query string is too long. Send the parameters with POST to .search."


class UnsupportedMediaType(ScimError):
    """415: the body is neither application/scim+json nor application/json in UTF-8."""

    status: ClassVar[int] = 415
    default_detail: ClassVar[str] = "Send application/scim+json or application/json, encoded in UTF-8."


class UnsupportedContentEncoding(UnsupportedMediaType):
    """415: the body is compressed; carries `Accept-Encoding` (RFC 9110 section 12.5.3)."""

    default_detail: ClassVar[str] = "Send the body without Content-Encoding."

    def __init__(self) -> None:
        super().__init__(headers=(("Accept-Encoding", "identity"),))


class TooManyRequests(ScimError):
    """429: slow down; `Retry-After` is in whole seconds, the only form Okta reads."""

    status: ClassVar[int] = 429
    default_detail: ClassVar[str] = "Too many requests; try again later."

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers=(("Retry-After", str(retry_after)),))


class HeadersTooLarge(ScimError):
    """431: the headers are larger than the limit (RFC 6585 section 5)."""

    status: ClassVar[int] = 431
    default_detail: ClassVar[str] = "The request headers are too large."


class InternalError(ScimError):
    """500: a defect of the server or of the host's own code."""

    default_detail: ClassVar[str] = "The service failed to process the request."


class NotImplementedByServer(ScimError):
    """501: the server does not offer this operation."""

    status: ClassVar[int] = 501
    default_detail: ClassVar[str] = "The service does not implement this operation."


class Unavailable(ScimError):
    """503: a passing fault of the store; `Retry-After` is in whole seconds."""

    status: ClassVar[int] = 503
    default_detail: ClassVar[str] = "The service is temporarily unavailable; try again."

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__(headers=(("Retry-After", str(retry_after)),))
