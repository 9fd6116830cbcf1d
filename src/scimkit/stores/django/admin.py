"""The pages of Django's admin that list, issue, activate, deactivate, rotate and revoke tokens.

Only the page after issuing or rotating shows the tokens themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse

from scimkit.stores.django.models import ScimToken
from scimkit.stores.django.tokens import DjangoTokenStore
from scimkit.tokens import IssuedToken, TokenRegistry, TokenStateError, check_scopes

if TYPE_CHECKING:  # these classes are generic in the stubs only
    TokenModelAdmin = admin.ModelAdmin[ScimToken]
    TokenModelForm = forms.ModelForm[ScimToken]
else:
    TokenModelAdmin = admin.ModelAdmin
    TokenModelForm = forms.ModelForm


class TokenForm(TokenModelForm):
    """The form that issues a token."""

    def clean_scopes(self) -> str:
        """Return the scopes, each once."""
        try:
            return " ".join(check_scopes(self.cleaned_data["scopes"].split()))
        except ValueError as error:
            raise ValidationError(str(error)) from None


@admin.register(ScimToken)
class ScimTokenAdmin(TokenModelAdmin):
    """The list of tokens and the form that issues a token.

    An existing token is changed by actions only, and never deleted.
    """

    form = TokenForm
    list_display: Any = ("description", "tenant", "status", "scopes", "last_used", "created", "expires", "hint")
    fields: ClassVar[Any] = ("description", "tenant", "active", "scopes", "expires", "dialect")
    actions: Any = ("activate", "deactivate", "rotate", "revoke")

    @admin.display(description="Status")
    def status(self, token: ScimToken) -> str:
        """Return the status of a token for the list."""
        return token.record().status(datetime.now(UTC))

    @admin.action(description="Activate the selected tokens", permissions=["change"])
    def activate(self, request: Any, tokens: Any) -> None:
        """Accept the selected tokens again."""
        self._change(request, tokens, TokenRegistry.activate, "activated")

    @admin.action(description="Deactivate the selected tokens", permissions=["change"])
    def deactivate(self, request: Any, tokens: Any) -> None:
        """Refuse the selected tokens until they are activated."""
        self._change(request, tokens, TokenRegistry.deactivate, "deactivated")

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: Any, tokens: Any) -> None:
        """Revoke the selected tokens for good."""
        self._change(request, tokens, TokenRegistry.revoke, "revoked")

    @admin.action(description="Rotate the selected tokens", permissions=["change", "add"])
    def rotate(self, request: Any, tokens: Any) -> TemplateResponse | None:
        """Issue a successor of each selected token, and show the new tokens once."""
        issued: list[IssuedToken] = []

        def rotated(registry: TokenRegistry, id: str, *, tenant: str) -> None:
            issued.append(registry.rotate(id, tenant=tenant, created_by=request.user.get_username()))

        self._change(request, tokens, rotated, "rotated")
        return self._shown(request, issued, overlap="one day") if issued else None

    def get_readonly_fields(self, request: Any, obj: ScimToken | None = None) -> Any:
        """Return all fields of an existing token, because only actions change tokens."""
        if obj is None:
            return ()
        return (*self.fields, "status", "hint", "created", "created_by", "last_used", "revoked", "rotated_from")

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
        issued = TokenRegistry(DjangoTokenStore()).issue(
            obj.description,
            tenant=obj.tenant,
            expires_in=None if obj.expires is None else obj.expires - datetime.now(UTC),
            dialect=obj.dialect or None,
            scopes=obj.scopes.split(),
            created_by=request.user.get_username(),
            active=obj.active,
        )
        obj.id = issued.record.id
        obj.refresh_from_db()
        request.scim_token = issued

    def response_add(self, request: Any, obj: ScimToken, post_url_continue: str | None = None) -> TemplateResponse:
        """Return the page that shows the new token once."""
        return self._shown(request, [request.scim_token])

    def _change(self, request: Any, tokens: Any, change: Callable[..., object], done: str) -> None:
        """Change the selected tokens, and tell how many were changed and why others were not."""
        count = 0
        for each in tokens:
            try:
                change(TokenRegistry(DjangoTokenStore(tokens.db)), each.id, tenant=each.tenant)
                count += 1
            except TokenStateError as error:
                self.message_user(request, f"{each.description}: {error}", messages.ERROR)
        if count:
            self.message_user(request, f"Tokens {done}: {count}.")

    def _shown(self, request: Any, issued: list[IssuedToken], overlap: str = "") -> TemplateResponse:
        """Return the page that shows new tokens once."""
        context = {**self.admin_site.each_context(request), "title": "SCIM token issued", "issued": issued,
                   "overlap": overlap}  # fmt: skip
        return TemplateResponse(request, "scimkit/issued.html", context)
