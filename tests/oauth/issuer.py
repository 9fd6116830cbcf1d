"""An issuer of access tokens for tests: its keys, its tokens, and a real HTTP server with its key set."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://login.example.org"
AUDIENCE = "https://help.example.org/scim/v2"
CLIENT = "3b9f1f0e-7a54-4a3e-9d2b-6f0c5f4f8e11"

Key = RSAKey | ECKey


@cache
def key(kid: str, kind: str = "EC") -> Key:
    """Return a private key with an id."""
    if kind == "RSA":
        return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def key_set(*keys: Key, **members: Any) -> dict[str, Any]:
    """Return a key set with the public parts of keys, each with additional members."""
    return {"keys": [{**each.as_dict(private=False), **members} for each in keys]}


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of an access token (RFC 9068). A claim that is None is left out."""
    now = int(time.time())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, "iat": now, "jti": "1", "sub": CLIENT, "client_id": CLIENT,
        "scope": "read write",
    }  # fmt: skip
    return {name: value for name, value in (usual | changed).items() if value is not None}


def token(signer: Key | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """Return an access token. A header that is None is left out."""
    signer = signer or key("one")
    algorithm = "RS256" if isinstance(signer, RSAKey) else "ES256"
    usual = {"alg": algorithm, "kid": signer.kid, "typ": "at+jwt"} | (header or {})
    merged = {name: value for name, value in usual.items() if value is not None}
    return jwt.encode(merged, claims(**changed), signer, algorithms=[merged["alg"]], default_type=None)


def segment(value: Any) -> str:
    """Return a segment of a token: JSON, or bytes, in base64url."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(body).rstrip(b"=").decode()


@dataclass
class Server:
    """A server of a key set.

    Attributes:
        document: The key set.
        requests: The paths that were requested.
        answer: A function that answers in another way, or None.
        sent: The number of bytes that `answer` has sent.
        ended: Set when the server stops, so that no slow answer outlives the test.
    """

    document: dict[str, Any]
    url: str = ""
    requests: list[str] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler, Server], None] | None = None
    sent: int = 0
    ended: Event = field(default_factory=Event)


@contextmanager
def serving(document: dict[str, Any]) -> Iterator[Server]:
    """Serve a key set at a free port while the block runs."""
    served = Server(document)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            if served.answer is not None:
                with suppress(OSError):  # the client has gone, as it should
                    served.answer(self, served)
                return
            body = json.dumps(served.document).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        served.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.ended.set()
            server.shutdown()
            thread.join()


def refuse(handler: BaseHTTPRequestHandler, _: Server) -> None:
    """Answer as an issuer that is down."""
    handler.send_error(503)


def redirect(handler: BaseHTTPRequestHandler, served: Server) -> None:
    """Answer with a redirect to another place of the server."""
    handler.send_response(302)
    handler.send_header("location", served.url.replace("/keys", "/elsewhere"))
    handler.end_headers()


def huge(handler: BaseHTTPRequestHandler, served: Server) -> None:
    """Answer with a key set of 10 MB."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'{"keys": [')
    while served.sent < 10_000_000:
        served.sent += handler.wfile.write(b'{"kty": "oct"},' * 4000)


def slow_body(handler: BaseHTTPRequestHandler, served: Server) -> None:
    """Answer with one byte at a time, for ever. Each byte comes soon after the last one."""
    handler.send_response(200)
    handler.end_headers()
    while not served.ended.wait(0.02):
        served.sent += handler.wfile.write(b" ")


def slow_headers(handler: BaseHTTPRequestHandler, served: Server) -> None:
    """Answer with one byte of a header at a time, for ever."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nx-slow: ")
    while not served.ended.wait(0.02):
        served.sent += handler.wfile.write(b"x")


def not_a_key_set(handler: BaseHTTPRequestHandler, _: Server) -> None:
    """Answer with a page instead of a key set."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html>maintenance</html>")
