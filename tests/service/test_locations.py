"""The URL of the endpoint: mount paths and proxies."""

from __future__ import annotations

import pytest

from scimkit.errors import BadRequest
from scimkit.service.locations import base_url, check_host, path_segment, relative_path


class TestRelativePath:
    """The path relative to the endpoint."""

    @pytest.mark.parametrize(
        ("path", "prefix", "below"),
        [
            ("/Users", "", "/Users"),
            ("/scim/v2/Users", "/scim/v2", "/Users"),
            ("/scim/v2", "/scim/v2", ""),
            ("/scim/v2/", "/scim/v2", "/"),
        ],
    )
    def test_inside(self, path: str, prefix: str, below: str) -> None:
        """The prefix is removed from a path below it."""
        assert relative_path(path, prefix) == below

    @pytest.mark.parametrize("path", ["/Users", "/scim/v22/Users", "/scim", "", "/SCIM/V2/Users"])
    def test_outside(self, path: str) -> None:
        """A path outside the prefix matches no endpoint."""
        below = relative_path(path, "/scim/v2")
        assert below.strip("/") == " / "


class TestBaseUrl:
    """The URL of the endpoint."""

    def url(self, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return base_url(scheme="http", host="inner:8000", root="/scim/v2", headers=named, proxies=1)

    def test_plain(self) -> None:
        """The URL consists of scheme, host and mount path."""
        assert self.url() == "http://inner:8000/scim/v2"

    @pytest.mark.parametrize(
        ("headers", "url"),
        [
            ({"x_forwarded_proto": "https"}, "https://inner:8000/scim/v2"),
            ({"x_forwarded_host": "help.example.org"}, "http://help.example.org/scim/v2"),
            ({"x_forwarded_prefix": "/desk"}, "http://inner:8000/desk/scim/v2"),
            ({"x_forwarded_prefix": "/desk/"}, "http://inner:8000/desk/scim/v2"),
            ({"x_forwarded_host": "first.example, second.example"}, "http://second.example/scim/v2"),
            ({"x_forwarded_host": ""}, "http://inner:8000/scim/v2"),
        ],
    )
    def test_forwarded(self, headers: dict[str, str], url: str) -> None:
        """For each forwarded header, the value of the trusted proxy applies. An empty value is ignored."""
        assert self.url(**headers) == url

    @pytest.mark.parametrize("headers", [{"x_forwarded_host": "a b"}, {"x_forwarded_proto": "javascript"}])
    def test_invalid_forwarded_values(self, headers: dict[str, str]) -> None:
        """A forwarded value that cannot be part of a URL gets 400."""
        with pytest.raises(BadRequest):
            self.url(**headers)


@pytest.mark.parametrize("host", ["a", "a.example:80", "a.example:", "[::1]:8000", "[v1.x:y]", "a_b", "%41"])
def test_hosts(host: str) -> None:
    """A host of RFC 3986 section 3.2.2, with or without a port, is accepted."""
    assert check_host(host) == host


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "a:b", "a,b", "[::1", "a\nb", "é", "x" * 301, "%4"])
def test_invalid_hosts(host: str) -> None:
    """Any other Host value gets 400."""
    with pytest.raises(BadRequest):
        check_host(host)


def test_ids_in_urls() -> None:
    """An id in a URL is one path segment, with reserved and non-ASCII characters percent-encoded."""
    assert path_segment("2819c223-7f76") == "2819c223-7f76"
    assert path_segment("clé/a?b") == "cl%C3%A9%2Fa%3Fb"
