"""`python -m tests.scale --store URL [--users N] [--groups N] [--memberships N] [--huge N]`.

Run an initial load over HTTP into `scimkit serve`, as Entra does. Then measure searches and changes at that size, and
one huge group. On PostgreSQL, print the plans of all statements too. The run uses a new tenant, or with `--tenant` the
tenant of an earlier run. No test checks a time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from functools import partial

import sqlalchemy as sa
from pydantic_core import from_json

from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.tables import RESOURCES
from tests.scale.client import GROUP, Client, adding, person, removing, run
from tests.scale.huge import measure_huge
from tests.scale.plans import plans
from tests.scale.served import ServedProcess, serving, token

_ENTRA = 25
"""The requests per second that Entra requires of an endpoint."""


class Load:
    """The initial load of users, groups and memberships. Costs are measured at both ends of each phase."""

    def __init__(self, served: ServedProcess, client: Client, threads: int) -> None:
        self._served, self._client, self._threads = served, client, threads
        self.people: dict[int, str] = {}
        self.groups: dict[int, str] = {}

    def remember(self, url: str, tenant: str) -> None:
        """Read the users and groups of an earlier run."""
        store = SqlStore(url, upgrade=False)
        query = sa.select(RESOURCES.c.type, RESOURCES.c.id, RESOURCES.c.document).order_by(RESOURCES.c.sequence)
        with store.engine.connect() as connection:
            for kind, id, document in connection.execute(query.where(RESOURCES.c.tenant == tenant)):
                name = from_json(document).get("userName" if kind == "User" else "displayName")
                number = int("".join(filter(str.isdigit, name)))
                (self.people if kind == "User" else self.groups)[number] = id
        store.engine.dispose()

    def create_person(self, number: int) -> None:
        """Search for a user by name, then create the user, as Entra does."""
        assert self._client.find("/Users", f'userName eq "user{number}@example.org"')["totalResults"] == 0
        self.people[number] = json.loads(self._client.send("POST", "/Users", person(number), expected=201))["id"]

    def create_group(self, number: int) -> None:
        """Search for a group by name, then create the group, as Entra does."""
        found = self._client.find("/Groups", f'displayName eq "Group {number}"', "&excludedAttributes=members")
        assert found["totalResults"] == 0
        body = {"schemas": [GROUP], "displayName": f"Group {number}", "externalId": f"g-{number}"}
        self.groups[number] = json.loads(self._client.send("POST", "/Groups", body, expected=201))["id"]

    def join(self, group: int, first: int, size: int) -> None:
        """Add several users to a group in one PATCH."""
        ids = [self.people[(first + each) % len(self.people)] for each in range(size)]
        self._client.send("PATCH", f"/Groups/{self.groups[group]}", adding(ids), expected=204)

    def phase(self, title: str, calls: Iterable[Callable[[], object]], count: int, requests: int) -> None:
        """Run the calls, each of which sends several requests, and print the costs of the first and last tenth."""
        marks: dict[int, tuple[float, float, float]] = {}
        wanted = {1, count // 10, count - count // 10, count}
        start, told = time.perf_counter(), time.perf_counter()

        def done(number: int) -> None:
            nonlocal told
            now = time.perf_counter()
            if number in wanted:
                marks[number] = (now, self._served.cpu(), self._served.database_cpu())
            if now - told > 30:
                told = now
                rate = number * requests / (now - start)
                print(f"  {title}: {number:,} of {count:,}, {rate:.0f} requests a second", flush=True)

        self._served.forget_peak()
        timed = run(calls, self._threads, done)
        seconds = timed.ended[-1] - start
        rate = count * requests / seconds
        print(
            f"| {title} | {count * requests:,} | {seconds:.0f} s | {rate:.0f} | {rate / _ENTRA:.0f}x "
            f"| {self._served.peak / 2**20:.0f} MB |",
            flush=True,
        )
        for name, (first, last) in {
            "first 10 %": (1, count // 10), "last 10 %": (count - count // 10, count)
        }.items():  # fmt: skip
            if first in marks and last in marks and last > first:
                ends = zip(marks[first], marks[last], strict=True)
                spent = [(end - begin) / (last - first) / requests * 1e3 for begin, end in ends]
                print(
                    f"|   {name} | | wall {spent[0]:.2f} ms | server CPU {spent[1]:.2f} ms "
                    f"| database CPU {spent[2]:.2f} ms | |",
                    flush=True,
                )


def main() -> None:
    """Run the phases that the arguments select."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale")
    parser.add_argument("--store", required=True)
    for name, default in (
        ("users", 100_000), ("groups", 1000), ("memberships", 1_000_000), ("huge", 1_000_000),
        ("at-once", 20), ("workers", 2), ("threads", 4), ("probes", 2000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--tenant", help="use the users and groups that an earlier run loaded into this tenant")
    options = parser.parse_args()
    tenant = options.tenant or f"scale-{os.urandom(4).hex()}"
    secret = token(options.store, tenant)
    print(f"tenant {tenant}", flush=True)
    with serving(options.store, options.workers) as served:
        client = Client(served.endpoint, secret)
        load = Load(served, client, options.threads)
        if options.tenant:
            load.remember(options.store, tenant)
        else:
            initial_load(load, options)
        if options.probes:
            measure_probes(load, client, options.probes, options.threads)
        if options.store.startswith("postgresql"):
            show_plans(options.store, tenant, load)
        if options.huge:
            measure_huge(options.store, served, options.huge)


def initial_load(load: Load, options: argparse.Namespace) -> None:
    """Create the users, then the groups, then add members a few at a time, so that all groups grow together."""
    print("| phase | requests | time | a second | of Entra's 25 | peak memory |\n| --- | --- | --- | --- | --- | --- |")
    load.phase("users", (partial(load.create_person, each) for each in range(options.users)), options.users, 2)
    load.phase("groups", (partial(load.create_group, each) for each in range(options.groups)), options.groups, 2)
    rounds = options.memberships // options.groups // options.at_once
    joins = (
        partial(load.join, group, group * 97 + turn * options.at_once, options.at_once)
        for turn in range(rounds) for group in range(options.groups)
    )  # fmt: skip
    load.phase(f"PATCHes of {options.at_once} members", joins, rounds * options.groups, 1)


def show_plans(url: str, tenant: str, load: Load) -> None:
    """Print the rows and pages that the plan of each statement reads, and the plans that read a whole table."""
    number = sorted(load.people)[len(load.people) // 2]
    group = load.groups[sorted(load.groups)[len(load.groups) // 2]]
    print("| request | statement | prepared | rows read | pages touched | |\n| --- | --- | --- | --- | --- | --- |")
    for plan in plans(url, tenant, load.people[number], group, f"user{number}@example.org"):
        whole = f"reads a whole table: {'; '.join(plan.scans)}" if plan.reads_whole_table else ""
        prepared = "yes" if plan.prepared else ""
        first = plan.statement.split()[0]
        print(f"| {plan.request} | {first} | {prepared} | {plan.rows:,} | {plan.pages:,} | {whole} |", flush=True)


def measure_probes(load: Load, client: Client, times: int, threads: int) -> None:
    """Measure searches and changes of single resources, first one at a time and then concurrently."""
    people, groups = len(load.people), len(load.groups)

    def find(text: str, endpoint: str = "/Users", rest: str = "", hits: int | None = 1) -> Callable[[int], None]:
        def call(number: int) -> None:
            at = number * 7919 % people
            filter = text.format(
                user=f"USER{at}@example.org", number=at, id=load.people[at], group=load.groups[number % groups]
            )
            assert client.find(endpoint, filter, rest)["totalResults"] == hits or hits is None

        return call

    def patch(number: int) -> None:
        id, group = load.people[number // 2 * 31 % people], load.groups[number // 2 % groups]
        body = removing([id]) if number % 2 else adding([id])
        client.send("PATCH", f"/Groups/{group}", body, expected=204)

    probes: dict[str, Callable[[int], object]] = {
        "GET by id": lambda number: client.send("GET", f"/Users/{load.people[number * 7919 % people]}"),
        "userName eq": find('userName eq "{user}"'),
        "externalId eq": find('externalId eq "ext-{number}"'),
        "emails.value eq": find('emails.value eq "{user}"'),
        'emails[type eq "work"].value eq': find('emails[type eq "work" and value eq "{user}"]'),
        "id eq and members eq": find('id eq "{group}" and members eq "{id}"', "/Groups", "&attributes=id", None),
        "members eq": find('members eq "{id}"', "/Groups", "&attributes=id", None),
        "PATCH one member": patch,
    }
    print("| one thing among all | p50 ms | p99 ms | a second, several at once |\n| --- | --- | --- | --- |")
    for title, probe in probes.items():
        run((partial(probe, each) for each in range(100)), 1)
        alone = run((partial(probe, each) for each in range(times)), 1)
        start = time.perf_counter()
        run((partial(probe, each) for each in range(times)), threads if title != "PATCH one member" else 1)
        rate = times / (time.perf_counter() - start)
        print(f"| {title} | {alone.percentile(0.5):.1f} | {alone.percentile(0.99):.1f} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
