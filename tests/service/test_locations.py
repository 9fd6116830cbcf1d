"""Where the endpoint is: mount paths and proxies."""

from __future__ import annotations

import pytest

from scimkit.service.locations import base_url, relative_path


class TestRelativePath:
    """The path below the endpoint."""

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
        """The prefix is taken off."""
        assert relative_path(path, prefix) == below

    @pytest.mark.parametrize("path", ["/Users", "/scim/v22/Users", "/scim", "", "/SCIM/V2/Users"])
    def test_outside(self, path: str) -> None:
        """A path that is not below the prefix leads to no endpoint."""
        below = relative_path(path, "/scim/v2")
        assert below.strip("/") == " / "


class TestBaseUrl:
    """The endpoint's URL."""

    def url(self, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return base_url(scheme="http", host="inner:8000", root="/scim/v2", headers=named)

    def test_plain(self) -> None:
        """Scheme, host and mount path."""
        assert self.url() == "http://inner:8000/scim/v2"

    @pytest.mark.parametrize(
        ("headers", "url"),
        [
            ({"x_forwarded_proto": "https"}, "https://inner:8000/scim/v2"),
            ({"x_forwarded_host": "help.example.org"}, "http://help.example.org/scim/v2"),
            ({"x_forwarded_prefix": "/desk"}, "http://inner:8000/desk/scim/v2"),
            ({"x_forwarded_prefix": "/desk/"}, "http://inner:8000/desk/scim/v2"),
            ({"x_forwarded_host": "first.example, second.example"}, "http://first.example/scim/v2"),
            ({"x_forwarded_host": ""}, "http://inner:8000/scim/v2"),
        ],
    )
    def test_forwarded(self, headers: dict[str, str], url: str) -> None:
        """Each forwarded header wins by its first value, an empty one does not."""
        assert self.url(**headers) == url
