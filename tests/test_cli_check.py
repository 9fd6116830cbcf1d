"""`scimkit check`, as a user runs it, against a running server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.cli import app
from scimkit.dialects import DIALECTS
from scimkit.schema.core import GROUP, USER
from scimkit.service import Response
from scimkit.stores.protocol import Query, Scope
from scimkit.testing.server import running


def check(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "scimkit.cli", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


@contextmanager
def served(**options: Any) -> Iterator[tuple[MemoryStore, str, str]]:
    """Yield a store, the URL of a service over it, and a token."""
    tokens, store = TokenRegistry(), MemoryStore()
    with running(ScimApp(ScimService(store, tokens=tokens, **options), prefix="/scim/v2")) as url:
        yield store, f"{url}/scim/v2", tokens.issue("check").token


def test_a_conformant_service_passes_and_is_unchanged() -> None:
    """Each identity provider passes with one line, and the exit status is 0.

    Nothing is left behind, and no token is shown.
    """
    with served() as (store, url, token):
        done = check(url, "--token", token)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("✓") == 10
        assert "All 10 identity providers would succeed" in done.stdout
        assert token not in done.stdout + done.stderr
        assert empty(store)


def test_failures_are_explained() -> None:
    """A failure is printed with its request, reason and fix, and the exit status is 1. Nothing is left behind."""
    with served(dialect=DIALECTS["strict"]) as (store, url, token):
        done = check(url, "--token", token, "--idp", "okta-catalogue", "--idp", "pingfederate")
        assert done.returncode == 1
        assert "✗ pingfederate" in done.stdout
        why = "why: The status is 400, but a query needs 200"
        for text in (why, "fix: ", "expected: ", "would fail", "GET /Users?filter"):
            assert text in done.stdout
        assert empty(store)


def test_a_random_history_is_played() -> None:
    """`--seed` plays a random history with the number of events that `--events` gives."""
    with served() as (store, url, token):
        done = check(url, "--token", token, "--idp", "okta", "--seed", "4", "--events", "5")
        assert done.returncode == 0, done.stdout + done.stderr
        assert empty(store)


def test_a_wrong_token_is_explained() -> None:
    """With an invalid token, each identity provider fails at its first request."""
    with served() as (_, url, _token):
        done = check(url, "--token", "scimkit_nope", "--idp", "entra", "--idp", "okta")
        assert done.returncode == 1
        assert "401" in done.stdout
        assert "token" in done.stdout


class Narrow(ScimService):
    """A service that does not keep titles."""

    async def handle(self, request: Request) -> Response:
        response = await super().handle(request)
        body = json.loads(response.body) if response.body else {}
        body.pop("title", None)
        return Response(response.status, json.dumps(body).encode() if body else b"", response.headers)


def test_attributes_that_are_not_kept() -> None:
    """A failure names the option `--without`.

    With the option, the attribute is not compared, and the output states that.
    """
    tokens = TokenRegistry()
    token = tokens.issue("check").token
    with running(ScimApp(Narrow(MemoryStore(), tokens=tokens))) as url:
        idps = ("--idp", "okta", "--idp", "entra")
        done = check(url, "--token", token, *idps)
        assert done.returncode == 1
        assert "why: The response to GET /Users/" in done.stdout
        assert "fix: Map title. If the application does not keep it, run with --without title (" in done.stdout
        assert done.stdout.count("fix: ") == 2
        done = check(url, "--token", token, *idps, "--without", "title", "--without", "locale")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Not compared: title, locale." in done.stdout


def test_an_attribute_that_no_schema_has_is_explained() -> None:
    """An unknown name in `--without` ends with status 2 before any request, and the message explains the mistake."""
    for name, said in (("titel", "is not an attribute of users or groups"), ("userName", "cannot be left out")):
        done = check("http://127.0.0.1:9", "--token", "x", "--without", name)
        assert done.returncode == 2
        assert said in " ".join(done.stderr.replace("│", " ").split())
        assert "--without" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["help.example.org", "--token", "x"], ["http://127.0.0.1:9", "--token", "x", "--idp", "martian"], ["http://x"]],
)
def test_mistakes_are_explained(arguments: list[str]) -> None:
    """A mistake ends with status 2 and one clear message."""
    done = check(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_unreachable_service_is_reported() -> None:
    """A service that cannot be reached is reported as a failure, without a traceback."""
    done = check("http://127.0.0.1:9", "--token", "x", "--idp", "okta")
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout


def test_a_conforming_service_is_ready() -> None:
    """The report has a line for each clause, and names what the application must ensure. The status is 0."""
    with served(dialect=DIALECTS["interop"]) as (store, url, token):
        done = check(url, "--token", token, "--profile", "ipsie")
        assert done.returncode == 0, done.stdout + done.stderr
        for text in ("15 April 2026", "draft 00", "no request can show it", "No mandatory clause of the profile ipsie"):
            assert text in done.stdout
        assert "✗" not in done.stdout
        assert token not in done.stdout + done.stderr
        assert empty(store)


def test_a_broken_service_is_not_ready() -> None:
    """A broken clause is printed with its request and remedy, for people and for programs. The status is 1."""
    with served(dialect=DIALECTS["tolerant"]) as (store, url, token):
        done = check(url, "--token", token, "--profile", "interop")
        assert done.returncode == 1
        for text in (
            "interop 6.5.1.1, MUST, patch-path",
            "why: The status is 200 instead of 400.",
            "request: PATCH /Users/",
            "after: PATCH /Users/",
            "fix: Answer 400 with `invalidSyntax`.",
            "4 mandatory clauses of the profile interop fail.",
        ):
            assert text in done.stdout
        done = check(url, "--token", token, "--profile", "interop", "--json")
        assert done.returncode == 1
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        (broken,) = [each for each in lines if each["clause"] == "patch-path"]
        assert (broken["outcome"], broken["status"], broken["level"]) == ("fails", 200, "MUST")
        assert broken["request"].startswith("PATCH /Users/")
        assert broken["remedy"]
        assert token not in done.stdout
        assert empty(store)


def test_declared_revokers_are_named(tmp_path: Path) -> None:
    """`--revokers` imports the list that the application declares, and the report names each with its time."""
    (tmp_path / "access.py").write_text(
        "from datetime import timedelta\n"
        "from scimkit.safeguards import Revoker\n"
        "revokers = [Revoker('web sessions', lambda event, transaction: None, within=timedelta(seconds=90))]\n"
    )
    with served(dialect=DIALECTS["interop"]) as (_, url, token):
        done = check(url, "--token", token, "--profile", "ipsie", "--revokers", "access:revokers", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Declared: web sessions within 90 s. These run in another process: web sessions." in done.stdout


@pytest.mark.parametrize(
    ("named", "arguments"),
    [
        ("--profile", ["--profile", "none"]),
        ("--profile", ["--profile", "interop", "--idp", "okta"]),
        ("--profile", ["--profile", "interop", "--seed", "1"]),
        ("--json", ["--json"]),
        ("--revokers", ["--revokers", "json:__all__"]),
        ("--revokers", ["--profile", "ipsie", "--revokers", "json:nothing"]),
        ("--revokers", ["--profile", "ipsie", "--revokers", "json:dumps"]),
        ("--revokers", ["--profile", "ipsie", "--revokers", "json:__all__"]),
        ("--revokers", ["--profile", "ipsie", "--revokers", "nowhere_at_all:revokers"]),
        ("--revokers", ["--profile", "ipsie", "--revokers", "json"]),
    ],
)
def test_mistakes_with_profiles_are_explained(named: str, arguments: list[str]) -> None:
    """A mistake with the options of profiles ends with status 2 and the name of the option, before any request."""
    done = CliRunner().invoke(app, ["check", "http://127.0.0.1:9", "--token", "x", *arguments])
    assert done.exit_code == 2
    assert f"Invalid value for {named}" in done.output


def empty(store: MemoryStore) -> bool:
    """Report whether the store has no resources."""
    return all(store.search(Scope("default"), Query(kind, count=0)).total == 0 for kind in (USER, GROUP))
