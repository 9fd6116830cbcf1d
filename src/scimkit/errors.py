"""The exceptions of scimkit. Each class has the HTTP status and the `scimType` of its error response.

A `detail` is written for the provisioning log of the identity provider. It contains no library text, no file path and
no personal data. This module imports no other module of scimkit.

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
    """The base class of every error that an identity provider may see.

    `detail` is a short text for the provisioning log. `headers` are additional headers of the response.
    """

    status: ClassVar[int] = 500
    scim_type: ClassVar[str | None] = None
    default_detail: ClassVar[str] = "The service could not complete the request."

    def __init__(self, detail: str | None = None, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.detail: str = self.default_detail if detail is None else detail
        self.headers = headers
        super().__init__(self.detail)

    def to_document(self) -> dict[str, Any]:
        """Return the body of the error response (RFC 7644 section 3.12). `status` is a string there."""
        body: dict[str, Any] = {"schemas": [ERROR_SCHEMA], "status": str(self.status)}
        if self.scim_type is not None:
            body["scimType"] = self.scim_type
        body["detail"] = self.detail
        return body


class BadRequest(ScimError):
    """400: the request is not valid. Base class of the errors with a `scimType`."""

    status: ClassVar[int] = 400
    default_detail: ClassVar[str] = "The request is not valid."


class InvalidFilter(BadRequest):
    """400 invalidFilter: the filter is malformed, or names an attribute that cannot be filtered.

    `text` is the filter, and `position` is the 0-based index of the error in it. Both are None if unknown.
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
        """Return two lines: the filter and a caret below the error. Return "" if the position is unknown."""
        if self.text is None or self.position is None:
            return ""
        return f"{self.text}\n{' ' * self.position}^"


class InvalidPath(BadRequest):
    """400 invalidPath: the `path` of a PATCH operation is malformed or names no attribute."""

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
    """400 noTarget: the `path` of a PATCH operation matched no value, or is missing where one is required."""

    scim_type: ClassVar[str | None] = "noTarget"
    default_detail: ClassVar[str] = "The path matched no value."


class MutabilityViolation(BadRequest):
    """400 mutability: the mutability of the attribute does not allow the change."""

    scim_type: ClassVar[str | None] = "mutability"
    default_detail: ClassVar[str] = "The attribute cannot be changed."


class TooMany(BadRequest):
    """400 tooMany: the filter has more results than the service returns, or the request needs too much work."""

    scim_type: ClassVar[str | None] = "tooMany"
    default_detail: ClassVar[str] = "The filter has more results than this service returns. Send a narrower filter."


class InvalidCursor(BadRequest):
    """400 invalidCursor: the cursor does not belong to this query (RFC 9865)."""

    scim_type: ClassVar[str | None] = "invalidCursor"
    default_detail: ClassVar[str] = "The cursor is not valid for this query."


class ExpiredCursor(BadRequest):
    """400 expiredCursor: the cursor has expired (RFC 9865)."""

    scim_type: ClassVar[str | None] = "expiredCursor"
    default_detail: ClassVar[str] = "The cursor has expired; start the query again."


class InvalidCount(BadRequest):
    """400 invalidCount: `count` is not valid, is too large, or differs from the first page's (RFC 9865)."""

    scim_type: ClassVar[str | None] = "invalidCount"
    default_detail: ClassVar[str] = "The count is not valid."


class Unauthorized(ScimError):
    """401: the request has no valid bearer token. The response has `WWW-Authenticate` (RFC 6750 section 3)."""

    status: ClassVar[int] = 401
    default_detail: ClassVar[str] = "A valid bearer token is required in the Authorization header."

    def __init__(self, detail: str | None = None, *, challenge: str = 'Bearer realm="scim"') -> None:
        super().__init__(detail, headers=(("WWW-Authenticate", challenge),))


class Forbidden(ScimError):
    """403: the operation is not permitted."""

    status: ClassVar[int] = 403
    default_detail: ClassVar[str] = "The operation is not permitted."


class Sensitive(Forbidden):
    """403 sensitive: the request has sensitive information in its URI (RFC 7644 section 7.5.2, erratum 6893)."""

    scim_type: ClassVar[str | None] = "sensitive"
    default_detail: ClassVar[str] = "The request has sensitive information in its URI."


