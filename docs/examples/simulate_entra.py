from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.testing.entra import run_story
from scimkit.testing.server import running

tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens)

with running(ScimApp(service)) as url:
    report = run_story(url, tokens.issue("Entra").token, flavor="aadOptscim062020")

assert report.passed, [(step.title, step.reason) for step in report.failures]
