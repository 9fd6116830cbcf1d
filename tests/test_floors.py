"""Tests of the import rules that `import-linter` does not check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import scimkit

SOURCE = Path(scimkit.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
CONCURRENT = {"asyncio", "anyio", "threading", "concurrent", "multiprocessing"}
AWAITED = {"stores/sql/async_store.py"}
"""The async stores. They may import asyncio for timeouts and delays."""
LOCKS = {
    "uuid7.py", "service/failed_attempts.py", "service/health.py", "service/provisioning_recorder.py",
    "service/rate_limiter.py", "delivery/security_events/polling.py",
    "oauth/used_assertions.py", "stores/memory_poll_queue.py", "stores/memory_request_queue.py",
    "stores/breaker.py", "stores/memory.py", "stores/memory_log.py", "tokens/stores.py",
}  # fmt: skip
ADAPTERS = {
    "asgi.py", "cli/server.py", "loop/executor.py", "loop/health.py", "loop/turns.py",
    "testing/session.py", "testing/server.py", "testing/corpus/runner.py",  # a reader of the output of a program
    "telemetry/gauges.py",  # reads an async store on the event loop of its requests
    "delivery/async_worker.py", "delivery/async_connections.py", "delivery/security_events/asgi.py",
    "delivery/security_events/async_enqueuing.py",
    "oauth/async_verifier.py", "oauth/fetching.py", "oauth/verifier.py",  # one fetch of the keys at a time
    "testing/contract/base.py", "testing/contract/async_driver.py",  # concurrent calls, and a driver of async stores
    "testing/contract/poll_queue.py", "testing/contract/request_queue.py",
    "testing/breaker_contract.py", "testing/client_contract.py", "testing/token_contract.py",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_concurrency_below_the_adapters(path: Path) -> None:
    """Only adapters import event loops or threads; the exceptions are some modules with locks and an async store."""
    name = str(path.relative_to(SOURCE))
    if name not in ADAPTERS:
        allowed = {"threading"} if name in LOCKS else {"asyncio"} if name in AWAITED else set()
        assert imported(path) & CONCURRENT <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_has_a_docstring(path: Path) -> None:
    """Every module has a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_importing_scimkit_imports_no_models_and_no_extra() -> None:
    """`import scimkit` and serving the default types import neither scim2_models nor any extra."""
    extras = ["scim2_models", "sqlalchemy", "uvicorn", "typer", "rich", "httpx", "hypothesis", "asyncio", "joserfc",
              "opentelemetry"]  # fmt: skip
    code = (
        "import sys, scimkit, scimkit.wsgi;"
        "scimkit.ScimService(scimkit.MemoryStore(), tokens=scimkit.TokenRegistry());"
        f"print([name for name in {extras} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_is_what_is_exported() -> None:
    """`__all__` contains only existing names, each once."""
    assert all(hasattr(scimkit, name) for name in scimkit.__all__)
    assert sorted(scimkit.__all__) == sorted(set(scimkit.__all__))


def test_every_test_states_its_behavior() -> None:
    """Every test has a docstring, so that the list of tests reads as a specification."""
    silent = []
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node):
                silent.append(f"{path.name}: {node.name}")
    assert silent == []


def test_the_sync_store_needs_no_asyncio_of_sqlalchemy() -> None:
    """The sync SQL store works without greenlet, because async modules are imported only when they are needed."""
    code = (
        "import sys; sys.modules['greenlet'] = None;"
        "from scimkit.stores.sql import SqlStore, SqlTokenStore; import scimkit.stores.sqlalchemy;"
        "SqlTokenStore(SqlStore('sqlite://').engine);"
        "print('sqlalchemy.ext.asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