class NotFound(ScimError):
    """404: the resource or the endpoint does not exist."""

    status: ClassVar[int] = 404
    default_detail: ClassVar[str] = "The resource was not found."


class MethodNotAllowed(ScimError):
    """405: the endpoint does not support the method. The response has `Allow`."""

    status: ClassVar[int] = 405
    default_detail: ClassVar[str] = "The endpoint does not support this method."

    def __init__(self, allowed: tuple[str, ...]) -> None:
        names = ", ".join(allowed)
        super().__init__(f"The endpoint supports only {names}.", headers=(("Allow", names),))


class NotAcceptable(ScimError):
    """406: the `Accept` header allows no media type of SCIM responses."""

    status: ClassVar[int] = 406
    default_detail: ClassVar[str] = "Responses are application/scim+json or application/json only."


class Conflict(ScimError):
    """409: the change conflicts with another request or with other data of the application."""

    status: ClassVar[int] = 409
    default_detail: ClassVar[str] = "The resource was changed by another request; try again."


class Uniqueness(ScimError):
    """409 uniqueness: another resource already has the value. `attribute` is the path of the unique attribute."""

    status: ClassVar[int] = 409
    scim_type: ClassVar[str | None] = "uniqueness"
    default_detail: ClassVar[str] = "The value is already in use."

    def __init__(self, attribute: str | None = None) -> None:
        self.attribute = attribute
        super().__init__(None if attribute is None else f"Another resource already has this {attribute}.")


class PreconditionFailed(ScimError):
    """412: the condition in `If-Match` or `If-None-Match` does not hold for the version of the resource."""

    status: ClassVar[int] = 412
    default_detail: ClassVar[str] = "The resource is not at the version the request expects."


class PayloadTooLarge(ScimError):
    """413: the size of the body, or the number of bulk operations, exceeds the limit."""

    status: ClassVar[int] = 413
    default_detail: ClassVar[str] = "The request is larger than this server accepts."


class UriTooLong(ScimError):
    """414: the query string exceeds the limit. `POST .search` accepts the same parameters in a body."""

    status: ClassVar[int] = 414
    default_detail: ClassVar[str] = "The query string is too long. Send the parameters with POST to .search."


class UnsupportedMediaType(ScimError):
    """415: the body is neither application/scim+json nor application/json in UTF-8."""

    status: ClassVar[int] = 415
    default_detail: ClassVar[str] = "Send application/scim+json or application/json, encoded in UTF-8."


class UnsupportedContentEncoding(UnsupportedMediaType):
    """415: the body is compressed. The response has `Accept-Encoding` (RFC 9110 section 12.5.3)."""

    default_detail: ClassVar[str] = "Send the body without Content-Encoding."

    def __init__(self) -> None:
        super().__init__(headers=(("Accept-Encoding", "identity"),))


class TooManyRequests(ScimError):
    """429: too many requests. `Retry-After` is an integer of seconds, because Okta reads no other form."""

    status: ClassVar[int] = 429
    default_detail: ClassVar[str] = "Too many requests; try again later."

    def __init__(self, retry_after: int, detail: str | None = None) -> None:
        super().__init__(detail, headers=(("Retry-After", str(retry_after)),))


class HeadersTooLarge(ScimError):
    """431: the size of the headers exceeds the limit (RFC 6585 section 5)."""

    status: ClassVar[int] = 431
    default_detail: ClassVar[str] = "The request headers are too large."


class InternalError(ScimError):
    """500: a defect in scimkit or in the code of the application."""

    default_detail: ClassVar[str] = "The service failed to process the request."


class NotImplementedByServer(ScimError):
    """501: the service does not implement the operation."""

    status: ClassVar[int] = 501
    default_detail: ClassVar[str] = "The service does not implement this operation."


class Unavailable(ScimError):
    """503: a temporary failure of the store. `Retry-After` is an integer of seconds."""

    status: ClassVar[int] = 503
    default_detail: ClassVar[str] = "The service is temporarily unavailable; try again."

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__(headers=(("Retry-After", str(retry_after)),))
