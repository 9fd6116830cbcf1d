"""The source of a request, from the address of the peer and the headers of trusted proxies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit.service.sources import client_source


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:8080", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix:", ""),
        ("testclient", ""),
        ("", ""),
        (None, ""),
        ("1" * 100, ""),
        ("192.0.2.7:x", ""),
        ("[192.0.2", ""),
    ],
)
def test_the_source_of_an_address(address: Any, source: str) -> None:
    """The source is an IPv4 address or the /64 network of an IPv6 address. Any other text has no source."""
    assert client_source(address, {}, 0) == source


@pytest.mark.parametrize(
    ("forwarded", "proxies", "source"),
    [
        ("203.0.113.9", 0, "10.0.0.1"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", 1, "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("203.0.113.9", 2, "203.0.113.9"),
        ("2001:db8::1", 1, "2001:db8::/64"),
        ("unknown", 1, ""),
        ("", 1, "10.0.0.1"),
    ],
)
def test_the_outermost_trusted_proxy_names_the_client(forwarded: str, proxies: int, source: str) -> None:
    """Values that a client put before those of trusted proxies are ignored. Without proxies, the header is ignored."""
    assert client_source("10.0.0.1", {"x-forwarded-for": forwarded}, proxies) == source


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 3))
def test_any_text_has_a_short_source(address: str, forwarded: str, proxies: int) -> None:
    """Any text gives a short source without an exception."""
    assert len(client_source(address, {"x-forwarded-for": forwarded}, proxies)) < 64
