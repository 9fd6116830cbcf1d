"""Follow the pages of the tutorial in an empty folder, as a reader would, and compare what the commands print.

`python -m tests.docs.tutorial` prints the seconds of each page, and each difference between a page and the folder.
`--write` replaces the outputs of the pages. `--wheel FILE` installs the packages that the pages name, with the wheel in
place of scimkit, in a fresh environment. `--database URL` is the database of the last steps.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

import yaml

from tests.docs.tables import DOCS

FILES: Final = DOCS / "examples" / "tutorial"
PORT: Final = "8000"
"""The port of the pages. A free port replaces it."""
_FENCE: Final = re.compile(r"^``` ?([^\n]*)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_INFO: Final = re.compile(r'\{ \.(\w+) title="([^"]+)"(?: hl_lines="([^"]*)")? \}')
_INCLUDE: Final = re.compile(r'--8<-- "tutorial/(.+)"')
_INSTALLS: Final = re.compile(r"^(python3 -m venv|source \.venv|pip install) ?.*\n?", re.MULTILINE)
_SERVES: Final = re.compile(r"^uvicorn ", re.MULTILINE)
_DOCKER: Final = re.compile(r"^docker (?:[^\n]*\\\n)*[^\n]*\n?", re.MULTILINE)
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_VARYING: Final = re.compile(
    r"scimkit_\w+|c ?h ?e ?c ?k ?-(?: ?[0-9a-f]){8}|W/\\?\"[^\"]+\"|\d+\.\d+ ?s(?: \(\d:\d\d:\d\d\))?|\[\d+\]"
    r"|assert \d+ == 0|[0-9a-f]{12}_|[0-9a-f]{8}-[0-9a-f-]{27}"
)
"""Parts of outputs that differ in each run. The output of a narrow terminal may break the name of a resource."""
_READY: Final = ("Uvicorn running on", "Application startup complete.")
_TERMINAL: Final = {
    "COLUMNS": "88", "FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "TERM": "dumb",
    "PIP_PROGRESS_BAR": "off", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page: a file, the commands of a terminal, or the output of the commands before it."""

    language: str
    title: str
    marked: str
    text: str

    @property
    def included(self) -> str:
        """The file of `docs/examples/tutorial` that the block includes, or an empty text."""
        found = _INCLUDE.fullmatch(self.text)
        return found[1] if found else ""


