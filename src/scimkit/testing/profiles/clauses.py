"""The clauses of a profile, and the probe with which a clause observes an endpoint.

A clause is a function of a `Probe`. It returns if the endpoint conforms, and raises otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import sleep
from typing import Any, Final, Literal, NoReturn, TypeAlias
from urllib.parse import quote

from scimkit.safeguards.revokers import Revoker
from scimkit.testing.exchange import Connection, Exchange, filter_query
from scimkit.testing.mapping import GROUP, PATCH_OP, USER
from scimkit.testing.report import Finding, Rule, Step
from scimkit.testing.session import ProviderSession

Outcome: TypeAlias = Literal["conforms", "fails", "host", "not-applicable"]
"""`host` means that requests cannot show the clause, so the application has to ensure it."""
Level: TypeAlias = Literal["MUST", "SHOULD"]


_REPEATS: Final = 3
_LONGEST_WAIT: Final = 60
"""The largest number of seconds to wait for an endpoint that limits its rate."""


class ClauseFailed(Exception):
    """The endpoint does not conform. `step` is the request that shows it, if a request does."""

    def __init__(self, reason: str, step: Step | None = None) -> None:
        super().__init__(reason)
        self.step = step


class NotObservable(Exception):
    """Requests cannot show whether the endpoint conforms. The text says what the application must do."""


class NotApplicable(Exception):
    """The clause is about a feature that the endpoint does not have."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A requirement of a profile.

    Attributes:
        name: A short name that never changes, such as `patch-path`.
        section: The document and section.
        level: `MUST` or `SHOULD`. A failed `SHOULD` does not make the check fail.
        title: The requirement in one sentence.
        remedy: What to change if the endpoint does not conform.
        check: Observes the endpoint.
    """

    name: str
    section: str
    level: Level
    title: str
    remedy: str
    check: Callable[[Probe], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """The finding of a check about a clause.

    Attributes:
        clause: The clause.
        outcome: The result.
        reason: What is wrong, or what the application must do.
        exchange: The request that shows a failure.
        after: The last write before `exchange`, if `exchange` only reads.
    """

    clause: Clause
    outcome: Outcome
    reason: str | None = None
    exchange: Exchange | None = None
    after: Exchange | None = None

    @property
    def is_breach(self) -> bool:
        """Report whether a mandatory clause failed."""
        return self.outcome == "fails" and self.clause.level == "MUST"

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object. It has no token."""
        clause, exchange = self.clause, self.exchange
        shown: dict[str, Any] = {
            "clause": clause.name,
            "section": clause.section,
            "level": clause.level,
            "title": clause.title,
            "outcome": self.outcome,
        }
        if self.reason is not None:
            shown["reason"] = self.reason
        if exchange is not None:
            shown |= {"request": exchange.request, "sent": exchange.sent, "status": exchange.status}
        if self.after is not None:
            shown["after"] = {"request": self.after.request, "sent": self.after.sent, "status": self.after.status}
        if self.outcome == "fails":
            shown["remedy"] = clause.remedy
        return shown


_Check: TypeAlias = "Callable[[Probe], None]"


class ClauseSet:
    """Clauses of one document, in the order in which they are declared and checked."""

    def __init__(self, document: str) -> None:
        self.clauses: list[Clause] = []
        self._document = document

    def must(self, name: str, section: str, title: str, remedy: str) -> Callable[[_Check], _Check]:
        """Declare the check of a mandatory clause."""
        return self._declare(name, section, "MUST", title, remedy)

    def should(self, name: str, section: str, title: str, remedy: str) -> Callable[[_Check], _Check]:
        """Declare the check of a recommended clause."""
        return self._declare(name, section, "SHOULD", title, remedy)

    def left_to_application(self, name: str, section: str, title: str, text: str) -> None:
        """Declare a mandatory clause that no request can show. The text says what the application must do."""

        def check(_: Probe) -> None:
            raise NotObservable(text)

        self.must(name, section, title, text)(check)

    def _declare(self, name: str, section: str, level: Level, title: str, remedy: str) -> Callable[[_Check], _Check]:
        def declare(check: _Check) -> _Check:
            self.clauses.append(Clause(name, f"{self._document} {section}", level, title, remedy, check))
            return check

        return declare


