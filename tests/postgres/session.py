"""A session with a database that stays open, as another program has one: for locks, and for looking on without
connecting anew."""
import contextlib

import asyncpg

from tests.lib import postgres

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orion'"


class Session(postgres.Session):
    """Call it with a statement, whose values stand at $1 $2 …: a `?` is PostgreSQL's own."""

    def __init__(self, cluster, database):
        super().__init__(cluster.url(database))

    def __call__(self, sql, *values):
        return [tuple(map(postgres.plain, row)) for row in self._wait(self.connection.fetch(sql, *values))]

    def __exit__(self, *_):
        # its server may have been stopped
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._wait(self.connection.close(timeout=5))
        self._end()

    def one(self, sql, *values):
        return self(sql, *values)[0][0]


@contextlib.contextmanager
def transaction(cluster, database, *statements):
    """What these statements lock stays locked inside; then it is rolled back."""
    with Session(cluster, database) as one:
        one("BEGIN")
        for statement in statements:
            one(statement)
        yield one
        one("ROLLBACK")
