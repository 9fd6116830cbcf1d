"""A MariaDB Galera cluster on this machine, whose nodes can be started, killed and started again.

The cluster needs `mariadb-server`, `galera-4` and `rsync` of Debian.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pymysql

_PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
_DATABASE = "scim"
_PATIENCE = 120
"""The seconds that a node may take to join."""


def missing() -> list[str]:
    """Return the programs that a cluster needs and that are not installed."""
    programs = [each for each in ("mariadbd", "mariadb-install-db", "rsync") if shutil.which(each) is None]
    return programs if _PROVIDER.exists() else [*programs, str(_PROVIDER)]


class Node:
    """A server of the cluster, with its data, ports and process."""

    def __init__(self, number: int, folder: Path) -> None:
        self.name = f"node{number}"
        self._data, self._log = folder / self.name, folder / f"{self.name}.log"
        self.port, self._replication, self._state, self._transfer = _free_ports(4)
        self.address = f"127.0.0.1:{self._replication}"
        self._process: subprocess.Popen[bytes] | None = None
        user = ["--user=mysql"] if os.getuid() == 0 else []
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal"]
        subprocess.run([*install, *user, f"--datadir={self._data}"], check=True, capture_output=True)

    @property
    def url(self) -> str:
        """The URL of the database at this node, for a store."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{_DATABASE}"

    def start(self, others: list[str]) -> None:
        """Join the nodes with the given addresses, or start a new cluster, and return when the node is synced."""
        provider = f"gmcast.listen_addr=tcp://{self.address};ist.recv_addr=127.0.0.1:{self._state}"
        self._process = subprocess.Popen(
            [
                "mariadbd", "--no-defaults", *(["--user=mysql"] if os.getuid() == 0 else []),
                f"--datadir={self._data}", f"--socket={self._data}.sock", f"--pid-file={self._data}.pid",
                f"--port={self.port}", "--bind-address=127.0.0.1", f"--log-error={self._log}",
                "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-buffer-pool-size=64M",
                "--innodb-flush-log-at-trx-commit=2", "--character-set-server=utf8mb4", "--max-connections=200",
                "--wsrep-on=ON", f"--wsrep-provider={_PROVIDER}", f"--wsrep-provider-options={provider}",
                "--wsrep-cluster-name=scimkit", f"--wsrep-node-name={self.name}",
                f"--wsrep-node-address={self.address}", "--wsrep-sst-method=rsync", "--wsrep-sync-wait=7",
                f"--wsrep-sst-receive-address=127.0.0.1:{self._transfer}",
                f"--wsrep-cluster-address=gcomm://{','.join(others)}", *([] if others else ["--wsrep-new-cluster"]),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        while self.state() != "Synced":
            if time.monotonic() > end or self._process.poll() is not None:
                said = [line for line in self._log.read_text().splitlines() if "[ERROR]" in line]
                raise RuntimeError("\n".join([f"{self.name} did not join.", *said]))
            time.sleep(0.3)

    def state(self) -> str:
        """Return the state of the node, or an empty string if the node does not answer."""
        try:
            return str(self.ask("SHOW STATUS LIKE 'wsrep_local_state_comment'")[0][1])
        except (pymysql.Error, IndexError):
            return ""

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=5) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return list(cursor.fetchall())

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop the process with SIGTERM, and with SIGKILL if it does not end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


class Cluster:
    """A cluster of three nodes with their data in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(folder, "mysql")
        self.nodes = [Node(number, folder) for number in (1, 2, 3)]

    def start(self) -> None:
        """Start all nodes. The first node starts the cluster."""
        for number, node in enumerate(self.nodes):
            node.start([each.address for each in self.nodes[:number]])
        self.nodes[0].ask(f"CREATE DATABASE {_DATABASE}")

    def rejoin(self, node: Node) -> None:
        """Start a killed node again."""
        node.start([each.address for each in self.nodes if each is not node])

    def stop(self) -> None:
        """Stop all nodes, the first node last."""
        for node in reversed(self.nodes):
            node.stop()


def _free_ports(count: int) -> list[int]:
    """Return free ports. They are below 32768, so that the kernel does not give them to clients."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 2000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            break
    return found
