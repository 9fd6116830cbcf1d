"""The service turns SCIM requests into responses, over a store."""

from scimkit.service.async_requests import AsyncRequests
from scimkit.service.cursors import Cursors
from scimkit.service.explanation import ExplainedOperation, Explanation, async_explain, explain
from scimkit.service.http import Request, Response
from scimkit.service.limits import Limits
from scimkit.service.rate_limits import RateLimits
from scimkit.service.service import ScimService

__all__ = [
    "AsyncRequests", "Cursors", "ExplainedOperation", "Explanation", "Limits", "RateLimits", "Request", "Response",
    "ScimService", "async_explain", "explain",
]  # fmt: skip
