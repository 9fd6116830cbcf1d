from typing import Any

from standardwebhooks import Webhook

from scimkit.events import ResourceEvent, UserDeactivated, event_from_json

handled: set[str] = set()  # in an application: a table with a unique column
closed_accounts: list[str] = []


def receive(secret: str, headers: dict[str, str], body: bytes) -> None:
    """Handle a webhook request. The exception for a wrong signature must become status 400."""
    payload: dict[str, Any] = Webhook(secret).verify(body, headers)
    event: ResourceEvent = event_from_json(payload)
    if event.event_id in handled:
        return
    match event:
        case UserDeactivated(id=user):
            closed_accounts.append(user)
    handled.add(event.event_id)
