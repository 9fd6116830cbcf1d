"""`scimkit token`: every command, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from scimkit.cli import app
from scimkit.cli.token_columns import LIST_COLUMNS, SHOW_COLUMNS
from scimkit.documents import camel_case
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.tokens import TokenRegistry
from scimkit.tokens.format import parse_token


class Desk:
    """A database with tokens, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/desk.db"
        self.engine = SqlStore(self.url).engine
        self.registry = TokenRegistry(SqlTokenStore(self.engine))

    def run(self, *arguments: str) -> Result:
        """Run a command of `scimkit token`."""
        return CliRunner().invoke(app, ["token", *arguments, "--store", self.url])

    def json(self, *arguments: str) -> Any:
        """Return the JSON that a command prints."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A database without tokens."""
    made = Desk(tmp_path)
    yield made
    made.engine.dispose()


def test_create_takes_every_value(desk: Desk) -> None:
    """`create` issues a token with the scopes, the status, the expiry, the dialect and the creator of its options."""
    token = desk.run(
        "create", "--description", "Okta", "--tenant", "acme", "--days", "30", "--dialect", "strict", "--by", "ada",
        "--scope", "read", "--scope", "write:Group", "--inactive",
    ).stdout.strip()  # fmt: skip
    parts = parse_token(token)
    assert parts is not None
    record = desk.registry.find(parts.id, tenant="acme")
    assert (record.description, record.dialect, record.created_by) == ("Okta", "strict", "ada")
    assert (record.scopes, record.active) == (("read", "write:Group"), False)
    assert record.expires is not None
    assert record.expires - record.created == timedelta(days=30)


def test_create_prints_json(desk: Desk) -> None:
    """With `--json`, `create` prints the token and its values."""
    made = desk.json("create", "--description", "Entra")
    assert desk.registry.verify(made.pop("token")).token_id == made["id"]
    assert made.keys() == set(map(camel_case, SHOW_COLUMNS))
    assert (made["status"], made["scopes"], made["expires"]) == ("Active", ["read", "write"], None)


def test_a_list_has_the_same_columns_for_people_and_programs(desk: Desk) -> None:
    """`list` prints the same columns as a table and as JSON, and never the secret."""
    issued = desk.registry.issue("Entra \x1b[31m", scopes=["read"])
    desk.registry.verify(issued.token)
    parts = parse_token(issued.token)
    assert parts is not None
    (row,) = desk.json("list")
    assert row.keys() == set(map(camel_case, LIST_COLUMNS))
    assert datetime.fromisoformat(row["lastUsed"]) <= datetime.now(UTC)
    text = desk.run("list").stdout
    for name in LIST_COLUMNS:
        assert name.replace("_", " ").capitalize() in text
    assert all(each in text for each in (row["id"], "Active", "read", "never", issued.token[-4:]))
    assert "\x1b" not in text
    assert parts.secret not in text + json.dumps(row)
    assert desk.json("list", "--tenant", "other") == []


def test_show_prints_everything_but_the_token(desk: Desk) -> None:
    """`show` prints every value of one token, for people and for programs."""
    issued = desk.registry.issue("Entra", created_by="ada", dialect="entra")
    shown = desk.json("show", issued.record.id)
    assert shown.keys() == set(map(camel_case, SHOW_COLUMNS))
    assert (shown["createdBy"], shown["dialect"], shown["hint"]) == ("ada", "entra", issued.token[-4:])
    text = desk.run("show", issued.record.id).stdout
    assert all(each in text for each in ("Created by", "ada", "Dialect", "entra", "Rotated from"))
    assert issued.token not in text


def test_a_token_is_switched_off_and_on(desk: Desk) -> None:
    """`deactivate` and `activate` change the status, and report it."""
    id = desk.registry.issue("Entra").record.id
    assert desk.run("deactivate", id).stdout == f"Deactivated {id}.\n"
    assert desk.json("show", id)["status"] == "Inactive"
    assert desk.json("deactivate", id)["status"] == "Inactive"
    assert desk.run("activate", id).stdout == f"Activated {id}.\n"
    assert desk.json("activate", id)["status"] == "Active"


def test_rotate_prints_only_the_new_token(desk: Desk) -> None:
    """`rotate` prints the new token on standard output, and the end of the old one on standard error."""
    old = desk.registry.issue("Entra", scopes=["read"])
    done = desk.run("rotate", old.record.id, "--overlap-hours", "2", "--days", "30", "--by", "bo")
    token = done.stdout.strip()
    assert desk.registry.verify(token).scopes == {"read"}
    assert old.record.id in done.stderr
    expires = desk.registry.find(old.record.id).expires
    assert expires is not None
    assert timedelta(hours=1) < expires - datetime.now(UTC) <= timedelta(hours=2)
    again = desk.json("rotate", old.record.id)
    assert again["rotatedFrom"] == old.record.id
    assert desk.registry.find(old.record.id).expires == expires, "a second rotation never extends the token"


def test_revoke_is_final(desk: Desk) -> None:
    """`revoke` revokes a token. Every later change is refused with an explanation."""
    id = desk.registry.issue("Entra").record.id
    assert desk.json("revoke", id)["status"] == "Revoked"
    assert desk.run("revoke", id).stdout == f"Revoked {id}.\n"
    for command in ("activate", "deactivate", "rotate"):
        done = desk.run(command, id)
        assert done.exit_code == 2
        assert "revoked" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nope"), ("activate", "nope"), ("deactivate", "nope"), ("rotate", "nope"), ("revoke", "nope"),
        ("create", "--description", "x", "--scope", "admin"), ("create", "--description", "x", "--dialect", "martian"),
        ("rotate", "nope", "--overlap-hours", "-1"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(desk: Desk, arguments: tuple[str, ...]) -> None:
    """An unknown id or a wrong option ends with status 2 and a message."""
    done = desk.run(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    assert not done.stdout
