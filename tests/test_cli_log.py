"""`scimkit log`, `cycles`, `health`, `explain` and `forget`, over a database that `scimkit serve` wrote."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from scimkit import USER
from scimkit.cli import app
from scimkit.cli.provisioning_log import read_time
from tests.client import PATCH_OP
from tests.test_cli import SCIMKIT, serving

ANNA = {"schemas": [USER.schema], "userName": "anna@example.org", "title": "Chief", "active": "True"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a store in which a server created a user, failed once, and disabled the user."""
    url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'scim.db'}"
    token = run("token", "create", "--store", url, "--description", "Entra").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with serving("--store", url) as ready, httpx.Client(base_url=ready[0].split()[1], headers=headers) as client:
        created = client.post("/Users", json=ANNA)
        assert created.status_code == 201
        assert client.post("/Users", json=ANNA).status_code == 409
        for _ in range(3):
            client.get("/Users")
        off = {"op": "Replace", "path": "active", "value": "False"}
        body = {"schemas": [PATCH_OP], "Operations": [off]}
        assert client.patch(f"/Users/{created.json()['id']}", json=body).status_code == 200
    return url


def run(*arguments: str) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(app, arguments)


def lines(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
    """Return the JSON lines that a command prints."""
    done = run(*arguments, "--json")
    assert done.exit_code == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_log(url: str) -> None:
    """The log shows what happened, for people and for programs."""
    found = lines("log", "--store", url)
    assert [(each["action"], each["result"]) for each in found] == [
        ("Create", "Warning"), ("Create", "Failure"), ("Disable", "Warning"),
    ]  # fmt: skip
    shown = run("log", "--store", url).stdout
    assert "uniqueness: Another resource already has this userName." in shown
    assert "User anna@example.org" in shown
    assert len(shown.splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("--failures",), 1), (("--result", "Warning"), 2), (("--action", "Disable"), 1), (("--person", "ANNA@"), 3),
        (("--person", "bob"), 0), (("--since", "1h"), 3), (("--since", "2100-01-01"), 0), (("--limit", "2"), 2),
        (("--tenant", "other"), 0), (("--token", "none"), 0),
    ],
)  # fmt: skip
def test_conditions(url: str, options: tuple[str, ...], number: int) -> None:
    """Each condition selects its entries."""
    assert len(lines("log", "--store", url, *options)) == number


def test_one_entry(url: str) -> None:
    """One entry in full has the values before and after, and what each quirk rewrote."""
    last = lines("log", "--store", url)[-1]
    shown = run("log", "--store", url, last["id"]).stdout
    assert all(each in shown for each in ("requestId", last["requestId"], "boolean-text", '"False"'.strip('"')))
    assert lines("log", "--store", url, last["id"])[0] == last
    assert last["changes"] == {"active": {"before": True, "after": False}}
    assert run("log", "--store", url, "none").exit_code == 2


def test_cycles_and_health(url: str) -> None:
    """The cycle has its counts, and `health` is 1 because a user failed."""
    [cycle] = lines("cycles", "--store", url)
    assert (cycle["reads"], cycle["failures"], cycle["errors"]) == (3, 1, {"uniqueness": 1})
    assert "uniqueness (1)" in run("cycles", "--store", url).stdout
    [health] = lines("health", "--store", url, status=1)
    assert (health["status"], health["affected"]) == ("Failing", ["anna@example.org"])
    assert "Failing" in run("health", "--store", url).stdout
    assert lines("health", "--store", url, "--tenant", "other") == []


def test_explain(url: str, tmp_path: Path) -> None:
    """`explain` says what a request would do, and does nothing."""
    file = tmp_path / "request.json"
    id = lines("log", "--store", url)[0]["resourceId"]
    on = {"op": "Replace", "path": "active", "value": "True"}
    request = {"method": "PATCH", "path": f"/Users/{id}", "body": {"schemas": [PATCH_OP], "Operations": [on]}}
    file.write_text(json.dumps(request))
    [found] = lines("explain", str(file), "--store", url)
    assert (found["status"], found["entry"]["action"]) == (200, "Enable")
    assert found["operations"] == [{"op": "replace", "path": "active", "value": True}]
    shown = run("explain", str(file), "--store", url)
    assert all(each in shown.stdout for each in ("Enable", "boolean-text", "active"))
    file.write_text(
        "\n".join(json.dumps(each) for each in (request, {"method": "POST", "path": "/Users", "body": ANNA}))
    )
    refused = lines("explain", str(file), "--store", url, status=1)
    assert (refused[1]["status"], refused[1]["clause"]) == (409, "RFC 7643 section 7")
    assert len(lines("log", "--store", url)) == 3
    for wrong in ("", "[]", '{"method": "BREW", "path": "/"}', '{"method": "GET"}', "\udc80"):
        file.write_text(wrong, errors="surrogateescape")
        assert run("explain", str(file), "--store", url).exit_code == 2
    bulk = {"method": "POST", "path": "/Bulk", "body": {}}
    file.write_text(json.dumps(bulk))
    assert run("explain", str(file), "--store", url).exit_code == 2


def test_follow(url: str) -> None:
    """`--follow` prints what is there, then waits for more."""

    def started() -> Iterator[str]:
        command = [*SCIMKIT, "log", "--store", url, "--follow", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(3):
                yield process.stdout.readline()
            process.terminate()

    assert len([json.loads(line) for line in started()]) == 3


def test_forget(url: str) -> None:
    """`forget` erases a person and keeps the entries."""
    id = lines("log", "--store", url)[0]["resourceId"]
    assert "3 entries" in run("forget", id, "--store", url).stdout
    found = lines("log", "--store", url)
    assert len(found) == 3
    assert "anna" not in json.dumps(found)


@pytest.mark.parametrize("command", ["log", "cycles", "health"])
def test_wrong_options(command: str) -> None:
    """A log in memory belongs to its process; wrong words are refused."""
    assert run(command, "--store", "memory://").exit_code == 2
    assert run(command, "--store", "nonsense").exit_code == 2
    assert run("log", "--store", "sqlite://", "--result", "Good").exit_code == 2
    assert run("log", "--store", "sqlite://", "--since", "soon").exit_code == 2


@pytest.mark.parametrize(("text", "ago"), [("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604_800)])
def test_read_time(text: str, ago: int) -> None:
    """A time may count back from now."""
    assert abs(datetime.now(UTC) - timedelta(seconds=ago) - read_time(text)) < timedelta(seconds=5)


@pytest.mark.parametrize("text", ["", "h", "-1h", "99999999999d", "yesterday", "1.5h"])
def test_wrong_time(text: str) -> None:
    """Another text is refused with an example of the right form."""
    with pytest.raises(typer.BadParameter, match="2h"):
        read_time(text)
