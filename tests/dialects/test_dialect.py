"""Dialects: which quirks are asked, in which order, and which dialect serves a request."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from scimkit import DIALECTS, ENTRA, STRICT, TOLERANT, Dialect, Quirk, RequestCompleted, TokenRegistry
from scimkit.dialects import NOT_APPLICABLE, QUIRKS
from tests.client import ENTERPRISE, USER, Client


def quirk(name: str, answer: object) -> Quirk:
    """Return a quirk that gives the same answer for every unknown name."""
    return Quirk(name, "unknown", "a test", "a test", ("nobody",), "nowhere", lambda *_: answer)


class TestDialect:
    """A named set of quirks."""

    def test_the_dialects_by_name(self) -> None:
        """The dialects of scimkit are found by their names."""
        assert {name: dialect.name for name, dialect in DIALECTS.items()} == {name: name for name in DIALECTS}
        assert {"tolerant", "strict", "entra"} <= set(DIALECTS)

    def test_strict_has_no_quirk(self) -> None:
        """The strict dialect has no quirks."""
        assert STRICT.quirks == ()

    def test_tolerant_and_entra_have_every_quirk(self) -> None:
        """The dialects tolerant and entra have every quirk, because the meaning of each is clear."""
        assert ENTRA.quirks == QUIRKS == TOLERANT.quirks

    def test_at_a_stage(self) -> None:
        """`at` returns the quirks of a stage in order, or none."""
        first, second = quirk("first", None), quirk("second", None)
        dialect = Dialect("mine", [first, second])
        assert dialect.at("unknown") == (first, second)
        assert dialect.at("path") == ()

    def test_extended_goes_first(self) -> None:
        """Custom quirks are asked before the quirks of the dialect."""
        dialect = TOLERANT.extended("mine", quirk("first", None))
        assert dialect.name == "mine"
        assert dialect.at("unknown")[0].name == "first"
        assert Client(dialect=dialect).post("/Users", {"userName": "a", "x": 1}).quirks[0] == "first"

    def test_a_quirk_that_does_not_apply(self) -> None:
        """A quirk that does not apply passes the request to the next quirk, and is not named."""
        dialect = TOLERANT.extended("mine", quirk("first", NOT_APPLICABLE))
        answer = Client(dialect=dialect).post("/Users", {"schemas": [USER], "userName": "a", "x": 1})
        assert (answer.status, answer.quirks) == (201, ("unknown-attribute",))

    def test_without(self) -> None:
        """A dialect without a quirk refuses what the quirk accepted."""
        dialect = TOLERANT.without("mine", "unknown-attribute")
        answer = Client(dialect=dialect).post("/Users", {"schemas": [USER], "userName": "a", "x": 1})
        assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")

    def test_repr(self) -> None:
        """The repr of a dialect has its name and the number of its quirks."""
        assert repr(STRICT) == "<Dialect strict: 0 quirks>"


class TestRequestDeviations:
    """The deviations of one request."""

    @pytest.mark.parametrize("name", sorted(DIALECTS))
    def test_a_request_in_rfc_form_uses_no_quirk(self, name: str) -> None:
        """A request in RFC form uses no quirk in any dialect."""
        client = Client(dialect=DIALECTS[name])
        user = {
            "schemas": [USER, ENTERPRISE],
            "userName": "ada@example.org",
            "name": {"givenName": "Ada"},
            "emails": [{"value": "ada@example.org", "type": "work", "primary": True}],
            "active": True,
            ENTERPRISE: {"department": "Engines"},
        }
        created = client.post("/Users", user)
        path = f"/Users/{created.id}"
        operations = [
            {"op": "replace", "path": 'emails[type eq "work"].value', "value": "king@example.org"},
            {"op": "remove", "path": f"{ENTERPRISE}:department"},
            {"op": "add", "value": {"title": "Countess"}},
        ]
        if DIALECTS[name].restricts("path-required"):
            operations[-1] = {"op": "add", "path": "title", "value": "Countess"}
        text = quote('emails[type eq "work" and value co "king"] and not (title eq "x") or userName pr')
        answers = [
            created,
            client.put(path, user),
            client.patch(path, *operations),
            client.get(f"/Users?filter={text}"),
        ]
        assert [(each.status, each.quirks) for each in answers] == [(201, ()), (200, ()), (200, ()), (200, ())]

    def test_each_quirk_is_named_once_in_order(self) -> None:
        """A response names each quirk that was used once, in order."""
        body = {"userName": 7, "emails": {"value": 8}, "x": 1, "y": 2}
        assert Client().post("/Users", body).quirks == (
            "scalar-for-text", "one-for-many", "unknown-attribute", "other-schemas",
        )  # fmt: skip

    def test_a_refused_request_names_quirks_too(self) -> None:
        """A refused request names the quirks that were used before it was refused."""
        client = Client()
        client.user("7")
        answer = client.post("/Users", {"schemas": [USER], "userName": 7})
        assert (answer.status, answer.quirks) == (409, ("scalar-for-text",))

    @pytest.mark.parametrize(
        "text",
        [
            'active eq "True" and userName pr',
            'not (active eq "false")',
            'active eq "nonsense" or userName pr or active eq "true"',
            'roles[primary eq "TRUE"]',
            "department eq Engines",
            "employeeNumber pr",
        ],
    )
    def test_a_filter_is_fitted_to_the_schema(self, text: str) -> None:
        """Values and paths are rewritten at any depth of a filter, or the filter is refused."""
        client = Client()
        client.user(
            "ada",
            active=True,
            roles=[{"value": "x", "primary": True}],
            **{ENTERPRISE: {"department": "Engines", "employeeNumber": "1"}},
        )
        answer = client.get(f"/Users?filter={quote(text)}")
        if "nonsense" in text:
            assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")
        else:
            assert answer.body["totalResults"] == 1
            assert answer.quirks


class TestChoice:
    """The choice of the dialect for a request."""

    def test_a_token_may_name_its_dialect(self) -> None:
        """The dialect of the token takes precedence over the dialect of the service."""
        tokens = TokenRegistry()
        client = Client(tokens=tokens)
        body = {"userName": "ada"}
        client.token = tokens.issue("exact", dialect="strict").token
        assert client.post("/Users", body).status == 400
        client.token = tokens.issue("easy").token
        assert client.post("/Users", body).status == 201

    def test_an_unknown_name_falls_back(self) -> None:
        """If the service does not know the dialect of a token, the dialect of the service applies."""
        tokens = TokenRegistry()
        client = Client(tokens=tokens, dialect=STRICT)
        client.token = tokens.issue("odd", dialect="martian").token
        assert client.post("/Users", {"userName": "ada"}).status == 400

    def test_custom_dialects(self) -> None:
        """A service knows the dialects that it is given."""
        tokens = TokenRegistry()
        client = Client(tokens=tokens, dialect=STRICT, dialects={"house": TOLERANT})
        client.token = tokens.issue("house", dialect="house").token
        assert client.post("/Users", {"userName": "ada"}).status == 201

    def test_a_tenant_may_have_its_dialect(self) -> None:
        """The dialect of a tenant applies to tokens that name none. The dialect of a token takes precedence."""
        tokens = TokenRegistry()
        client = Client(tokens=tokens, tenant="exact", tenant_dialects={"exact": "strict"})
        assert client.post("/Users", {"userName": "ada"}).status == 400
        client.token = tokens.issue("easy", tenant="exact", dialect="tolerant").token
        assert client.post("/Users", {"userName": "ada"}).status == 201
        assert client.of_tenant("other").post("/Users", {"userName": "ada"}).status == 201


class TestReporting:
    """The places that name the quirks of a request."""

    def test_the_log_line_and_the_event(self, caplog: pytest.LogCaptureFixture) -> None:
        """The response object, the log line and the event name the quirks that were used. The body does not."""
        events: list[RequestCompleted] = []
        client = Client(on_request_completed=events.append)
        with caplog.at_level("INFO", logger="scimkit"):
            answer = client.post("/Users", {"userName": "ada", "active": "True"})
        assert answer.quirks == events[-1].quirks == ("boolean-text", "other-schemas")
        messages = [each.getMessage() for each in caplog.records if each.name == "scimkit"]
        assert messages == ["POST /Users: 201, quirks: boolean-text, other-schemas"]
        assert not any(name in str(answer.body) for name in answer.quirks)

    def test_a_request_in_rfc_form_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """A request that uses no quirk writes no log line."""
        with caplog.at_level("INFO", logger="scimkit"):
            Client().user("ada")
        assert [each for each in caplog.records if each.name == "scimkit"] == []

    @pytest.mark.parametrize(
        ("method", "path", "body", "clause"),
        [
            ("POST", "/Users", {"userName": "ada"}, "RFC 7644 section 3.3"),
            ("POST", "/Users", {"schemas": [USER], "userName": 7}, "RFC 7643 section 2.3"),
            ("GET", "/Users?filter=userName+eq+ada", None, "RFC 7644 section 3.4.2.2"),
            ("PATCH", "/Users/1", {"Operations": []}, "RFC 7644 section 3.5.2"),
        ],
    )
    def test_strict_names_the_clause(self, method: str, path: str, body: object, clause: str) -> None:
        """The strict dialect names the section of the RFC that a request violates. The tolerant dialect does not."""
        assert Client(dialect=STRICT).send(method, path, body).body["detail"].endswith(f"({clause}).")
        assert "RFC" not in str(Client().send(method, path, body).body)
