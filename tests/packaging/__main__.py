"""Install the built wheel in fresh environments: with each extra, with old and new dependencies, on each Python.

`python -m tests.packaging` needs the package index. It prints one line for each check, and the exit status is 1 if a
check fails. Arguments name the checks to run: `distributions`, `extras`, `lowest`, `highest`. `--python 3.13` skips
the other versions. PostgreSQL comes from a package. `SCIMKIT_TEST_MYSQL_URL` names a MariaDB, in which each
environment has a database of its own, because the tables of old dependencies differ. On two cores, `lowest` takes a
quarter of an hour, and so does `highest` for each Python.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from tests.packaging.distributions import TOP, Distributions, build, copy_tracked
from tests.packaging.test_packaging import NAMES_EXTRA

BIN: Final = Path(sys.executable).parent
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
ROOMS: Final = (
    "tests/admin/test_pages.py", "tests/delivery", "tests/filters", "tests/patch", "tests/schema", "tests/service",
    "tests/oauth", "tests/telemetry",
    "tests/tokens", "tests/test_asgi.py", "tests/test_wsgi.py", "tests/test_cli.py", "tests/test_cli_tokens.py",
    "tests/stores/test_migrations.py", "tests/stores/test_token_stores.py", "tests/stores/django",
    "tests/stores/mapped", "tests/testing/test_plugin.py", "tests/examples/test_applications.py",
)  # fmt: skip
"""The tests for old and new dependencies: each library that scimkit calls is in at least one of these rooms."""

Failures = Iterator[str]


def run(
    *command: str | Path, folder: Path = TOP, python: Path | None = None, timeout: float = 3600, mysql_url: str = ""
) -> str:
    """Run a command, and return the end of its output if it fails or takes too long, or an empty string."""
    environment = {**os.environ, "PYTHONPATH": ""}
    if mysql_url:
        environment["SCIMKIT_TEST_MYSQL_URL"] = mysql_url
    if python is not None:
        environment |= {
            "VIRTUAL_ENV": str(python.parents[1]),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }
    try:
        done = subprocess.run(
            [str(each) for each in command],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired as slow:
        output = slow.stdout.decode(errors="replace") if isinstance(slow.stdout, bytes) else slow.stdout or ""
        return f"{output[-1500:]}\nThe command did not end within {timeout:.0f} s."
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-1500:]


def interpreters(versions: Sequence[str]) -> dict[str, str]:
    """Return the interpreter of each version that this machine has or that uv can install."""
    found = {}
    for version in versions:
        pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        if pyenv:
            found[version] = str(pyenv[-1])
            continue
        command = [BIN / "uv", "python", "find", version]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            subprocess.run([BIN / "uv", "python", "install", "--quiet", version], capture_output=True, check=False)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[version] = done.stdout.strip()
        else:
            sys.stdout.write(f"skipped: Python {version} is not on this machine, and uv cannot install it\n")
    return found


def new_environment(folder: Path, interpreter: str, *arguments: str) -> tuple[Path, str]:
    """Create an environment, and return its interpreter and the error of the installation."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "bin" / "python"
    failed = run(BIN / "uv", "venv", "--quiet", "--python", interpreter, folder)
    return python, failed or run(BIN / "uv", "pip", "install", "--quiet", "--python", python, *arguments)


def check_distributions(built: Distributions, work: Path, pythons: Sequence[str]) -> Failures:
    """Check the metadata with twine, and build a wheel from the source distribution in an isolated environment."""
    yield run(BIN / "twine", "check", "--strict", built.wheel, built.sdist)
    shutil.unpack_archive(built.sdist, work / "unpacked")
    source = next((work / "unpacked").iterdir())
    yield run(BIN / "python", "-m", "build", "--wheel", "--outdir", work / "again", source)
    yield run(BIN / "python", "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/packaging")


