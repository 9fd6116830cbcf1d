"""`ScimService`: authentication, routing, discovery, and the response to every kind of failure."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import (
    GROUP,
    STRICT,
    USER,
    Limits,
    MemoryStore,
    Principal,
    Request,
    RequestCompleted,
    ResourceType,
    ScimService,
    TokenRegistry,
    as_async_store,
    run_sync,
)
from scimkit.errors import Unavailable
from scimkit.schema.core import USER_SCHEMA
from tests.client import BASE_URL, ENTERPRISE, ERROR, Answer, Client
from tests.client import GROUP as GROUP_URN
from tests.client import USER as USER_URN


def assert_error(answer: Answer, status: int, scim_type: str | None = None) -> None:
    """Check that an answer is a SCIM error with a status and a `scimType` (RFC 7644 section 3.12)."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/scim+json"
    assert answer.body["schemas"] == [ERROR]
    assert answer.body["status"] == str(status)
    assert answer.body["detail"]
    assert answer.body.get("scimType") == scim_type


class BrokenStore(MemoryStore):
    """A store whose reads raise an unexpected exception."""

    def get(self, *arguments: Any, **options: Any) -> Any:
        raise KeyError("/var/lib/scim/secret.db")


DISCOVERY = [
    f"urn:ietf:params:scim:schemas:core:2.0:{each}" for each in ("ServiceProviderConfig", "ResourceType", "Schema")
]


class BusyStore(MemoryStore):
    """A store whose reads are temporarily unavailable."""

    def get(self, *arguments: Any, **options: Any) -> Any:
        raise Unavailable(retry_after=3)


class TestAuthentication:
    """Every endpoint except the ServiceProviderConfig requires a token."""

    @pytest.mark.parametrize("path", ["/Users", "/Users/1", "/Groups", "/ServiceProviderConfig/x", "/Schemas", "/Nope"])
    @pytest.mark.rfc("7644-2-2", "7644-2-3", "7644-3.12-5", "7644-2.2-1")
    def test_without_a_token(self, client: Client, path: str) -> None:
        """A request without a token gets 401 with a challenge and a SCIM error, whether or not the path exists."""
        response = run_sync(client.service.handle(Request("GET", path, base_url=BASE_URL)))
        answer = Answer(response.status, json.loads(response.body), dict(response.headers), ())
        assert_error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.rfc("7643-5-5")
    def test_how_to_authenticate_is_public(self, client: Client) -> None:
        """The ServiceProviderConfig needs no token, but a token that is sent must be valid."""
        for method, status in (("GET", 200), ("HEAD", 200), ("POST", 401), ("DELETE", 401)):
            request = Request(method, "/ServiceProviderConfig", base_url=BASE_URL)
            assert run_sync(client.service.handle(request)).status == status
        for header in ("", "Bearer nope"):
            assert client.get("/ServiceProviderConfig", headers={"Authorization": header}).status == 401

    @pytest.mark.parametrize(
        ("header", "error"),
        [("Basic YTpi", None), ("Bearer scimkit_nope", "invalid_token"), ("Bearer", "invalid_request")],
    )
    def test_an_invalid_token_is_challenged(self, client: Client, header: str, error: str | None) -> None:
        """The challenge states what is wrong with the token (RFC 6750 section 3.1)."""
        answer = client.get("/Users", headers={"Authorization": header})
        assert_error(answer, 401)
        challenge = answer.headers["WWW-Authenticate"]
        assert (f'error="{error}"' in challenge) if error else "error" not in challenge

    @pytest.mark.rfc("7644-7.3-1")
    def test_a_token_in_the_query_is_not_read(self, client: Client) -> None:
        """A token in the query string is ignored, because RFC 6750 section 2.3 discourages such tokens."""
        answer = client.get(f"/Users?access_token={client.token}", headers={"Authorization": ""})
        assert_error(answer, 401)

    def test_the_scheme_is_case_insensitive(self, client: Client) -> None:
        """The scheme `Bearer` is case-insensitive."""
        for scheme in ("bearer", "BEARER"):
            assert client.get("/Users", headers={"Authorization": f"{scheme} {client.token}"}).status == 200

    @pytest.mark.rfc("7644-2-4")
    def test_an_async_verifier(self) -> None:
        """A service with an async token verifier awaits it, and reports that it needs an event loop."""

        class Verifier:
            is_async = True

            async def verify(self, token: str) -> Principal:
                await asyncio.sleep(0)
                return Principal("acme", token)

        service = ScimService(MemoryStore(), tokens=Verifier())
        assert service.is_async
        request = Request("GET", "/Users", headers={"authorization": "Bearer abc"})
        assert asyncio.run(service.handle(request)).status == 200

    @pytest.mark.rfc("7644-6-1", "7644-6-2")
    def test_tenants_are_separate(self, client: Client) -> None:
        """A token reads, finds, changes and references only resources of its own tenant."""
        ada = client.user("ada")
        other = client.of_tenant("other")
        assert other.get("/Users").body["totalResults"] == 0
        assert other.get('/Users?filter=userName+eq+"ada"').body["totalResults"] == 0
        for answer in (
            other.get(f"/Users/{ada}"),
            other.put(f"/Users/{ada}", {"userName": "eve"}),
            other.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False}),
            other.delete(f"/Users/{ada}"),
        ):
            assert_error(answer, 404)
        assert other.members(other.group("Staff", ada)) == set()
        assert other.get(f'/Groups?filter=members+eq+"{ada}"').body["totalResults"] == 0
        assert other.user("ada") != ada
        assert client.get(f"/Users/{ada}").body["userName"] == "ada"


