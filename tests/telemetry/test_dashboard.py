"""The Grafana dashboard asks only for metrics and labels that scimkit exports, and shows every metric."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import sqlalchemy as sa
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from scimkit import MemoryStore, Request, TokenRegistry
from scimkit.errors import Unavailable
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.telemetry import instrument, instrument_database, instruments
from tests.client import Client
from tests.docs.tables import DOCS

DASHBOARD = json.loads((DOCS / "dashboards" / "scimkit.json").read_text("utf-8"))
QUERIES = [each["expr"] for panel in DASHBOARD["panels"] for each in panel["targets"]]
_METRIC = re.compile(r"\b((?:http|db|scim)_\w+)\{")
_SUFFIX = re.compile(r"(_seconds)?(_bucket|_count|_total)?$")
_LABEL = re.compile(r"[{,] ?(\w+)(?:=|!=|=~)\"|by \(([^)]*)\)")


def exported() -> dict[str, set[str]]:
    """Return the names of the samples that Prometheus gets from a service, each with its labels."""
    reader = PrometheusMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    tokens = TokenRegistry()
    client = Client(MemoryStore(outbox=True), tokens=tokens, provisioning_log=MemoryProvisioningLog())
    instrument(client.service, tenant=True, tokens=tokens, meter_provider=provider)
    engine = sa.create_engine("sqlite://")
    instrument_database(engine, meter_provider=provider)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()
    id = client.user("ada")
    client.patch(f"/Users/{id}", {"op": "Replace", "path": "active", "value": "False"})
    client.get("/Users?filter=x")
    client.service.refuse(Request("GET", "/Users"), Unavailable())
    samples: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(generate_latest(REGISTRY).decode()):
        for sample in family.samples:
            samples[sample.name] |= set(sample.labels)
    provider.shutdown()
    return samples


def test_the_dashboard_fits_the_metrics() -> None:
    """Each metric and each label of a query is exported, and each metric of scimkit is in a query."""
    samples = exported()
    asked: set[str] = set()
    for query in QUERIES:
        names = set(_METRIC.findall(query))
        labels = {each.strip() for one, several in _LABEL.findall(query) for each in (one or several).split(",")}
        assert names <= samples.keys(), query
        assert labels <= set().union(*(samples[each] for each in names)), query
        asked |= {_SUFFIX.sub("", each) for each in names}
    metrics = [each for each in vars(instruments).values() if isinstance(each, instruments.Instrument)]
    assert {each.name.replace(".", "_") for each in metrics} == asked


def test_the_dashboard_can_be_imported() -> None:
    """Each panel has its own id, a title and a place, and asks the data source that the reader chooses."""
    panels = DASHBOARD["panels"]
    assert len({each["id"] for each in panels}) == len({each["title"] for each in panels}) == len(panels)
    assert all(each["gridPos"]["x"] + each["gridPos"]["w"] <= 24 for each in panels)
    assert {each["datasource"]["uid"] for each in panels} == {"${datasource}"}
    assert [each["type"] for each in DASHBOARD["templating"]["list"]] == ["datasource"]
