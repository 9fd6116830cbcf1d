"""`python -m tests.fairness` measures how much a tenant that floods the server slows another tenant.

One process serves a database with rate limits. This process sends requests of a quiet tenant at an even pace, and
measures the time of each response: first alone, and then while a third process sends 50 times the share of another
tenant. The command prints the percentiles, and the ratio of the two 95th percentiles. The ratio is expected to be below
1.5 on a quiet machine with two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from scimkit import RateLimits, ScimService
from scimkit.asgi import ScimApp
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.tokens import TokenRegistry

SHARE = 20.0
"""Requests a second of a tenant."""
TIMES = 50
"""The flooding tenant sends this multiple of its share."""
QUIET_RATE = 10.0
CONNECTIONS = 20


async def send(url: str, token: str, rate: float, seconds: float, connections: int = 1) -> list[tuple[int, float]]:
    """Send GET requests at an even pace over some connections.

    Returns:
        The status and the duration in seconds of each request.
    """
    parts = urlsplit(url)
    request = (f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n").encode()
    begin, answered = time.monotonic(), []

    async def one(first: float) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        due = begin + first
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            sent = time.monotonic()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            answered.append((int(head.split()[1]), time.monotonic() - sent))
            due = max(due + connections / rate, time.monotonic())
        writer.close()

    await asyncio.gather(*(one(each / rate) for each in range(connections)))
    return answered


def service_of(store: SqlStore, share: float = SHARE) -> tuple[ScimService, TokenRegistry]:
    """Return a service with rate limits, and its tokens."""
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    return ScimService(store, tokens=tokens, rate_limits=RateLimits(tenant=share, token=share)), tokens


def serve(database: Path) -> None:
    """Serve, and print the URL and the tokens of two tenants."""
    import uvicorn

    service, tokens = service_of(SqlStore(f"sqlite:///{database}"))
    for tenant in ("quiet", "flooding"):
        print(tokens.issue("fairness", tenant=tenant).token, flush=True)
    uvicorn.run(ScimApp(service, prefix="/scim/v2"), port=8765, log_level="error", access_log=False)


def p95(answered: list[tuple[int, float]]) -> float:
    """Return the 95th percentile in milliseconds."""
    return quantiles([seconds for _, seconds in answered], n=100)[94] * 1000


def measure(seconds: float) -> None:
    """Measure the quiet tenant without and with a flood, and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fairness"]
        server = subprocess.Popen([*command, "--serve", str(Path(folder) / "db")], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            quiet_token, flooding_token = server.stdout.readline().strip(), server.stdout.readline().strip()
            url = "http://127.0.0.1:8765/scim/v2/Users"
            time.sleep(2)
            asyncio.run(send(url, quiet_token, QUIET_RATE, 1))
            alone = asyncio.run(send(url, quiet_token, QUIET_RATE, seconds))
            flood = subprocess.Popen(
                [*command, "--flood", flooding_token, "--seconds", str(seconds + 2), url],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            time.sleep(1)
            beside = asyncio.run(send(url, quiet_token, QUIET_RATE, seconds))
            told = flood.communicate()[0].strip()
        finally:
            server.kill()
    print(f"flooding tenant: {told}")
    for name, answered in (("alone", alone), ("beside the flood", beside)):
        statuses = dict(Counter(status for status, _ in answered))
        print(f"quiet tenant, {name}: p95 {p95(answered):.1f} ms, statuses {statuses}")
    print(f"ratio: {p95(beside) / p95(alone):.2f}")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--flood")
    parser.add_argument("url", nargs="?")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    elif options.flood:
        sent = asyncio.run(send(options.url, options.flood, TIMES * SHARE, options.seconds, CONNECTIONS))
        counts = dict(Counter(status for status, _ in sent))
        print(f"{len(sent) / options.seconds:.0f} requests a second, statuses {counts}")
    else:
        measure(options.seconds)


if __name__ == "__main__":
    main()
