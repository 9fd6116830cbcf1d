import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

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
            print(f"disabled: {user}", flush=True)
    handled.add(event.event_id)


class Handler(BaseHTTPRequestHandler):
    """Receives webhooks for a trial. An application does this in a view of its framework."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 204
        try:
            receive(os.environ["WEBHOOK_SECRET"], {name.lower(): self.headers[name] for name in self.headers}, body)
        except WebhookVerificationError:
            status = 400
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 9000), Handler) as server:
        server.serve_forever()
