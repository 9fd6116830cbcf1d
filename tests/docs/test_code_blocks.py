"""Every Python block of the README and of the documentation runs, or is a file that runs."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from django.urls import include, path
from fastapi import FastAPI
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import create_async_engine
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser

from scimkit import MemoryStore, Principal, Request, ScimService, TokenRegistry, events, provisioning
from scimkit.schema.attributes import folded
from scimkit.service import explain
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sqlalchemy import provisioning_log_tables
from tests.client import PATCH_OP
from tests.docs.tables import DOCS
from tests.examples.fastapi_helpdesk import listeners, models
from tests.stores.databases import MARKS, url_of
from tests.stores.django import project

TOP: Final = DOCS.parent
_INCLUDED: Final = re.compile(r'^``` ?\{ \.python[^}]*\}\n--8<-- "([^"]+)"\n```$', re.MULTILINE)
_FENCES: Final = re.compile(r"^``` ?(?:python\b|\{ \.python|py\b)", re.MULTILINE)
_INLINE: Final = re.compile(r"^```python\b", re.MULTILINE)

Names = dict[str, Any]


def _database_page() -> Names:
    engines = {"create_engine": sa.create_engine, "create_async_engine": create_async_engine}
    return {"url": url_of("postgresql"), "SqlStore": SqlStore, "AsyncSqlStore": AsyncSqlStore, **engines}


def _log_page() -> Names:
    tokens = TokenRegistry()
    operations = [{"op": "replace", "path": "active", "value": "False"}]
    return {
        **_public(vars(provisioning)),
        "SqlStore": SqlStore,
        "ScimService": ScimService,
        "MemoryProvisioningLog": MemoryProvisioningLog,
        "Request": Request,
        "Principal": Principal,
        "explain": explain,
        "timedelta": timedelta,
        "tokens": tokens,
        "token": tokens.issue("tests").record,
        "my_store": MemoryStore(),
        "body": json.dumps({"schemas": [PATCH_OP], "Operations": operations}).encode(),
    }


def _admin_page() -> Names:
    assert project.settings.configured  # the import has set Django up, which `admin_urls` needs
    Path("norwegian.toml").write_bytes((files("scimkit.admin") / "english.toml").read_bytes())
    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens)
    return {"tokens": tokens, "service": service, "path": path, "include": include}


def _own_tables_page() -> Names:
    example = runpy.run_path(str(DOCS / "examples" / "own_tables.py"))
    return {
        **_public(example),
        **_public(vars(orm)),
        "String": sa.String,
        "folded": folded,
        "mappings": [example["agents"], example["teams"]],
        "provisioning_log_tables": provisioning_log_tables,
        "sessions": orm.sessionmaker(sa.create_engine("sqlite://")),
    }


def _operate_page() -> Names:
    return {"app": FastAPI(), "service": ScimService(MemoryStore(), tokens=TokenRegistry())}


def _roles_page() -> Names:
    return {**_public(vars(models)), **_public(vars(events)), **_public(vars(listeners)), "sa": sa}


def _public(names: Names) -> Names:
    return {name: value for name, value in names.items() if not name.startswith("_")}


CONTEXT: Final[dict[str, Callable[[], Names]]] = {
    "admin-page.md": _admin_page,
    "databases.md": _database_page,
    "events.md": lambda: _public(vars(events)),
    "operate.md": _operate_page,
    "own-resource-types.md": lambda: _public(runpy.run_path(str(DOCS / "examples" / "own_types.py"))),
    "own-tables.md": _own_tables_page,
    "provisioning-log.md": _log_page,
    "roles-from-groups.md": _roles_page,
}
"""The names that the blocks of a page use without an import, because the text around them explains these names."""


PAGES: Final = [
    page for page in (*sorted(DOCS.rglob("*.md")), TOP / "README.md") if _INLINE.search(page.read_text("utf-8"))
]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=MARKS["postgresql"] if page.name == "databases.md" else []) for page in PAGES],
    ids=[page.name for page in PAGES],
)  # fmt: skip
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after another and share their names. A block that raises shows only that."""
    monkeypatch.chdir(tmp_path)
    document = Document.parse(str(page), PythonCodeBlockParser())
    names = document.namespace
    names.update(CONTEXT.get(page.name, dict)())
    examples = list(document.examples())
    assert len(examples) == len(_INLINE.findall(page.read_text("utf-8")))
    for example in examples:
        if str(example.parsed).startswith("raise "):
            with pytest.raises(events.Refused):
                example.evaluate()
        else:
            example.evaluate()
    for each in (names.get("engine"), getattr(names.get("store"), "engine", None)):
        if isinstance(each, sa.Engine):
            each.dispose()


def test_every_block_is_known() -> None:
    """Each Python block of a page is one that runs here, or includes a file of `docs/examples`."""
    for page in (*DOCS.rglob("*.md"), TOP / "README.md"):
        text = page.read_text("utf-8")
        included = _INCLUDED.findall(text)
        assert [name for name in included if not (DOCS / "examples" / name).exists()] == []
        assert len(_FENCES.findall(text)) == len(included) + len(_INLINE.findall(text)), page
