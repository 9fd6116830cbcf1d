from collections.abc import Sequence

from scimkit.delivery.security_events import EventStream, PollEndpoint, PollStream, SecurityEventIssuer
from scimkit.delivery.security_events.asgi import PollApp
from scimkit.events import PollQueue


def poll_app(queue: PollQueue, issuer: SecurityEventIssuer, stream: EventStream, secrets: Sequence[str]) -> PollApp:
    """Return the endpoint of one receiver, to mount at /events."""
    return PollApp(PollEndpoint(queue, [PollStream(stream, secrets)], issuer=issuer))
