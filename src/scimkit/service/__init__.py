"""The service turns SCIM requests into responses, over a store."""

from scimkit.service.cursors import Cursors
from scimkit.service.http import Request, Response
from scimkit.service.limits import Limits
from scimkit.service.service import ScimService

__all__ = ["Cursors", "Limits", "Request", "Response", "ScimService"]
