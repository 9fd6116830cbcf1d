"""Tests of the files in `docs/examples/deploy`: their syntax, their options, and what they say about timeouts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import sqlalchemy as sa
import uvicorn
import yaml

from scimkit import USER, Limits, Scope
from scimkit.stores.sql import SqlStore
from tests.docs.command_lines import parameters
from tests.docs.tables import DOCS
from tests.stores.databases import MARKS, url_of

DEPLOY: Final = DOCS / "examples" / "deploy"
DOCKERFILES: Final = {each.name: each.read_text("utf-8") for each in DEPLOY.glob("*Dockerfile")}
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text("utf-8")
MANIFEST: Final = (DEPLOY / "kubernetes.yaml").read_text("utf-8")
NGINX: Final = (DEPLOY / "nginx.conf").read_text("utf-8")
INSTRUCTIONS: Final = {"FROM", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def objects() -> dict[str, Any]:
    """Return the objects of the manifest by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(MANIFEST)}


def containers() -> Iterator[dict[str, Any]]:
    """Yield the containers of the manifest."""
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    yield from (*pod["initContainers"], *pod["containers"])


def command_of(dockerfile: str) -> list[str]:
    """Return the command of a Dockerfile."""
    command: list[str] = json.loads(re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)[0])
    return command


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_dockerfiles(name: str) -> None:
    """Each line is an instruction of Docker, a plain user runs the command, and the health check is Python."""
    text = DOCKERFILES[name]
    found = {line.split()[0] for line in text.splitlines() if line}
    assert found in (INSTRUCTIONS, INSTRUCTIONS - {"ENTRYPOINT"} | {"WORKDIR", "COPY"})
    compile(json.loads(re.findall(r"HEALTHCHECK CMD (.+)$", text, re.MULTILINE)[0])[2], name, "exec")
    assert re.findall(r"^USER (\d+)$", text, re.MULTILINE) == ["10001"]


def test_the_command_of_the_server() -> None:
    """The command has valid options."""
    assert parameters(command_of(DOCKERFILE))["host"] == "0.0.0.0"


def test_the_image_of_the_helpdesk() -> None:
    """uvicorn accepts the options, and the paths are those of the last step of the tutorial."""
    text, [_, *arguments] = DOCKERFILES["helpdesk.Dockerfile"], command_of(DOCKERFILES["helpdesk.Dockerfile"])
    options = uvicorn.main.make_context("uvicorn", arguments).params
    assert (options["app"], options["host"]) == ("helpdesk.app:app", "0.0.0.0")
    assert options["timeout_graceful_shutdown"] == 30
    last = (DOCS / "examples" / "tutorial" / "step_8" / "helpdesk" / "app.py").read_text("utf-8")
    assert 'app.mount("/probes", HealthApp(service))' in last and ":8000/probes/readyz" in text
    packages = re.findall(r"pip install --no-cache-dir (.+)", text)[0]
    assert all(each in packages for each in ("fastapi", "uvicorn", "itsdangerous", "scimkit[admin,postgresql]"))


@pytest.mark.parametrize("container", list(containers()), ids=lambda each: each["args"][0])
def test_the_containers(container: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each container has valid options, and takes its secrets from the Secret, never from its arguments.

    The URL of the store is in a file of a volume that has only the keys which the container needs.
    """
    values = {each["name"]: each.get("value") for each in container["env"]}
    file = tmp_path / "store"
    file.write_text("sqlite://", "utf-8")
    monkeypatch.setenv("SCIMKIT_STORE_FILE", str(file))
    parameters(container["args"])
    secret = objects()["Secret"]
    named = [each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each]
    assert all(each["name"] == "scimkit" and each["key"] in secret["stringData"] for each in named)
    [mount] = container["volumeMounts"]
    volumes = {each["name"]: each["secret"] for each in objects()["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    [item] = volumes[mount["name"]]["items"]
    assert values["SCIMKIT_STORE_FILE"] == f"{mount['mountPath']}/{item['path']}"
    assert volumes[mount["name"]]["secretName"] == "scimkit" and item["key"] in secret["stringData"]
    assert all("postgresql" not in each for each in (*container["args"], *filter(None, values.values())))


def test_the_manifest() -> None:
    """The probes are those of `scimkit serve`, the pod may live longer than the grace period, and ports agree."""
    [serving] = (each for each in containers() if each["args"][0] == "serve")
    pod = objects()["Deployment"]["spec"]["template"]
    assert serving["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert serving["livenessProbe"]["httpGet"]["path"] == "/healthz"
    options = parameters(serving["args"])
    assert pod["spec"]["terminationGracePeriodSeconds"] > options["grace"]
    service = objects()["Service"]["spec"]
    assert options["port"] == serving["ports"][0]["containerPort"] == service["ports"][0]["targetPort"]
    assert service["selector"] == pod["metadata"]["labels"]
    assert options["public_url"].startswith("https://")


def test_nginx() -> None:
    """Each line of the configuration is a directive or a brace, and its limits are those of scimkit."""
    lines = [re.sub(r"\s*#.*", "", line).strip() for line in NGINX.splitlines()]
    assert all(line == "" or line[-1] in ";{}" for line in lines)
    assert NGINX.count("{") == NGINX.count("}")
    limits = Limits()
    assert float(re.findall(r"proxy_read_timeout (\d+)s", NGINX)[0]) > limits.deadline
    assert int(re.findall(r"client_max_body_size (\d+)m", NGINX)[0]) * 1024**2 == limits.body
    assert int(re.findall(r"large_client_header_buffers 4 (\d+)k", NGINX)[0]) * 1024 == limits.query


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=MARKS["postgresql"])])
def test_the_roles_of_postgresql(database: str) -> None:
    """The role of the application can serve requests on tables that the owner migrates, and cannot drop them."""
    mark = uuid4().hex[:8]
    text = (DEPLOY / "postgresql.sql").read_text("utf-8")
    for name in ("scim_owner", "scim_app", "DATABASE scim", "connect scim"):
        text = re.sub(rf"{name}\b", f"{name}_{mark}", text)
    create, grants = re.split(r"^\\connect .+\n", text, flags=re.MULTILINE)
    url = sa.make_url(url_of(database))
    inside = url.set(database=f"scim_{mark}")
    _execute(url, create)
    _execute(inside, grants)
    SqlStore(_text(inside, f"scim_owner_{mark}")).engine.dispose()
    store = SqlStore(_text(inside, f"scim_app_{mark}"))
    try:
        written = store.create(Scope(), USER, {"schemas": [USER.schema], "userName": "ada"})
        store.delete(Scope(), USER, written.document["id"])
        with pytest.raises(sa.exc.ProgrammingError, match="must be owner"), store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE scim_resource")
    finally:
        store.engine.dispose()
        _execute(url, f"DROP DATABASE scim_{mark}; DROP ROLE scim_app_{mark}; DROP ROLE scim_owner_{mark}")


def _execute(url: sa.URL, script: str) -> None:
    """Execute the statements of a script, each in a transaction of its own."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in filter(str.strip, script.split(";")):
            connection.exec_driver_sql(statement)
    engine.dispose()


def _text(url: sa.URL, user: str) -> str:
    return url.set(username=user).render_as_string(hide_password=False)
