"""Import every module of scimkit, and print the error of each module that cannot be imported, as JSON.

This file runs by itself, in any environment with scimkit. Its arguments are the distributions whose packages may be
imported; without arguments, all installed ones may be.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from typing import Any

import scimkit

NOT_MODULES = re.compile(r"\.migrations\.(env|versions\.|\d)|\.__main__$")
"""Scripts that only alembic, Django or Python run."""


class Missing:
    """A finder that raises ModuleNotFoundError for every installed package of a distribution that is not allowed."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._refused = {name for name, owners in packages_distributions().items() if not {*owners} & {*allowed}}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Refuse a module that is not allowed, and leave every other module to the other finders."""
        if name.partition(".")[0] in self._refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def modules() -> Iterator[str]:
    """Yield the name of every module of scimkit, without an import."""
    folders = [(scimkit.__name__, list(scimkit.__path__))]
    while folders:
        package, paths = folders.pop()
        for each in pkgutil.iter_modules(paths, f"{package}."):
            if NOT_MODULES.search(each.name):
                continue
            yield each.name
            if each.ispkg:
                folders.append((each.name, [f"{path}/{each.name.rpartition('.')[2]}" for path in paths]))


def configure_django() -> None:
    """Configure Django with all apps of scimkit, if Django can be imported."""
    try:
        import django
        from django.conf import settings
    except ModuleNotFoundError:
        return
    apps = ["", ".external_ids", ".outbox", ".provisioning_log"]
    contrib = ["admin", "auth", "contenttypes", "messages", "sessions"]
    settings.configure(
        INSTALLED_APPS=[f"django.contrib.{each}" for each in contrib] + [f"scimkit.stores.django{app}" for app in apps],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
    )
    django.setup()


def main(allowed: Sequence[str]) -> None:
    """Import every module and print the errors."""
    if allowed:
        sys.meta_path.insert(0, Missing(allowed))
    configure_django()
    failed = {}
    for name in sorted(modules()):
        try:
            importlib.import_module(name)
        except (ImportError, SystemExit) as error:
            failed[name] = str(error)
    sys.stdout.write(json.dumps(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