def pages() -> list[Path]:
    """Return the pages of the tutorial in the order of the navigation."""

    class Loader(yaml.SafeLoader):
        """Reads `mkdocs.yml`, whose tag `!ENV` is not needed here."""

    Loader.add_constructor("!ENV", lambda *_: None)
    navigation: Any = yaml.load((DOCS.parent / "mkdocs.yml").read_text("utf-8"), Loader)["nav"]
    [tutorial] = (each["Tutorial"] for each in navigation if "Tutorial" in each)
    return [DOCS / (each if isinstance(each, str) else next(iter(each.values()))) for each in tutorial]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page.

    Raises:
        ValueError: A block has no language and title, so that nobody would know where it belongs.
    """
    for info, text in _FENCE.findall(page.read_text("utf-8")):
        found = _INFO.fullmatch(info)
        if found is None:
            raise ValueError(f"{page.name}: write ``` {{ .sh title=... }} in place of {info!r}")
        yield Block(found[1], found[2], found[3] or "", text)


def changed_lines(before: str, after: str) -> str:
    """Return the numbers of the lines that are new in a text, as `hl_lines` takes them."""
    matcher = SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    ranges = [(start + 1, end) for kind, _, _, start, end in matcher.get_opcodes() if kind != "equal" and end > start]
    return " ".join(str(start) if start == end else f"{start}-{end}" for start, end in ranges)


@dataclass
class Reader:
    """A reader with an empty folder and two terminals, who does what the pages say.

    Args:
        folder: The folder.
        database: The URL that replaces the URL of PostgreSQL.
        wheel: The wheel to install in a fresh environment. Without it, nothing is installed.
        shorter: Parts of the commands of a page, each with what replaces it. The output is then not compared.
    """

    folder: Path
    database: str
    wheel: Path | None = None
    shorter: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    """What each block of commands printed, by the name of the file that should have it."""
    marks: dict[Path, dict[str, str]] = field(default_factory=dict)
    """The lines of each file that a page should mark as changed, by page and file."""
    differences: list[str] = field(default_factory=list)
    """What a reader would see that the pages do not say."""

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        self._server: subprocess.Popen[bytes] | None = None
        self._state = Path(tempfile.mkdtemp(prefix="scimkit-tutorial-"))

    @property
    def url(self) -> str:
        """The URL of the running server."""
        return f"http://127.0.0.1:{self.port}"

    def follow(self, page: Path) -> None:
        """Do what a page says."""
        printed, is_shorter = "", False
        for block in blocks(page):
            if block.language == "sh":
                commands = block.text
                for part, shorter in self.shorter.get(page.name, {}).items():
                    commands = commands.replace(part, shorter)
                is_shorter = commands != block.text
                printed = self._run(commands, block.title)
            elif block.title == "Output":
                self.outputs[block.included] = printed
                if not is_shorter:
                    self._compare(page, block, printed)
            else:
                self._write(page, block)

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(30)
            self._server = None

    def _write(self, page: Path, block: Block) -> None:
        """Save a file of a page, and check that the page marks the lines that changed."""
        if block.included.partition("/")[2] != block.title:
            self.differences.append(f"{page.name}: the block {block.title} includes {block.included}")
        path, text = self.folder / block.title, (FILES / block.included).read_text("utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        wanted = changed_lines(path.read_text("utf-8"), text) if self._is_known(path) else ""
        self.marks.setdefault(page, {})[block.title] = wanted
        if block.marked != wanted:
            self.differences.append(f'{page.name}: {block.title} needs hl_lines="{wanted}"')
        path.write_text(text, "utf-8")

    def _is_known(self, path: Path) -> bool:
        """Report whether an earlier page has a file. Alembic writes an `env.py`, which a page replaces as a whole."""
        return path.exists() and "migrations" not in path.parts

    def _compare(self, page: Path, block: Block, printed: str) -> None:
        expected = (FILES / block.included).read_text("utf-8") if (FILES / block.included).exists() else ""
        if comparable(printed) != comparable(expected):
            self.differences.append(f"{page.name}: {block.included} differs from what was printed:\n{printed}")

    def _run(self, commands: str, terminal: str) -> str:
        """Run the commands of a block in a terminal, and return what they print."""
        commands = commands.replace(PORT, self.port)
        commands = re.sub(r"postgresql\+psycopg://[^'\s]+", lambda _: self.database, _DOCKER.sub("", commands))
        if self.wheel is None:
            commands = _INSTALLS.sub("", commands)
        else:
            commands = commands.replace("'scimkit[", f"'{self.wheel}[")
        before, *arguments = _SERVES.split(commands)
        if not arguments:
            return self._shown(self._script(commands, terminal).stdout)
        self.close()
        self._script(before, terminal)
        log = self._state / "server.log"
        with log.open("wb") as file:
            self._server = subprocess.Popen(
                ["bash", "-c", f"{self._restore(terminal)}exec uvicorn {arguments[0]}"],
                cwd=self.folder, env=self._environment(), stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        for _ in range(1200):
            printed = log.read_text("utf-8")
            if all(each in _ANSI.sub("", printed) for each in _READY):
                return self._shown(printed)
            if self._server.poll() is not None:
                break
            time.sleep(0.05)  # nothing announces that another process listens
        raise RuntimeError(f"the server does not start:\n{log.read_text('utf-8')}")

    def _script(self, commands: str, terminal: str) -> subprocess.CompletedProcess[str]:
        script = f"{self._restore(terminal)}{commands}\nexport -p > {self._saved(terminal)}"
        return subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self._environment(), check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
        )  # fmt: skip

    def _saved(self, terminal: str) -> str:
        return shlex.quote(str(self._state / terminal))

    def _restore(self, terminal: str) -> str:
        """Return the commands that give a new shell the variables of a terminal."""
        return f"[ -f {self._saved(terminal)} ] && . {self._saved(terminal)}\n"

    def _environment(self) -> dict[str, str]:
        """Return the variables of a new terminal. A fresh environment has nothing of the environment of the tests."""
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "LANG", "TMPDIR")}
        path = [str(Path(sys.executable).parent), *kept["PATH"].split(":")]
        if self.wheel is not None:
            path = [each for each in path[1:] if not (Path(each) / "activate").exists()]
        return {**kept, **_TERMINAL, "PATH": ":".join(path)}

    def _shown(self, printed: str) -> str:
        """Return an output as the pages show it."""
        text = _ANSI.sub("", printed).replace(self.port, PORT).replace(str(self.folder), "/home/ada/tutorial")
        return "\n".join(line.rstrip() for line in text.strip().splitlines())


def comparable(printed: str) -> str:
    """Return an output without what differs in each run, and without line breaks."""
    return _VARYING.sub("*", " ".join(printed.split()))


def _marked(text: str, marks: Mapping[str, str]) -> str:
    """Return a page with the marks of changed lines."""
    for title, lines in marks.items():
        mark = f' hl_lines="{lines}"' if lines else ""
        text = re.sub(rf'(\{{ \.python title="{re.escape(title)}")(?: hl_lines="[^"]*")? \}}', rf"\1{mark} }}", text)
    return text


def main() -> int:
    """Follow the tutorial, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--database", default="sqlite:///last-steps.db")
    given = parser.parse_args()
    wheel = given.wheel and given.wheel.resolve()
    with tempfile.TemporaryDirectory() as folder, closing(Reader(Path(folder), given.database, wheel)) as reader:
        for page in pages():
            started = time.monotonic()
            reader.follow(page)
            sys.stdout.write(f"{page.name}: {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
    if given.write:
        for name, printed in reader.outputs.items():
            (FILES / name).parent.mkdir(exist_ok=True)
            (FILES / name).write_text(printed + "\n", "utf-8")
        for page, marks in reader.marks.items():
            page.write_text(_marked(page.read_text("utf-8"), marks), "utf-8")
        return 0
    sys.stdout.writelines(f"{each}\n" for each in reader.differences)
    return 1 if reader.differences else 0


if __name__ == "__main__":
    sys.exit(main())
