"""What libpq takes from elsewhere than the URL still counts, proxies that refuse options of the start are served
without, and connections that a firewall dropped while they were idle fail no request."""
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads
from .proxy import Link, Proxy

CONNECTIONS = 4
SETTINGS = {"PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false", "ORION_DATABASE_CONNECTIONS": str(CONNECTIONS)}
IDLE = 5.5  # seconds; longer than IDLE_US in postgres_wire.c


def in_schema(database):
    return postgres.cluster().execute(
        database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'prefect' AND tablename = 'flow_run'")


@pytest.mark.parametrize("way", ["PGOPTIONS", "PGSERVICE", "service", "options"])
def test_options_come_from_anywhere(start, database, tmp_path, way):
    postgres.cluster().execute(database, "CREATE SCHEMA prefect")
    path = "-c search_path=prefect,public"
    file = tmp_path / "services"
    file.write_text(f"[ours]\noptions={path}\n")
    settings, parameters = {
        "PGOPTIONS": ({"PGOPTIONS": path}, ""),
        "PGSERVICE": ({"PGSERVICEFILE": str(file), "PGSERVICE": "ours"}, ""),
        "service": ({"PGSERVICEFILE": str(file)}, "?service=ours"),
        "options": ({"PGOPTIONS": "-c search_path=nowhere"}, "?options=-c%20search_path%3Dprefect,public"),
    }[way]
    server = start(postgres.cluster().url(database) + parameters, **SETTINGS, **settings)
    assert Client(server).flow()["id"]
    assert [list(row) for row in in_schema(database)] == [[1]]


class Refusing(Proxy):
    """As RDS Proxy: who asks for options at the start is refused."""

    refused = 0

    def listen(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.greet, args=(near,), daemon=True).start()

    def greet(self, near):
        hello = near.recv(65536, socket.MSG_PEEK)
        if hello[4:8] == struct.pack("!I", 80877103):  # TLS, or not
            near.recv(8)
            near.sendall(b"N")
            hello = near.recv(65536, socket.MSG_PEEK)
        if b"options\0" not in hello:
            self.links.append(Link(self, near))
            return
        self.refused += 1
        fields = (b"SFATAL\0VFATAL\0C0A000\0MFeature not supported: RDS Proxy currently doesn't support command-line"
                  b" options.\0\0")
        near.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)
        near.close()


def test_a_proxy_that_takes_no_options(start, database):
    cluster = postgres.cluster()
    with Refusing(cluster.port) as proxy:
        server = start(cluster.url(database).replace(f":{cluster.port}/", f":{proxy.port}/"), **SETTINGS)
        Threads(CONNECTIONS, lambda _: Client(server).flow()).join()
        assert proxy.refused > 0


def keepalive_timers(port):
    """Of the connections to this port: the seconds until each asks whether the other end is there."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    timers = [line[5].split(":") for line in lines if line[2].endswith(f":{port:04X}") and line[3] == "01"]
    return [int(when, 16) / 100 for kind, when in timers if kind == "02"]


def test_idle_connections_that_are_dropped_without_a_word(start, database):
    """One request finds it out, and the others do not wait for that again."""
    cluster = postgres.cluster()
    with Proxy(cluster.port) as network:
        server = start(cluster.url(database).replace(f":{cluster.port}/", f":{network.port}/"), **SETTINGS)
        Threads(2 * CONNECTIONS, lambda _: Client(server).flow()).join()
        time.sleep(IDLE)
        timers = keepalive_timers(network.port)
        assert len(timers) > 1 and max(timers) <= 60
        network.forget()
        took = []
        for _ in range(2 * CONNECTIONS):
            begun = time.monotonic()
            assert Client(server).flow()["id"]
            took.append(time.monotonic() - begun)
        assert max(took) < 3 and len([one for one in took if one > 0.5]) <= 1, took
