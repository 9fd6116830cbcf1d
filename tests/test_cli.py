"""The command line, as a user runs it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scimkit.stores.sql import migrations
from scimkit.testing.server import PortTaken, open_listener
from scimkit.tokens.format import parse_token

SCIMKIT = [sys.executable, "-m", "scimkit.cli"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*SCIMKIT, *arguments], capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def serving(*arguments: str, lines: int | None = None) -> Iterator[list[str]]:
    """Yield the lines that `scimkit serve` prints until it is ready: the given number, or one or two."""
    process = subprocess.Popen([*SCIMKIT, "serve", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield [process.stdout.readline() for _ in range(lines or (1 if "--store" in arguments else 2))]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_demo_passes_every_step() -> None:
    """`scimkit demo` prints the endpoint, the token and a check mark for each step of both flavors, and succeeds."""
    done = run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert done.stdout.count("✓") > 150
    for text in ("SCIM endpoint", "Test connection", "steps passed, 0 failed", "Tenant URL", "scimkit token create"):
        assert text in done.stdout
    shown = [word for word in done.stdout.split() if word.startswith("scimkit_")]
    assert len(shown) == 2
    assert all(parse_token(word) for word in shown)


def test_demo_takes_one_flavor() -> None:
    """`--flavour` selects the PATCH format of Entra. An unknown flavor is refused with the list of choices."""
    assert "default" in run("demo", "--flavour", "nope").stderr
    done = run("demo", "--flavour", "aadOptscim062020")
    assert done.returncode == 0
    assert "tenant demo-default" not in done.stdout


@pytest.mark.parametrize("arguments", [[], ["demo"], ["serve"], ["token"], ["token", "create"]])
def test_help(arguments: list[str]) -> None:
    """Every command has a help text."""
    done = run(*arguments, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_tokens_and_users_outlive_the_process(tmp_path: Path) -> None:
    """`token create` prints only the token. A later `serve` accepts the token, and serves the users in the file."""
    store = f"sqlite:///{tmp_path}/desk.db"
    token = run("token", "create", "--store", store, "--description", "Entra").stdout
    assert parse_token(token.strip())
    assert token == token.strip() + "\n"
    headers = {"Authorization": f"Bearer {token.strip()}"}
    with serving("--store", store) as lines:
        url = lines[0].removeprefix("Ready: ").strip()
        assert url.endswith("/scim/v2")
        assert httpx.post(f"{url}/Users", json={"userName": "ada"}, headers=headers).status_code == 201
    with serving("--store", store, "--dialect", "strict") as lines:
        url = lines[0].removeprefix("Ready: ").strip()
        assert httpx.get(f"{url}/Users", headers=headers).json()["totalResults"] == 1
        assert httpx.get(f"{url}/Users?filter=userName eq ada", headers=headers).status_code == 400
        assert httpx.post(f"{url}/Users", json={"userName": "bo"}, headers=headers).status_code == 400


def test_tokens_are_listed_and_revoked(tmp_path: Path) -> None:
    """`token list` prints ids and status but no secret. A revoked token is refused."""
    store = f"sqlite:///{tmp_path}/desk.db"
    arguments = ["token", "create", "--store", store, "--description", "Okta", "--tenant", "acme", "--days", "30"]
    token = run(*arguments).stdout.strip()
    parts = parse_token(token)
    assert parts is not None
    listed = run("token", "list", "--store", store, "--tenant", "acme").stdout
    assert parts.id in listed
    assert "Active" in listed
    assert parts.secret not in listed
    assert parts.id not in run("token", "list", "--store", store).stdout
    assert run("token", "revoke", parts.id, "--store", store).returncode != 0
    assert run("token", "revoke", parts.id, "--store", store, "--tenant", "acme").returncode == 0
    assert "Revoked" in run("token", "list", "--store", store, "--tenant", "acme").stdout


def test_serve_in_memory_gives_a_token() -> None:
    """`scimkit serve` without options prints when it is ready, and a token that works."""
    with serving() as lines:
        url = lines[0].removeprefix("Ready: ").strip()
        token = lines[1].removeprefix("Token: ").strip()
        start = time.monotonic()
        assert httpx.get(f"{url}/Users", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert time.monotonic() - start < 10


def test_serve_on_an_ipv6_address() -> None:
    """The URL of a server on an IPv6 address has brackets, so that a client can use it."""
    try:
        open_listener("::1", 0).close()
    except PortTaken:
        pytest.skip("the machine has no IPv6")
    with serving("--host", "::1") as (ready, _):
        url = ready.split()[1]
        assert url.startswith("http://[::1]:")
        assert httpx.get(f"{url}/ServiceProviderConfig").status_code == 200


def test_serve_with_rate_limits() -> None:
    """With --rate-limits, a token that sends more than its rate gets 429."""
    with serving("--rate-limits", "memory://", "--token-rate", "0.3") as (ready, token):
        url, headers = ready.split()[1], {"Authorization": f"Bearer {token.split()[1]}"}
        statuses = [httpx.get(f"{url}/Users", headers=headers).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize("command", ["demo", "serve", "serve --workers 2 --store sqlite:///{folder}/scim.db"])
def test_a_taken_port_is_explained(command: str, tmp_path: Path) -> None:
    """If the port is in use, the demo and the server end with one clear message, before they open the store."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(*command.format(folder=tmp_path).split(), "--port", str(port))
    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert f"Port {port} of 127.0.0.1 cannot be opened. Another program uses this port. Stop that program" in said
    assert "Errno" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


