from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.testing.directory import key_of, sample_directory
from scimkit.testing.directory_history import full_history, play, random_history
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import provider
from scimkit.wsgi import ScimApp

tokens = TokenRegistry()
application = ScimApp(ScimService(MemoryStore(), tokens=tokens))  # or an ASGI application, or a URL

with open_endpoint(application) as endpoint:
    okta = provider("okta", endpoint.base_url, tokens.issue("Okta").token, sample_directory(), client=endpoint.client)
    report = play(okta, full_history())
    assert report.passed, [(step.title, step.reason, step.fix) for step in report.failures]

    okta.directory.change(key_of("ada"), title="Head of Support")  # change one thing, then synchronize
    assert okta.synchronize()
    okta.clean_up()
    okta.close()

directory, events = random_history(7, length=50)  # the same seed gives the same history
assert len(events) == 50
