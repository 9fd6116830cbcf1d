"""Events that change a directory, such as a new user, a new name or a deleted group. Any simulator can play them.

The same seed always produces the same events. This module sends no requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol

from scimkit.testing.directory import Directory, Person, Team, key_of, sample_directory
from scimkit.testing.report import Report

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True)
class DirectoryEvent:
    """A change of a directory: a method of `Directory` with its arguments."""

    title: str
    kind: str
    arguments: tuple[Any, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def happen(self, directory: Directory) -> None:
        """Apply the event to a directory."""
        getattr(directory, self.kind)(*self.arguments, **self.attributes)

    def marked(self, mark: str) -> DirectoryEvent:
        """Return the same event with names that contain a unique mark, as the function `marked` does."""
        arguments = tuple(_marked(each, mark) for each in self.arguments)
        if self.kind == "rename":
            arguments = (arguments[0], f"{arguments[1]} {mark}")
        attributes = dict(self.attributes)
        if "user_name" in attributes:
            attributes["user_name"] = f"{mark}.{attributes['user_name']}"
        return replace(self, arguments=arguments, attributes=attributes)


class Simulator(Protocol):
    """The interface that a simulator must have so that `play` can use it."""

    directory: Directory

    @property
    def report(self) -> Report: ...

    def test_connection(self) -> bool: ...

    def synchronize(self) -> bool: ...


def play(
    simulator: Simulator,
    events: Sequence[DirectoryEvent],
    *,
    on_event: Callable[[DirectoryEvent | None], None] | None = None,
) -> Report:
    """Test the connection, synchronize the whole directory, then apply each event and synchronize again.

    Nothing is sent after a failed connection test.

    Args:
        simulator: The simulator whose directory the events change.
        events: The events, in their order.
        on_event: Called before each synchronization with the event, and with None before the first synchronization.

    Returns:
        The report of the simulator.
    """
    if simulator.test_connection():
        for event in (None, *events):
            if on_event is not None:
                on_event(event)
            if event is not None:
                event.happen(simulator.directory)
            simulator.synchronize()
    return simulator.report


def marked(directory: Directory, mark: str) -> Directory:
    """Return a copy of a directory whose names contain a mark.

    The mark keeps the names apart from those of users and groups that the service already has.
    """
    people = [_marked(each, mark) for each in directory.people.values()]
    return Directory(people, [_marked(each, mark) for each in directory.teams.values()])


def _marked(thing: Any, mark: str) -> Any:
    if isinstance(thing, Person):
        return replace(thing, user_name=f"{mark}.{thing.user_name}")
    return replace(thing, name=f"{thing.name} {mark}") if isinstance(thing, Team) else thing


def full_history() -> list[DirectoryEvent]:
    """Return one event of every kind for the sample directory."""
    ada, bo, jose, li, sam, mia = (key_of(name) for name in ("ada", "bo", "jose", "li", "sam", "mia"))
    tier1, tier2, billing, night = (key_of(f"team/{name}") for name in ("tier1", "tier2", "billing", "night"))
    ina = Person(key_of("ina"), "ina@example.org", "Ina", "New", "ina@example.org", manager=mia, city="Bergen")
    again = Person(key_of("sam/2"), "sam@example.org", "Sam", "Ng", "sam@example.org", "Lead", manager=mia)
    return [
        DirectoryEvent("Ina is hired", "hire", (ina,)),
        DirectoryEvent("Ina joins a team", "join", (tier1, ina.key)),
        DirectoryEvent("José is called Pepe", "change", (jose,), {"given_name": "Pepe"}),
        DirectoryEvent("Ada marries", "change", (ada,), {"user_name": "ada.lovelace@example.org",
              "family_name": "Lovelace", "email": "ada.lovelace@example.org"}),
        DirectoryEvent("Bo moves", "change", (bo,), {"department": "Billing", "street": "Storgata 1",
              "city": "Ålesund"}),
        DirectoryEvent("Bo moves on", "change", (bo,), {"city": "Tromsø", "mobile": "+47 555 0177",
              "title": "Team Lead"}),
        DirectoryEvent("Bo has another manager", "change", (bo,), {"manager": li}),
        DirectoryEvent("José has no manager", "change", (jose,), {"manager": None}),
        DirectoryEvent("Bo is disabled", "disable", (bo,)),
        DirectoryEvent("A team is formed", "form", (Team(night, "Night Shift", frozenset({ada, li})),)),
        DirectoryEvent("A team is renamed", "rename", (tier2, "Escalations")),
        DirectoryEvent("Two join a team", "join", (tier2, ada, jose)),
        DirectoryEvent("One leaves a team", "leave", (tier2, li)),
        DirectoryEvent("Bo is back", "enable", (bo,)),
        DirectoryEvent("Sam is deleted for now", "delete", (sam,)),
        DirectoryEvent("Sam is gone", "purge", (sam,)),
        DirectoryEvent("Sam is hired again", "hire", (again,)),
        DirectoryEvent("Everybody leaves a team", "leave", (night, ada, li)),
        DirectoryEvent("A team is disbanded", "disband", (billing,)),
        DirectoryEvent("Li, who manages, is gone", "purge", (li,)),
    ]  # fmt: skip


_NAMES: Final = ("Ada", "Bo", "Chloë", "Dag", "Élise", "Fu", "Gro", "Hà", "Iñes", "O'Neil", "Łucja", "Wei")
_PLACES: Final = ("Oslo", "Ålesund", "São Paulo", "東京", None)
_WORK: Final = ("Support", "Billing", "R&D", None)
_ROLES: Final = ("Agent", 'Team "Lead"', "Head, of all", None)


def random_history(
    seed: int, *, length: int = 30, directory: Directory | None = None
) -> tuple[Directory, list[DirectoryEvent]]:
    """Return a directory and a sequence of random events that are possible in the directory.

    Args:
        seed: The seed of the random choices.
        length: The number of events.
        directory: The directory; by default the sample directory.
    """
    directory = directory or sample_directory()
    return directory, _EventGenerator(seed, directory).events(length)


def crowd(people: int, teams: int, *, seed: int = 0) -> Directory:
    """Return a directory with the given numbers of people and teams.

    The first tenth of the people are managers of the others. Each person is a member of one or two teams.
    """
    random = Random(seed)
    keys = [key_of(f"crowd/{number}") for number in range(people)]
    managers = keys[: max(1, people // 10)]
    hired = [
        Person(
            key, f"person{number}@example.org", random.choice(_NAMES), f"{random.choice(_NAMES)} {number}",
            f"person{number}@example.org", random.choice(_ROLES), random.choice(_WORK), f"{number:05}",
            manager=None if key in managers else random.choice(managers), city=random.choice(_PLACES),
        )
        for number, key in enumerate(keys)
    ]  # fmt: skip
    members: list[set[str]] = [set() for _ in range(teams)]
    for key in keys if teams else ():
        for each in random.sample(members, k=min(teams, random.randint(1, 2))):
            each.add(key)
    formed = [Team(key_of(f"crowd/team/{n}"), f"Crowd {n}", frozenset(each)) for n, each in enumerate(members)]
    return Directory(hired, formed)


def histories(*, length: int = 30) -> SearchStrategy[tuple[Directory, list[DirectoryEvent]]]:
    """Return a hypothesis strategy for random directories with events. It shrinks to fewer events."""
    from hypothesis import strategies as st

    return st.builds(
        lambda seed, most: random_history(seed, length=most), st.integers(0, 10_000), st.integers(1, length)
    )


class _EventGenerator:
    """A generator of random events, each of which is possible in the current state of the directory."""

    def __init__(self, seed: int, directory: Directory) -> None:
        self._random = Random(seed)
        self._directory = Directory(directory.people.values(), directory.teams.values())
        self._count = 0
        self._kinds: tuple[Callable[[], DirectoryEvent | None], ...] = (
            self._hire, self._marry, self._move, self._promote, self._report_to, self._switch, self._switch,
            self._go, self._form, self._rename, self._join, self._join, self._leave, self._disband,
        )  # fmt: skip

    def events(self, length: int) -> list[DirectoryEvent]:
        made: list[DirectoryEvent] = []
        while len(made) < length:
            event = self._random.choice(self._kinds)()
            if event is not None:
                event.happen(self._directory)
                made.append(event)
        return made

    def _person(self) -> Person:
        return self._random.choice(list(self._directory.people.values()))

    def _team(self) -> Team:
        return self._random.choice(list(self._directory.teams.values()))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _hire(self) -> DirectoryEvent:
        number, given, family = self._next(), self._random.choice(_NAMES), self._random.choice(_NAMES)
        name = f"new{number}@example.org"
        person = Person(key_of(name), name, given, family, name, manager=self._person().key)
        return DirectoryEvent(f"{person.display_name} is hired", "hire", (person,))

    def _marry(self) -> DirectoryEvent:
        person, family, name = self._person(), self._random.choice(_NAMES), f"married{self._next()}@example.org"
        return DirectoryEvent(f"{person.display_name} marries", "change", (person.key,),
                     {"user_name": name, "family_name": family, "email": name})  # fmt: skip

    def _move(self) -> DirectoryEvent:
        person, city, department = self._person(), self._random.choice(_PLACES), self._random.choice(_WORK)
        street = None if city is None else f"Road {self._next()}"
        return DirectoryEvent(f"{person.display_name} moves", "change", (person.key,),
                     {"city": city, "street": street, "department": department})  # fmt: skip

    def _promote(self) -> DirectoryEvent:
        person, title = self._person(), self._random.choice(_ROLES)
        return DirectoryEvent(f"{person.display_name} becomes {title}", "change", (person.key,), {"title": title})

    def _report_to(self) -> DirectoryEvent | None:
        person, manager = self._person(), self._person()
        if person is manager:
            return DirectoryEvent(f"{person.display_name} has no manager", "change", (person.key,), {"manager": None})
        return DirectoryEvent(f"{person.display_name} reports to {manager.display_name}", "change", (person.key,),
                     {"manager": manager.key})  # fmt: skip

    def _switch(self) -> DirectoryEvent:
        person = self._person()
        kind = "disable" if person.enabled else "enable"
        return DirectoryEvent(f"{kind} {person.display_name}", kind, (person.key,))

    def _go(self) -> DirectoryEvent | None:
        if len(self._directory.people) <= 4:
            return None
        person = self._person()
        return DirectoryEvent(f"{person.display_name} is gone", "purge", (person.key,))

    def _form(self) -> DirectoryEvent:
        number = self._next()
        members = frozenset(self._random.sample(sorted(self._directory.people), 2))
        return DirectoryEvent(
            f"Team {number} is formed", "form", (Team(key_of(f"team/{number}"), f"Team {number}", members),)
        )

    def _rename(self) -> DirectoryEvent:
        team, name = self._team(), f"Renamed {self._next()} & Co"
        return DirectoryEvent(f"{team.name} is renamed", "rename", (team.key, name))

    def _join(self) -> DirectoryEvent:
        team, who = self._team(), self._random.sample(sorted(self._directory.people), 2)
        return DirectoryEvent(f"{len(who)} join {team.name}", "join", (team.key, *who))

    def _leave(self) -> DirectoryEvent | None:
        team = self._team()
        if not team.members:
            return None
        return DirectoryEvent(f"One leaves {team.name}", "leave", (team.key, self._random.choice(sorted(team.members))))

    def _disband(self) -> DirectoryEvent | None:
        if len(self._directory.teams) <= 2:
            return None
        team = self._team()
        return DirectoryEvent(f"{team.name} is disbanded", "disband", (team.key,))