def check_extras(built: Distributions, work: Path, pythons: Sequence[str]) -> Failures:
    """Install the base and each extra from the wheel, send a request, and read the names of the missing extras."""
    extras = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    interpreter = next(iter(interpreters(pythons).values()))
    here = TOP / "tests" / "packaging"
    for extra in ("base", *(each for each in extras if each not in ("docs", "dev"))):
        wanted = str(built.wheel) + ("" if extra == "base" else f"[{extra}]")
        python, failed = new_environment(work / "extra", interpreter, wanted)
        yield failed or run(python, here / "smoke.py", extra, folder=work)
        done = subprocess.run([python, here / "import_all.py"], cwd=work, capture_output=True, text=True, check=False)
        if done.returncode:
            yield done.stderr[-1500:]
            continue
        for module, said in json.loads(done.stdout).items():
            named = NAMES_EXTRA.search(said)
            if module.startswith("scimkit.stores.") and "sqlalchemy[asyncio]" in said:
                continue  # an internal module; its package names the extra, as the short tests show
            if named is None or named[1] == extra or extra == "all":
                yield f"with {extra}, {module}: {said}"
        sys.stdout.write(f"  {extra}\n")


def check_lowest(built: Distributions, work: Path, pythons: Sequence[str]) -> Failures:
    """Run tests with the lowest version of each dependency, on the oldest Python."""
    oldest = next(iter(interpreters(pythons).values()))
    yield from _tests(work, oldest, ("--resolution", "lowest-direct"), ("-W", "ignore::DeprecationWarning"))


def check_highest(built: Distributions, work: Path, pythons: Sequence[str]) -> Failures:
    """Run tests with the highest version of each dependency, on each Python."""
    for version, interpreter in interpreters(pythons).items():
        sys.stdout.write(f"  Python {version}\n")
        yield from _tests(work, interpreter, (), ())


def _tests(work: Path, interpreter: str, resolution: Sequence[str], options: Sequence[str]) -> Failures:
    """Install a clean copy with all that tests need, and run the rooms. Old libraries may warn about new ones."""
    source = copy_tracked(work / "source")
    python, failed = new_environment(work / "tests", interpreter, *resolution, "--editable", f"{source}[dev]")
    if failed:
        yield failed
        return
    with _new_database() as mysql_url:
        for room in ROOMS:
            started = time.monotonic()
            pytest = (python, "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider", "--tb=short", *options, room)
            failed = run(*pytest, folder=source, python=python, mysql_url=mysql_url)
            sys.stdout.write(f"    {room}: {'failed' if failed else 'ok'}, {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
            yield failed


@contextmanager
def _new_database() -> Iterator[str]:
    """Create a database in the MariaDB of the tests, drop it at the end, and yield its URL, or an empty text."""
    url = os.environ.get("SCIMKIT_TEST_MYSQL_URL")
    if not url:
        sys.stdout.write("    skipped: SCIMKIT_TEST_MYSQL_URL names no MariaDB, so its tests do not run\n")
        yield ""
        return
    name = f"scimkit_packaging_{os.getpid()}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield engine.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")


CHECKS: Final[dict[str, Callable[[Distributions, Path, Sequence[str]], Failures]]] = {
    "distributions": check_distributions, "extras": check_extras, "lowest": check_lowest, "highest": check_highest,
}  # fmt: skip


def main() -> int:
    """Run the named checks, or all, and return the number of failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.packaging", description="Install the wheel everywhere.")
    parser.add_argument("checks", nargs="*", help=f"the checks to run, by default all: {', '.join(CHECKS)}")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="a version of Python; the default is each")
    options = parser.parse_args()
    unknown = [each for each in options.checks if each not in CHECKS]
    if unknown:
        parser.error(f"there is no check {unknown[0]!r}; choose from {', '.join(CHECKS)}")
    failures = 0
    with tempfile.TemporaryDirectory(prefix="scimkit-packaging-") as folder:
        work = Path(folder)
        built = build(copy_tracked(work / "clone"), work / "dist")
        for name in options.checks or CHECKS:
            sys.stdout.write(f"{name}\n")
            for failed in CHECKS[name](built, work, options.python or PYTHONS):
                if failed:
                    failures += 1
                    sys.stdout.write(f"FAILED {failed}\n")
                sys.stdout.flush()
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