class TestRoutes:
    """Routing of endpoints and methods."""

    @pytest.mark.parametrize(
        "path",
        ["/Nope", "/Users/1/2", "/Users/1/", "/Schemas/x", "/ResourceTypes/Nope", "/ResourceTypes/user",
         "/ServiceProviderConfig/1", "/Users/" + "x" * 300, "/Users/a\nb"],
    )  # fmt: skip
    @pytest.mark.rfc("7644-3.4.1-2", "7644-3.12-1", "7644-3.12-4", "7644-3.2-4")
    def test_unknown_paths_get_404(self, client: Client, path: str) -> None:
        """An unknown endpoint and an unknown resource both get 404."""
        assert_error(client.get(path), 404)

    def test_endpoints_in_another_case(self) -> None:
        """Tolerant dialects find an endpoint in another case, and Location has the right case. Strict answers 404."""
        client = Client()
        answer = client.post("/users", {"schemas": [USER_URN], "userName": "ada"})
        assert (answer.status, answer.quirks) == (201, ("endpoint-case",))
        assert answer.headers["Location"] == f"{BASE_URL}/Users/{answer.id}"
        assert client.get(f"/USERS/{answer.id}").id == answer.id
        assert client.get("/schemas").status == client.get("/serviceproviderconfig").status == 200
        bulk = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": f"/users/{answer.id}"}],
        }
        assert client.post("/bulk", bulk).body["Operations"][0]["status"] == "204"
        assert Client(dialect=STRICT).get("/users").status == 404

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/Users", "GET, POST"),
            ("PUT", "/Groups", "GET, POST"),
            ("PATCH", "/Users", "GET, POST"),
            ("POST", "/Users/1", "GET, PUT, PATCH, DELETE"),
            ("GET", "/Users/.search", "POST"),
            ("DELETE", "/Groups/.search", "POST"),
            ("GET", "/.search", "POST"),
            ("POST", "/", "GET"),
            ("POST", "/Schemas", "GET"),
            ("PUT", "/ResourceTypes", "GET"),
            ("DELETE", f"/Schemas/{USER_URN}", "GET"),
            ("PATCH", "/ResourceTypes/User", "GET"),
            ("POST", "/ServiceProviderConfig", "GET"),
            ("get", "/Users", "GET, POST"),
        ],
    )
    @pytest.mark.rfc("7644-3.2-3", "7644-4-4", "7643-5-6")
    def test_method_not_allowed(self, client: Client, method: str, path: str, allowed: str) -> None:
        """A 405 response lists the methods of the endpoint in Allow."""
        answer = client.send(method, path)
        assert_error(answer, 405)
        assert answer.headers["Allow"] == allowed

    def test_head(self, client: Client) -> None:
        """HEAD gets the status and headers of GET (RFC 9110 section 9.3.2)."""
        ada = client.user("ada")
        for path in ("/Users", f"/Users/{ada}", "/Schemas"):
            assert client.send("HEAD", path) == client.get(path)
        assert_error(client.send("HEAD", "/Users/.search"), 405)

    def test_a_slash_at_the_end(self, client: Client) -> None:
        """A trailing slash is ignored."""
        assert client.get("/Users/").status == 200
        assert client.post("/Users/", {"userName": "ada"}).status == 201

    def test_types_that_share_an_endpoint(self) -> None:
        """A service refuses two resource types with the same name or endpoint."""
        other = ResourceType(USER_SCHEMA, name="Person", endpoint="/Users")
        for types in ((USER, USER), (USER, other), (USER, ResourceType(USER_SCHEMA, endpoint="/People"))):
            with pytest.raises(ValueError, match="same name or endpoint"):
                ScimService(MemoryStore(), tokens=TokenRegistry(), resource_types=types)

    @pytest.mark.rfc("7643-3.2-1", "7644-3.2-2")
    def test_a_declared_type(self) -> None:
        """A custom resource type is served at its endpoint as users are."""
        schema = {"id": "urn:x:Agent", "name": "Agent", "attributes": [{"name": "nick", "required": True}]}
        client = Client(resource_types=(USER, GROUP, ResourceType(schema, endpoint="/Agents")))
        created = client.post("/Agents", {"schemas": ["urn:x:Agent"], "nick": "x"})
        assert created.headers["Location"] == f"{BASE_URL}/Agents/{created.id}"
        assert client.patch(f"/Agents/{created.id}", {"op": "add", "path": "nick", "value": "y"}).body["nick"] == "y"
        assert client.get("/Agents").body["totalResults"] == 1
        assert client.delete(f"/Agents/{created.id}").status == 204