def test_an_address_of_another_machine_is_explained() -> None:
    """If the machine does not have the address, the server ends with one clear message."""
    done = run("serve", "--host", "192.0.2.1", "--port", "0")
    assert done.returncode == 2
    assert "This machine does not have this address" in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--store", "redis://x"],
        ["serve", "--store", "sqlite:////nope/nope/x.db"],
        ["serve", "--dialect", "martian"],
        ["serve", "--rate-limits", "http://x"],
        ["serve", "--rate-limits", "redis://:secret@x:port"],
        ["token", "create", "--store", "memory://", "--description", "x"],
        ["token", "create", "--description", "x"],
        ["migrate", "--store", "memory://"],
        ["migrate", "--store", "postgresql+psycopg://127.0.0.1:1/nope"],
        ["nope"],
    ],
)
def test_mistakes_are_explained(arguments: list[str]) -> None:
    """A mistake ends with status 2 and one clear message, never with a traceback."""
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error" in done.stderr
    assert "secret" not in done.stderr


def test_a_variable_names_the_file_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command reads the URL from the file of SCIMKIT_STORE_FILE, unless --store or SCIMKIT_STORE is given."""
    file = tmp_path / "store"
    file.write_text(f"sqlite:///{tmp_path}/a.db\n")
    missing = run("migrate")
    assert missing.returncode == 2 and "SCIMKIT_STORE_FILE" in missing.stderr
    monkeypatch.setenv("SCIMKIT_STORE_FILE", str(file))
    assert f"upgraded from nothing to {migrations.HEAD}" in run("migrate").stdout
    issued = run("token", "create", "--description", "x").stdout.strip()
    assert parse_token(issued) is not None
    with serving(lines=1) as lines:
        url = lines[0].removeprefix("Ready: ").strip()
        assert httpx.get(f"{url}/Users", headers={"Authorization": f"Bearer {issued}"}).status_code == 200
    assert run("migrate", "--store", f"sqlite:///{tmp_path}/b.db", "--check").returncode == 1
    with serving("--store", "memory://", lines=2) as lines:
        assert lines[1].startswith("Token: "), "a server without tokens issues one"
    monkeypatch.setenv("SCIMKIT_STORE", f"sqlite:///{tmp_path}/b.db")
    assert run("migrate", "--check").returncode == 1
    monkeypatch.delenv("SCIMKIT_STORE")
    monkeypatch.setenv("SCIMKIT_STORE_FILE", str(tmp_path / "none"))
    assert run("token", "list").returncode == 2


def test_migrate(tmp_path: Path) -> None:
    """`migrate` prints the old and the new version.

    With `--check`, it changes nothing, and its exit status is the result.
    """
    store = f"sqlite:///{tmp_path}/desk.db"
    behind = run("migrate", "--store", store, "--check")
    assert (behind.returncode, behind.stdout) == (1, f"to upgrade from nothing to {migrations.HEAD}\n")
    done = run("migrate", "--store", store)
    assert (done.returncode, done.stdout) == (0, f"upgraded from nothing to {migrations.HEAD}\n")
    for arguments in ((), ("--check",)):
        again = run("migrate", "--store", store, *arguments)
        assert (again.returncode, again.stdout) == (0, f"at {migrations.HEAD}, nothing to do\n")


def test_store_urls_are_explained() -> None:
    """A URL that names no store, or memory:// with several processes, is refused with an explanation."""
    for arguments in (("--store", "oracle://x"), ("--store", "nonsense"), ("--workers", "2")):
        done = run("serve", "--port", "0", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
