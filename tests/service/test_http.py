"""Requests and responses as values: query strings, headers and bodies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit.dialects import STRICT, RequestDeviations
from scimkit.errors import (
    InvalidFilter,
    InvalidSyntax,
    InvalidValue,
    MethodNotAllowed,
    ScimError,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from scimkit.service.http import check_media_type, error_response, integer, json_response, read_query
from tests.client import ERROR, Client


class TestReadQuery:
    """Parsing of query strings."""

    @pytest.mark.parametrize(
        ("query", "parameters"),
        [
            ("", {}),
            ("filter=userName+eq+%22ada%22", {"filter": 'userName eq "ada"'}),
            ("filter=userName%20eq%20%22a%2Bb%22", {"filter": 'userName eq "a+b"'}),
            ("startIndex=1&count=2", {"startindex": "1", "count": "2"}),
            ("STARTINDEX=1", {"startindex": "1"}),
            ("sortBy=&count=2", {"sortby": "", "count": "2"}),
            ("sortBy", {"sortby": ""}),
            ("filter=&cursor", {"filter": "", "cursor": ""}),
            ("unknown=1&unknown=2&count=2", {"count": "2"}),
            ("&&", {}),
            ("filter=a=b", {"filter": "a=b"}),
            ("filter=%C3%A5se", {"filter": "åse"}),
            ("count=2&Count=2", {"count": "2"}),
        ],
    )
    @pytest.mark.rfc("7644-3.4.2-7")
    def test_parameters(self, query: str, parameters: dict[str, str]) -> None:
        """Names become lower case, and `+` means a space.

        Repeated equal, unknown and most empty parameters are dropped.
        """
        assert read_query(query) == parameters

    @pytest.mark.parametrize("query", ["filter=%ff", "count=1&count=2", "count=1&COUNT=2", "&".join(["a=1"] * 51)])
    def test_refused(self, query: str) -> None:
        """Invalid UTF-8, one parameter with two values, and too many parameters are refused."""
        with pytest.raises(InvalidSyntax):
            read_query(query)

    @given(st.text())
    def test_any_text(self, query: str) -> None:
        """Any query string gives parameters or InvalidSyntax."""
        try:
            parameters = read_query(query)
        except InvalidSyntax:
            return
        known = {"attributes", "excludedattributes", "startindex", "count", "filter", "sortby", "sortorder", "cursor"}
        assert parameters.keys() <= known
        assert all(type(value) is str for value in parameters.values())


class TestInteger:
    """Parsing of integer parameters."""

    @pytest.mark.parametrize(("value", "number"), [("7", 7), ("-7", -7), ("0", 0), (7, 7), ("9" * 18, 10**18 - 1)])
    def test_number(self, value: str | int, number: int) -> None:
        """An integer is read from a string, or taken from a SearchRequest."""
        assert integer({"startindex": value}, "startIndex", 1) == number

    @pytest.mark.parametrize("value", ["9" * 19, "9" * 5000, " 99999999999999999999 ", 10**18, 10**1000])
    def test_numbers_out_of_range(self, value: str | int) -> None:
        """A number beyond the range of databases is read as the largest or smallest number, with its sign."""
        assert integer({"startindex": value}, "startIndex", 1) == 10**18
        negative = f"-{value.strip()}" if isinstance(value, str) else -value
        assert integer({"startindex": negative}, "startIndex", 1) == -(10**18)

    def test_default(self) -> None:
        """An absent parameter has the default value."""
        assert integer({}, "startIndex", 1) == 1

    @pytest.mark.parametrize("value", ["one", "1.5", "1e3", "", "9" * 19 + "x"])
    def test_refused(self, value: str | int) -> None:
        """A value that is not an integer is refused."""
        with pytest.raises(InvalidValue, match="startIndex"):
            integer({"startindex": value}, "startIndex", 1)


class TestMediaType:
    """Media types of bodies (RFC 7644 sections 3.1 and 8.1)."""

    @pytest.mark.parametrize(
        "content_type",
        [
            None,
            "",
            "application/scim+json",
            "application/json",
            "Application/SCIM+JSON; charset=UTF-8",
            'application/json;charset="utf-8"',
            "application/json; charset=utf8; profile=x",
            "application/scim+json;",
        ],
    )
    @pytest.mark.rfc("7644-3.1-2")
    def test_accepted(self, content_type: str | None) -> None:
        """SCIM JSON and JSON in UTF-8 are accepted, and so is a body without Content-Type."""
        check_media_type(content_type, RequestDeviations(STRICT))

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin-1",
         "application/jsonx", "json", "*/*"],
    )  # fmt: skip
    def test_refused(self, content_type: str) -> None:
        """Any other media type gets 415."""
        with pytest.raises(UnsupportedMediaType):
            check_media_type(content_type, RequestDeviations(STRICT))


class TestResponses:
    """Bodies and headers of responses."""

    @pytest.mark.rfc("7644-3.1-1")
    def test_json(self) -> None:
        """A JSON body is compact UTF-8 with the SCIM media type."""
        response = json_response(200, {"a": "Å", "b": [1, True]}, ("ETag", 'W/"1"'))
        assert response.body == '{"a":"Å","b":[1,true]}'.encode()
        assert response.headers == (("Content-Type", "application/scim+json"), ("ETag", 'W/"1"'))

    @pytest.mark.parametrize(
        ("error", "header"),
        [
            (InvalidFilter("No."), None),
            (Unauthorized(), "WWW-Authenticate"),
            (MethodNotAllowed(("GET",)), "Allow"),
            (TooManyRequests(7), "Retry-After"),
        ],
    )
    def test_error(self, error: ScimError, header: str | None) -> None:
        """An error has its status as the HTTP status and as a string in the body, and its own headers."""
        response = error_response(error)
        body = json.loads(response.body)
        assert body["schemas"] == [ERROR]
        assert (response.status, body["status"], body["detail"]) == (error.status, str(error.status), error.detail)
        assert body.get("scimType") == error.scim_type
        assert {name for name, _ in response.headers} == {"Content-Type"} | ({header} if header else set())


class TestAccept:
    """Content negotiation (RFC 7644 section 3.8)."""

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            (None, "application/scim+json"),
            ("*/*", "application/scim+json"),
            ("application/*;q=0.5", "application/scim+json"),
            ("application/scim+json", "application/scim+json"),
            ("application/json, application/scim+json", "application/scim+json"),
            ("application/json", "application/json"),
            ("text/html, APPLICATION/JSON; charset=utf-8", "application/json"),
            ("application/scim+json;q=0, application/json", "application/json"),
            ("application/scim+json;q=0, */*", "application/json"),
            ("application/json, application/scim+json;q=0.5", "application/json"),
            ("application/json;q=0.2, application/scim+json;q=0.9", "application/scim+json"),
            ("application/json, text/plain, */*", "application/scim+json"),
            ("*/*;q=0.1, application/json;q=nonsense", "application/json"),
        ],
    )
    @pytest.mark.rfc("7644-3.8-1", "7644-3.8-2")
    def test_media_type(self, accept: str | None, media_type: str) -> None:
        """The response has the SCIM media type, or plain JSON if the client prefers that."""
        client = Client(dialect=STRICT)
        answer = client.get("/Users", headers={} if accept is None else {"Accept": accept})
        assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)

    @pytest.mark.rfc("7644-3.8-3")
    def test_nothing_acceptable(self) -> None:
        """A client that accepts neither gets 406 in the strict dialect, and SCIM in the tolerant dialect."""
        assert Client(dialect=STRICT).get("/Users", headers={"Accept": "text/html"}).status == 406
        assert Client().get("/Users", headers={"Accept": "text/html"}).status == 200


class TestOptions:
    """The OPTIONS method (RFC 9110 section 9.3.7)."""

    def test_allow(self, client: Client) -> None:
        """OPTIONS returns 204 with Allow, or 404 for an unknown endpoint. A method override header is ignored."""
        answer = client.send("OPTIONS", "/Users")
        assert (answer.status, answer.headers["Allow"]) == (204, "GET, POST")
        assert client.send("OPTIONS", "/Users/x").headers["Allow"] == "GET, PUT, PATCH, DELETE"
        assert client.send("OPTIONS", "/Nope").status == 404
        id = client.user("ada")
        client.send("POST", f"/Users/{id}", {}, {"X-HTTP-Method-Override": "DELETE"})
        assert client.get(f"/Users/{id}").status == 200
