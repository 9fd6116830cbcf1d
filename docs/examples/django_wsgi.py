from django.conf import settings
from django.core.wsgi import get_wsgi_application
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.wsgi import ScimApp

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="example")
urlpatterns = []

tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens)

application = DispatcherMiddleware(get_wsgi_application(), {"/scim/v2": ScimApp(service)})
