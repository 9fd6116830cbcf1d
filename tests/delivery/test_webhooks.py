"""Webhooks follow the Standard Webhooks specification, and reach only the addresses that they may."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from scimkit.delivery import AsyncWebhook, DeliveryFailed, Webhook, new_secret
from scimkit.delivery.addresses import is_allowed, read_networks
from scimkit.delivery.signatures import Signer
from scimkit.events import UserDeactivated, event_from_json, event_to_json
from tests.delivery.receiver import Receiver, receiving

EVENT = UserDeactivated(resource_type="User", id="u1", tenant="acme", label="ad\u00e4", document={"id": "u1"})
LOCAL = {"allow_http": True, "allowed_networks": ["127.0.0.0/8"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that accepts webhooks."""
    with receiving() as found:
        yield found


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Send events with a webhook of each color."""

    def send_sync(url: str, secrets: Any, times: int = 1, **options: Any) -> None:
        with Webhook(url, secrets, **options) as webhook:
            for _ in range(times):
                webhook(EVENT)

    def send_async(url: str, secrets: Any, times: int = 1, **options: Any) -> None:
        async def scene() -> None:
            async with AsyncWebhook(url, secrets, **options) as webhook:
                for _ in range(times):
                    await webhook(EVENT)

        asyncio.run(scene())

    return send_sync if request.param == "sync" else send_async


def test_a_receiver_verifies_the_message(receiver: Receiver, send: Callable[..., None]) -> None:
    """The reference library accepts the signature, and the body is the event."""
    secret = new_secret()
    send(receiver.url, secret, **LOCAL)
    path, headers, body = receiver.requests[0]
    payload = standardwebhooks.Webhook(secret).verify(body, headers)
    assert event_from_json(payload) == EVENT
    assert headers["webhook-id"] == EVENT.event_id
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert path == "/hook?key=secret-of-the-path"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret()).verify(body, headers)


def test_two_secrets_are_valid_at_once(receiver: Receiver, send: Callable[..., None]) -> None:
    """While a secret is replaced, receivers with the old one and with the new one accept the message."""
    old, new = new_secret(), new_secret()
    send(receiver.url, [new, old], **LOCAL)
    _, headers, body = receiver.requests[0]
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(body, headers) == json.loads(json.dumps(event_to_json(EVENT)))


@given(st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3), st.text(), st.integers(0, 2**33))
def test_signatures_are_those_of_the_reference_library(keys: list[bytes], text: str, timestamp: int) -> None:
    """Each signature is equal to that of the reference library."""
    from base64 import b64encode
    from datetime import UTC, datetime

    secrets = [f"whsec_{b64encode(each).decode()}" for each in keys]
    instant = datetime.fromtimestamp(timestamp, UTC)
    expected = [standardwebhooks.Webhook(each).sign("id", instant, text) for each in secrets]
    assert Signer(secrets).sign("id", timestamp, text.encode()).split() == expected


@pytest.mark.parametrize("status", [200, 202, 204])
def test_2xx_is_a_delivery(receiver: Receiver, send: Callable[..., None], status: int) -> None:
    """Every status of 2xx means that the receiver has the event. The connection is used again."""
    receiver.status = status
    send(receiver.url, new_secret(), times=2, **LOCAL)
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 500, 503])
def test_another_status_is_a_failure(receiver: Receiver, send: Callable[..., None], status: int) -> None:
    """Another status is a failure. A redirect is not followed."""
    receiver.status, receiver.headers = status, {"location": receiver.url, "retry-after": "7"}
    with pytest.raises(DeliveryFailed, match=f"HTTP {status}") as failure:
        send(receiver.url, new_secret(), **LOCAL)
    assert failure.value.retry_after == 7
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "", "9" * 30, "\u00b2"])
def test_a_retry_after_that_is_no_number_is_ignored(receiver: Receiver, value: str) -> None:
    """A date or nonsense in `Retry-After` asks for no delay."""
    receiver.status, receiver.headers = 503, {"retry-after": value}
    with Webhook(receiver.url, new_secret(), **LOCAL) as webhook, pytest.raises(DeliveryFailed) as failure:  # type: ignore[arg-type]
        webhook(EVENT)
    assert failure.value.retry_after == 0


def test_a_local_address_is_refused(receiver: Receiver, send: Callable[..., None]) -> None:
    """A loopback address is refused by default, by number and by name, and nothing is sent."""
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"):
        with pytest.raises(DeliveryFailed) as failure:
            send(f"http://{host}:{receiver.port}/", new_secret(), allow_http=True)
        assert "not public" in failure.value.detail
    assert receiver.requests == []


def test_a_host_is_resolved_once(
    receiver: Receiver, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook connects to the address that it checked. A name that changes its address gains nothing."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: Any, *rest: Any, **named: Any) -> Any:
        if host == "rebinding.example.org":
            asked.append(host)
            return resolve("127.0.0.1", *rest, **named)
        return resolve(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    send(f"http://rebinding.example.org:{receiver.port}/", new_secret(), **LOCAL)
    assert len(asked) == 1
    assert receiver.requests[0][1]["host"] == f"rebinding.example.org:{receiver.port}"


def test_one_forbidden_address_refuses_the_name(
    receiver: Receiver, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with a public and a private address is refused."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("203.0.114.1", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(DeliveryFailed, match="not public"):
        send("https://mixed.example.org/", new_secret())


def test_the_next_address_is_tried(
    receiver: Receiver, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an address of the host refuses the connection, the webhook connects to the next one."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 1)) for each in ("127.0.0.2", "127.0.0.1")]
    resolve = socket.getaddrinfo

    def two(host: Any, *rest: Any, **named: Any) -> Any:
        return found if host == "two.example.org" else resolve(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    send(f"http://two.example.org:{receiver.port}/", new_secret(), **LOCAL)
    assert len(receiver.requests) == 1


def test_an_unreachable_receiver_is_a_failure(send: Callable[..., None]) -> None:
    """A closed port is a failure whose detail has no part of the URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeliveryFailed, match="could not be reached") as failure:
        send(f"http://127.0.0.1:{port}/path-with-secret", new_secret(), **LOCAL)
    assert "secret" not in failure.value.detail
    with pytest.raises(DeliveryFailed, match="could not be resolved"):
        send("https://no-such-host.invalid/", new_secret())


