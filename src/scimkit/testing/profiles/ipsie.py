"""The clauses of the IPSIE AL SCIM 2.0 Profile that are addressed to applications, beyond the interoperability profile.

Source: IPSIE AL SCIM 2.0 Profile, draft 00 of 2026, read in full in github.com/openid/ipsie-scim-al at commit 1353886.
AL3 has no requirements yet. Clauses about the identity service, and permissions (MAY), are left out.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

from scimkit.safeguards.revokers import WITHIN
from scimkit.testing.mapping import GROUP, USER
from scimkit.testing.profiles.clauses import (
    OFF,
    ON,
    ClauseFailed,
    ClauseSet,
    NotObservable,
    Probe,
    answers,
    has_value,
    is_reached,
    needs_groups,
    states,
)
from scimkit.testing.report import Step

_IPSIE: Final = ClauseSet("IPSIE")
_RATE: Final = 25
_MEMBERS: Final = 50
_BULK: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


def _claims(probe: Probe) -> dict[str, Any]:
    """Return the claims of the access token of the check. The signature is the concern of the endpoint."""
    parts = probe.token.split(".")
    if len(parts) != 3:
        raise NotObservable("The token of the check is no JSON Web Token, so its claims cannot be read.")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError) as error:
        raise NotObservable("The claims of the token cannot be read.") from error
    if not isinstance(claims, dict):
        raise NotObservable("The claims of the token cannot be read.")
    return claims


@_IPSIE.must(
    "token-scope",
    "all levels",
    "The access token has the scope `scim` only.",
    "Issue tokens with the scope `scim` only.",
)
def _token_scope(probe: Probe) -> None:
    claims = _claims(probe)
    given = claims.get("scope", claims.get("scp", ""))
    scopes = given.split() if isinstance(given, str) else given
    if scopes != ["scim"]:
        raise ClauseFailed("The scope of the access token is not exactly `scim`.")


@_IPSIE.must(
    "token-expiry",
    "all levels",
    "The access token expires.",
    "Issue tokens with `exp`.",
)
def _token_expires(probe: Probe) -> None:
    if "exp" not in _claims(probe):
        raise ClauseFailed("The access token has no `exp`.")


@_IPSIE.must(
    "token-required",
    "all levels",
    "A request without a valid token is refused.",
    "Answer 401.",
)
def _token_is_required(probe: Probe) -> None:
    exchange = probe.anonymous.send("GET", "/Users?count=1")
    if exchange.status != 401:
        probe.fail(exchange, f"The status is {exchange.status} instead of 401 for a token that is not valid.")


@_IPSIE.must(
    "errors",
    "all levels",
    "Errors have the SCIM format and no internal details.",
    "Answer each error with a SCIM error whose `status` is a string.",
)
def _errors(probe: Probe) -> None:
    user = probe.user()
    exchanges = [
        probe.send("GET", f"/Users/{probe.new_name()}"),
        probe.send("POST", "/Users", body=probe.user_body(userName=user["userName"])),
        probe.send("POST", "/Users", body=["no object"]),
        probe.send("GET", "/Users?filter=((("),
    ]
    for each in exchanges:
        body = each.received if isinstance(each.received, dict) else {}
        if each.status >= 500 or body.get("schemas") != [_ERROR] or body.get("status") != str(each.status):
            probe.fail(each, f"The response with status {each.status} has no SCIM error with that status.")
        if "Traceback" in json.dumps(body):
            probe.fail(each, "The error shows a stack trace.")


def _burst(probe: Probe) -> list[Step]:
    rules = (is_reached, answers(200))
    return probe.session.steps_at_once([("check", None)] * _RATE, "GET", "/Users?count=1", rules, workers=8)


@_IPSIE.must(
    "requests-a-second",
    "all levels",
    "At least 25 requests a second are served for each tenant.",
    "Raise the rate limit above 25 requests a second. In scimkit, `RateLimits`.",
)
def _requests_a_second(probe: Probe) -> None:
    start, steps = time.perf_counter(), _burst(probe)
    if any(probe.waits_for(each.exchange) for each in steps):  # the requests before may have used the limit up
        start, steps = time.perf_counter(), _burst(probe)
    seconds = time.perf_counter() - start
    for each in steps:
        if each.reason is not None:
            raise ClauseFailed(each.reason, each)
    if seconds > 1:
        raise NotObservable(f"From here, {_RATE} requests took {seconds:.1f} s. Measure near the server.")


@_IPSIE.must(
    "bulk",
    "all levels",
    "/Bulk is supported.",
    "Support /Bulk. In scimkit, set `Limits.bulk_operations` above 0.",
)
def _bulk(probe: Probe) -> None:
    user = probe.user()
    operation = {"method": "PATCH", "path": probe.path_of(user), "data": _patch_op()}
    body = {"schemas": [_BULK], "Operations": [operation]}

    def succeeded(body: Any) -> bool:
        operations = body.get("Operations") if isinstance(body, dict) else None
        return isinstance(operations, list) and bool(operations) and str(operations[0].get("status")) in ("200", "204")

    probe.send("POST", "/Bulk", answers(200), states("The operation did not succeed.", succeeded), body=body)


def _patch_op() -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [dict(OFF)]}


@_IPSIE.must(
    "several-attributes",
    "all levels",
    "A PATCH updates several attributes.",
    "Apply all operations of a PATCH.",
)
def _several_attributes(probe: Probe) -> None:
    path, name = probe.path_of(probe.user()), probe.text_attribute()
    probe.patch(path, OFF, {"op": "replace", "path": name, "value": "Changed"})
    wanted = states(
        "The PATCH did not change both attributes.", lambda b: (b.get("active"), b.get(name)) == (False, "Changed")
    )
    probe.get(path, wanted)


@_IPSIE.must(
    "reactivation",
    "AL1",
    "PATCH deactivates and reactivates a user.",
    "Apply `active`, and show it.",
)
def _reactivation(probe: Probe) -> None:
    path = probe.path_of(probe.user())
    for operation, active in ((OFF, False), (ON, True)):
        probe.patch(path, operation)
        probe.get(path, has_value("active", active))


@_IPSIE.should(
    "revocation",
    "AL1",
    "Sessions end within 5 minutes after the deactivation.",
    "Repair the revoker, or end the access in the transaction of the deactivation.",
)
def _revocation(probe: Probe) -> None:
    if not probe.revokers:
        raise NotObservable("End the sessions of a deactivated user within 5 minutes, and declare a Revoker for them.")
    before = [each.runs for each in probe.revokers]
    probe.patch(probe.path_of(probe.user()), OFF)
    slow = [each.name for each in probe.revokers if each.within > WITHIN]
    if slow:
        raise ClauseFailed(f"These revokers may take more than 5 minutes: {', '.join(slow)}.")
    late = sorted({one.revoker for each in probe.revokers if each.log is None for one in each.overdue()})
    if late:
        raise ClauseFailed(f"These revokers are overdue: {', '.join(late)}.")
    idle = [each.name for each, runs in zip(probe.revokers, before, strict=True) if each.runs == runs]
    if idle:
        declared = ", ".join(f"{each.name} within {each.within.total_seconds():.0f} s" for each in probe.revokers)
        raise NotObservable(f"Declared: {declared}. These run in another process: {', '.join(idle)}.")


@_IPSIE.must(
    "all-access",
    "AL1",
    "All access of a deactivated user ends.",
    "This is the part of your application.",
)
def _all_access(probe: Probe) -> None:
    declared = ", ".join(each.name for each in probe.revokers) or "none"
    raise NotObservable(
        "End web sessions, API tokens, refresh tokens, personal access tokens, SSH keys and device credentials. "
        f"Declared revokers: {declared}."
    )


@_IPSIE.must(
    "delete-user",
    "AL1",
    "A user is deleted, and the name can be used again.",
    "Support DELETE /Users/{id}, and free the name.",
)
def _deletion(probe: Probe) -> None:
    user = probe.user()
    probe.send("DELETE", probe.path_of(user), answers(204))
    probe.user(userName=user["userName"])


@_IPSIE.must(
    "get-user",
    "AL1",
    "GET /Users/{id} returns a user.",
    "Support GET /Users/{id}.",
)
def _get_by_id(probe: Probe) -> None:
    user = probe.user()
    path = probe.path_of(user)
    probe.get(path, states("The response is another user.", lambda body: body.get("id") == user["id"]))


@_IPSIE.must(
    "user-filters",
    "AL1",
    "Users are found by userName, externalId and emails.",
    "Evaluate the filter. With your own tables, map the attribute.",
)
def _user_filters(probe: Probe) -> None:
    key = f"key-{probe.new_name()}"
    user = probe.user(externalId=key)
    name, key = json.dumps(user["userName"]), json.dumps(key)
    for text in (
        f"userName eq {name}",
        f"externalId eq {key}",
        f"emails[value eq {name}]",
        f'emails[type eq "work" and value eq {name}]',
    ):
        probe.found("/Users", text, _finds_only(user["id"]))


def _finds_only(id: str) -> Any:
    def is_found(body: Any) -> bool:
        return [each.get("id") for each in body.get("Resources") or ()] == [id]

    return states("The filter does not find exactly the resource.", is_found)


@_IPSIE.must(
    "user-schema",
    "AL2",
    "Users have userName, displayName, active and externalId.",
    "Map the attributes, and list them at /Schemas.",
)
def _user_schema(probe: Probe) -> None:
    _has_attributes(probe, USER, "userName", "displayName", "active")
    sent = {"displayName": "Ada Check", "externalId": f"key-{probe.new_name()}"}
    user = probe.user(**sent)
    kept = states("displayName or externalId is not kept.", lambda body: sent.items() <= body.items())
    probe.get(probe.path_of(user), kept)


def _has_attributes(probe: Probe, urn: str, *names: str) -> None:
    missing = [name for name in names if name not in probe.attributes_of(urn)]
    if missing:
        probe.get("/Schemas", states(f"{urn} does not have {', '.join(missing)}.", lambda _: False))


@_IPSIE.must(
    "no-password",
    "AL2",
    "`password` is not supported.",
    "Remove `password` from /Schemas. In scimkit, do not pass `set_password`.",
)
def _no_password(probe: Probe) -> None:
    if "password" in probe.attributes_of(USER):
        probe.get("/Schemas", states("The schema of users has `password`.", lambda _: False))


@_IPSIE.must(
    "all-users",
    "AL2",
    "GET /Users returns all users.",
    "Support GET /Users without a filter.",
)
def _all_users(probe: Probe) -> None:
    probe.user()
    probe.get("/Users", states("The list has no users.", lambda body: bool(body.get("Resources"))))


@_IPSIE.should(
    "page-of-1000",
    "AL2",
    "A page has at most 1,000 users.",
    "Lower the limit. In scimkit, `Limits.page`.",
)
def _page_of_1000(probe: Probe) -> None:
    limit = (probe.config.get("filter") or {}).get("maxResults")
    if not isinstance(limit, int) or limit > 1000:
        wanted = "`filter.maxResults` is more than 1,000 or missing."
        probe.get("/ServiceProviderConfig", states(wanted, lambda _: False))


@_IPSIE.should(
    "cursors",
    "AL2",
    "Pages by cursor are supported.",
    "Support cursors (RFC 9865).",
)
def _cursors(probe: Probe) -> None:
    for _ in range(2):
        probe.user()
    probe.get(
        "/Users?cursor=&count=1", states("The page has no nextCursor.", lambda body: bool(body.get("nextCursor")))
    )


@_IPSIE.must(
    "group-schema",
    "AL2",
    "Groups have displayName, members and externalId.",
    "Map the attributes, and list them at /Schemas.",
)
def _group_schema(probe: Probe) -> None:
    needs_groups(probe)
    key = f"key-{probe.new_name()}"
    group = probe.group(externalId=key)
    _has_attributes(probe, GROUP, "displayName", "members")
    kept = states("externalId is not kept.", lambda body: body.get("externalId") == key)
    probe.get(probe.path_of(group, "/Groups"), kept)


@_IPSIE.should(
    "group-names",
    "AL2",
    "Two groups do not have the same displayName.",
    "Answer 409 for a taken name.",
)
def _group_names(probe: Probe) -> None:
    needs_groups(probe)
    name = probe.group()["displayName"]
    probe.send("POST", "/Groups", answers(409), body={"schemas": [GROUP], "displayName": name})


@_IPSIE.must(
    "groups",
    "AL2",
    "Groups are created without members, read, listed and updated.",
    "Support POST, GET and PATCH of groups.",
)
def _groups(probe: Probe) -> None:
    needs_groups(probe)
    group = probe.group()
    path = probe.path_of(group, "/Groups")
    probe.get(path, states("A new group has members.", lambda body: not body.get("members")))
    probe.get("/Groups", states("The list has no groups.", lambda body: bool(body.get("Resources"))))
    probe.patch(path, {"op": "replace", "path": "displayName", "value": (new := probe.new_name())})
    probe.get(path, states("displayName has not changed.", lambda body: body.get("displayName") == new))


@_IPSIE.must(
    "group-filters",
    "AL2",
    "Groups are found by displayName, externalId and members.",
    "Evaluate the filter. With your own tables, map the attribute.",
)
def _group_filters(probe: Probe) -> None:
    needs_groups(probe)
    key, user = f"key-{probe.new_name()}", probe.user()
    group = probe.group(externalId=key, members=[{"value": user["id"]}])
    for text in (
        f"displayName eq {json.dumps(group['displayName'])}",
        f"externalId eq {json.dumps(key)}",
        f"members[value eq {json.dumps(user['id'])}]",
    ):
        probe.found("/Groups", text, _finds_only(group["id"]))


@_IPSIE.must(
    "fifty-operations",
    "AL2",
    "A PATCH of a group may have 50 operations on members.",
    "Raise the limit of operations. In scimkit, `Limits.patch_operations`.",
)
def _fifty_operations(probe: Probe) -> None:
    needs_groups(probe)
    group = probe.group()
    path = probe.path_of(group, "/Groups")
    user = probe.user()
    add: dict[str, Any] = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
    remove: dict[str, Any] = {"op": "remove", "path": f"members[value eq {json.dumps(user['id'])}]"}
    probe.patch(path, *[add, remove] * (_MEMBERS // 2), add)
    wanted = states("The group does not have the member.", lambda body: len(body.get("members") or ()) == 1)
    probe.get(path, wanted)


_IPSIE.left_to_application(
    "oauth",
    "all levels",
    "OAuth 2.0 with client_credentials and JWT client authentication is used.",
    "Run an authorization server with these features and metadata (RFC 8414). scimkit.oauth verifies tokens.",
)
_IPSIE.left_to_application(
    "local-changes",
    "all levels",
    "Users and groups are not changed locally.",
    "Make provisioned users and groups read-only in your own pages and API.",
)
_IPSIE.left_to_application(
    "audit",
    "all levels",
    "Requests that change resources are logged.",
    "Keep a log of writes. In scimkit, pass a provisioning log.",
)
_IPSIE.left_to_application(
    "group-roles", "AL2", "Groups are mapped to roles and capabilities.", "Compute the role of a user from the groups."
)
_IPSIE.left_to_application(
    "local-accounts",
    "AL2",
    "Users of the identity service are not created locally.",
    "Switch off sign-up and invitations for that customer.",
)


@_IPSIE.must(
    "rate-limits",
    "all levels",
    "All endpoints have rate limits, with 429 and Retry-After.",
    "Send Retry-After with 429. In scimkit, `RateLimits`.",
)
def _rate_limits(probe: Probe) -> None:
    if not probe.limited:
        raise NotObservable("Set limits. In scimkit, `RateLimits`. The check does not flood the endpoint.")
    for each in probe.limited:
        if not each.headers.get("retry-after"):
            probe.fail(each, "The response 429 has no Retry-After.")


IPSIE_CLAUSES: Final = tuple(_IPSIE.clauses)
"""The clauses of IPSIE, checked after the clauses of the interoperability profile."""