class Probe:
    """The requests of a check to one endpoint. Resources that the check creates have names that contain `mark`.

    Args:
        connection: The connection with the token of the check.
        anonymous: A connection without a valid token.
        url: The URL of the endpoint.
        token: The token of the check.
        mark: A text that no resource of the endpoint has in its name.
        revokers: The declared revokers of the application.
    """

    def __init__(
        self,
        connection: Connection,
        anonymous: Connection,
        *,
        url: str,
        token: str,
        mark: str,
        revokers: Sequence[Revoker] = (),
    ) -> None:
        self.session: ProviderSession = ProviderSession(connection)
        self.anonymous: Connection = anonymous
        self.url: str = url
        self.token: str = token
        self.mark: str = mark
        self.revokers: tuple[Revoker, ...] = tuple(revokers)
        self.results: list[ClauseResult] = []
        """The results of the clauses before the present one."""
        self.limited: list[Exchange] = []
        """The requests that were refused with 429."""
        self._number = 0

    def send(self, method: str, path: str, *rules: Rule, body: Any = None) -> Exchange:
        """Send a request, and repeat it after `Retry-After` if it comes too soon for the endpoint.

        Raises:
            ClauseFailed: A rule finds something, or nothing answers.
        """
        step = self.session.step("check", method, path, (is_reached, *rules), body)
        for _ in range(_REPEATS):
            if not self.waits_for(step.exchange):
                break
            step = self.session.step("check", method, path, (is_reached, *rules), body)
        if step.reason is not None:
            raise ClauseFailed(step.reason, step)
        return step.exchange

    def waits_for(self, exchange: Exchange) -> bool:
        """Wait if the endpoint asks for it with 429 and `Retry-After`, and report whether it did."""
        if exchange.status != 429:
            return False
        self.limited.append(exchange)
        seconds = exchange.headers.get("retry-after", "")
        if not seconds.isdecimal() or int(seconds) > _LONGEST_WAIT:
            return False
        sleep(int(seconds))
        return True

    def fail(self, exchange: Exchange, reason: str) -> NoReturn:
        """Raise ClauseFailed for a response."""
        raise ClauseFailed(reason, Step("check", exchange, reason))

    def get(self, path: str, *rules: Rule) -> Any:
        """Return the body of a GET that must succeed."""
        return self.send("GET", path, answers(200), is_object, *rules).received

    def found(self, endpoint: str, text: str, *rules: Rule) -> list[dict[str, Any]]:
        """Return the resources that a filter finds."""
        exchange = self.send("GET", f"{endpoint}?{filter_query(text)}", answers(200), is_object, *rules)
        return _resources(exchange.received)

    def list_of(self, path: str) -> list[dict[str, Any]]:
        """Return the resources in the response to a GET of a list."""
        return _resources(self.get(path))

    @staticmethod
    def path_of(resource: Mapping[str, Any], endpoint: str = "/Users") -> str:
        """Return the path of a resource. An id may have any characters."""
        return f"{endpoint}/{quote(str(resource['id']), safe='')}"

    def new_name(self) -> str:
        """Return a `userName` that no other resource has."""
        self._number += 1
        return f"{self.mark}-{self._number}@example.org"

    def user_body(self, **attributes: Any) -> dict[str, Any]:
        """Return the body of a POST of a new user."""
        name = attributes.get("userName") or self.new_name()
        body: dict[str, Any] = {
            "schemas": [USER],
            "userName": name,
            "name": {"givenName": "Ada", "familyName": "Check"},
            "emails": [{"value": name, "type": "work", "primary": True}],
            "active": True,
        }
        return body | attributes

    def user(self, **attributes: Any) -> dict[str, Any]:
        """Create a user, and return the response."""
        body = self.user_body(**attributes)
        created: dict[str, Any] = self.send("POST", "/Users", answers(201), has_id, body=body).received
        return created

    def group(self, **attributes: Any) -> dict[str, Any]:
        """Create a group, and return the response."""
        body = {"schemas": [GROUP], "displayName": self.new_name()} | attributes
        created: dict[str, Any] = self.send("POST", "/Groups", answers(201), has_id, body=body).received
        return created

    def patch(self, path: str, *operations: Mapping[str, Any], rules: Iterable[Rule] = ()) -> Exchange:
        """Send a PATCH. Without rules, it must succeed."""
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        return self.send("PATCH", path, *(tuple(rules) or (answers(200, 204),)), body=body)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The ServiceProviderConfig."""
        found: dict[str, Any] = self.get("/ServiceProviderConfig")
        return found

    @cached_property
    def resource_types(self) -> list[dict[str, Any]]:
        """The ResourceType documents."""
        return self.list_of("/ResourceTypes")

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The Schema documents by URN."""
        return {str(each.get("id")): each for each in self.list_of("/Schemas")}

    def attributes_of(self, urn: str) -> dict[str, dict[str, Any]]:
        """Return the attributes of an announced schema by name."""
        schema = self.schemas.get(urn)
        if schema is None:
            raise NotApplicable(f"/Schemas has no {urn}.")
        return {str(each.get("name")): each for each in schema.get("attributes") or ()}

    def text_attribute(self) -> str:
        """Return the name of a singular simple attribute of users that the check may change."""
        announced = self.attributes_of(USER)
        for name in ("displayName", "title", "nickName", "userType"):
            if name in announced:
                return name
        raise NotApplicable("The schema of users has none of displayName, title, nickName and userType.")


