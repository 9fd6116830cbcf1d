from django.contrib import admin
from django.urls import include, path
from helpdesk import scim, staff

from scimkit.django import admin_urls, scim_urls, token_urls

urlpatterns = [
    path("admin/", admin.site.urls),
    path("scim/v2/", include(scim_urls(scim.service))),
    path("oauth/", include(token_urls(scim.token_endpoint))),
    path("scim-admin/", include(admin_urls(scim.site))),
    path("staff/scim/v2/", include(scim_urls(staff.service))),
]
