"""The clauses of the SCIM 2.0 Interoperability Profile about writes: unknown attributes, PATCH, deletion, conflicts.

Source: draft-zollner-scim-interop-profile-01, as in `scimkit.testing.profiles.interop`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from scimkit.testing.mapping import USER
from scimkit.testing.profiles.clauses import OFF, ClauseSet, Probe, answers, has_value, states

WRITES: Final = ClauseSet("interop")
_UNKNOWN: Final = "scimkitCheck"
_REFUSED: Final = answers(400, scim_type="invalidSyntax")


@WRITES.must(
    "unknown-attributes",
    "5.3",
    "A POST or PATCH with an unknown attribute is refused with `invalidSyntax`.",
    "Answer 400 with `invalidSyntax`. In scimkit, use the dialect `interop`.",
)
def _unknown_attributes(probe: Probe) -> None:
    probe.send("POST", "/Users", _REFUSED, body=probe.user_body(**{_UNKNOWN: "x"}))
    path = probe.path_of(probe.user())
    probe.patch(path, {"op": "replace", "path": _UNKNOWN, "value": "x"}, rules=[_REFUSED])


@WRITES.must(
    "unknown-schemas",
    "5.3",
    "A POST with an unknown schema is refused with `invalidSyntax`.",
    "Answer 400 with `invalidSyntax`. In scimkit, use the dialect `interop`.",
)
def _unknown_schemas(probe: Probe) -> None:
    urn = "urn:example:scimkit:check:1.0:User"
    body = probe.user_body(schemas=[USER, urn], **{urn: {"level": "1"}})
    probe.send("POST", "/Users", _REFUSED, body=body)


@WRITES.must(
    "patch",
    "6.5",
    "PATCH is supported.",
    "Implement PATCH of RFC 7644 section 3.5.2.",
)
def _patch(probe: Probe) -> None:
    path, name = probe.path_of(probe.user()), probe.text_attribute()
    probe.patch(path, {"op": "replace", "path": name, "value": "Changed"})
    probe.get(path, has_value(name, "Changed"))


@WRITES.must(
    "patch-path",
    "6.5.1.1",
    "A PATCH operation without `path` is refused with `invalidSyntax`.",
    "Answer 400 with `invalidSyntax`. In scimkit, use the dialect `interop`.",
)
def _path_is_required(probe: Probe) -> None:
    path, name = probe.path_of(probe.user()), probe.text_attribute()
    probe.patch(path, {"op": "replace", "value": {name: "Changed"}}, rules=[_REFUSED])
    probe.get(path, states("The refused PATCH was applied.", lambda body: body.get(name) != "Changed"))


@WRITES.must(
    "add-is-replace",
    "6.5.2.1",
    "`add` and `replace` of a simple attribute do the same.",
    "Let `add` of a singular attribute overwrite the value.",
)
def _add_equals_replace(probe: Probe) -> None:
    name = probe.text_attribute()
    path = probe.path_of(probe.user(**{name: "First"}))
    for op, value in (("add", "Second"), ("replace", "Third")):
        probe.patch(path, {"op": op, "path": name, "value": value})
        probe.get(path, has_value(name, value))


@WRITES.must(
    "replace-complex",
    "6.5.2.1",
    "`replace` of a complex attribute replaces all of it.",
    "Unassign the sub-attributes that the value omits. In scimkit, use the dialect `interop`.",
)
def _replace_of_complex(probe: Probe) -> None:
    path = probe.path_of(probe.user())
    probe.patch(path, {"op": "replace", "path": "name", "value": {"givenName": "Changed"}})
    wanted = "name.familyName is still there, and the replaced `name` does not have it."
    probe.get(path, states(wanted, lambda body: "familyName" not in _name(body)))


@WRITES.must(
    "add-complex",
    "6.5.2.1",
    "`add` to a complex attribute keeps the omitted sub-attributes.",
    "Merge the value into the attribute.",
)
def _add_of_complex(probe: Probe) -> None:
    path = probe.path_of(probe.user())
    probe.patch(path, {"op": "add", "path": "name", "value": {"givenName": "Changed"}})
    wanted = "name must have the new givenName and the old familyName."
    parts = ("Changed", "Check")
    probe.get(path, states(wanted, lambda body: (_name(body).get("givenName"), _name(body).get("familyName")) == parts))


def _name(body: dict[str, Any]) -> dict[str, Any]:
    name = body.get("name")
    return name if isinstance(name, dict) else {}


@WRITES.must(
    "replace-collection",
    "6.5.2.2",
    "`replace` of a multi-valued attribute replaces all values.",
    "Replace all values of the attribute.",
)
def _replace_of_collection(probe: Probe) -> None:
    path, new = probe.path_of(probe.user()), probe.new_name()
    probe.patch(path, {"op": "replace", "path": "emails", "value": [{"value": new, "type": "work"}]})
    probe.get(path, states("emails must have the new value only.", lambda body: _emails(body) == [new]))


@WRITES.must(
    "add-collection",
    "6.5.2.2",
    "`add` to a multi-valued attribute keeps the values.",
    "Append the values. Keep several emails for a user.",
)
def _add_to_collection(probe: Probe) -> None:
    user, new = probe.user(), probe.new_name()
    probe.patch(probe.path_of(user), {"op": "add", "path": "emails", "value": [{"value": new, "type": "home"}]})
    wanted = sorted([user["userName"], new])
    probe.get(
        probe.path_of(user), states("emails must have the old and the new value.", lambda body: _emails(body) == wanted)
    )


def _emails(body: dict[str, Any]) -> list[str]:
    return sorted(str(each.get("value")) for each in body.get("emails") or ())


@WRITES.must(
    "patch-keeps",
    "6.6",
    "A PATCH with `active` false keeps the resource.",
    "Deactivate the user, and keep serving it.",
)
def _patch_deletes_nothing(probe: Probe) -> None:
    path = probe.path_of(probe.user())
    probe.patch(path, OFF)
    probe.get(path, has_value("active", False))


@WRITES.must(
    "deletion",
    "6.6",
    "A deleted resource is answered with 404, and is in no list.",
    "Delete the resource, or hide it completely.",
)
def _deletion(probe: Probe) -> None:
    user = probe.user()
    path, name = probe.path_of(user), json.dumps(user["userName"])
    probe.send("DELETE", path, answers(204))
    probe.send("GET", path, answers(404))
    probe.patch(path, OFF, rules=[answers(404)])
    probe.send("DELETE", path, answers(404))
    hidden = states("A list has the deleted user.", lambda body: not body.get("Resources"))
    probe.found("/Users", f"userName eq {name}", hidden)


@WRITES.must(
    "name-free",
    "6.6",
    "The `userName` of a deleted user can be used again.",
    "Free the name on deletion. Leave deleted rows out of the unique constraint.",
)
def _name_is_free_again(probe: Probe) -> None:
    user = probe.user()
    probe.send("DELETE", probe.path_of(user), answers(204))
    probe.user(userName=user["userName"])


@WRITES.must(
    "conflicts",
    "6.9.1",
    "A POST or PATCH with a taken `userName` is answered with 409 and `uniqueness`.",
    "Answer 409 with `uniqueness`.",
)
def _conflicts(probe: Probe) -> None:
    taken, other = probe.user(), probe.user()
    conflict = answers(409, scim_type="uniqueness")
    probe.send("POST", "/Users", conflict, body=probe.user_body(userName=taken["userName"]))
    operation = {"op": "replace", "path": "userName", "value": taken["userName"]}
    probe.patch(probe.path_of(other), operation, rules=[conflict])
