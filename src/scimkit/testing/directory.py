"""A small declared directory of people and teams, and what happens to them.

It is an identity provider's side of the story; this module never talks to a server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory. `key` is the directory's own id; `manager` is another person's key."""

    key: str
    user_name: str
    given_name: str
    family_name: str
    email: str
    title: str | None = None
    department: str | None = None
    employee_number: str | None = None
    mobile: str | None = None
    manager: str | None = None
    enabled: bool = True
    street: str | None = None
    city: str | None = None

    @property
    def display_name(self) -> str:
        """The given and the family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Team:
    """A group of people. `members` are their keys."""

    key: str
    name: str
    members: frozenset[str] = frozenset()


class Directory:
    """People and teams by key. A deleted person is gone for good only when purged."""

    def __init__(self, people: Iterable[Person] = (), teams: Iterable[Team] = ()) -> None:
        self.people: dict[str, Person] = {person.key: person for person in people}
        self.teams: dict[str, Team] = {team.key: team for team in teams}
        self.deleted: set[str] = set()

    def hire(self, person: Person) -> None:
        """Add somebody."""
        self.people[person.key] = person

    def change(self, key: str, **attributes: Any) -> None:
        """Give somebody other attributes: a name, a title, a manager."""
        self.people[key] = replace(self.people[key], **attributes)

    def disable(self, key: str) -> None:
        """Block somebody's sign-in, or take them out of scope."""
        self.change(key, enabled=False)

    def enable(self, key: str) -> None:
        """Let somebody in again."""
        self.change(key, enabled=True)

    def delete(self, key: str) -> None:
        """Delete somebody for now: they can be restored for 30 days, and are disabled meanwhile."""
        self.disable(key)
        self.deleted.add(key)

    def purge(self, key: str) -> None:
        """Delete somebody for good; they leave every team."""
        self.deleted.discard(key)
        del self.people[key]
        for person in list(self.people.values()):
            if person.manager == key:
                self.change(person.key, manager=None)
        for team in list(self.teams.values()):
            self.leave(team.key, key)

    def form(self, team: Team) -> None:
        """Add a team."""
        self.teams[team.key] = team

    def rename(self, team: str, name: str) -> None:
        """Give a team another name."""
        self.teams[team] = replace(self.teams[team], name=name)

    def join(self, team: str, *people: str) -> None:
        """Add people to a team."""
        self.teams[team] = replace(self.teams[team], members=self.teams[team].members | set(people))

    def leave(self, team: str, *people: str) -> None:
        """Remove people from a team."""
        self.teams[team] = replace(self.teams[team], members=self.teams[team].members - set(people))

    def disband(self, team: str) -> None:
        """Remove a team."""
        del self.teams[team]


def key_of(name: str) -> str:
    """A directory id made from a name, the same each time."""
    return str(uuid5(NAMESPACE_URL, f"https://directory.example.org/{name}"))


def sample_directory() -> Directory:
    """A helpdesk: eight people, one of them disabled from the start, and three teams."""
    mia, ada, bo, jose, li, zoe, sam, kim = (
        key_of(name) for name in ("mia", "ada", "bo", "jose", "li", "zoe", "sam", "kim")
    )
    people = (
        Person(mia, "mia.boss@example.org", "Mia", "Boss", "mia@example.org", "Head of Support", "Support", "1001"),
        Person(ada, "ada.king@example.org", "Ada", "King", "ada@example.org", "Agent", "Support", "1002",
               "+47 555 0101", mia),
        Person(bo, "bo.lind@example.org", "Bo", "Lind", "bo+help@example.org", "Agent", "Support", "1003", None, mia),
        Person(jose, "josé.núñez@example.org", "José", "Núñez", "jose@example.org", "Agent", "Soporte", "1004",
               "+34 555 0104", mia),
        Person(li, "li.wei@example.org", "伟", "李", "li@example.org", "Team Lead", "Support", "1005", None, mia),
        Person(zoe, "Zoe.O'Hara@Example.org", "Zoë", "O'Hara", "zoe@example.org", None, "Billing", "0006"),
        Person(sam, "sam@example.org", "Sam", "Ng", "sam@example.org", "Agent", "Billing", None, None, li),
        Person(kim, "kim.gone@example.org", "Kim", "Gone", "kim@example.org", "Agent", "Support", "1008",
               enabled=False),
    )  # fmt: skip
    teams = (
        Team(key_of("team/tier1"), "Support Tier 1", frozenset({ada, bo, jose})),
        Team(key_of("team/tier2"), 'Support "Tier 2"', frozenset({li, mia})),
        Team(key_of("team/billing"), "Billing & Café", frozenset({zoe, sam})),
    )
    return Directory(people, teams)
