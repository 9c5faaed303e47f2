"""Databases of both engines as the tests of copying see them: all rows in one form, made, changed and thrown away."""
import contextlib
import decimal
import json
import sqlite3
import uuid

from tests.lib import postgres, servers

NO_TIME = "1970-01-01 00:00:00.000000"


class Database(servers.Store):
    def execute(self, sql, *values):
        """Without foreign keys, as SQLite has it unless it is asked."""
        if self.engine == "postgresql":
            return super().execute(sql, *values)
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows

    def has_tables(self):
        return (self.path is None or self.path.exists()) and self.tables() != []


def sqlite_at(path):
    return Database(f"sqlite+aiosqlite:///{path}")


def new(engine, folder, name="target"):
    """An empty one; on SQLite not even a file."""
    if engine == "sqlite":
        return sqlite_at(folder / f"{name}.db")
    return Database(postgres.cluster().create_database(f"copy_{uuid.uuid4().hex}"))


def number(text):
    """By all its digits: 1.10 is 1.1, and 1e2 is 100."""
    return decimal.Context(prec=10000, Emax=10000, Emin=-10000).create_decimal(text)


def plain(column, value, json_columns):
    if value is None:
        return None
    if column in json_columns:
        return json.loads(str(value), parse_float=number, parse_int=number)
    if column == "total_run_time" and value == 0:
        return NO_TIME
    if column in ("created", "updated", "timestamp") or column.endswith("_time"):
        # Python's strftime writes the year 1 as it is
        return (value if "." in value else f"{value}.000000").rjust(len(NO_TIME), "0")
    return int(value) if isinstance(value, bool) else value


def shape(database):
    """Tables with their columns and those that hold JSON, as SQLite has them."""
    tables = {}
    for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
                                 " AND name NOT LIKE 'sqlite_%'"):
        columns = database.execute(f"PRAGMA table_info({name})")
        tables[name] = ([column[1] for column in columns], {column[1] for column in columns if column[2] == "JSON"})
    return tables


def rows(database, tables):
    """Every row of every table by id, column by column."""
    found = {}
    for table, (columns, json_columns) in tables.items():
        names = ", ".join(f'"{column}"' for column in columns)
        read = database.execute(f"SELECT {names} FROM {table}")
        found[table] = {row[0]: {column: plain(column, value, json_columns) for column, value in zip(columns, row)}
                        for row in read}
    return found


def run(orion, database, *words, **settings):
    """A command on the database that the settings name."""
    return orion(*words, PREFECT_ORION_DATABASE_CONNECTION_URL=database.url, **settings)
