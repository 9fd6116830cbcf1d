"""`scimkit client`: every command, as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from scimkit.cli import app
from scimkit.cli.server import ServerApp, Settings
from scimkit.cli.stores import open_store
from scimkit.oauth import ClientRegistry
from scimkit.stores.sql import SqlClientStore
from scimkit.testing.server import running
from tests.oauth.issuer import key, key_set


class Clients:
    """A database, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/desk.db"
        self.store, self.tokens = open_store(self.url)
        self.engine: Any = getattr(self.store, "engine", None)
        self.registry = ClientRegistry(self.tokens, SqlClientStore(self.engine))

    def run(self, *arguments: str) -> Result:
        """Run a command of `scimkit client`."""
        return CliRunner().invoke(app, ["client", *arguments, "--store", self.url])

    def json(self, *arguments: str) -> Any:
        """Return the JSON that a command prints."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    """A database without clients."""
    made = Clients(tmp_path)
    yield made
    made.engine.dispose()


def test_the_life_of_a_client(clients: Clients) -> None:
    """`add` prints a secret that the server of `serve --token-endpoint` accepts; `rotate` and `revoke` end it."""
    made = clients.json("add", "--description", "Entra", "--scope", "read", "--minutes", "360", "--years", "3")
    id, first = made["clientId"], made["clientSecret"]
    assert clients.registry.find(id).lifetime == 21600
    settings = Settings(clients.url, "tolerant", "", 0, None, None, 0, "text", "info", False, token_endpoint=True)
    with running(ServerApp(settings, clients.store, clients.tokens)) as url:
        response = httpx.post(f"{url}/oauth/token", data={"grant_type": "client_credentials"}, auth=(id, first))
        headers = {"authorization": f"Bearer {response.json()['access_token']}"}
        assert httpx.get(f"{url}/scim/v2/Users", headers=headers).status_code == 200
    second = clients.run("rotate", id, "--overlap-days", "1").stdout.splitlines()[1].removeprefix("Client secret: ")
    (listed,) = clients.json("list")
    assert [each["hint"] for each in listed["secrets"]] == [first[-4:], second[-4:]]
    text = clients.run("list").stdout
    assert id in text and first[-4:] in text and first not in text + json.dumps(listed)
    assert clients.run("revoke", id, "--secret", listed["secrets"][0]["id"]).exit_code == 0
    assert [each.hint for each in clients.registry.find(id).secrets] == [second[-4:]]
    assert clients.run("revoke", id).exit_code == 0
    assert clients.json("list")[0]["status"] == "Revoked"


def test_a_trust_has_keys_at_a_url_or_in_a_file(clients: Clients, tmp_path: Path) -> None:
    """`trust` registers an issuer, and `revoke --trust` removes it."""
    id = clients.run("add", "--description", "Entra", "--no-secret").stdout.split()[-1]
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(key_set(key("one"))))
    for jwks in ("https://login.example.org/keys", str(keys)):
        done = clients.run("trust", id, "--issuer", "i", "--subject", "s", "--audience", "a", "--jwks", jwks)
        assert done.exit_code == 0, done.output
    first, second = clients.registry.find(id).trusts
    assert first.jwks.startswith("https://") and '"kid":"one"' in second.jwks
    assert clients.run("revoke", id, "--trust", first.id).exit_code == 0
    assert clients.registry.find(id).trusts == (second,)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "--description", "x", "--scope", "admin"),
        ("add", "--description", "x", "--dialect", "klingon"),
        ("add", "--description", "x", "--minutes", "30"),
        ("rotate", "unknown"),
        ("revoke", "unknown"),
        ("trust", "unknown", "--issuer", "i", "--subject", "s", "--audience", "a", "--jwks", "http://x/keys"),
        ("trust", "unknown", "--issuer", "i", "--subject", "s", "--audience", "a", "--jwks", "/nowhere"),
        ("list", "--store", "memory://"),
    ],
)
def test_wrong_arguments_are_explained(clients: Clients, arguments: tuple[str, ...]) -> None:
    """A wrong argument ends with status 2 and one explanation, without a traceback."""
    done = CliRunner().invoke(
        app, ["client", *arguments, *(() if "memory://" in arguments else ("--store", clients.url))]
    )
    assert done.exit_code == 2 and "Traceback" not in done.output