class TestBodies:
    """Checks of request bodies."""

    @pytest.mark.rfc("7644-3.7.4-1", "7644-3.12-5")
    def test_too_large(self) -> None:
        """A body above the limit gets 413, and a body at the limit is served."""
        body = json.dumps({"userName": "ada", "title": "x" * 100}).encode()
        at, below = Client(limits=Limits(body=len(body))), Client(limits=Limits(body=len(body) - 1))
        assert at.post("/Users", body).status == 201
        assert_error(below.post("/Users", body), 413)
        assert below.get("/Users").body["totalResults"] == 0

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    @pytest.mark.rfc("7644-3.1-1")
    def test_media_type(self, client: Client, method: str) -> None:
        """A body that is not JSON in UTF-8 gets 415."""
        path = "/Users" if method == "POST" else f"/Users/{client.user('eve')}"
        answer = client.send(method, path, {"userName": "ada"}, {"Content-Type": "text/plain"})
        assert_error(answer, 415)

    def test_the_type_of_a_request_without_a_body(self, client: Client) -> None:
        """GET and DELETE have no body, so their Content-Type is ignored."""
        ada = client.user("ada")
        assert client.get("/Users", headers={"Content-Type": "text/plain"}).status == 200
        assert client.delete(f"/Users/{ada}", headers={"Content-Type": "text/plain"}).status == 204


