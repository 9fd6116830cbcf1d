"""The pages of Django's admin that list, issue and revoke tokens.

Only the page after issuing shows the token itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.template.response import TemplateResponse

from scimkit.stores.django.models import ScimToken
from scimkit.stores.django.tokens import DjangoTokenStore
from scimkit.tokens import TokenRegistry

if TYPE_CHECKING:  # ModelAdmin is generic in the stubs only
    TokenModelAdmin = admin.ModelAdmin[ScimToken]
else:
    TokenModelAdmin = admin.ModelAdmin


@admin.register(ScimToken)
class ScimTokenAdmin(TokenModelAdmin):
    """The list of tokens and the form that issues a token.

    An existing token cannot be changed or deleted, only revoked.
    """

    list_display: Any = ("description", "tenant", "status", "created", "expires")
    fields: ClassVar[Any] = ("description", "tenant", "expires", "dialect")
    actions: Any = ("revoke",)

    @admin.display(description="Status")
    def status(self, token: ScimToken) -> str:
        """Return the status of a token for the list."""
        return token.record().status(datetime.now(UTC))

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: Any, tokens: Any) -> None:
        """Revoke the selected tokens for good."""
        for each in tokens:
            TokenRegistry(DjangoTokenStore(tokens.db)).revoke(each.id, tenant=each.tenant)
        self.message_user(request, "The tokens are revoked.")

    def get_readonly_fields(self, request: Any, obj: ScimToken | None = None) -> Any:
        """Return all fields of an existing token, because tokens cannot be changed."""
        return () if obj is None else (*self.fields, "status", "created", "revoked")

    def get_fields(self, request: Any, obj: ScimToken | None = None) -> Any:
        """Return the fields of the form."""
        return self.fields if obj is None else self.get_readonly_fields(request, obj)

    def has_delete_permission(self, request: Any, obj: ScimToken | None = None) -> bool:
        """Return False, because tokens are revoked and never deleted."""
        return False

    def save_model(self, request: Any, obj: ScimToken, form: Any, change: bool) -> None:
        """Issue a token with the values of the form. An existing token stays unchanged."""
        if change:
            return
        lifetime = None if obj.expires is None else obj.expires - datetime.now(UTC)
        issued = TokenRegistry(DjangoTokenStore()).issue(
            obj.description, tenant=obj.tenant, expires_in=lifetime, dialect=obj.dialect or None
        )
        obj.id = issued.record.id
        obj.refresh_from_db()
        request.scim_token = issued.token

    def response_add(self, request: Any, obj: ScimToken, post_url_continue: str | None = None) -> TemplateResponse:
        """Return the page that shows the new token once."""
        context = {**self.admin_site.each_context(request), "title": "SCIM token issued", "token": request.scim_token}
        return TemplateResponse(request, "scimkit/issued.html", context)
