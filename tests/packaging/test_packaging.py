"""The distributions have the expected contents, and a missing extra names itself.

`python -m tests.packaging` tests the same in fresh environments, with each extra and each version of Python.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from packaging.requirements import Requirement

import scimkit.stores.sql
import scimkit.stores.sqlalchemy
from scimkit import MemoryStore, RateLimits, ScimService, TokenRegistry
from scimkit.admin import AdminSite
from scimkit.asgi import ScimApp
from scimkit.stores.sql import AsyncSqlStore, SqlStore, migrations
from scimkit.testing.server import running
from tests.packaging.distributions import TOP, Distributions, build, copy_tracked, tracked_files

NAMES_EXTRA: Final = re.compile(r"pip install 'scimkit\[([a-z]+)\]'")
SITE: Final = "https://github.com/scimkit/scimkit/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Distributions, Distributions]:
    """Return the distributions of two clean copies. The folders, the times and the permissions of the files differ."""
    first = copy_tracked(tmp_path_factory.mktemp("first"))
    before = os.umask(0o077)
    try:
        second = copy_tracked(tmp_path_factory.mktemp("second") / "another" / "folder")
    finally:
        os.umask(before)
    for path in second.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return build(first, first / "dist"), build(second, second / "dist")


def test_two_builds_are_the_same_bytes(built: tuple[Distributions, Distributions]) -> None:
    """Two builds from two folders give the same wheel and the same source distribution, byte for byte."""
    one, two = built
    assert one.wheel.read_bytes() == two.wheel.read_bytes()
    assert one.sdist.read_bytes() == two.sdist.read_bytes()


def test_the_wheel_has_the_package_and_nothing_else(built: tuple[Distributions, Distributions]) -> None:
    """The wheel has each tracked file of `src`, with templates, schemas and `py.typed`, and its own metadata."""
    packed = {name for name in built[0].wheel_files() if ".dist-info/" not in name}
    assert packed == {name.removeprefix("src/") for name in tracked_files() if name.startswith("src/")}
    needed = {"py.typed", "admin/static/admin.css", "admin/templates/layout.html", "schema/core/user.json",
              "stores/sql/migrations/env.py", "stores/django/migrations/0001_first.py"}  # fmt: skip
    assert {f"scimkit/{name}" for name in needed} <= packed
    assert any(name.endswith("licenses/LICENSE") for name in built[0].wheel_files())


def test_the_source_distribution_has_all_tracked_files(built: tuple[Distributions, Distributions]) -> None:
    """The source distribution has each tracked file, so that its tests and its documentation work, and `PKG-INFO`."""
    assert built[0].sdist_files() == {*tracked_files(), "PKG-INFO"}


def test_the_metadata_is_complete(built: tuple[Distributions, Distributions]) -> None:
    """The version is that of the package, and the links of the README lead from PyPI to the repository."""
    with ZipFile(built[0].wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == scimkit.__version__
    text = metadata.get_payload()
    assert isinstance(text, str)
    links = re.findall(r"\]\(([^)#]+)", text)
    assert links
    assert [each for each in links if not each.startswith("https://")] == []
    tree = {each.removeprefix(SITE).partition("/main/")[2] for each in links if each.startswith(SITE)}
    assert [each for each in tree if not (TOP / each).exists()] == []


def test_each_extra_is_part_of_all() -> None:
    """The extra `all` has every extra for applications."""
    extras = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = re.search(r"\[(.*)\]", extras["all"][0])
    assert named
    assert {*named[1].split(",")} == {*extras} - {"all", "docs", "dev"}


def test_each_extra_has_a_smoke_test() -> None:
    """`smoke.py` has a function for each extra for applications, so that a new extra is not left out."""
    extras = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    tried = {*re.findall(r"^def (\w+)", (Path(__file__).parent / "smoke.py").read_text("utf-8"), re.MULTILINE)}
    assert ({*extras} - {"docs", "dev", "async"}) | {"awaited", "base"} <= tried


def base_distributions() -> set[str]:
    """Return the distributions that `pip install scimkit` installs, under their names here."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement("scimkit")]
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            if (wanted.name, extra) not in found:
                found.add((wanted.name, extra))
                required = [Requirement(each) for each in distribution(wanted.name).requires or []]
                waiting += [each for each in required if each.marker is None or each.marker.evaluate({"extra": extra})]
    return {distribution(name).metadata["Name"] for name, _ in found}


def test_a_module_without_its_extra_names_the_extra() -> None:
    """With the base dependencies only, each module can be imported, or its error names an extra that exists."""
    script = Path(__file__).parent / "import_all.py"
    done = subprocess.run(
        [sys.executable, str(script), *base_distributions()], capture_output=True, text=True, check=True
    )
    failed = json.loads(done.stdout)
    assert {name: said for name, said in failed.items() if not NAMES_EXTRA.search(said)} == {}
    assert {NAMES_EXTRA.search(said)[1] for said in failed.values()} == {  # type: ignore[index]
        "cli", "django", "oauth", "sql", "telemetry", "testing", "webhooks"
    }  # fmt: skip
    served = {"scimkit", "scimkit.asgi", "scimkit.wsgi", "scimkit.admin", "scimkit.loop", "scimkit.schema.models"}
    assert not served & {*failed}


def serve() -> None:
    """Serve an application as the simulators do."""
    with running(ScimApp(ScimService(MemoryStore(), tokens=TokenRegistry()))):
        pass


def show_admin_page() -> None:
    """Create an admin page."""
    service = ScimService(MemoryStore(), tokens=TokenRegistry())
    AdminSite(service, TokenRegistry(), authorize=lambda request: None, endpoint="/scim/v2")


def limit_rates() -> None:
    """Create a service with rate limits."""
    ScimService(MemoryStore(), tokens=TokenRegistry(), rate_limits=RateLimits())


def migrate() -> None:
    """Upgrade the tables of a new database."""
    engine = sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            migrations.upgrade(connection)
    finally:
        engine.dispose()


AT_USE: Final[list[tuple[str, str, Callable[[], object]]]] = [
    ("psycopg", "postgresql", lambda: SqlStore("postgresql://localhost/helpdesk", upgrade=False)),
    ("psycopg", "postgresql", lambda: AsyncSqlStore("postgresql://localhost/helpdesk")),
    ("pymysql", "mysql", lambda: SqlStore("mysql://localhost/helpdesk", upgrade=False)),
    ("asyncmy", "async", lambda: AsyncSqlStore("mysql://localhost/helpdesk")),
    ("aiosqlite", "async", lambda: AsyncSqlStore("sqlite:///helpdesk.db")),
    ("alembic", "sql", migrate),
    ("sqlalchemy.ext.asyncio", "async", lambda: scimkit.stores.sql.AsyncSqlBreakerStore),
    ("sqlalchemy.ext.asyncio", "async", lambda: scimkit.stores.sqlalchemy.AsyncMappedStore),
    ("uvicorn", "serve", serve),
    ("jinja2", "admin", show_admin_page),
    ("limits", "limits", limit_rates),
]
"""Packages that are imported at their first use, each with its extra and a call that needs the package."""


@pytest.mark.parametrize(("package", "extra", "call"), AT_USE, ids=[f"{one}-{two}" for one, two, _ in AT_USE])
def test_a_call_without_its_extra_names_the_extra(
    package: str, extra: str, call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is imported at its first use names its extra too."""
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=NAMES_EXTRA) as error:
        call()
    assert f"'scimkit[{extra}]'" in str(error.value)
