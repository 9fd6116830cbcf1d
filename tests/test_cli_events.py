"""`scimkit events`: from a SCIM request to a webhook, by commands only."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from scimkit import USER
from scimkit.delivery import new_secret
from scimkit.events import ResourceCreated, ResourceEvent
from scimkit.stores.sql import SqlStore
from tests.delivery.receiver import receiving
from tests.test_cli import SCIMKIT, run, serving

LOCAL = ("--allow-http", "--allow-network", "127.0.0.0/8")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a new store."""
    return f"sqlite:///{tmp_path / 'scim.db'}"


def record(url: str, *resources: str) -> list[ResourceEvent]:
    """Record an event for each resource."""
    events: list[ResourceEvent] = [ResourceCreated(resource_type="User", id=each, tenant="t") for each in resources]
    store = SqlStore(url, outbox=True)
    store.record_events(events)
    store.engine.dispose()
    return events


def test_a_served_write_reaches_a_webhook(url: str, tmp_path: Path) -> None:
    """`serve --outbox` records a user, `events list` shows the event, and `events deliver` sends it, signed."""
    secret, file = new_secret(), tmp_path / "secret"
    file.write_text(f"{new_secret()}\n{secret}\n")
    token = run("token", "create", "--store", url, "--description", "Entra").stdout.strip()
    with serving("--store", url, "--outbox") as lines:
        user = {"schemas": [USER.schema], "userName": "mira"}
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.post(f"{lines[0].split()[1]}/Users", json=user, headers=headers).status_code == 201
    listed = run("events", "list", "--store", url).stdout
    assert "ResourceCreated" in listed
    assert "pending" in listed
    assert "mira" not in listed  # not a word of hexadecimal digits, which an id can contain
    with receiving() as receiver:
        command = ("events", "deliver", "--store", url, "--webhook", receiver.url, "--secret-file", str(file))
        done = run(*command, *LOCAL, "--until-empty")
        assert (done.returncode, done.stdout) == (0, "Delivered 1 events.\n"), done.stderr
        _, sent, body = receiver.requests[0]
        assert standardwebhooks.Webhook(secret).verify(body, sent)["label"] == "mira"
        assert "secret" not in done.stderr
    assert "delivered" in run("events", "list", "--store", url, "--status", "delivered").stdout


def test_a_worker_ends_at_sigterm(url: str) -> None:
    """`events deliver` runs until SIGTERM and then ends with status 0."""
    record(url, "a")
    with receiving() as receiver:
        process = subprocess.Popen(
            [*SCIMKIT, "events", "deliver", "--store", url, "--webhook", receiver.url, *LOCAL],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SCIMKIT_WEBHOOK_SECRET": new_secret()},
        )  # fmt: skip
        while not receiver.requests:
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "Delivered 1 events.\n"
        assert process.returncode == 0


def test_a_dead_letter_is_replayed_and_purged(url: str, tmp_path: Path) -> None:
    """An event that fails becomes a dead letter. It is listed with its error, replayed, delivered and purged."""
    file = tmp_path / "secret"
    file.write_text(new_secret())
    [event] = record(url, "a")
    with receiving() as receiver:
        command = (
            "events", "deliver", "--store", url, "--webhook", receiver.url, "--secret-file", str(file), *LOCAL,
            "--until-empty", "--tries", "1",
        )  # fmt: skip
        receiver.status = 500
        assert run(*command).stdout == "Delivered 0 events.\n"
        assert "HTTP 500" in run("events", "list", "--store", url, "--status", "dead").stdout
        receiver.status = 200
        assert run("events", "replay", event.event_id, "--store", url).returncode == 0
        assert run(*command).stdout == "Delivered 1 events.\n"
    assert run("events", "purge", "--store", url, "--days", "1").stdout == "Deleted 0 events.\n"
    assert run("events", "purge", "--store", url, "--days", "0").stdout == "Deleted 1 events.\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("list", "--store", "memory://"), "no events of other"),
        (("list", "--store", "sqlite:///x.db", "--status", "nope"), "pending"),
        (("deliver", "--store", "sqlite:///x.db", "--webhook", "https://example.org"), "SCIMKIT_WEBHOOK_SECRET"),
        (("deliver", "--store", "sqlite:///x.db", "--webhook", "https://example.org", "--secret-file", "none"), "read"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, ...], hint: str) -> None:
    """A wrong option ends with status 2 and a hint."""
    done = run("events", *arguments)
    assert done.returncode == 2
    assert hint in " ".join(done.stderr.split())