class TestDiscovery:
    """The endpoints `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` (RFC 7644 section 4)."""

    @pytest.mark.rfc("7643-5-1", "7643-5-2", "7643-5-4", "7644-3.5.2-1", "7644-3.7-1", "7644-3.7.4-2", "7644-4-1")
    def test_service_provider_config(self) -> None:
        """The ServiceProviderConfig announces the features of the service, according to its limits and hooks."""
        client = Client(
            limits=Limits(page=50, body=1000),
            set_password=lambda *_: None,
            documentation_uri="https://help.example.org",
        )
        config = client.get("/ServiceProviderConfig").body
        assert config["patch"] == {"supported": True}
        assert config["filter"] == {"supported": True, "maxResults": 50}
        assert config["changePassword"] == {"supported": True}
        assert config["sort"] == {"supported": True}
        assert config["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1000}
        assert config["etag"] == {"supported": True}
        assert config["pagination"]["cursor"] is True
        assert config["documentationUri"] == "https://help.example.org"
        assert [each["type"] for each in config["authenticationSchemes"]] == ["oauthbearertoken"]
        assert config["meta"]["location"] == f"{BASE_URL}/ServiceProviderConfig"

    def test_without_a_password_hook(self, client: Client) -> None:
        """Without a password hook, the service does not announce passwords."""
        assert client.get("/ServiceProviderConfig").body["changePassword"] == {"supported": False}

    @pytest.mark.parametrize(
        ("endpoint", "ids"),
        [("/Schemas", [USER_URN, ENTERPRISE, GROUP_URN, *DISCOVERY]), ("/ResourceTypes", ["User", "Group"])],
    )
    @pytest.mark.rfc("7644-4-1", "7644-4-3", "7644-4-5", "7643-6-5", "7643-7-16", "7643-8.7.2-3", "7644-3.1-6")
    def test_lists_and_items(self, client: Client, endpoint: str, ids: list[str]) -> None:
        """A list has the same documents as the single items at their locations."""
        listed = client.get(endpoint).body
        assert listed["totalResults"] == listed["itemsPerPage"] == len(ids)
        assert [each["id"] for each in listed["Resources"]] == ids
        for each in listed["Resources"]:
            assert each["meta"]["location"] == f"{BASE_URL}{endpoint}/{each['id']}"
            assert client.get(f"{endpoint}/{each['id']}").body == each

    @pytest.mark.parametrize(
        "urn", [USER_URN, USER_URN.replace(":", "%3A"), USER_URN.replace(":", "%3a"), USER_URN.upper(), GROUP_URN]
    )
    def test_a_schema_by_its_urn(self, client: Client, urn: str) -> None:
        """A schema is found by its URN, plain or percent-encoded, in any case."""
        assert client.get(f"/Schemas/{urn}").status == 200

    @pytest.mark.parametrize("endpoint", ["/Schemas", "/ResourceTypes"])
    @pytest.mark.rfc("7644-4-2")
    def test_a_filter_is_forbidden(self, client: Client, endpoint: str) -> None:
        """A filter on discovery documents gets 403 (RFC 7644 section 4). Sorting and paging parameters are ignored."""
        assert_error(client.get(f'{endpoint}?filter=id+eq+"x"'), 403)
        assert client.get(f"{endpoint}?startIndex=2&count=1&sortBy=id").body["totalResults"] > 1

    @pytest.mark.rfc("7643-2.4-9")
    def test_schemas_say_the_canonical_values(self, client: Client) -> None:
        """A Schema document has the characteristics of RFC 7643 section 8.7.1, such as the canonical values."""
        user = client.get(f"/Schemas/{USER_URN}").body
        emails = next(each for each in user["attributes"] if each["name"] == "emails")
        kind = next(each for each in emails["subAttributes"] if each["name"] == "type")
        assert kind["canonicalValues"] == ["work", "home", "other"]

    def test_no_nulls(self, client: Client) -> None:
        """No discovery document contains null, because some clients cannot read it."""
        for path in ("/ServiceProviderConfig", "/Schemas", "/ResourceTypes"):
            assert "null" not in json.dumps(client.get(path).body)


class TestDefects:
    """Defects in the code of the host."""

    @pytest.mark.rfc("7644-3.12-3", "7644-3.12-5", "7644-3.12-6")
    def test_a_defect_in_a_store(self, caplog: pytest.LogCaptureFixture) -> None:
        """An exception in a store gets 500 with a SCIM error. The log has the exception, the response does not."""
        with caplog.at_level(logging.ERROR, "scimkit"):
            answer = Client(BrokenStore()).get("/Users/1")
        assert_error(answer, 500)
        assert "secret" not in json.dumps(answer.body)
        assert "KeyError" not in json.dumps(answer.body)
        assert "KeyError" in caplog.text

    def test_a_temporary_failure(self) -> None:
        """A temporary failure of a store gets 503 with Retry-After."""
        answer = Client(BusyStore()).get("/Users/1")
        assert_error(answer, 503)
        assert answer.headers["Retry-After"] == "3"

    def test_a_defect_in_the_verifier(self) -> None:
        """An exception in the token verifier never lets a request through."""

        class Verifier:
            is_async = False

            def verify(self, token: str) -> Principal:
                raise OSError("ldap://inner:389")

        client = Client()
        client.service = ScimService(MemoryStore(), tokens=Verifier())
        answer = client.get("/Users")
        assert_error(answer, 500)
        assert "ldap" not in json.dumps(answer.body)

    def test_a_defect_in_the_event_hook(self, caplog: pytest.LogCaptureFixture) -> None:
        """An exception in the event hook is logged, and the response is still sent."""

        def broken(event: RequestCompleted) -> None:
            raise ZeroDivisionError

        with caplog.at_level(logging.ERROR, "scimkit"):
            assert Client(on_request_completed=broken).get("/Users").status == 200
        assert "on_request_completed hook" in caplog.text

    def test_a_suspending_store_without_a_loop(self) -> None:
        """Running an async store without an event loop raises a clear error."""

        class Slow:
            is_async = True
            unsupported = ("member_pages",)

            async def get(self, *arguments: Any) -> Any:
                await asyncio.sleep(0)

        client = Client()
        client.service = ScimService(Slow(), tokens=client.tokens)  # type: ignore[arg-type]
        assert client.service.is_async
        answer = asyncio.run(
            client.service.handle(Request("GET", "/Users/1", headers={"authorization": f"Bearer {client.token}"}))
        )
        assert answer.status == 500


class TestSyncAndAsync:
    """A service over sync and async stores."""

    def test_a_lifted_store(self) -> None:
        """A sync store behind the async protocol works without an event loop."""
        client = Client(as_async_store(MemoryStore()))
        assert client.service.is_async
        assert client.get(f"/Users/{client.user('ada')}").body["userName"] == "ada"

    @pytest.mark.parametrize("blocking", [True, False])
    def test_blocking(self, blocking: bool) -> None:
        """The service reports whether its store may block."""

        class Store(MemoryStore):
            pass

        store = Store()
        store.blocking = blocking
        service = ScimService(store, tokens=TokenRegistry())
        assert (service.blocking, service.is_async) == (blocking, False)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=st.text(max_size=30) | st.sampled_from(["/Users", "/Groups", "/Users/x", "/.search", "/Schemas"]),
    query=st.text(max_size=60),
    headers=st.dictionaries(st.sampled_from(["authorization", "content-type", "host", "accept"]), st.text(max_size=20)),
    body=st.binary(max_size=100),
)
def test_any_request_gets_a_response(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    """Any request, with or without a token, gets a response, and never a 500."""
    client = Client()
    for merged in (headers, headers | {"authorization": f"Bearer {client.token}"}):
        response = run_sync(client.service.handle(Request(method, path, query, merged, body, BASE_URL)))
        assert response.status < 500
        if response.status >= 400:
            assert json.loads(response.body)["status"] == str(response.status)
