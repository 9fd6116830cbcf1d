"""The fields of log records are one documented set."""

from __future__ import annotations

import ast
import json
import logging
import re
from pathlib import Path

import pytest

import scimkit
from scimkit.service.log_formats import FIELDS, JsonFormatter, TextFormatter
from scimkit.service.logs import LOGGERS
from tests.client import Client
from tests.docs.tables import DOCS, rows

SOURCE = Path(scimkit.__file__).parent


def test_the_page_has_each_field() -> None:
    """The table of fields in the documentation has the fields that the formatters know, each once."""
    page = (DOCS / "how-to" / "operate.md").read_text("utf-8")
    table = page[page.index("| field | content |") :].partition("\n\n")[0]
    named = [name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
    assert sorted(named) == sorted(FIELDS)


def test_the_page_has_each_logger() -> None:
    """The table of loggers has each logger, and the code uses no other."""
    known = {cells[0] for cells in rows("how-to/operate.md", "Logs")}
    used = {
        node.args[0].value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "logging.getLogger"
        and node.args and isinstance(node.args[0], ast.Constant)
    }  # fmt: skip
    assert used == set(LOGGERS) == known


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_line_has_the_fields(formatter: logging.Formatter, caplog: pytest.LogCaptureFixture) -> None:
    """A line has each field of its record, and a field that the record does not have is absent."""
    caplog.set_level(logging.INFO)
    Client().get("/Users")
    (record,) = [each for each in caplog.records if each.name == "scimkit.access"]
    record.trace_id = "0af7"
    line = formatter.format(record)
    assert "\n" not in line
    if isinstance(formatter, JsonFormatter):
        found = json.loads(line)
        assert found.keys() == {"time", "level", "logger", "message", "trace_id", "request_id", "method", "path",
                                "status", "tenant", "token_id"}  # fmt: skip
        assert (found["path"], found["status"], found["trace_id"]) == ("/Users", 200, "0af7")
    else:
        assert "path=/Users status=200" in line
        assert "reason=" not in line
