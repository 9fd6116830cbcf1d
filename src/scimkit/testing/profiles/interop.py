"""The clauses of the SCIM 2.0 Interoperability Profile that are addressed to service providers: schemas and requests.

Source: draft-zollner-scim-interop-profile-01 of 15 April 2026, read in full in github.com/Zollnerd/scim-interop-profile
at commit 03d035f. Of version 02 of 2 November 2026, only the abstract could be read. Clauses about clients, and
permissions (MAY), are left out.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from scimkit.testing.mapping import USER
from scimkit.testing.profiles.clauses import (
    ClauseFailed,
    ClauseSet,
    NotApplicable,
    NotObservable,
    Probe,
    answers,
    states,
)
from scimkit.testing.profiles.interop_writes import WRITES
from scimkit.testing.report import Rule

_READS: Final = ClauseSet("interop")
_CLAIM: Final = ClauseSet("interop")
_PAGE: Final = 100
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_UNTYPED: Final = frozenset({"entitlements", "roles", "x509Certificates"})
"""The attributes whose `type` has no canonical values in RFC 7643 section 8.7.1."""
_SAMPLES: Final[Mapping[str, Any]] = {
    "displayName": "Ada Check",
    "nickName": "Ada",
    "title": "Countess",
    "userType": "Employee",
    "preferredLanguage": "en-US",
    "locale": "en-US",
    "timezone": "Europe/London",
    "externalId": "check-1",
    "phoneNumbers": [{"value": "tel:+44-20-7946-0000", "type": "work"}],
    "addresses": [{"locality": "London", "type": "work"}],
}


@_READS.must(
    "discovery",
    "5.1",
    "/ServiceProviderConfig, /ResourceTypes and /Schemas are served.",
    "Serve the three discovery endpoints.",
)
def _discovery(probe: Probe) -> None:
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
        probe.get(path)


@_READS.must(
    "schemas-published",
    "5.1",
    "/Schemas lists each schema that /ResourceTypes names.",
    "Publish the missing schema, or remove it from the resource type.",
)
def _schemas_are_published(probe: Probe) -> None:
    for each in probe.resource_types:
        extensions = [str(one.get("schema")) for one in each.get("schemaExtensions") or ()]
        for urn in (str(each.get("schema")), *extensions):
            if urn not in probe.schemas:
                probe.get(
                    "/Schemas", states(f"/ResourceTypes names {urn}, and /Schemas does not list it.", lambda _: False)
                )


@_READS.must(
    "schemas-accurate",
    "5.1",
    "The service keeps the attributes that /Schemas lists.",
    "Map the attributes that are lost, or publish schemas without them.",
)
def _schemas_are_accurate(probe: Probe) -> None:
    announced = probe.attributes_of(USER)
    sent = {name: value for name, value in _SAMPLES.items() if name in announced or name == "externalId"}
    user = probe.user(**sent)
    lost = [name for name in (*sent, "name", "emails", "active") if name in announced and user.get(name) is None]
    if lost:
        names = ", ".join(lost)
        wanted = states(
            f"/Schemas lists {names}, and a user that was created with {names} does not have it.", lambda _: False
        )
        probe.get(probe.path_of(user), wanted)


@_READS.must(
    "resource-type-ids",
    "5.1",
    "The `id` of a resource type is its `name`.",
    "Set `id` of each ResourceType to its `name`.",
)
def _ids_are_names(probe: Probe) -> None:
    probe.get(
        "/ResourceTypes",
        states(
            "The `id` of a resource type is not its `name`.",
            lambda body: all(each.get("id") == each.get("name") for each in body.get("Resources", ())),
        ),
    )


@_READS.must(
    "id-case",
    "5.2",
    "`id` is compared with regard to case.",
    "Compare ids byte by byte. Check the collation of the column.",
)
def _id_is_case_exact(probe: Probe) -> None:
    id = probe.user()["id"]
    if id.swapcase() == id:
        raise NotApplicable("The ids of users have no letters.")
    probe.send("GET", f"/Users/{quote(id.swapcase(), safe='')}", answers(404))


@_READS.must(
    "external-id-case",
    "5.2",
    "`externalId` is compared with regard to case.",
    "Compare externalId byte by byte. Check the collation of the column.",
)
def _external_id_is_case_exact(probe: Probe) -> None:
    value = f"Id-{probe.new_name()}"
    user = probe.user(externalId=value)
    if user.get("externalId") is None:
        raise NotApplicable("The endpoint does not keep externalId, which is optional.")
    wanted = f"externalId eq {json.dumps(value)}"
    probe.found("/Users", wanted, _finds([user["id"]]))
    probe.found("/Users", f"externalId eq {json.dumps(value.swapcase())}", _finds([]))


@_READS.must(
    "user-name-case",
    "5.2",
    "`userName` is compared without regard to case, in filters and for uniqueness.",
    "Compare userName without regard to case in filters and in the unique constraint.",
)
def _user_name_ignores_case(probe: Probe) -> None:
    user = probe.user()
    name = user["userName"].swapcase()
    probe.found("/Users", f"userName eq {json.dumps(name)}", _finds([user["id"]]))
    probe.send("POST", "/Users", answers(409), body=probe.user_body(userName=name))


def _finds(ids: list[str]) -> Rule:
    def is_found(body: Any) -> bool:
        return sorted(str(each.get("id")) for each in body.get("Resources") or ()) == sorted(ids)

    return states(f"The filter must find {len(ids) or 'no'} resource(s), and finds others.", is_found)


@_READS.must(
    "canonical-types",
    "5.4",
    "/Schemas declares the values of `type` as canonicalValues.",
    "Add canonicalValues to the sub-attribute `type` in the Schema document.",
)
def _types_are_declared(probe: Probe) -> None:
    missing = [path for path in _typed(probe) if path.rpartition(":")[2] not in _UNTYPED]
    if missing:
        probe.get("/Schemas", states(f"`type` has no canonicalValues in {', '.join(missing)}.", lambda _: False))


@_READS.must(
    "canonical-types-of-roles",
    "5.4",
    "/Schemas declares the values of `type` where RFC 7643 has none.",
    "Publish schemas with the types that you accept.",
)
def _types_of_roles_are_declared(probe: Probe) -> None:
    missing = [path.rpartition(":")[2] for path in _typed(probe) if path.rpartition(":")[2] in _UNTYPED]
    if missing:
        raise NotObservable(
            f"RFC 7643 gives no types for {', '.join(missing)}, and /Schemas declares none. "
            "Publish schemas with the types that you accept, or without these attributes."
        )


def _typed(probe: Probe) -> list[str]:
    """Return the multi-valued complex attributes of resources whose `type` has no canonical values."""
    used = {str(each.get("schema")) for each in probe.resource_types}
    used |= {str(one.get("schema")) for each in probe.resource_types for one in each.get("schemaExtensions") or ()}
    return [
        f"{urn}:{name}"
        for urn in sorted(used & probe.schemas.keys())
        for name, attribute in probe.attributes_of(urn).items()
        if attribute.get("multiValued")
        for part in attribute.get("subAttributes") or ()
        if part.get("name") == "type" and not part.get("canonicalValues")
    ]


@_READS.must(
    "unique-endpoints",
    "6.1",
    "Each resource type has an endpoint of its own.",
    "Give each resource type its own endpoint.",
)
def _endpoints_are_unique(probe: Probe) -> None:
    def are_unique(body: Any) -> bool:
        endpoints = [str(each.get("endpoint")).strip("/").lower() for each in body.get("Resources") or ()]
        return len(set(endpoints)) == len(endpoints)

    probe.get("/ResourceTypes", states("Two resource types have the same endpoint.", are_unique))


@_READS.must(
    "one-address",
    "6.1",
    "A resource is addressed by its `id` only.",
    "Answer 404 if the last part of the path is no id, and set `meta.location`.",
)
def _resources_have_one_address(probe: Probe) -> None:
    user = probe.user()
    path = probe.path_of(user)

    def is_canonical(body: Any) -> bool:
        return str((body.get("meta") or {}).get("location", path)).endswith(path)

    probe.get(path, states("`meta.location` does not end with /Users/ and the id.", is_canonical))
    probe.send("GET", f"/Users/{quote(user['userName'], safe='')}", answers(404))


@_READS.must(
    "media-type",
    "6.2",
    "Responses have the Content-Type application/scim+json.",
    "Set the Content-Type of every response with a body, errors included.",
)
def _media_type(probe: Probe) -> None:
    user = probe.send("POST", "/Users", answers(201), body=probe.user_body())
    exchanges = [user, probe.send("GET", "/Users?count=1"), probe.send("GET", f"/Users/{probe.new_name()}")]
    for each in exchanges:
        media_type = each.headers.get("content-type", "")
        if media_type.split(";")[0].strip().lower() != "application/scim+json":
            probe.fail(each, f"Content-Type is {media_type or 'missing'} instead of application/scim+json.")


@_READS.must(
    "filters",
    "6.3",
    "The operators `eq` and `and` are supported.",
    "Evaluate `eq` and `and` in filters.",
)
def _filters(probe: Probe) -> None:
    user, _ = probe.user(), probe.user()
    name, id = json.dumps(user["userName"]), user["id"]
    probe.found("/Users", f"userName eq {name}", _finds([id]))
    probe.found("/Users", f"userName eq {name} and active eq true", _finds([id]))
    probe.found("/Users", f"userName eq {name} and active eq false", _finds([]))


@_READS.must(
    "unknown-in-filter",
    "6.3",
    "A filter with an unknown attribute is refused with `invalidFilter`.",
    "Answer 400 with `invalidFilter`, never all resources.",
)
def _unknown_attribute_in_filter(probe: Probe) -> None:
    probe.send("GET", '/Users?filter=scimkitCheck+eq+"x"', answers(400, scim_type="invalidFilter"))


@_READS.must(
    "pages",
    "6.4",
    "Lists have pages by index or by cursor.",
    "Support `startIndex` and `count`, or cursors (RFC 9865).",
)
def _pages(probe: Probe) -> None:
    for _ in range(2):
        probe.user()
    first = probe.get("/Users?startIndex=1&count=1")
    second = probe.get("/Users?startIndex=2&count=1")
    ids = [[each.get("id") for each in body.get("Resources") or ()] for body in (first, second)]
    if [len(each) for each in ids] == [1, 1] and ids[0] != ids[1] and first.get("totalResults", 0) >= 2:
        return
    first = probe.get("/Users?cursor=&count=1")
    cursor = first.get("nextCursor")
    if not isinstance(cursor, str):
        wanted = "The endpoint has neither pages by startIndex nor pages by cursor."
        probe.get("/Users?startIndex=2&count=1", states(wanted, lambda _: False))
    second = probe.get(f"/Users?cursor={quote(str(cursor), safe='')}&count=1")
    ids = [[each.get("id") for each in body.get("Resources") or ()] for body in (first, second)]
    if [len(each) for each in ids] != [1, 1] or ids[0] == ids[1]:
        wanted = "The second page by cursor does not have one other resource."
        probe.get("/Users?cursor=&count=1", states(wanted, lambda _: False))


def _has_at_least(number: int) -> Rule:
    def is_full(body: Any) -> bool:
        total = body.get("totalResults")
        return isinstance(total, int) and len(body.get("Resources") or ()) >= min(number, total)

    return states(f"The page must have {number} resources, or all of them, and has fewer.", is_full)


@_READS.must(
    "count",
    "6.4",
    "`count` may be at least 100.",
    "Raise the limit of a page to at least 100. In scimkit, `Limits.page`.",
)
def _count_of_100(probe: Probe) -> None:
    probe.user()
    probe.get(f"/Users?count={_PAGE}", _has_at_least(_PAGE))
    limit = (probe.config.get("filter") or {}).get("maxResults")
    if isinstance(limit, int) and limit < _PAGE:
        wanted = states(f"`filter.maxResults` is {limit}, and must be at least {_PAGE}.", lambda _: False)
        probe.get("/ServiceProviderConfig", wanted)


@_READS.should(
    "default-page",
    "6.4",
    "A page without `count` has at least 100 resources.",
    "Raise the default page to 100. In scimkit, `Limits.default_page`.",
)
def _default_of_100(probe: Probe) -> None:
    probe.user()
    probe.get("/Users", _has_at_least(_PAGE))
    size = (probe.config.get("pagination") or {}).get("defaultPageSize", _PAGE)
    if isinstance(size, int) and size < _PAGE:
        wanted = states(f"`pagination.defaultPageSize` is {size}, and should be at least {_PAGE}.", lambda _: False)
        probe.get("/ServiceProviderConfig", wanted)


@_READS.must(
    "largest-page",
    "6.4",
    "A page has at most the number of resources that the service announces.",
    "Limit `count`, and announce the limit as `filter.maxResults`.",
)
def _largest_page(probe: Probe) -> None:
    limit = (probe.config.get("filter") or {}).get("maxResults")
    if not isinstance(limit, int) or limit < 1:
        wanted = states("`filter.maxResults` has no number, so the endpoint announces no limit.", lambda _: False)
        probe.get("/ServiceProviderConfig", wanted)
        return
    wanted = states(
        f"The page has more than {limit} resources.", lambda body: len(body.get("Resources") or ()) <= limit
    )
    probe.get(f"/Users?count={limit + 1}", wanted)


@_READS.must(
    "tls",
    "7.1",
    "The service supports TLS 1.3, and is not served without TLS.",
    "Serve the endpoint with TLS 1.3.",
)
def _transport(probe: Probe) -> None:
    parts = urlsplit(probe.url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        if host in _LOCAL:
            raise NotObservable("The check ran without TLS on this machine. Run it against the public URL.")
        raise ClauseFailed("The URL begins with http, so the token was sent without encryption.")
    context = ssl.create_default_context()  # the requests of the check verify the certificate; this asks the version
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=10) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return
    except ssl.SSLError as error:
        raise ClauseFailed("The server does not accept TLS 1.3.") from error
    except OSError as error:
        raise ClauseFailed("The endpoint cannot be reached, or does not answer in time.") from error


@_READS.should(
    "no-basic",
    "7.2",
    "HTTP Basic authentication is not announced.",
    "Use bearer tokens, and remove httpbasic.",
)
def _no_basic_authentication(probe: Probe) -> None:
    def has_none(body: Any) -> bool:
        return all(each.get("type") != "httpbasic" for each in body.get("authenticationSchemes") or ())

    probe.get("/ServiceProviderConfig", states("`authenticationSchemes` announces httpbasic.", has_none))


@_CLAIM.must(
    "announcement",
    "4",
    "`interopProfileConformant` is true only if the service conforms.",
    "Remove the announcement until every mandatory clause conforms.",
)
def _announcement(probe: Probe) -> None:
    given = probe.config.get("interopProfileConformant")
    if given is None or given is False:
        raise NotObservable(
            "The endpoint does not claim conformance. Claim it with `ScimService(announce_interop_profile=True)` "
            "when every mandatory clause conforms."
        )
    wanted = "interopProfileConformant must be true, false or absent."
    probe.get("/ServiceProviderConfig", states(wanted, lambda _: given is True))
    broken = [
        each.clause.name for each in probe.results if each.is_breach and each.clause.section.startswith("interop")
    ]
    if broken:
        wanted = f"The endpoint claims conformance, and mandatory clauses fail: {', '.join(broken)}."
        probe.get("/ServiceProviderConfig", states(wanted, lambda _: False))


INTEROP_CLAUSES: Final = (*_READS.clauses, *WRITES.clauses, *_CLAIM.clauses)
"""The clauses in the order in which they are checked. The announcement is last, because it depends on the others."""
