from django.db.models import Q

from scimkit import ScimService, TokenRegistry
from scimkit.stores.django import DjangoStore, DjangoTokenStore
from scimkit.stores.django.auth import auth_models

tokens = TokenRegistry(DjangoTokenStore())
store = DjangoStore(auth_models(where=Q(is_superuser=False)))  # identity providers never see a superuser
service = ScimService(store, tokens=tokens)