def _resources(body: Any) -> list[dict[str, Any]]:
    found = body.get("Resources") if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def is_reached(exchange: Exchange) -> Finding | str | None:
    """A rule: something answers."""
    return "The endpoint cannot be reached, or does not answer in time." if exchange.status == 0 else None


def is_object(exchange: Exchange) -> Finding | str | None:
    """A rule: the body is a JSON object."""
    return None if isinstance(exchange.received, dict) else "The response has no JSON object."


def has_id(exchange: Exchange) -> Finding | str | None:
    """A rule: the body has an `id`."""
    body = exchange.received
    return None if isinstance(body, dict) and isinstance(body.get("id"), str) else "The response has no `id`."


def answers(*statuses: int, scim_type: str | None = None) -> Rule:
    """Return a rule: the response has one of the statuses, and the `scimType`."""

    def rule(exchange: Exchange) -> str | None:
        wanted = " or ".join(map(str, statuses))
        if exchange.status not in statuses:
            said = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
            return f"The status is {exchange.status} instead of {wanted}." + (f" The detail: {said}" if said else "")
        given = exchange.received.get("scimType") if isinstance(exchange.received, dict) else None
        if scim_type is not None and given != scim_type:
            return f"The scimType is {json.dumps(given)} instead of {json.dumps(scim_type)}."
        return None

    return rule


def states(what: str, is_right: Callable[[Any], bool]) -> Rule:
    """Return a rule: the body satisfies a predicate. `what` is the requirement."""

    def rule(exchange: Exchange) -> str | None:
        return None if is_right(exchange.received) else what

    return rule


def has_value(name: str, value: Any) -> Rule:
    """Return a rule: an attribute of the body has a value."""
    return states(f"{name} is not {json.dumps(value)}.", lambda body: body.get(name) == value)


def judge(clause: Clause, probe: Probe) -> ClauseResult:
    """Return the result of a clause."""
    before = len(probe.session.report.steps)
    try:
        clause.check(probe)
    except ClauseFailed as failed:
        reason, exchange = str(failed), failed.step.exchange if failed.step else None
    except (AttributeError, KeyError, TypeError):  # a response has another form than the RFC says
        reason, exchange = "The response does not have the form of RFC 7644.", probe.session.report.steps[-1].exchange
    except NotObservable as host:
        return ClauseResult(clause, "host", str(host))
    except NotApplicable as absent:
        return ClauseResult(clause, "not-applicable", str(absent))
    else:
        return ClauseResult(clause, "conforms")
    writes = [each.exchange for each in probe.session.report.steps[before:] if each.exchange.method != "GET"]
    is_read = exchange is not None and exchange.method == "GET"
    return ClauseResult(clause, "fails", reason, exchange, writes[-1] if is_read and writes else None)


def needs_groups(probe: Probe) -> None:
    """Raise NotApplicable if the endpoint announces no groups."""
    if not any(each.get("endpoint") == "/Groups" for each in probe.resource_types):
        raise NotApplicable("The endpoint announces no groups.")


OFF: Final[Mapping[str, Any]] = {"op": "replace", "path": "active", "value": False}
ON: Final[Mapping[str, Any]] = {"op": "replace", "path": "active", "value": True}