def test_a_receiver_that_does_not_answer_is_a_failure(send: Callable[..., None]) -> None:
    """A receiver that accepts the connection and sends nothing is left at the timeout."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(DeliveryFailed, match="could not be reached"):
            send(f"http://127.0.0.1:{silent.getsockname()[1]}/", new_secret(), timeout=0.2, **LOCAL)


def test_the_certificate_is_that_of_the_host(
    tmp_path: Path, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS checks the name of the host although the connection goes to an address."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hook.example.org",
         "-addext", "subjectAltName=DNS:hook.example.org", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    local = {"allowed_networks": LOCAL["allowed_networks"], "ssl_context": trusting}
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1", *rest, **named))
    with receiving(server) as receiver:
        send(f"https://hook.example.org:{receiver.port}/", new_secret(), **local)
        assert len(receiver.requests) == 1
        for host, options in (("other.example.org", local), ("hook.example.org", {**local, "ssl_context": None})):
            with pytest.raises(DeliveryFailed, match="could not be reached"):
                send(f"https://{host}:{receiver.port}/", new_secret(), **options)
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://example.org/", "ftp://example.org/", "https://", "https://user:pass@example.org/", "nonsense", "https://a:b/"]
)  # fmt: skip
def test_a_wrong_url_is_refused(url: str) -> None:
    """The URL must be https with a host and without credentials. The message does not repeat it."""
    with pytest.raises(ValueError, match="URL of a webhook") as error:
        Webhook(url, new_secret())
    assert "pass" not in str(error.value).replace("password", "")


@pytest.mark.parametrize("secrets", [[], "", "whsec_", "whsec_c2hvcnQ=", "not base64!", ["whsec_\u00e4"]])
def test_a_wrong_secret_is_refused(secrets: Any) -> None:
    """A secret must be base64 of at least 24 bytes. The message does not repeat it."""
    with pytest.raises(ValueError, match="webhook") as error:
        Webhook("https://example.org/", secrets)
    assert "c2hvcnQ" not in str(error.value)


def test_secrets_and_paths_are_not_shown() -> None:
    """The representation has the host only."""
    secret = new_secret()
    shown = repr(Webhook("https://example.org/path-with-secret", secret))
    assert shown == "Webhook(https://example.org)"
    assert secret not in repr(AsyncWebhook("https://example.org/", secret))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
     "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2001:db8::1", "192.0.2.1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    """Loopback, private, link-local, multicast and reserved addresses are refused, also inside IPv6 addresses."""
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """Public addresses are allowed."""
    assert is_allowed(address)


def test_allowed_networks() -> None:
    """An allowed network allows its addresses, also inside IPv6 addresses, and no others."""
    networks = read_networks(["10.0.0.0/8", "fd00::/8"])
    assert all(is_allowed(each, networks) for each in ("10.1.1.1", "::ffff:10.1.1.1", "fd00::1"))
    assert not is_allowed("192.168.1.1", networks)
    with pytest.raises(ValueError, match="network"):
        Webhook("https://example.org/", new_secret(), allowed_networks=["nonsense"])
