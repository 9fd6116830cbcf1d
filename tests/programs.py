"""Programs that a test kills, each in a process of its own. The processes share the imported modules.

A new interpreter imports scimkit and a database driver for longer than such a program runs. Therefore, one process per
test run imports the modules, and forks for each program. No test runs in that process.
"""

from __future__ import annotations

import importlib
import os
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import IO

_MODULES = ("tests.stores.writer", "tests.delivery.programs")
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(list(_MODULES))


class Program:
    """A call of a function of a module, in a process of its own.

    Attributes:
        stdout: Reads what the function prints.
    """

    def __init__(self, module: str, function: str, *arguments: str) -> None:
        reader, writer = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_call, args=(writer, module, function, arguments), daemon=True)
        self._process.start()
        writer.close()
        self.stdout: IO[bytes] = os.fdopen(os.dup(reader.fileno()), "rb")
        reader.close()

    def kill(self) -> None:
        """Kill the process with SIGKILL, at once."""
        self._process.kill()

    def rest(self) -> bytes:
        """Wait for the end of the process, and return what it printed since the last read."""
        with self.stdout:
            rest = self.stdout.read()
        self._process.join()
        self._process.close()
        return rest


def _call(writer: Connection, module: str, function: str, arguments: tuple[str, ...]) -> None:
    """Call the function in the new process, with the pipe as the standard output."""
    os.dup2(writer.fileno(), 1)
    getattr(importlib.import_module(module), function)(*arguments)
