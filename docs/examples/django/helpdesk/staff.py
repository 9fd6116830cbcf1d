from django.db.models import Q

from scimkit import ScimService
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.auth import auth_models, set_password

from .scim import tokens

store = DjangoStore(auth_models(where=Q(is_superuser=False)))
service = ScimService(store, tokens=tokens, set_password=set_password)
