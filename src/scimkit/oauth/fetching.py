"""The fetch of a key set over HTTP, within a time and a size. The module reads no key."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("JSON Web Tokens need joserfc and httpx: pip install 'scimkit[oauth]'") from _missing

from scimkit.delivery.addresses import Network, checked_addresses
from scimkit.delivery.retries import DeliveryFailed
from scimkit.oauth.key_sets import KeysUnavailable

MAX_BYTES: Final = 256 * 1024
"""Maximum size of a key set. The key sets of Entra ID and Okta have less than 32 KiB."""

_PORTS: Final = {"https": 443, "http": 80}
_HEADERS: Final = {"accept": "application/jwk-set+json, application/json", "accept-encoding": "identity",
                   "user-agent": "scimkit"}  # fmt: skip


def checked_url(url: str, allow_http: bool) -> str:
    """Return the URL of a key set.

    Raises:
        ValueError: The URL is not valid, or begins with neither `https://` nor, if allowed, `http://`.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("jwks must be a URL or a key set") from None
    if parsed.scheme != "https" and not (allow_http and parsed.scheme == "http"):
        raise ValueError("the URL of jwks must begin with https://, or http:// if allow_http is true")
    if not parsed.host or parsed.userinfo:
        raise ValueError("the URL of jwks must name a host, and no user")
    return url


def tls_settings(url: str | None, context: ssl.SSLContext | None) -> ssl.SSLContext:
    """Return the TLS settings of fetches: the given ones, or those of httpx. Without a URL, nothing is loaded."""
    return context or (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url is None else httpx.create_ssl_context())


async def fetch(url: str, timeout: float, context: ssl.SSLContext, networks: Sequence[Network] | None = None) -> bytes:
    """Return the body of a key set. Redirects are not followed.

    Args:
        url: The URL of the key set.
        timeout: Seconds for the connection and the whole response.
        context: The TLS settings.
        networks: None to connect to any address. Otherwise only public addresses, and those of the networks.

    Raises:
        KeysUnavailable: The issuer could not be reached in time, has a forbidden address, or did not answer with a key
            set of a fair size.
    """
    try:
        async with asyncio.timeout(timeout):
            if networks is None:
                return await _read(httpx.URL(url), {}, timeout, context)
            return await _read_from_allowed(httpx.URL(url), timeout, context, networks)
    except TimeoutError:
        raise KeysUnavailable(f"the issuer did not answer within {timeout:g} seconds") from None
    except (httpx.HTTPError, OSError, UnicodeError) as error:
        raise KeysUnavailable(f"the issuer could not be reached ({type(error).__name__})") from None


async def _read_from_allowed(
    url: httpx.URL, timeout: float, context: ssl.SSLContext, networks: Sequence[Network]
) -> bytes:
    """Resolve the host, check all its addresses, and read the key set from the first that accepts connections.

    The URL then names the address, so that nothing resolves the name again (DNS rebinding). The `Host` header and TLS
    name the host.
    """
    host, port = url.raw_host.decode("ascii").strip("[]"), url.port or _PORTS[url.scheme]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        addresses = checked_addresses(found, networks)
    except DeliveryFailed:
        raise KeysUnavailable("the host of the issuer has an address that is not public") from None
    options: dict[str, Any] = {"headers": {"host": url.netloc.decode("ascii")}, "extensions": {"sni_hostname": host}}
    for address in addresses[:-1]:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await _read(url.copy_with(host=address), options, timeout, context)
    return await _read(url.copy_with(host=addresses[-1]), options, timeout, context)


async def _read(url: httpx.URL, options: dict[str, Any], timeout: float, context: ssl.SSLContext) -> bytes:
    """Return the body of a key set, or raise KeysUnavailable as soon as it is too large."""
    headers = _HEADERS | options.get("headers", {})
    async with (
        httpx.AsyncClient(timeout=timeout, verify=context, follow_redirects=False, trust_env=not options) as client,
        client.stream("GET", url, headers=headers, extensions=options.get("extensions")) as response,
    ):
        if response.status_code != httpx.codes.OK:
            hint = "; redirects are not followed" if response.is_redirect else ""
            raise KeysUnavailable(f"the issuer answered with HTTP {response.status_code}{hint}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise KeysUnavailable("the issuer compressed its keys, although the request asked for plain JSON")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise KeysUnavailable(f"the keys of the issuer are larger than {MAX_BYTES} bytes")
        return bytes(body)


def fetch_in_thread(
    url: str, timeout: float, context: ssl.SSLContext, networks: Sequence[Network] | None = None
) -> bytes:
    """Return the body of a key set as `fetch` does, for callers without an event loop.

    A thread with an event loop runs the fetch, because only an event loop bounds the time of the whole response.

    Raises:
        KeysUnavailable: As `fetch`.
    """
    executor = ThreadPoolExecutor(1, "scimkit-keys")
    waiting = executor.submit(lambda: asyncio.run(fetch(url, timeout, context, networks)))
    executor.shutdown(wait=False)
    try:
        return waiting.result(timeout + 1)
    except TimeoutError:  # the name of the host is still being resolved, which nothing can interrupt
        raise KeysUnavailable(f"the issuer did not answer within {timeout:g} seconds") from None
