"""The pages of OAuth clients: the list, a new client, its secrets and trusts, and its end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from scimkit.admin.client_states import client_state
from scimkit.admin.form_checks import description_problem, scope_problem
from scimkit.admin.guides import CLIENT_GUIDES
from scimkit.admin.page_requests import Answer, Page, PageRequest, Redirect
from scimkit.admin.ports import Ports
from scimkit.errors import NotFound
from scimkit.provisioning import LogQuery
from scimkit.runner import result_of
from scimkit.service.request_ids import one_line
from scimkit.tokens import Client
from scimkit.tokens.clients import MAX_TEXT, MAX_TRUSTS, token_owner

if TYPE_CHECKING:  # the token endpoint is an extra
    from scimkit.oauth import AsyncClientRegistry, ClientRegistry, IssuedSecret

LIFETIMES: Final[Mapping[str, timedelta]] = {
    "60": timedelta(hours=1), "120": timedelta(hours=2), "360": timedelta(hours=6),
}  # fmt: skip
"""The choices for the time until an access token expires."""
SECRET_EXPIRIES: Final[Mapping[str, timedelta]] = {
    "365": timedelta(days=365), "730": timedelta(days=730), "1095": timedelta(days=1095),
}  # fmt: skip
"""The choices for the time until a secret expires."""
EARLIER_SECRETS: Final[Mapping[str, timedelta | None]] = {
    "keep": None, "30d": timedelta(days=30), "7d": timedelta(days=7), "1d": timedelta(days=1), "none": timedelta(),
}  # fmt: skip
"""The choices for the time for which the earlier secrets stay valid. None keeps their own times."""
METHODS: Final = ("secret", "trust")
"""The choices for the first credential of a client."""
_TRUST_FIELDS: Final = ("issuer", "subject", "audience", "jwks")
_TRUST_PROBLEMS: Final = {
    "issuer": "trust.problem.issuer", "subject": "trust.problem.subject", "audience": "trust.problem.audience",
}  # fmt: skip
_SHOWN: Final = 10

_log: Final = logging.getLogger("scimkit.admin")


class ClientPages:
    """The handlers of the pages of OAuth clients.

    Args:
        ports: The ports of the service.
        clients: The registry of the clients.
    """

    def __init__(self, ports: Ports, clients: ClientRegistry | AsyncClientRegistry) -> None:
        self._ports = ports
        self._clients: Any = clients

    def routes(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return the handlers by method of each path. `*` stands for any segment."""
        one = ("clients", "*")
        return {
            ("clients",): {"GET": self.list},
            ("clients", "new"): {"GET": self.new, "POST": self.create},
            one: {"GET": self.show},
            (*one, "secrets"): {"GET": self.new_secret, "POST": self.add_secret},
            (*one, "secrets", "*", "remove"): {"GET": self.confirm_secret, "POST": self.remove_secret},
            (*one, "trusts"): {"GET": self.new_trust, "POST": self.add_trust},
            (*one, "trusts", "*", "remove"): {"GET": self.confirm_trust, "POST": self.remove_trust},
            (*one, "revoke"): {"GET": self.confirm_revocation, "POST": self.revoke},
        }

    async def list(self, call: PageRequest) -> Answer:
        """Show the clients of the tenant."""
        now = self._ports.clock()
        states = [client_state(each, now) for each in await self._ports.client_list(call.tenant)]
        return Page("clients.html", {"states": states, **self._endpoints(call)})

    async def new(self, call: PageRequest) -> Answer:
        """Show the form for a new client."""
        return self._new_form({})

    async def create(self, call: PageRequest) -> Answer:
        """Register a client. Show its first secret, or ask for its first trust."""
        names = ("description", "lifetime", "method", "expires")
        values: dict[str, Any] = {name: call.field(name) for name in names}
        values["scopes"] = scopes = call.form.get("scopes", ())
        problem = description_problem(values["description"]) or scope_problem(
            scopes, self._ports.service.resource_types
        )
        offered = {"lifetime": LIFETIMES, "method": METHODS, "expires": SECRET_EXPIRIES}
        if problem or any(values[name] not in choices for name, choices in offered.items()):
            return self._new_form(values, problem or "new.problem.choice")
        client: Client = await result_of(
            self._clients.add(
                values["description"], tenant=call.tenant, scopes=scopes, lifetime=LIFETIMES[values["lifetime"]],
                created_by=call.administrator.name,
            )
        )  # fmt: skip
        _note(call, "registered", client.id)
        if values["method"] == "trust":
            return Redirect(("clients", client.id, "trusts"))
        issued: IssuedSecret = await result_of(
            self._clients.add_secret(client.id, tenant=call.tenant, expires_in=SECRET_EXPIRIES[values["expires"]])
        )
        _note(call, "given a secret", client.id)
        return self._issued(call, client, issued)

    async def show(self, call: PageRequest, id: str) -> Answer:
        """Show a client, its credentials, its access tokens and its refused requests."""
        client = await self._client(call, id)
        owner = token_owner(client)
        records = [each for each in await self._ports.token_records(call.tenant) if each.created_by == owner]
        refused = LogQuery(tenant=call.tenant, token_id=id, action="RequestToken", limit=_SHOWN)
        values = {
            **self._state(client), **self._endpoints(call), "guides": CLIENT_GUIDES, "records": records[:_SHOWN],
            "failures": (await self._ports.entries(refused)).entries,
        }  # fmt: skip
        return Page("client.html", values)

    async def new_secret(self, call: PageRequest, id: str) -> Answer:
        """Show the form for another secret."""
        return self._secret_form(await self._client(call, id), {})

    async def add_secret(self, call: PageRequest, id: str) -> Answer:
        """Make another secret, and show it. No other page, URL or cookie ever has the secret."""
        client = await self._client(call, id)
        values = {"expires": call.field("expires"), "earlier": call.field("earlier") or "keep"}
        if values["expires"] not in SECRET_EXPIRIES or values["earlier"] not in EARLIER_SECRETS:
            return self._secret_form(client, values, "new.problem.choice")
        expires, overlap = SECRET_EXPIRIES[values["expires"]], EARLIER_SECRETS[values["earlier"]]
        try:
            if overlap is None:
                answer = self._clients.add_secret(id, tenant=call.tenant, expires_in=expires)
            else:
                answer = self._clients.rotate_secret(id, tenant=call.tenant, overlap=overlap, expires_in=expires)
            issued: IssuedSecret = await result_of(answer)
        except ValueError:
            return self._secret_form(client, values, await self._refusal(call, id, "client.problem.secrets"))
        _note(call, "given a secret", id)
        return self._issued(call, client, issued)

    async def confirm_secret(self, call: PageRequest, id: str, secret_id: str) -> Answer:
        """Show what will stop if a secret is removed."""
        client = await self._client(call, id)
        secret = next((each for each in client.secrets if each.id == secret_id), None)
        return self._confirmation(client, "secrets", secret_id, secret)

    async def remove_secret(self, call: PageRequest, id: str, secret_id: str) -> Answer:
        """Remove a secret, which ends the access tokens of the client."""
        return await self._changed(call, id, "secret_removed", self._clients.remove_secret, secret_id)

    async def new_trust(self, call: PageRequest, id: str) -> Answer:
        """Show the form for a trust."""
        return self._trust_form(call, await self._client(call, id), {})

    async def add_trust(self, call: PageRequest, id: str) -> Answer:
        """Accept signed assertions of an issuer."""
        client = await self._client(call, id)
        values = {name: call.field(name) for name in _TRUST_FIELDS}
        for name, problem in _TRUST_PROBLEMS.items():
            if not 0 < len(values[name]) <= MAX_TEXT or not values[name].isprintable():
                return self._trust_form(call, client, values, problem)
        if not values["jwks"].startswith("https://"):
            return self._trust_form(call, client, values, "trust.problem.jwks")
        try:
            await result_of(self._clients.add_trust(id, tenant=call.tenant, **values))
        except ValueError:
            problem = "client.problem.trusts" if len(client.trusts) >= MAX_TRUSTS else "trust.problem.jwks"
            return self._trust_form(call, client, values, await self._refusal(call, id, problem))
        _note(call, "given a trust", id)
        return Redirect(("clients", id), "done=trust_added")

    async def confirm_trust(self, call: PageRequest, id: str, trust_id: str) -> Answer:
        """Show what will stop if a trust is removed."""
        client = await self._client(call, id)
        trust = next((each for each in client.trusts if each.id == trust_id), None)
        return self._confirmation(client, "trusts", trust_id, trust)

    async def remove_trust(self, call: PageRequest, id: str, trust_id: str) -> Answer:
        """Remove a trust, which ends the access tokens of the client."""
        return await self._changed(call, id, "trust_removed", self._clients.remove_trust, trust_id)

    async def confirm_revocation(self, call: PageRequest, id: str) -> Answer:
        """Show what will stop if a client is revoked."""
        return Page("client_end.html", {**self._state(await self._client(call, id)), "kind": "client", "part": None})

    async def revoke(self, call: PageRequest, id: str) -> Answer:
        """Revoke a client, which ends its access tokens."""
        return await self._changed(call, id, "client_revoked", self._clients.revoke)

    async def _client(self, call: PageRequest, id: str) -> Client:
        """Return a client of the tenant. Raises NotFound."""
        client: Client = await result_of(self._clients.find(id, tenant=call.tenant))
        return client

    async def _changed(self, call: PageRequest, id: str, done: str, change: Any, *arguments: str) -> Answer:
        """Change a client, and return to its page."""
        await result_of(change(id, *arguments, tenant=call.tenant))
        _note(call, done.replace("_", " "), id)
        return Redirect(("clients", id), f"done={done}")

    async def _refusal(self, call: PageRequest, id: str, otherwise: str) -> str:
        """Return the key of the words that say why a client refused a credential: it is revoked, or another reason."""
        client = await self._client(call, id)
        return otherwise if client.revoked is None else "client.problem.revoked"

    def _state(self, client: Client) -> dict[str, Any]:
        return {"state": client_state(client, self._ports.clock()), "client": client}

    def _endpoints(self, call: PageRequest) -> dict[str, str]:
        """Return the URLs that the identity provider needs."""
        return {
            "endpoint": call.absolute(self._ports.endpoint), "token_endpoint": call.absolute(self._ports.token_endpoint)
        }  # fmt: skip

    def _new_form(self, values: Mapping[str, Any], problem: str = "") -> Page:
        usual = {
            "description": "", "scopes": ("read", "write"), "lifetime": "60", "method": "secret", "expires": "730",
        }  # fmt: skip
        shown = {
            "entered": {**usual, **values}, "lifetimes": LIFETIMES, "expiries": SECRET_EXPIRIES, "methods": METHODS,
            "problem": problem,
        }  # fmt: skip
        return Page("new_client.html", shown, 422 if problem else 200)

    def _secret_form(self, client: Client, values: Mapping[str, str], problem: str = "") -> Page:
        shown = {
            **self._state(client), "entered": {"expires": "730", "earlier": "30d", **values}, "problem": problem,
            "expiries": SECRET_EXPIRIES, "earlier": EARLIER_SECRETS,
        }  # fmt: skip
        return Page("new_secret.html", shown, 422 if problem else 200)

    def _trust_form(self, call: PageRequest, client: Client, values: Mapping[str, str], problem: str = "") -> Page:
        entered = dict.fromkeys(_TRUST_FIELDS, "") | dict(values)
        field = problem.rpartition(".")[2]
        shown = {
            **self._state(client), **self._endpoints(call), "entered": entered, "fields": _TRUST_FIELDS,
            "problem": problem, "wrong": field if field in _TRUST_FIELDS else "",
        }  # fmt: skip
        return Page("new_trust.html", shown, 422 if problem else 200)

    def _confirmation(self, client: Client, kind: str, part_id: str, part: object) -> Page:
        """Return the page that asks before a credential is removed. Raises NotFound if there is no such credential."""
        if part is None:
            raise NotFound("The client has no such credential.")
        return Page("client_end.html", {**self._state(client), "kind": kind, "part": part, "part_id": part_id})

    def _issued(self, call: PageRequest, client: Client, issued: IssuedSecret) -> Page:
        values = {
            **self._endpoints(call), "client": client, "secret": issued.secret, "record": issued.record,
            "guides": CLIENT_GUIDES,
        }  # fmt: skip
        return Page("client_secret.html", values)


def _note(call: PageRequest, done: str, id: str) -> None:
    """Log what an administrator did."""
    name = one_line(call.administrator.name)
    extra = {"tenant": call.tenant, "client_id": id, "administrator": name}
    _log.info("client %s: %s by %s", id, done, name, extra=extra)
