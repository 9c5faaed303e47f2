"""A session with a database that stays open, as another program has one: for locks, and for looking on without connecting anew."""
import asyncio
import contextlib

import asyncpg

from postgres import plain

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orion'"


class Session:
    """Call it with a statement, whose values stand at $1 $2 …; the rows, with values in the forms of a SQLite database."""

    def __init__(self, cluster, database):
        self.loop = asyncio.new_event_loop()
        self.connection = self.loop.run_until_complete(asyncpg.connect(cluster.url(database, "postgresql"), ssl=False, timeout=30))

    def __call__(self, sql, *values):
        return [tuple(map(plain, row)) for row in self.loop.run_until_complete(self.connection.fetch(sql, *values))]

    def one(self, sql, *values):
        return self(sql, *values)[0][0]

    def close(self):
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            self.loop.run_until_complete(self.connection.close(timeout=5))
        self.loop.close()


@contextlib.contextmanager
def session(cluster, database):
    one = Session(cluster, database)
    try:
        yield one
    finally:
        one.close()


@contextlib.contextmanager
def transaction(cluster, database, *statements):
    """What these statements lock stays locked inside; then it is rolled back."""
    with session(cluster, database) as one:
        one("BEGIN")
        for statement in statements:
            one(statement)
        yield one
        one("ROLLBACK")
