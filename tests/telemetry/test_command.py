"""`scimkit serve --telemetry` records with the SDK that the process has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

SETUP = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

provider = TracerProvider(shutdown_on_exit=False)
exporter = ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + chr(10))
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
"""
"""What `opentelemetry-instrument` does at the start of a process, with an exporter to standard error."""


@pytest.mark.parametrize("has_sdk", [True, False])
def test_serve_with_telemetry(tmp_path: Path, has_sdk: bool) -> None:
    """A request has a span, and log lines have its trace. Without an SDK, a warning says that nothing is recorded."""
    (tmp_path / "sitecustomize.py").write_text(SETUP if has_sdk else "")
    command = [sys.executable, "-m", "scimkit.cli", "serve", "--port", "0", "--telemetry", "--log-format", "json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready, token = (process.stdout.readline().split(": ", 1)[1].strip() for _ in range(2))
        answer = httpx.get(f"{ready}/Users/nobody", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 404
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    lines = [json.loads(each) for each in errors.splitlines() if each.startswith("{")]
    (access,) = [each for each in lines if each.get("logger") == "scimkit.access"]
    spans = [each for each in lines if each.get("name") == "GET /scim/v2/Users/{id}"]
    warned = [each for each in lines if each.get("logger") == "scimkit.serve" and "SDK" in each["message"]]
    if has_sdk:
        (span,) = spans
        assert span["context"]["trace_id"] == f"0x{access['trace_id']}"
        assert not warned
    else:
        assert not spans and "trace_id" not in access
        assert len(warned) == 1
