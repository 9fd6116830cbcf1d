from django.contrib import admin
from django.urls import include, path

from helpdesk.scim import service
from scimkit.django import health_urls, scim_urls

urlpatterns = [
    path("admin/", admin.site.urls),
    path("scim/v2/", include(scim_urls(service))),
    path("", include(health_urls(service))),
]
