"""The admin page: tokens, OAuth clients, connections, provisioning log, resources and safeguards of a service.

`AdminSite` makes pages of the values of a service. `scimkit.admin.asgi`, `scimkit.admin.wsgi` and
`scimkit.django.admin_urls` serve it.
"""

from scimkit.admin.administrators import Administrator, Authorize
from scimkit.admin.one_time_links import OneTimeLinks
from scimkit.admin.site import AdminSite
from scimkit.admin.words import ENGLISH

__all__ = ["ENGLISH", "AdminSite", "Administrator", "Authorize", "OneTimeLinks"]
