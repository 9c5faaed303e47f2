"""PgBouncer, the distribution's, in transaction mode between servers and a cluster, on a free port and with all it
needs in a folder of its own."""
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg

from tests.lib import postgres

PROGRAM = os.environ.get("PGBOUNCER", "/usr/sbin/pgbouncer")


class Bouncer:
    """`pool` connections to the server of the database; `settings` go to its configuration."""

    def __init__(self, cluster, pool, **settings):
        self.cluster, self.port = cluster, postgres.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="orion-bouncer-"))
        # it refuses root
        self.owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        lines = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "trust",
                 "auth_file": f"{self.folder}/users", "pool_mode": "transaction", "default_pool_size": pool,
                 "max_client_conn": 200, "admin_users": "postgres", "logfile": f"{self.folder}/log",
                 "server_login_retry": 0.5, **settings}
        configuration = f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\n" \
            + "".join(f"{name} = {value}\n" for name, value in lines.items())
        (self.folder / "pgbouncer.ini").write_text(configuration)
        (self.folder / "users").write_text('"postgres" ""\n')
        if self.owner:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "-q", self.folder / "pgbouncer.ini"], cwd="/",
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        **self.owner)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                self.pools()
                return
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self):
        """At once, with every connection."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pools(self):
        """What its administrator sees: a row for each pool."""
        done = subprocess.run([postgres.programs() / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                               "-d", "pgbouncer", "-AtXc", "SHOW POOLS"],
                              capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise OSError(done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]

    def url(self, database):
        return self.cluster.url(database).replace(f":{self.cluster.port}/", f":{self.port}/")


@contextlib.contextmanager
def bouncing(cluster, pool, **settings):
    bouncer = Bouncer(cluster, pool, **settings)
    try:
        yield bouncer
    finally:
        bouncer.remove()
