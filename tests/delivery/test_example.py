"""The example of the documentation carries an event from a SCIM request to the receiver."""

from __future__ import annotations

import json
import runpy
import signal
import threading
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from scimkit.delivery import new_secret
from scimkit.events import UserDeactivated, event_to_json
from tests.client import Client
from tests.delivery.receiver import receiving

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
EVENT = UserDeactivated(resource_type="User", id="ada", tenant="acme")


def test_a_deactivation_reaches_the_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker sends the events of a deactivation, and the receiver handles each once."""
    served = runpy.run_path(str(EXAMPLES / "webhook_service.py"))
    received = runpy.run_path(str(EXAMPLES / "webhook_receiver.py"))
    client, secret, before = Client(served["store"]), new_secret(), signal.getsignal(signal.SIGTERM)
    ada = client.user("ada")
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    with receiving() as receiver:
        monkeypatch.setenv("HELPDESK_DATABASE", str(served["store"].engine.url))
        monkeypatch.setenv("WEBHOOK_SECRETS", f"{new_secret()} {secret}")
        monkeypatch.setenv("WEBHOOK_URL", receiver.url)
        worker = runpy.run_path(str(EXAMPLES / "webhook_worker.py"))
        threading.Thread(target=_stop_after, args=(receiver, 3)).start()
        try:
            assert worker["main"](allow_http=True, allowed_networks=["127.0.0.0/8"]) == 3
        finally:
            signal.signal(signal.SIGTERM, before)
    for _ in range(2):
        for _, headers, body in receiver.requests:
            received["receive"](secret, headers, body)
    assert received["closed_accounts"] == [ada]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        received["receive"](new_secret(), headers, body)
    served["store"].engine.dispose()


@pytest.mark.parametrize(("right", "status"), [(True, 204), (False, 400)])
def test_the_server_of_the_receiver(right: bool, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver of the trial answers 204, and 400 to a message with a wrong signature."""
    received = runpy.run_path(str(EXAMPLES / "webhook_receiver.py"))
    secret, body = new_secret(), json.dumps(event_to_json(EVENT))
    monkeypatch.setenv("WEBHOOK_SECRET", secret if right else new_secret())
    sent = datetime.now(UTC)
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("1", sent, body),
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), received["Handler"]) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            response = httpx.post(f"http://127.0.0.1:{server.server_address[1]}/", content=body, headers=headers)
        finally:
            server.shutdown()
    assert response.status_code == status
    assert len(received["closed_accounts"]) == right


def _stop_after(receiver: object, count: int) -> None:
    """Send SIGTERM to this process after the receiver has a number of requests."""
    while len(receiver.requests) < count:  # type: ignore[attr-defined]
        threading.Event().wait(0.05)
    signal.raise_signal(signal.SIGTERM)
